//! A file of JSON lines as a source: found and watched like any file, one object a line, nothing guessed.

use crate::csv_source::{Folder, context, encoded, is_watched, now};
use crate::support::{House, TOKEN, TOKYO};
use chrono::TimeDelta;
use renkei::domain::failure::Code;
use renkei::domain::menu::JsonlSourceForm;
use renkei::domain::run::RunState;
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Against, Entities};
use renkei::source::{Blocks, OpenContext, SourceError, SourceInfo, locate, open_jsonl};
use renkei::store::settings::SettingsChange;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

fn form(path: &Path, more: &str) -> JsonlSourceForm {
    serde_yaml::from_str(&format!("path: {:?}\n{more}", path.to_str().unwrap())).unwrap()
}

/// The header, then each row after its line; fields joined by `|`.
fn read_form(form: &JsonlSourceForm) -> Result<Vec<String>, SourceError> {
    let opened = open_jsonl(form, &context())?;
    let mut lines = vec![opened.header.names().join("|")];
    for block in opened.blocks {
        let block = block?;
        lines.extend(block.rows().map(|row| format!("{} {}", row.line(), row.fields().collect::<Vec<_>>().join("|"))));
    }
    Ok(lines)
}

fn read(bytes: impl AsRef<[u8]>, more: &str) -> Result<Vec<String>, SourceError> {
    let folder = Folder::new();
    let path = folder.write("list.jsonl", 3600, bytes);
    read_form(&form(&path, more))
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, more: &str, code: Code, words: &str) {
    let failure = read(bytes, more).unwrap_err().failure();
    assert_eq!(failure.code, code, "{}", failure.message);
    assert!(failure.message.contains(words), "{words:?} is not in: {}", failure.message);
}

#[test]
fn objects_are_rows_with_their_lines_and_numbers_keep_their_digits() {
    let text = concat!(
        "{\"code\":\"007\",\"n\":1.0,\"big\":123456789012345678901234567890,\"t\":true,\"z\":null}\r\n\n",
        "{ \"n\" : -0.10e+3, \"code\": \"\\u4f50\\n\", \"t\":false }",
    );
    let rows = ["code|n|big|t|z", "1 007|1.0|123456789012345678901234567890|true|", "3 佐\n|-0.10e+3||false|"]
        .map(str::to_owned);
    assert_eq!(read(text, "").unwrap(), rows);
    assert_eq!(read(format!("\u{feff}{text}"), "").unwrap(), rows, "a byte order mark is no part of the text");
}

#[test]
fn the_first_object_names_the_columns_and_a_later_one_may_lack_some_but_bring_none() {
    assert_eq!(read("{\"a\":1,\"b\":2}\n{\"b\":3}\n{}\n", "").unwrap(), ["a|b", "1 1|2", "2 |3", "3 |"]);
    let more = "{\"a\":1}\n{\"a\":2}\n{\"a\":3,\"名\":4}\n";
    refused(more, "", Code::SourceMalformed, "list.jsonl, line 3: 名 is not among the names of the first object");
    refused("{\"a\":1,\"a\":2}", "", Code::SourceMalformed, "line 1: a stands twice");
    refused("{\"a\":1}\n{\"a\":1,\"a\":2}", "", Code::SourceMalformed, "line 2: a stands twice");
    let wide: Vec<String> = (0..16_385).map(|n| format!("\"{n}\":1")).collect();
    refused(format!("{{{}}}", wide.join(",")), "", Code::SourceMalformed, "line 1: the object has more than 16384");
}

#[test]
fn listed_columns_are_all_that_an_object_may_have_and_stand_in_the_lists_order() {
    let listed = "columns: [名, a, b]";
    assert_eq!(read("{\"a\":1}\n{\"b\":3,\"名\":\"佐\"}\n", listed).unwrap(), ["名|a|b", "1 |1|", "2 佐||3"]);
    refused("{\"a\":1,\"c\":2}\n", listed, Code::SourceMalformed, "line 1: c is none of the columns");
    refused("{\"a\":1}\n{\"A\":2}\n", listed, Code::SourceMalformed, "line 2: A is none of the columns");
    refused("{\"a\":1,\"a\":2}\n", listed, Code::SourceMalformed, "line 1: a stands twice");
}

