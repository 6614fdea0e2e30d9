//! Records that are imported into renkei and read from there: all or nothing, and never an empty list by mistake.

use crate::support::{House, TOKYO, TempStore, at, menu, temp_store};
use renkei::domain::failure::Code;
use renkei::domain::menu::Menu;
use renkei::domain::run::RunState;
use renkei::source::{self, Imported, OpenContext, SourceError, SourceInfo};
use serde_json::json;
use std::path::PathBuf;

async fn house() -> House {
    let house = House::new().await;
    house.settings(json!({}), json!({ "source": { "records": {} } }), vec![]).await;
    house
}

async fn bring(house: &House, name: &str, text: &str) -> Result<u64, String> {
    let path = house.file(name, text);
    let imported = source::import(&house.app.store, "社員一覧", &path, house.app.clock.now()).await;
    imported.map(|imported| imported.records).map_err(|error| error.to_string())
}

async fn sent(house: &House) -> Vec<String> {
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    house.received().last().unwrap().csv_lines(9)
}

#[tokio::test]
async fn imported_records_are_sent_whatever_form_they_came_in() {
    let house = house().await;
    let wanted = ["社員コード,社員名", "0045,髙橋", "1102,"];
    for (name, text) in [
        ("a.csv", "社員コード,社員名\n0045,髙橋\n1102,\n"),
        ("a.tsv", "社員コード\t社員名\n0045\t髙橋\n1102\t\n"),
        ("a.jsonl", "{\"社員コード\":\"0045\",\"社員名\":\"髙橋\"}\n\n{\"社員名\":null,\"社員コード\":1102}\n"),
    ] {
        assert_eq!(bring(&house, name, text).await, Ok(2), "{name}");
        assert_eq!(sent(&house).await, wanted, "{name}");
    }
}

#[tokio::test]
async fn numbers_keep_the_digits_that_are_written() {
    let house = house().await;
    let text = "{\"社員コード\":12345678901234567890,\"率\":1.0,\"指数\":1e3,\"有効\":true}\n";
    bring(&house, "a.jsonl", text).await.unwrap();
    assert_eq!(sent(&house).await[1], "12345678901234567890,1.0,1e3,true");
}

#[tokio::test]
async fn a_file_that_fails_leaves_the_old_records() {
    let house = house().await;
    bring(&house, "good.csv", "社員コード,社員名\n0045,髙橋\n").await.unwrap();
    let many: String = (0..40_000).map(|n| format!("{n},x\n")).collect();
    for (name, text, part) in [
        ("ragged.csv", format!("社員コード,社員名\n{many}1,2,3\n"), "line 40002"),
        ("list.jsonl", "{\"社員コード\":[1]}\n".to_owned(), "line 1"),
        ("cut.jsonl", "{\"社員コード\":1}\n{\"社員コード\":\n".to_owned(), "line 2"),
        ("more.jsonl", "{\"社員コード\":1}\n{\"社員コード\":2,\"x\":1}\n".to_owned(), "line 2"),
        ("empty.jsonl", "\n".to_owned(), "no object"),
    ] {
        let error = bring(&house, name, &text).await.unwrap_err();
        assert!(error.contains(part) && error.contains(name), "{name}: {error}");
        assert_eq!(house.app.store.generation("社員一覧").await.unwrap().unwrap().records, 1, "{name}");
    }
    let stale = house.app.store.stale_generations(house.app.clock.now() + chrono::TimeDelta::days(9)).await.unwrap();
    assert!(stale.is_empty(), "nothing half is left behind: {stale:?}");
}

#[tokio::test]
async fn records_that_were_never_imported_are_an_error_not_an_empty_list() {
    let house = house().await;
    let run = house.carried().await.run;
    assert_eq!(run.failure.unwrap().code, renkei::domain::failure::Code::SourceNeverImported);
    assert!(house.received().is_empty());
}

/// A store, a menu over its records, and files to import.
struct Shelf {
    store: TempStore,
    menu: Menu,
    folder: tempfile::TempDir,
}

impl Shelf {
    async fn new() -> Self {
        Self { store: temp_store().await, menu: menu("list", "push"), folder: tempfile::tempdir().unwrap() }
    }

