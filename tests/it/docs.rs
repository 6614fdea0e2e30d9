//! Prose cannot rot: every table and example that a page shows is compared with the code, and every link is followed.

mod commands;

use std::path::{Path, PathBuf};

use renkei::config::{self, Config, Locale};
use renkei::domain::failure::Code;
use renkei::domain::run::{RunState, SkipReason};
use renkei::domain::schedule::Schedule;
use renkei::domain::verdict::{FORMS, Next};
use renkei::export::characters::Encoder;
use renkei::messages;
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Against, Entities};
use renkei::yaml::Text;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// Every page of the repository: the two READMEs and what lies under docs.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md"), root().join("README.ja.md"), root().join("CONTRIBUTING.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The cells of the table that follows a heading, without its head.
fn table_below(text: &str, heading: &str) -> Vec<Vec<String>> {
    let below = text.split_once(heading).unwrap_or_else(|| panic!("no heading {heading:?}")).1;
    below
        .lines()
        .skip(1)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// A table of a page that is written from the code stands between two marks; written anew if that is asked for.
fn generated(name: &str, mark: &str, table: &str) {
    let text = page(name);
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = text.split_once(&open).unwrap();
    let (found, after) = rest.split_once(&close).unwrap();
    if std::env::var_os("RENKEI_WRITE_DOCS").is_some() {
        std::fs::write(root().join(name), format!("{before}{open}{table}{close}{after}")).unwrap();
        return;
    }
    assert_eq!(found, table, "write it anew: RENKEI_WRITE_DOCS=1 cargo test docs::");
}

/// `a` of `` `a` ``.
fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn the_drawn_edges_of_a_run_are_those_of_the_code() {
    let text = page("docs/states.md");
    let drawing = text.split("```").nth(1).unwrap();
    let mut drawn: Vec<(&str, &str)> =
        drawing.lines().filter_map(|line| line.trim().split_once(" --> ")).filter(|(from, _)| *from != "[*]").collect();
    let mut known: Vec<(&str, &str)> = Vec::new();
    for from in RunState::ALL {
        known.extend(RunState::ALL.iter().filter(|to| from.may_become(**to)).map(|to| (from.as_str(), to.as_str())));
    }
    drawn.sort_unstable();
    known.sort_unstable();
    assert_eq!(drawn, known);
}

#[test]
fn every_state_of_a_run_is_explained_with_its_exit_code() {
    let rows = table_below(&page("docs/states.md"), "## A run");
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (code(&row[0]), row[3].as_str())).collect();
    let known: Vec<(&str, String)> =
        RunState::ALL.iter().map(|state| (state.as_str(), state.exit_code().to_string())).collect();
    assert_eq!(told, known.iter().map(|(state, exit)| (*state, exit.as_str())).collect::<Vec<_>>());
}

#[test]
fn the_table_of_verdicts_is_the_one_that_decides() {
    let mut table = String::from("| the answer | verdict | batch becomes | then |\n|---|---|---|---|\n");
    for form in FORMS {
        let then = match form.verdict.next() {
            Next::GoOn => "the next batch",
            Next::Stop => "the run stops",
            Next::TryAgain => "tried again",
            Next::TryAgainIfHarmless => "tried again only if `repeat_safe`",
        };
        table += &format!("| {} | `{}` | `{}` | {then} |\n", form.told, form.verdict, form.verdict.batch_state());
    }
    generated("docs/states.md", "verdicts", &table);
}

#[test]
fn every_reason_for_a_skip_is_told() {
    let rows = table_below(&page("docs/states.md"), "## A slot");
    let told: Vec<&str> = rows.iter().map(|row| code(&row[0])).collect();
    let known: Vec<&str> = SkipReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(told, known);
}

#[test]
fn the_table_of_failures_says_what_the_mails_say() {
    let mut table = String::from("| code | means | do |\n|---|---|---|\n");
    for failure in Code::ALL {
        let steps = (messages::of(Locale::En).explain)(*failure).steps.join(". ");
        table += &format!("| `{failure}` | {} | {steps}. |\n", failure.meaning().trim());
    }
    generated("docs/errors.md", "codes", &table);
}

