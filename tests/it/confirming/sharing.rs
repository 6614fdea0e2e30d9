//! Questions and pushes share the account's request slots, and nothing secret is left behind by either.

use super::*;
use renkei::engine::{confirming, dispatcher};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn pushes_and_questions_together_never_make_a_twenty_first_request_in_a_minute() {
    let house =
        house_with(&json!({ "limit": "2h", "interval": "20s" }), &json!({ "limits": { "file_lines": 2 } })).await;
    let rows = |files: usize| (0..files).map(|n| format!("{n:04},name\n")).collect::<String>();
    // Eight files are asked after while fourteen more are pushed: at that interval far more than twenty a minute.
    house.file("list.csv", format!("社員コード,社員名\n{}", rows(8)));
    house.sandbox.misbehave(Plan::Next(8, Misbehaviour::ImportSlowly { polls: 2 }));
    let first = house.carried().await.run;
    house.file("list.csv", format!("社員コード,社員名\n{}", rows(14)));
    let second = house.start().await;
    let (pusher, asker) = (house.engine.clone(), house.engine.clone());
    let pushing = tokio::spawn(async move { dispatcher::step(&pusher, &CancellationToken::new()).await });
    let stopping = CancellationToken::new();
    let asking = tokio::spawn({
        let stopping = stopping.clone();
        async move {
            while !stopping.is_cancelled() {
                confirming::step(&asker, &stopping).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let mut rounds = 0;
    loop {
        house.pass(Duration::from_secs(1));
        let states = (house.detail(&first.id).await.run.state, house.detail(&second.id).await.run.state);
        if states == (RunState::Imported, RunState::Imported) {
            break;
        }
        rounds += 1;
        assert!(rounds < 20_000, "{states:?}");
    }
    stopping.cancel();
    asking.await.unwrap();
    assert!(pushing.await.unwrap().unwrap());

    let received = house.received();
    assert!(received.iter().all(|one| one.answer.status == Some(200)), "nobody had to be throttled");
    let mut times: Vec<Duration> = received.iter().map(|one| one.at).collect();
    times.sort_unstable();
    for window in times.windows(21) {
        assert!(window[20] - window[0] >= Duration::from_secs(60), "{window:?}");
    }
    let questions = house.questions().len();
    assert_eq!(received.len() - questions, 22);
    assert!(questions >= 8 * 3 + 14, "{questions}");
}

/// Every byte that the house has on disk.
fn on_disk(folder: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(on_disk(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

#[tokio::test]
async fn neither_token_nor_a_records_other_values_stay_in_the_house() {
    let more = json!({ "headers": { "X-RS-apitoken": "${env:RENKEI_TEST_TOKEN}" } });
    let house = house_with(&more, &json!({})).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::RefuseLater { rows: 1 }));
    let detail = house.carried().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ServerError { status: 500 }));
    house.intervals(2).await;
    let detail = house.detail(&detail.run.id).await;
    assert_eq!(detail.run.state, RunState::Partial);
    let disk = on_disk(house.folder.path());
    assert!(disk.windows(4).any(|bytes| bytes == b"1045"), "the rows are kept");
    assert!(!disk.windows(TOKEN.len()).any(|bytes| bytes == TOKEN.as_bytes()), "the token is on disk");
    assert!(!format!("{detail:?}").contains(TOKEN));
    assert!(house.mails().iter().all(|mail| !mail.text().contains(TOKEN)));
}
