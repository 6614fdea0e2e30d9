//! The promises of the house that can be read from its source: who imports whom, who may talk to what, who reads time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The rooms from left to right; a room imports only what stands in an earlier group, and itself.
const LAYERS: &[&[&str]] = &[
    &["domain"],
    &["clock"],
    &["yaml"],
    &["config"],
    &["store", "messages"],
    &["settings", "source", "export", "push", "report"],
    &["notify"],
    &["engine"],
    &["app"],
    &["cli"],
];

/// What a room stands alone with: nothing of ours.
const ALONE: &str = "sandbox";

/// The longest file that is still read in one go.
const MOST_LINES: usize = 600;

struct File {
    /// Below the root, with forward slashes.
    path: String,
    text: String,
}

impl File {
    /// `src/engine/planner.rs` and `src/engine.rs` are both in the room `engine`.
    fn room(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap();
        inner.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The lines that are code, numbered from 1; comments and documentation left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &str) -> Vec<File> {
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let short = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(File { path: short, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The rooms that a line names: `crate::room`, and the first of each branch of `use crate::{…}`; `renkei::room` as the
/// binary writes it, unless it stands in a text (a log's target).
fn rooms_named(line: &str) -> Vec<&str> {
    let mut rooms = Vec::new();
    for prefix in ["crate::", "renkei::"] {
        for (at, _) in line.match_indices(prefix) {
            let in_text = line[..at].matches('"').count() % 2 == 1;
            if in_text || line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &line[at + prefix.len()..];
            let branches = rest.strip_prefix('{').map_or_else(|| vec![rest], outer_branches);
            rooms.extend(branches.into_iter().map(first_word).filter(|word| !word.is_empty()));
        }
    }
    rooms
}

/// `a::{b, c}, d` → `a::{b, c}` and `d`.
fn outer_branches(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut branches) = (0_i32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                branches.push(&text[start..at]);
                return branches;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&text[start..]);
    branches
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// Whether `from` may import `to`.
fn may_import(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    match (layer(from), layer(to)) {
        (Some(from), Some(to)) => to < from,
        // The demo and `renkei sandbox` start the pretend service; nobody else may know it.
        (_, None) if to == ALONE => matches!(from, "app" | "cli"),
        // The program's door knows the command line only.
        (None, _) if from == "main" => to == "cli",
        _ => false,
    }
}

fn is_room(word: &str) -> bool {
    layer(word).is_some() || word == ALONE
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// The lines of code outside `allowed` that hold one of the words.
fn code_with(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files_below("src") {
        if allowed.contains(&file.room()) {
            continue;
        }
        for (number, line) in file.code() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn a_room_imports_only_what_stands_left_of_it() {
    let mut found = Vec::new();
    for file in files_below("src").iter().filter(|file| file.path != "src/lib.rs") {
        for (number, line) in file.code() {
            for room in rooms_named(line).into_iter().filter(|word| is_room(word)) {
                if !may_import(file.room(), room) {
                    found.push(format!("{}:{number}: {} imports {room}", file.path, file.room()));
                }
            }
        }
    }
    assert_none("a layer imports only what stands left of it, siblings never each other", &found);
}

#[test]
fn every_room_of_the_map_has_its_place() {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let homeless: Vec<String> = rooms.filter(|room| !is_room(room)).map(str::to_owned).collect();
    assert_none("rooms without a layer in this test", &homeless);
}

#[test]
fn the_check_itself_sees_imports_in_all_their_forms() {
    assert_eq!(rooms_named("use crate::engine::Planner;"), ["engine"]);
    assert_eq!(rooms_named("use crate::{clock::Clock, store::{a, b}, cli};"), ["clock", "store", "cli"]);
    assert_eq!(rooms_named("    let x = crate::push::go(&renkei::app::y);"), ["push", "app"]);
    assert!(rooms_named("let target = \"renkei::push\"; pub(crate) fn x() {}").is_empty());
    assert!(may_import("engine", "push") && !may_import("push", "engine"));
    assert!(!may_import("push", "report") && !may_import("report", "sandbox"));
    assert!(!may_import("sandbox", "domain") && !may_import("domain", "clock"));
}

#[test]
fn the_sql_on_our_tables_lives_under_store() {
    assert_none("sqlx outside src/store", &code_with(&["sqlx"], &["store"]));
}

#[test]
fn requests_leave_from_push_alone_and_mail_from_report_alone() {
    assert_none("reqwest outside src/push", &code_with(&["reqwest"], &["push"]));
    assert_none("lettre outside src/report", &code_with(&["lettre"], &["report"]));
}

#[test]
fn only_the_clock_reads_time() {
    // The sandbox stands for another company's machine: it has a clock of its own.
    let words = ["Utc::now", "Local::now", "Instant::now", "SystemTime::now"];
    assert_none("time is read by clock.rs alone", &code_with(&words, &["clock", "sandbox"]));
}

#[test]
fn the_domain_is_pure() {
    let words = ["tokio", "std::fs", "std::net", "std::env", "std::thread", "hyper::", "rustls"];
    let domain: Vec<String> =
        code_with(&words, &[]).into_iter().filter(|line| line.starts_with("src/domain")).collect();
    assert_none("I/O in the domain", &domain);
}

#[test]
fn every_module_says_what_it_is_for_and_can_be_read_in_one_go() {
    let mut found = String::new();
    for file in files_below("src").into_iter().chain(files_below("tests/it")) {
        if !file.text.starts_with("//!") {
            writeln!(found, "{}: does not open with a //! paragraph", file.path).unwrap();
        }
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            writeln!(found, "{}: {lines} lines, the most is {MOST_LINES}", file.path).unwrap();
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn no_banned_library_came_in_through_a_side_door() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for banned in ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "serde_yml", "serde_yaml"] {
        let line = format!("name = \"{banned}\"");
        assert!(!lock.lines().any(|found| found == line), "Cargo.lock has {banned}: see docs/decisions");
    }
}
