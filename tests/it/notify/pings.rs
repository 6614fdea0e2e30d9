//! Dead-man's switches: a timer's runs, and the daemon's own sign of life.

use super::listener::Listener;
use crate::support::{House, repeat, timer};
use renkei::domain::run::RunState;
use renkei::engine::{Daemon, Ended};
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Saving};
use renkei::yaml::Text;
use serde_json::json;
use std::time::Duration;

const LIST: &str = "社員コード,社員名\n1045,佐藤\n";

async fn house(listener: &Listener) -> House {
    let house = House::telling("{ allow_http: true }", &[("PING", &listener.url("/a-pretend-uuid"))]).await;
    house.file("list.csv", LIST);
    let more = json!({ "schedule": { "every": "1m" }, "ping": "${env:PING}" });
    house.settings(json!({}), json!({}), vec![timer("毎分", "社員一覧", "社員マスタ連携", more)]).await;
    house
}

#[tokio::test]
async fn a_timers_switch_hears_of_start_and_end() {
    let listener = Listener::start().await;
    let house = house(&listener).await;
    house.pass(Duration::from_secs(60));
    house.settle().await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let base = "/a-pretend-uuid";
    assert_eq!(
        listener.paths(),
        [format!("{base}/start"), base.to_owned(), format!("{base}/start"), format!("{base}/fail")]
    );
    let heard = listener.heard();
    assert!(heard[0].body.ends_with("started") && heard[1].body.starts_with("[正常]"), "{heard:?}");
    assert!(heard[3].body.starts_with("[エラー]") && !heard[3].body.contains('\n'), "{heard:?}");
    // By hand, nobody's switch is told.
    house.carried().await;
    assert_eq!(listener.heard().len(), 4);
}

#[tokio::test]
async fn a_start_that_was_not_heard_is_let_go_and_the_end_is_repeated() {
    let listener = Listener::start().await;
    let house = house(&listener).await;
    listener.answer(&["503 No", "503 No"]);
    house.pass(Duration::from_secs(60));
    house.settle().await;
    assert_eq!(listener.paths(), ["/a-pretend-uuid/start", "/a-pretend-uuid"]);
    house.pass(Duration::from_secs(30));
    house.settle().await;
    assert_eq!(listener.paths()[2], "/a-pretend-uuid", "before anything that came later");
}

#[tokio::test]
async fn a_ping_that_is_written_out_is_sealed_and_shown_to_nobody() {
    let listener = Listener::start().await;
    let house = house(&listener).await;
    let file = |name: &str| Text {
        path: house.folder.path().join("settings.yaml"),
        text: format!(
            "timers:\n  - {{ name: {name}, menu: 社員一覧, integration: 社員マスタ連携, switch: off, ping: \"{}\" }}\n",
            listener.url("/a-literal-uuid")
        ),
    };
    let resolver = Resolver::new(house.app.config.key_file());
    let texts = [file("夜")];
    let propose = || settings::propose_texts(&house.app.store, &texts, false, &resolver);
    let proposal = propose().await.unwrap();
    assert!(proposal.plan.render(false).contains("••••"), "{}", proposal.plan.render(false));
    assert!(!proposal.plan.render(false).contains("a-literal-uuid"));
    let saving = Saving { actor: "佐藤", zone: crate::support::TOKYO, now: house.app.clock.now(), note: "" };
    proposal.save(&house.app.store, &resolver, saving).await.unwrap().unwrap();
    let stored = house.app.store.settings().await.unwrap();
    let notation = stored.timer("夜").unwrap().timer.form().ping.as_ref().unwrap().notation();
    assert!(notation.starts_with("${sealed:") && !notation.contains("a-literal-uuid"), "{notation}");
    assert!(propose().await.unwrap().plan.is_empty(), "the same again changes nothing");
}

#[tokio::test]
async fn a_switch_that_is_no_address_is_refused_when_saved() {
    let form = |ping: &str| json!({ "name": "t", "menu": "m", "integration": "i", "switch": "off", "ping": ping });
    let check = |ping: &str| renkei::domain::timer::Timer::check(serde_json::from_value(form(ping)).unwrap()).is_ok();
    assert!(check("https://hc.example/uuid") && check("${file:/run/secrets/ping}"));
    assert!(!check("hc.example/uuid") && !check("file:///etc/passwd"));
}

#[tokio::test]
async fn the_daemons_switch_hears_it_while_it_lives_and_no_longer() {
    let listener = Listener::start().await;
    let notify = "{ allow_http: true, ping: { url: '${env:PING}', every: 30s } }";
    let house = House::telling(notify, &[("PING", &listener.url("/daemon"))]).await;
    let daemon = Daemon::start(house.engine.clone()).await.unwrap();
    // Small moves, each a while after the last: the alarm rings by the real clock and would be taken for dead.
    while tokio::time::timeout(Duration::from_millis(200), listener.wait_for(3)).await.is_err() {
        house.app.clock.advance(Duration::from_secs(10));
    }
    assert!(listener.paths().iter().all(|path| path == "/daemon"), "{:?}", listener.paths());
    assert!(listener.heard()[0].body.starts_with("renkei is ready since"));
    assert!(house.engine.readiness().is_ready());
    // The drain's own clock is the manual one: nothing is in flight, so that it ends at once.
    assert_eq!(daemon.stop(Duration::from_secs(30)).await, Ended::Drained);
    let heard = listener.heard().len();
    for _ in 0..50 {
        house.app.clock.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    assert_eq!(listener.heard().len(), heard, "it is dead, and silent");
    assert!(!house.engine.readiness().is_ready());
}

#[tokio::test]
async fn a_run_counts_for_its_timer_also_when_a_person_repeats_it() {
    let listener = Listener::start().await;
    let house = house(&listener).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    house.pass(Duration::from_secs(60));
    house.settle().await;
    let failed = house.detail(&renkei_run(&house).await).await.run;
    assert_eq!(failed.state, RunState::Failed);
    renkei::engine::orders::retry(&house.engine, &repeat(&failed.id, false, false), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(listener.paths().last().map(String::as_str), Some("/a-pretend-uuid"));
}

#[tokio::test]
async fn a_failure_that_is_no_longer_mailed_is_still_told_to_switch_and_webhook() {
    let listener = Listener::start().await;
    let notify = "{ allow_http: true, webhooks: [{ name: a, url: '${env:HOOK}', form: slack }] }";
    let variables = [("PING", &*listener.url("/a-pretend-uuid")), ("HOOK", &*listener.url("/hook"))];
    let house = House::telling(notify, &variables).await;
    house.file("list.csv", LIST);
    let more = json!({ "schedule": { "every": "1m" }, "ping": "${env:PING}" });
    house.settings(json!({}), json!({}), vec![timer("毎分", "社員一覧", "社員マスタ連携", more)]).await;
    for _ in 0..2 {
        house.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
        house.pass(Duration::from_secs(60));
        house.settle().await;
    }
    // Of each target one notice goes out a round.
    while !house.app.store.due_notices(house.app.clock.now()).await.unwrap().is_empty() {
        house.settle().await;
    }
    assert_eq!(house.mails().len(), 1, "the second failure is the same as the first");
    let heard = |path: &str| listener.paths().iter().filter(|one| *one == path).count();
    assert_eq!((heard("/a-pretend-uuid/fail"), heard("/hook")), (2, 2), "{:?}", listener.paths());
}

async fn renkei_run(house: &House) -> String {
    let filter = renkei::store::runs::RunFilter { limit: 1, ..Default::default() };
    house.app.store.list_runs(&filter).await.unwrap()[0].id.clone()
}
