//! Whatever people, files and receivers write: it is taken or refused, never a panic and never a hang. A few cases in
//! every run; `RENKEI_FUZZ_SECONDS=600` keeps on for that long with each target, `RENKEI_FUZZ_SEED` repeats one.

use crate::support::{TOKYO, at, tell, temp_store};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};
use renkei::clock::Clock;
use renkei::config::Config;
use renkei::domain::calendar::Calendar;
use renkei::domain::duration::parse_duration;
use renkei::domain::schedule::{CronRule, Kind, Schedule};
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Against, Entities};
use renkei::source::{self, OpenContext, SourceError};
use renkei::yaml::{Finding, Text};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A single case that takes longer than this hangs, on however busy a machine.
const HANG: Duration = Duration::from_secs(60);

/// Tries `quick` cases, or as many as fit into the time that the environment gives; a case that panics is made
/// smaller, one that hangs is told as it is.
pub(crate) fn fuzz<S>(target: &str, quick: u32, cases: S, mut check: impl FnMut(S::Value) + Send + 'static)
where
    S: Strategy + Send + 'static,
    S::Value: Debug,
{
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let clock = Clock::system();
    let seed = number("RENKEI_FUZZ_SEED").unwrap_or(clock.now().timestamp_millis().unsigned_abs() + u64::from(quick));
    let long = number("RENKEI_FUZZ_SECONDS").map(Duration::from_secs);
    let trying = Arc::new(Mutex::new((0_u64, String::new())));
    let (done, finished) = channel();
    let worker = std::thread::spawn({
        let (trying, target, clock) = (Arc::clone(&trying), target.to_owned(), clock.clone());
        move || {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
            let settings = Cases { cases: quick, failure_persistence: None, ..Cases::default() };
            // A runner counts its cases over all its runs: each round has a new one, on the same stream of choices.
            let mut runner = TestRunner::new_with_rng(settings.clone(), rng);
            let check = std::cell::RefCell::new(&mut check);
            loop {
                let outcome = runner.run(&cases, |case| {
                    {
                        let mut trying = trying.lock().unwrap();
                        trying.0 += 1;
                        trying.1 = format!("{case:?}");
                    }
                    (check.borrow_mut())(case);
                    Ok(())
                });
                let tried = trying.lock().unwrap().0;
                if let Err(error) = outcome {
                    panic!("{target}, seed {seed}, after {tried} cases: {error}");
                }
                if long.is_none_or(|long| clock.elapsed() >= long) {
                    tell(format_args!("{target}: {tried} cases in {} s, seed {seed}", clock.elapsed().as_secs()));
                    let _ = done.send(());
                    return;
                }
                runner = TestRunner::new_with_rng(settings.clone(), runner.new_rng());
            }
        }
    });
    let mut seen = 0;
    while let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(HANG) {
        let trying = trying.lock().unwrap();
        assert_ne!(trying.0, seen, "{target}, seed {seed}: hangs at {}", trying.1);
        seen = trying.0;
    }
    worker.join().unwrap();
}

/// Seeds that are damaged in up to eight places: cut, doubled, overwritten, with a word of the trade put in.
pub(crate) fn damaged(seeds: Vec<Vec<u8>>, words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let blow = (0..6_u8, any::<u16>(), 0..40_usize, 0..words.len(), any::<u8>());
    (prop::sample::select(seeds), prop::collection::vec(blow, 0..8)).prop_map(move |(mut text, blows)| {
        for (kind, at, length, word, byte) in blows {
            let at = usize::from(at) % (text.len() + 1);
            let end = (at + length).min(text.len());
            match kind {
                0 => drop(text.drain(at..end)),
                1 => {
                    let piece = text[at..end].to_vec();
                    text.splice(at..at, piece.repeat(1 + usize::from(byte % 4)));
                }
                2 if at < text.len() => text[at] = byte,
                3 => text.insert(at, byte),
                4 => drop(text.splice(at..at, words[word].bytes())),
                _ => drop(text.splice(at..end, words[word].bytes())),
            }
        }
        text
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const YAML: &[&str] = &[
    "\n",
    "\n  ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "#",
    "\t",
    "---\n",
    "...\n",
    "\u{feff}",
    "null",
    "~",
    "true",
    "-0",
    "0x1f",
    "1e999",
    ".nan",
    "99999999999999999999",
    "2026-02-30",
    "${env:",
    "${file:/x}",
    "${sealed:AAAA}",
    "every: 1s",
    "cron: '* * * * *'",
    "monthly: { day: last }",
    "between: \"22:00-04:00\"",
    "Asia/Tokyo",
    "\0",
    "\u{2028}",
    "𠮷",
    "kind: generic",
    "confirm:",
    "columns:",
    "integrations:",
    "menus:",
    "timers:",
];

#[test]
fn settings_of_any_text_are_loaded_or_refused() {
    let files = [
        include_str!("../data/settings/design.yaml"),
        include_str!("../data/settings/every_key.yaml"),
        include_str!("../../examples/settings.yaml"),
    ];
    let seeds = files.iter().map(|file| file.as_bytes().to_vec()).collect();
    let resolver = Resolver::new("/nonexistent/renkei.key").with_variables([("SEISAN_TOKEN", "t0p")]);
    fuzz("settings", 400, prop_oneof![9 => damaged(seeds, YAML), 1 => damaged(vec![Vec::new()], YAML)], move |bytes| {
        let text = Text { path: PathBuf::from("/etc/renkei/settings.yaml"), text: lossy(&bytes) };
        let against = Against { stored: &Entities::default(), prune: false, resolver: &resolver };
        match settings::load(&[text], &against) {
            Err(findings) => assert!(findings.0.iter().any(Finding::is_error), "refused without a word"),
            Ok(loaded) => {
                // What was taken can be written, and is taken again.
                let text = Text { path: PathBuf::from("again.yaml"), text: settings::export(&loaded.entities) };
                let again = settings::load(std::slice::from_ref(&text), &against);
                assert!(again.is_ok(), "{}\n{}", again.unwrap_err(), text.text);
            }
        }
    });
}

#[test]
fn a_config_of_any_bytes_is_loaded_or_refused() {
    const WORDS: &[&str] =
        &["smtp://", "smtps://u@[::1]:0?tls=none", "sqlite:", "?tls=", "%00", "@", "9999999999999d", "-1s"];
    let example = include_str!("../../config.example.yaml").lines().filter(|line| !line.starts_with('#'));
    let mail = "mail: { url: \"smtp://u@mail.example.jp:587?tls=required\", password: \"${env:P}\", from: a@b.jp, administrators: [c@d.jp] }\n";
    let example =
        example.filter(|line| !line.starts_with("mail")).fold(String::from(mail), |text, line| text + line + "\n");
    let folder = tempfile::tempdir().unwrap();
    let cases =
        prop_oneof![damaged(vec![example.clone().into_bytes()], YAML), damaged(vec![example.into_bytes()], WORDS)];
    fuzz("config", 400, cases, move |bytes| {
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, &bytes).unwrap();
        if let Err(error) = Config::load(Some(&path)) {
            assert!(!error.to_string().is_empty(), "refused without a word");
        }
    });
}

/// Instants around which clocks change, years leap and calendars end.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (-2_300_000_000_i64..253_500_000_000, 0..4_u8).prop_map(|(seconds, kind)| {
        let seconds = if kind == 0 { seconds } else { seconds.rem_euclid(4_000_000_000) };
        DateTime::from_timestamp(seconds, 0).unwrap()
    })
}

