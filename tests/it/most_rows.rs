//! How many rows a source may have: as many as its settings say, and one more is an error, never a shorter list.

use crate::csv_source::{Folder, context};
use crate::support::{House, at, menu, temp_store};
use renkei::domain::failure::Code;
use renkei::domain::menu::{MOST_ROWS, Menu};
use renkei::domain::run::RunState;
use renkei::source::{self, SourceError};
use renkei::store::Store;
use serde_json::{Value, json};

/// How many rows a source gives; all of them, or an error after which there is nothing more.
async fn count(store: &Store, source: Value) -> Result<usize, SourceError> {
    let form = json!({ "name": "list", "source": source, "key": ["a"] });
    let menu = Menu::check(serde_json::from_value(form).unwrap()).unwrap().0;
    let opened = source::open(&menu, store, &context()).await?;
    let counted = tokio::task::spawn_blocking(move || {
        let (mut blocks, mut rows) = (opened.blocks, 0);
        for block in blocks.by_ref() {
            match block {
                Ok(block) => rows += block.len(),
                Err(error) => {
                    assert!(blocks.next().is_none(), "after an error there is nothing more");
                    return Err(error);
                }
            }
        }
        Ok(rows)
    });
    counted.await.unwrap()
}

#[tokio::test]
async fn every_kind_of_source_has_as_many_rows_as_it_may_and_not_one_more() {
    let folder = Folder::new();
    let store = temp_store().await;
    let csv: String = std::iter::once("a\n".to_owned()).chain((0..1500).map(|n| format!("{n}\n"))).collect();
    let jsonl: String = (0..1500).map(|n| format!("{{\"a\":{n}}}\n")).collect();
    let (csv, jsonl) = (folder.write("list.csv", 60, csv), folder.write("list.jsonl", 60, jsonl));
    source::import(&store.store, menu("list", "push").id(), &csv, at("2026-11-24 05:00:00")).await.unwrap();
    for (kind, of, form) in [
        ("csv", "list.csv", json!({ "path": csv })),
        ("jsonl", "list.jsonl", json!({ "path": jsonl })),
        ("records", "the records of menu list", json!({})),
    ] {
        let within = |most: u64| {
            let mut form = form.clone();
            form["most_rows"] = most.into();
            count(&store.store, json!({ kind: form }))
        };
        assert_eq!(count(&store.store, json!({ kind: form })).await.unwrap(), 1500, "{kind}");
        assert_eq!(within(1500).await.unwrap(), 1500, "{kind}");
        for most in [1499, 1024, 1] {
            let error = within(most).await.unwrap_err();
            assert_eq!(error.code(), Code::SourceTooLarge, "{error}");
            let words = format!(
                "{of}: there are more than {most} rows: see that it is the right list; if it is, raise most_rows in the {kind} "
            );
            assert!(error.to_string().contains(&words), "{error}");
        }
    }
}

#[tokio::test]
async fn a_source_that_says_nothing_may_have_a_million_rows() {
    let folder = Folder::new();
    let store = temp_store().await;
    let mut text = "a\n".repeat(usize::try_from(MOST_ROWS).unwrap() + 1);
    let path = folder.write("list.csv", 60, &text);
    assert_eq!(count(&store.store, json!({ "csv": { "path": path } })).await.unwrap(), 1_000_000);
    text.push_str("a\n");
    let path = folder.write("list.csv", 60, &text);
    let error = count(&store.store, json!({ "csv": { "path": path } })).await.unwrap_err();
    assert!(error.to_string().contains("there are more than 1000000 rows"), "{error}");
    assert_eq!(
        count(&store.store, json!({ "csv": { "path": path, "most_rows": 1_000_001 } })).await.unwrap(),
        1_000_001
    );
}

#[tokio::test]
async fn a_list_that_is_too_long_is_not_sent_up_to_its_limit() {
    let house = House::new().await;
    let path = house.file("list.csv", "社員コード\n1\n2\n3\n");
    let source = json!({ "csv": { "path": path, "most_rows": 2 } });
    house.settings(json!({}), json!({ "source": source }), vec![]).await;
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SourceTooLarge));
    assert!(house.received().is_empty());
}

#[test]
fn a_limit_of_nothing_is_refused() {
    for kind in ["csv", "jsonl", "records"] {
        let mut form = json!({ "most_rows": 0 });
        if kind != "records" {
            form["path"] = "list".into();
        }
        let form = json!({ "name": "list", "source": { kind: form } });
        let faults = Menu::check(serde_json::from_value(form).unwrap()).unwrap_err();
        assert!(faults.iter().any(|fault| fault.path.join(".") == format!("source.{kind}.most_rows")), "{faults:?}");
    }
}