#[test]
fn what_is_no_plain_object_is_refused_with_its_line_and_name_and_without_its_value() {
    use Code::SourceMalformed as Malformed;
    for more in ["", "columns: [a, 名]"] {
        refused("{\"a\":1}\n{\"a\":[1]}", "columns: [a]", Malformed, "line 2: a: a list or an object as a value");
        refused("{\"a\":1,\"名\":{\"x\":1}}", more, Malformed, "line 1: 名: a list or an object");
        refused("{\"a\":1}\n\n[1]\n", more, Malformed, "line 3: a JSON list");
        refused("{\"a\":1}\n{\"a\":1", more, Malformed, "line 2: no JSON object");
        refused("{\"a\":1}{\"a\":2}", more, Malformed, "line 1: no JSON object");
        refused("{\"a\":NaN}", more, Malformed, "line 1: no JSON object");
        refused("", more, Malformed, "the file is empty, not even one object");
        refused("\n\r\n", more, Malformed, "the file holds no object");
        refused(b"PK\x03\x04\x14\0", more, Malformed, "an Excel workbook, no JSON lines");
        let told = read("{\"a\":\"秘密\"}\n{\"a\":\"秘密\" 1}", more).unwrap_err().to_string();
        assert!(!told.contains("秘密"), "{told}");
    }
}

#[test]
fn a_charset_is_detected_or_set() {
    let bytes = encoded("{\"code\":1,\"氏名\":\"佐藤さくら\"}\n", encoding_rs::SHIFT_JIS);
    let rows = ["code|氏名", "1 1|佐藤さくら"];
    assert_eq!(read(&bytes, "").unwrap(), rows);
    assert_eq!(read(&bytes, "charset: sjis").unwrap(), rows);
    refused(&bytes, "charset: utf8", Code::SourceCharset, "line 1");
    let mixed = ["{\"code\":1,\"氏名\":\"佐藤\"}\n".as_bytes(), &bytes[..]].concat();
    refused(mixed, "charset: utf8", Code::SourceCharset, "line 2");
}

#[test]
fn a_byte_order_mark_in_the_middle_is_a_seam_at_a_rows_start_and_a_character_in_a_value() {
    let seam = "{\"a\":1}\n\u{feff}{\"a\":2}\n";
    for bytes in [seam.to_owned(), format!("\u{feff}{seam}")] {
        refused(
            bytes,
            "",
            Code::SourceMalformed,
            "line 2: a byte order mark stands at the start of a row: the file looks",
        );
    }
    refused("\u{feff}\u{feff}{\"a\":1}\n", "", Code::SourceMalformed, "line 1: a byte order mark");
    refused("{\"a\":1}\u{feff}{\"a\":1}\n", "", Code::SourceMalformed, "line 1: no JSON object");
    assert_eq!(read("{\"a\":\"x\u{feff}\"}\n", "").unwrap(), ["a", "1 x\u{feff}"]);
}

#[test]
fn it_is_found_like_any_file() {
    let folder = Folder::new();
    folder.write("emp_20261123.jsonl", 90, "{\"a\":1}");
    let newest = folder.write("emp_20261124.jsonl", 60, "{\"a\":2}");
    for name in ["emp_*.jsonl", "emp_{run_date:%Y%m%d}.jsonl"] {
        assert_eq!(read_form(&form(&folder.path(name), "")).unwrap(), ["a", "1 2"], "{name}");
    }
    for (more, code) in [("max_age: 59s", Code::SourceStale), ("completion: '{path}.done'", Code::SourceStale)] {
        assert_eq!(locate(&form(&newest, more), &context()).unwrap_err().code(), code, "{more}");
    }
    folder.write("emp_20261124.jsonl.done", 60, "");
    assert!(locate(&form(&newest, "max_age: 1m\ncompletion: '{path}.done'"), &context()).is_ok());
    folder.write("emp_20261124.jsonl", 1, "{\"a\":2}");
    assert_eq!(locate(&form(&newest, ""), &context()).unwrap_err().code(), Code::SourceGrowing);
    let context = OpenContext { now: now(), run_at: now() + TimeDelta::days(1), zone: TOKYO };
    let tomorrow = form(&folder.path("emp_{run_date:%Y%m%d}.jsonl"), "");
    assert_eq!(locate(&tomorrow, &context).unwrap_err().code(), Code::SourceMissing);
}

