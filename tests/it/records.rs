//! Records that renkei keeps itself: an import is all or nothing, and what was imported is what is sent.

use crate::support::House;
use renkei::domain::run::RunState;
use renkei::source::import::import;
use serde_json::json;

async fn house() -> House {
    let house = House::new().await;
    house.settings(json!({}), json!({ "source": { "records": {} } }), vec![]).await;
    house
}

async fn bring(house: &House, name: &str, text: &str) -> Result<u64, String> {
    let path = house.file(name, text);
    let imported = import(&house.app.store, "社員一覧", &path, house.app.clock.now()).await;
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
        ("empty.jsonl", String::new(), "no object"),
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