#[test]
fn every_folding_that_is_told_is_done() {
    let rows = table_below(&page("docs/characters.md"), "## Foldings");
    let letters = |cell: &str| -> String {
        let points = cell.split_whitespace().filter_map(|word| word.strip_prefix("U+"));
        points.map(|hex| char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap()).collect()
    };
    let bytes = |text: &str| {
        let mut bytes = Vec::new();
        Encoder::default().encode_field(text, &mut bytes).unwrap();
        bytes
    };
    assert!(rows.len() > 9);
    for row in rows {
        let (read, written) = (letters(&row[0]), letters(&row[1]));
        assert_ne!(read, written, "{row:?}");
        assert_eq!(bytes(&read), bytes(&written), "{row:?}");
    }
}

/// The keys that a reference page tells: the first cells below a heading `` ### `path` ``, or below `plain` for no path.
fn keys_told(text: &str, plain: &str) -> Vec<String> {
    let (mut prefix, mut keys) = (None, Vec::new());
    for line in text.lines() {
        if line.starts_with('#') {
            prefix = line.strip_prefix("### `").map(|rest| format!("{}.", rest.trim_end_matches('`')));
            if line == plain {
                prefix = Some(String::new());
            }
        } else if let Some(prefix) = &prefix
            && let Some(rest) = line.strip_prefix("| `")
        {
            keys.push(format!("{prefix}{}", rest.split('`').next().unwrap()));
        }
    }
    keys
}

#[test]
fn the_settings_reference_tells_every_key_and_no_other() {
    assert_eq!(keys_told(&page("docs/settings.md"), "### The three lists and the calendar"), settings::keys());
}

/// The fenced examples of a page in one language.
fn examples(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Loads settings as `renkei apply` does; the warnings come back.
fn load_settings(name: &str, text: &str) -> Result<Vec<String>, String> {
    let keys = tempfile::tempdir().unwrap();
    let text = Text { path: root().join(name), text: text.to_owned() };
    let resolver = Resolver::new(keys.path().join("renkei.key"));
    let against = Against { stored: &Entities::default(), prune: false, resolver: &resolver };
    match settings::load(&[text], &against) {
        Ok(loaded) => Ok(loaded.findings.iter().map(ToString::to_string).collect()),
        Err(findings) => Err(findings.to_string()),
    }
}

#[test]
fn every_yaml_example_is_one_that_renkei_takes() {
    let mut seen = 0;
    for path in pages() {
        for example in examples(&std::fs::read_to_string(&path).unwrap(), "yaml") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            let is_settings =
                ["integrations:", "menus:", "timers:", "calendar:"].iter().any(|list| example.contains(list));
            let taken = if is_settings {
                load_settings(name, &example).map(|_| ())
            } else {
                let text = Text { path: path.clone(), text: example.clone() };
                Config::parse(&text).map(|_| ()).map_err(|error| error.to_string())
            };
            assert_eq!(taken, Ok(()), "{name}:\n{example}");
            seen += 1;
        }
    }
    assert!(seen > 2, "the examples were not found");
}

#[test]
fn the_settings_that_ship_are_taken_without_a_word() {
    for name in [
        "examples/settings.yaml",
        "examples/confirm.yaml",
        "examples/mapping.yaml",
        "examples/files.yaml",
        "examples/demo/settings.yaml",
    ] {
        let warnings = load_settings(name, &page(name)).unwrap();
        let surprising: Vec<_> = warnings.iter().filter(|text| !text.contains("SEISAN_TOKEN")).collect();
        assert!(surprising.is_empty(), "{name}: {surprising:?}");
    }
}

#[test]
fn every_schedule_that_is_told_is_read_and_the_one_that_never_comes_is_refused() {
    let text = page("docs/settings.md");
    let section = text.split("### `timers[].schedule`").nth(1).unwrap().split("\n###").next().unwrap();
    let written: Vec<&str> = section.split('`').filter(|code| code.starts_with("{ ")).collect();
    assert!(written.len() > 6);
    for schedule in written {
        let read = serde_yaml::from_str::<Schedule>(schedule);
        assert_eq!(read.is_err(), schedule.contains("31 2"), "{schedule}: {read:?}");
    }
}

#[test]
fn the_table_of_config_yaml_tells_every_key() {
    let rows = table_below(&page("docs/operations.md"), "## config.yaml");
    let told: Vec<&str> = rows.iter().map(|row| code(&row[0])).collect();
    assert_eq!(told, config::keys());
}

#[test]
fn every_link_leads_to_a_file() {
    let mut broken = Vec::new();
    for path in pages() {
        let text = std::fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || target.contains("://") {
                continue;
            }
            if !path.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