const ZONES: [&str; 7] = [
    "Asia/Tokyo",
    "UTC",
    "Europe/London",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
];

/// A schedule goes on from any instant, and only forward.
fn walk(schedule: &Schedule, zone: &str, from: DateTime<Utc>) {
    let mut at = from;
    for _ in 0..4 {
        let Some(next) = schedule.next_after(zone.parse().unwrap(), &Calendar::default(), at) else { return };
        assert!(next > at, "{schedule:?} went from {at} to {next}");
        at = next;
    }
}

#[test]
fn a_cron_pattern_of_any_letters_is_walked_or_refused() {
    const WORDS: &[&str] = &[
        "*",
        "*/",
        "/",
        "-",
        ",",
        "#",
        "L",
        "W",
        "?",
        "+",
        " ",
        "\t",
        "0",
        "59",
        "60",
        "31",
        "29 2",
        "7",
        "jan",
        "MON",
        "sun-sat",
        "L-2",
        "15W",
        "5#5",
        "@daily",
        "@",
        "4294967295",
        "99999999999999999999",
        "　",
        "５",
        "*/0",
        "1-0",
        "~",
    ];
    let seeds =
        ["* * * * * *", "0 6 * * 1-5", "*/5 8-20 1,15 jan-jun mon#2", "0 0 29 2 *", "59 23 L * +5L", "0 0 15W * *"];
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    fuzz(
        "cron",
        1_000,
        (damaged(seeds, WORDS), instants(), prop::sample::select(ZONES.to_vec())),
        |(bytes, from, zone)| {
            let text = lossy(&bytes);
            let Ok(rule) = CronRule::parse(&text) else { return };
            assert_eq!(CronRule::parse(rule.as_str()).as_ref(), Ok(&rule), "{text:?} is not what it is written as");
            let schedule = Schedule::from(Kind::Cron(rule));
            walk(&schedule, zone, from);
            assert!(!schedule.describe_en().is_empty());
        },
    );
}