/// Opens a file with some thousand objects and reads its first block.
fn half_read(folder: &Folder) -> (PathBuf, Blocks) {
    let text: String = (0..40_000).map(|n| format!("{{\"a\":{n},\"b\":\"x\"}}\n")).collect();
    let path = folder.write("list.jsonl", 60, text);
    let mut blocks = open_jsonl(&form(&path, ""), &context()).unwrap().blocks;
    assert!(blocks.next().unwrap().is_ok());
    (path, blocks)
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    is_watched(half_read, b"{\"a\":");
}

#[test]
fn the_log_says_what_was_read() {
    let folder = Folder::new();
    let path = folder.write("list.jsonl", 60, "{\"a\":1}");
    let SourceInfo::File(about) = open_jsonl(&form(&path, ""), &context()).unwrap().about else { panic!() };
    assert_eq!((about.name(), about.dialect), ("list.jsonl".to_owned(), None));
    let told = SourceInfo::File(about).to_string();
    assert!(told.ends_with("(7 bytes, written 2026-11-23T20:59:00Z, UTF-8, JSON lines)"), "{told}");
}

// Running

#[tokio::test]
async fn a_run_sends_the_objects_of_todays_file_and_waits_for_it() {
    let house = House::new().await;
    let path = house.folder.path().join("list.jsonl");
    let source = json!({ "jsonl": { "path": path, "wait_until": "1h" } });
    house.settings(json!({}), json!({ "source": source }), vec![]).await;
    let waiting = house.carried().await.run;
    assert_eq!(waiting.state, RunState::Waiting, "the file is not there yet");
    house.file("list.jsonl", "{\"社員コード\":\"0045\",\"社員名\":\"髙橋\"}\n{\"社員コード\":1102}\n");
    house.pass(std::time::Duration::from_secs(5));
    house.settle().await;
    assert_eq!(house.detail(&waiting.id).await.run.state, RunState::Accepted);
    assert_eq!(house.received()[0].csv_lines(9), ["社員コード,社員名", "0045,髙橋", "1102,"]);
}

#[tokio::test]
async fn a_byte_order_mark_within_a_value_is_told_and_not_sent() {
    for (name, bytes) in [
        ("list.jsonl", "{\"社員コード\":\"1\",\"社員名\":\"佐\u{feff}藤\"}\n"),
        ("list.csv", "社員コード,社員名\n1,佐\u{feff}藤\n"),
    ] {
        let house = House::new().await;
        let path = house.file(name, bytes);
        let kind = name.trim_start_matches("list.");
        house.settings(json!({}), json!({ "source": { kind: { "path": path } } }), vec![]).await;
        let failure = house.carried().await.run.failure.unwrap();
        assert_eq!(failure.code, Code::Unmappable, "{}", failure.message);
        assert!(house.received().is_empty());
    }
}

#[tokio::test]
async fn a_fault_in_the_last_object_sends_nothing() {
    let house = House::new().await;
    let path = house.file("list.jsonl", "{\"社員コード\":\"1\"}\n{\"社員コード\":{}}\n");
    house.settings(json!({}), json!({ "source": { "jsonl": { "path": path } } }), vec![]).await;
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SourceMalformed));
    assert!(house.received().is_empty());
}

#[tokio::test]
async fn the_example_of_file_sources_is_loaded_and_runs() {
    let house = House::new().await;
    let text = include_str!("../../examples/files.yaml")
        .replace("http://127.0.0.1:8080/acme/api/v1/csvimport", &house.sandbox.url())
        .replace("SEISAN_TOKEN", "RENKEI_TEST_TOKEN");
    let text = renkei::yaml::Text { path: house.folder.path().join("files.yaml"), text };
    let resolver = Resolver::new("/nonexistent/renkei.key").with_variables([("RENKEI_TEST_TOKEN", TOKEN)]);
    let against = Against { stored: &Entities::default(), prune: false, resolver: &resolver };
    let entities = settings::load(&[text], &against).unwrap().entities;
    let change =
        SettingsChange { integrations: entities.integrations, menus: entities.menus, ..SettingsChange::default() };
    house.save(&change).await;
    fs::create_dir(house.folder.path().join("out")).unwrap();
    house.file(
        "out/employees.jsonl",
        "{\"emp_no\":\"0045\",\"name\":\" 髙橋 \"}\n{\"name\":\"佐藤\",\"emp_no\":1102}\n",
    );
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert_eq!(house.received()[0].csv_lines(9), ["社員コード,社員名", "0045,髙橋", "1102,佐藤"]);
}