    async fn import(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Imported, SourceError> {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let now = at("2026-11-24 05:00:00");
        source::import(&self.store.store, self.menu.id(), &path, now).await
    }

    async fn refused(&self, name: &str, bytes: impl AsRef<[u8]>, words: &str) {
        let error = self.import(name, bytes).await.unwrap_err();
        assert_eq!(error.code(), Code::SourceMalformed, "{error}");
        assert!(error.to_string().contains(words), "{words:?} is not in: {error}");
    }

    async fn open(&self) -> Result<source::Opened, SourceError> {
        let now = at("2026-11-24 06:00:00");
        source::open(&self.menu, &self.store.store, &OpenContext { now, run_at: now, zone: TOKYO }).await
    }

    /// Header and rows, fields joined by `|`.
    async fn read(&self) -> Vec<String> {
        let opened = self.open().await.unwrap();
        let mut lines = vec![opened.header.names().join("|")];
        let blocks =
            tokio::task::spawn_blocking(|| opened.blocks.collect::<Result<Vec<_>, _>>()).await.unwrap().unwrap();
        for row in blocks.iter().flat_map(|block| block.rows()) {
            lines.push(row.fields().collect::<Vec<_>>().join("|"));
        }
        lines
    }
}

#[tokio::test]
async fn the_error_of_records_that_were_never_imported_names_the_command() {
    let shelf = Shelf::new().await;
    let error = shelf.open().await.unwrap_err();
    assert_eq!(error.code(), Code::SourceNeverImported);
    assert!(error.to_string().contains("renkei records import list FILE"), "{error}");
}

#[tokio::test]
async fn csv_tsv_and_json_lines_become_records() {
    let shelf = Shelf::new().await;
    let imported = shelf.import("list.csv", "code,name\n007,\"佐藤\n太郎\"\n8,\n").await.unwrap();
    assert_eq!((imported.records, imported.columns), (2, 2));
    assert_eq!(shelf.read().await, ["code|name", "007|佐藤\n太郎", "8|"]);
    shelf.import("list.tsv", "code\tname\n1\ta,b\n").await.unwrap();
    assert_eq!(shelf.read().await, ["code|name", "1|a,b"]);
    let json = concat!(
        "{\"code\":\"007\",\"n\":1.0,\"big\":123456789012345678901234567890,\"e\":1e3,\"t\":true,\"z\":null}\r\n\n",
        "{ \"n\" : -0.10, \"code\": \"\\u4f50\\\"\\n\", \"t\":false }",
    );
    for name in ["list.jsonl", "list.json", "list.dat"] {
        assert_eq!(shelf.import(name, json).await.unwrap().records, 2);
        let rows = ["code|n|big|e|t|z", "007|1.0|123456789012345678901234567890|1e3|true|", "佐\"\n|-0.10|||false|"];
        assert_eq!(shelf.read().await, rows, "{name}");
    }
    let SourceInfo::Records(about) = shelf.open().await.unwrap().about else { panic!() };
    assert_eq!((about.records, about.imported_at), (2, at("2026-11-24 05:00:00")));
}

#[tokio::test]
async fn after_an_import_that_failed_the_records_are_what_they_were() {
    let shelf = Shelf::new().await;
    shelf.import("list.csv", "code\n1\n").await.unwrap();
    let long: String = (0..50_000).map(|n| format!("{n},x\n")).collect();
    shelf.refused("list.csv", format!("code,name\n{long}1\n"), "line 50002: the row has 1 fields").await;
    shelf.refused("list.csv", "", "the file is empty").await;
    shelf.refused("list.jsonl", "\n", "holds no object").await;
    shelf.refused("list.jsonl", "{\"a\":1}\n{\"b\":1}", "line 2: b is not among the names of the first object").await;
    shelf.refused("list.jsonl", "{\"a\":1}\n{\"a\":[1]}", "line 2: a: a list or an object").await;
    shelf.refused("list.jsonl", "{\"a\":1,\"a\":2}", "line 1: a stands twice").await;
    shelf.refused("list.jsonl", "{\"a\":1}\n{\"a\":\"秘密\"", "line 2: no JSON object").await;
    shelf.refused("list.jsonl", "[{\"a\":1}]", "line 1: a JSON list").await;
    shelf.refused("list.jsonl", "{}", "a value has no name").await;
    shelf.refused("list.jsonl", "{\"a\":\"\\u0000\"}", "line 1: a: a NUL").await;
    shelf.refused("list.jsonl", "{\"a\":\"\\ud800\"}", "line 1").await;
    assert_eq!(shelf.read().await, ["code", "1"]);
    let stale = shelf.store.store.stale_generations(at("2030-01-01 00:00:00")).await.unwrap();
    assert_eq!(stale, [0_i64; 0], "nothing is left of the failed ones");
}

#[tokio::test]
async fn a_value_is_never_in_the_error() {
    let shelf = Shelf::new().await;
    for (name, text) in [
        ("list.jsonl", "{\"a\":1}\n\"秘密\""),
        ("list.jsonl", "{\"a\":\"秘密\" 1}"),
        ("list.jsonl", "秘密"),
        ("list.csv", "a\n秘密,秘密\n"),
        ("list.csv", "a\n\"秘密\"秘密\n"),
    ] {
        let error = shelf.import(name, text).await.unwrap_err().to_string();
        assert!(!error.contains("秘密"), "{error}");
    }
}

#[tokio::test]
async fn a_reader_reads_its_generation_to_the_end_or_says_that_it_cannot() {
    let shelf = Shelf::new().await;
    let long = |value: &str| -> String {
        std::iter::once("n,v\n".to_owned()).chain((0..20_000).map(|n| format!("{n},{value}\n"))).collect()
    };
    shelf.import("list.csv", long("old")).await.unwrap();
    let old = shelf.open().await.unwrap();
    shelf.import("list.csv", long("new")).await.unwrap();
    let count = |blocks: source::Blocks| {
        tokio::task::spawn_blocking(move || {
            blocks.map(|block| block.map(|block| block.rows().filter(|row| row.field(1) == "old").count())).sum()
        })
    };
    let rows: Result<usize, SourceError> = count(old.blocks).await.unwrap();
    assert_eq!(rows.unwrap(), 20_000);

    let late = shelf.open().await.unwrap();
    shelf.import("list.csv", "n,v\n1,x\n").await.unwrap();
    for generation in shelf.store.store.stale_generations(at("2030-01-01 00:00:00")).await.unwrap() {
        shelf.store.store.drop_generation(generation).await.unwrap();
    }
    let rows = count(late.blocks).await.unwrap();
    assert_eq!(rows.unwrap_err().code(), Code::SourceGrowing, "a list that ends early is an error");
}