#[test]
fn a_schedule_or_a_length_of_time_of_any_text_is_walked_or_refused() {
    const WORDS: &[&str] = &[
        "once",
        "daily",
        "weekly",
        "monthly",
        "every",
        "cron",
        "between",
        "on",
        "at",
        "day",
        "months",
        ": ",
        ", ",
        "\"",
        "24:00",
        "00:00",
        "23:59:59",
        "-",
        "1s",
        "86400s",
        "1d",
        "mon",
        "last",
        "31",
        "0",
        "-1",
        "1e9",
        "9999-12-31T23:59",
        "[",
        "]",
        "{",
        "}",
        "18446744073709551615w",
        "時",
        "1.5h",
        "１２:００",
    ];
    let seeds = [
        "once: \"2026-12-01T06:00\"",
        "daily: \"06:00\"",
        "weekly: { on: [mon, thu], at: \"06:00\" }",
        "monthly: { day: 31, at: \"23:30\", months: [4, 10] }",
        "{ every: 15m, between: \"08:00-20:00\" }",
        "cron: \"0 6 * * 1-5\"",
        "every: 1d2h",
        "{ every: 7s, between: \"20:00-06:00\" }",
    ];
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    fuzz(
        "schedule",
        1_000,
        (damaged(seeds, WORDS), instants(), prop::sample::select(ZONES.to_vec())),
        |(bytes, from, zone)| {
            let text = lossy(&bytes);
            let _ = parse_duration(text.rsplit(' ').next().unwrap_or_default());
            let Ok(schedule) = serde_yaml::from_str::<Schedule>(&text) else { return };
            walk(&schedule, zone, from);
            let written = serde_yaml::to_string(&schedule).unwrap();
            assert_eq!(serde_yaml::from_str::<Schedule>(&written).ok().as_ref(), Some(&schedule), "{written}");
            let _ = (schedule.describe_en(), schedule.warnings());
        },
    );
}

const CSV: &[&str] = &[
    ",",
    "\"",
    "\"\"",
    "\r\n",
    "\n",
    "\r",
    "\t",
    ";",
    "|",
    "\0",
    "\u{feff}",
    "社員コード",
    "髙",
    "〜",
    "\u{1b}$B",
    "\u{1b}(B",
    "'",
    "\\\"",
    "\"\n",
    ",,,,,,,,",
    "=1+1",
    "\u{1a}",
    "\n\n\n",
];

/// The same short table in every charset, and without any.
fn tables() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/source");
    let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    seeds.sort();
    seeds.extend([b"a;b;c\n1;\"2\n\";3\n".to_vec(), b"a\tb\n1\t2".to_vec(), Vec::new(), (0..=255).collect()]);
    seeds
}

fn forms() -> impl Strategy<Value = serde_json::Value> {
    let charsets = ["auto", "utf8", "sjis", "euc-jp", "iso-2022-jp", "utf16"];
    let delimiters = [None, Some(","), Some("\\t"), Some(";")];
    (prop::sample::select(charsets.to_vec()), prop::sample::select(delimiters.to_vec()), 0..3_u8).prop_map(
        |(charset, delimiter, quote)| {
            let quote = [None, Some(""), Some("\"")][usize::from(quote)];
            serde_json::json!({ "charset": charset, "delimiter": delimiter, "quote": quote })
        },
    )
}

#[test]
fn a_csv_of_any_bytes_is_read_whole_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let when = at("2026-11-24 06:00:00") + TimeDelta::days(36_500);
    fuzz("csv", 400, (damaged(tables(), CSV), forms()), move |(bytes, mut form)| {
        let path = folder.path().join("list.csv");
        std::fs::write(&path, &bytes).unwrap();
        form["path"] = path.to_str().unwrap().into();
        let form = serde_json::from_value(form).unwrap();
        let Ok(opened) = source::open_csv(&form, &OpenContext { now: when, run_at: when, zone: TOKYO }) else { return };
        let (width, mut last) = (opened.header.names().len(), 0);
        assert!(width > 0);
        for block in opened.blocks {
            let Ok(block) = block else { return };
            for row in block.rows() {
                assert!(row.line() > last && row.fields().count() == width, "line {} after {last}", row.line());
                last = row.line();
            }
        }
    });
}

#[test]
fn json_lines_of_any_bytes_are_imported_whole_or_refused() {
    const WORDS: &[&str] = &[
        "{", "}", "\"", "\\", "\\u0000", "\\ud800", "null", "true", ":", ",", "[", "]", "1e999", "-0", "1.00", "\n",
        "\r\n", "\0", "\u{feff}", "{\"a\":", "[[[[[[[[", "\"a\":1,",
    ];
    let seeds = [
        "{\"社員コード\":\"0045\",\"社員名\":\"髙橋\"}\n\n{\"社員名\":null,\"社員コード\":1102}\n",
        "{\"a\":1}\n{\"a\":1.0}",
        "{}\n",
    ];
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(temp_store());
    let folder = tempfile::tempdir().unwrap();
    fuzz("json lines", 150, damaged(seeds, WORDS), move |bytes| {
        let path = folder.path().join("list.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        let imported = runtime.block_on(source::import(&store.store, "list", &path, at("2026-11-24 06:00:00")));
        // This error is how a reader that panicked looks from outside.
        assert!(!matches!(imported, Err(SourceError::Ended)), "the reader died");
    });
}
