//! What keeps timers and integrations from running, by plan or by refusal: stops, pauses, and timers that are off until
//! a date.

use crate::support::{House, TOKYO, timer};
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::run::{RunState, SkipReason, SlotState};
use renkei::domain::stop::SlotsInside;
use renkei::domain::timer::Switch;
use renkei::engine::{orders, pausing, planner};
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::settings::{WantedStop, plan_stop, switch_timer};
use renkei::store::runs::{Run, RunFilter};
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn house(more: Value) -> House {
    let house = House::new().await;
    house.file("list.csv", "社員コード,社員名\n1045,佐藤\n");
    let mut keys = json!({ "schedule": { "every": "10m" } });
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    house.settings(json!({}), json!({}), vec![timer("t", "社員一覧", "社員マスタ連携", keys)]).await;
    house
}

async fn runs(house: &House) -> Vec<Run> {
    house.app.store.list_runs(&RunFilter { limit: 50, ..RunFilter::default() }).await.unwrap()
}

fn stop(from: DateTime<Utc>, minutes: i64, slots: SlotsInside) -> WantedStop {
    let until = from + TimeDelta::minutes(minutes);
    WantedStop { timer: None, account: None, from, until, slots, reason: "人事異動".to_owned() }
}

async fn ledger(house: &House) -> Vec<(SlotState, Option<SkipReason>)> {
    let now = house.app.clock.now();
    let lines = house.app.store.occurrences("t", now - TimeDelta::days(30), now).await.unwrap();
    lines.into_iter().map(|line| (line.state, line.reason)).collect()
}

#[tokio::test]
async fn slots_inside_a_stop_are_skipped_with_it_and_the_next_one_runs() {
    let house = house(json!({})).await;
    let now = house.app.clock.now();
    plan_stop(&house.app.store, &stop(now, 15, SlotsInside::Skip), "佐藤", now).await.unwrap();
    for _ in 0..25 {
        house.pass(MINUTE);
        house.settle().await;
    }
    let ledger = ledger(&house).await;
    assert!(ledger.starts_with(&[(SlotState::Skipped, Some(SkipReason::Stopped))]), "{ledger:?}");
    assert_eq!(ledger.last(), Some(&(SlotState::Planned, None)));
    assert!(runs(&house).await.iter().all(|run| run.state == RunState::Accepted));
}

#[tokio::test]
async fn slots_inside_a_waiting_stop_go_at_its_end_and_so_does_what_a_person_starts() {
    let house = house(json!({})).await;
    let now = house.app.clock.now();
    let account = Some("社員マスタ連携".to_owned());
    let wanted = WantedStop { account, ..stop(now, 30, SlotsInside::Wait) };
    let stop = plan_stop(&house.app.store, &wanted, "佐藤", now).await.unwrap();
    house.pass(MINUTE * 10);
    house.settle().await;
    let by_hand = house.start().await;
    house.settle().await;
    assert_eq!(runs(&house).await.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Queued; 2]);
    assert!(house.received().is_empty(), "nothing is sent in a stop, whoever asks");
    house.app.store.end_stop(stop.number, "佐藤", house.app.clock.now()).await.unwrap();
    house.settle().await;
    assert_eq!(house.received().len(), 2);
    assert_eq!(house.detail(&by_hand.id).await.run.state, RunState::Accepted);
    assert!(house.app.store.end_stop(stop.number, "佐藤", house.app.clock.now()).await.is_err(), "it is over");
}

#[tokio::test]
async fn a_stop_that_makes_no_sense_is_refused_with_the_fix() {
    let house = house(json!({})).await;
    let now = house.app.clock.now();
    let good = stop(now, 10, SlotsInside::Skip);
    let name = |name: &str| Some(name.to_owned());
    for (wanted, said) in [
        (WantedStop { reason: " ".to_owned(), ..good.clone() }, "needs a reason"),
        (WantedStop { until: now - TimeDelta::minutes(1), from: now, ..good.clone() }, "ends before it begins"),
        (stop(now - TimeDelta::days(1), 10, SlotsInside::Skip), "is over already"),
        (WantedStop { timer: name("x"), ..good.clone() }, "there is no timer \"x\""),
        (WantedStop { account: name("x"), ..good.clone() }, "no integration has the account"),
    ] {
        let error = plan_stop(&house.app.store, &wanted, "佐藤", now).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(house.app.store.stops(now).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_token_pauses_after_one_try_and_a_new_token_ends_the_pause() {
    let mut house = house(json!({})).await;
    let with_token = |token: &str| house.app.secrets.clone().with_variables([("RENKEI_TEST_TOKEN", token)]);
    house.engine.secrets = with_token("tkn-old-never-shown");
    house.pass(MINUTE * 10);
    house.settle().await;
    house.pass(MINUTE * 10);
    house.settle().await;
    assert_eq!(house.received().len(), 1, "one try is enough to know");
    assert_eq!(ledger(&house).await, [(SlotState::Planned, None), (SlotState::Skipped, Some(SkipReason::Paused))]);
    let wanted = orders::Wanted { menu: "社員一覧".to_owned(), ..orders::Wanted::default() };
    let refused = orders::start(&house.engine, &wanted, "佐藤").await.unwrap_err().to_string();
    assert!(refused.contains("renkei integration resume 社員マスタ連携"), "{refused}");
    let pause = house.app.store.pauses().await.unwrap().remove(0);
    assert!(pause.reason.contains("the API token was refused"), "{}", pause.reason);
    assert!(!format!("{pause:?}").contains("tkn-old"));

    // The same token again: nothing changes. Another one: the next slot is the proof.
    pausing::review(&house.engine).await.unwrap();
    assert_eq!(house.app.store.pauses().await.unwrap().len(), 1);
    house.engine.secrets = with_token(crate::support::TOKEN);
    pausing::review(&house.engine).await.unwrap();
    assert!(house.app.store.pauses().await.unwrap().is_empty());
    house.pass(MINUTE * 10);
    house.settle().await;
    assert_eq!(runs(&house).await[0].state, RunState::Accepted);
}

#[tokio::test]
async fn a_refusal_on_the_way_is_named_so_and_only_a_person_ends_its_pause() {
    let house = house(json!({})).await;
    house.sandbox.misbehave(Plan::once(Misbehaviour::Forbidden { html: true }));
    house.pass(MINUTE * 10);
    house.settle().await;
    let pause = house.app.store.pauses().await.unwrap().remove(0);
    assert!(pause.reason.contains("proxy or an IP restriction"), "{}", pause.reason);
    assert!(!pausing::review(&house.engine).await.unwrap(), "no token tells that the way is free");
    pausing::resume(&house.engine, "社員マスタ連携", "佐藤").await.unwrap();
    assert!(pausing::resume(&house.engine, "社員マスタ連携", "佐藤").await.is_err(), "once");
    house.pass(MINUTE * 10);
    house.settle().await;
    assert_eq!(runs(&house).await[0].state, RunState::Accepted);
}

#[tokio::test]
async fn a_timer_that_is_off_until_a_date_is_on_again_by_itself_and_no_slot_of_that_day_is_lost() {
    let house = house(json!({ "misfire": "all", "catch_up_within": "2d" })).await;
    let now = house.app.clock.now();
    let until = now.with_timezone(&TOKYO).date_naive() + chrono::Days::new(2);
    let store = &house.app.store;
    let switched = async |to, until| switch_timer(store, "t", to, until, "佐藤", TOKYO, house.app.clock.now()).await;
    let past = switched(Switch::Off, Some(until - chrono::Days::new(9))).await.unwrap_err().to_string();
    assert!(past.contains("lies not ahead"), "{past}");
    assert!(switched(Switch::Off, Some(until)).await.unwrap());
    let midnight = until.and_time(chrono::NaiveTime::MIN).and_local_timezone(TOKYO).unwrap().to_utc();
    let next = planner::step(&house.engine).await.unwrap();
    assert_eq!(next, Some(midnight), "the planner sleeps to the very date");

    // The daemon comes back late.
    house.pass((midnight - now + TimeDelta::minutes(55)).to_std().unwrap());
    planner::step(&house.engine).await.unwrap();
    let lines = store.occurrences("t", midnight, midnight + TimeDelta::hours(2)).await.unwrap();
    assert_eq!(lines.len(), 6, "00:00, 00:10 … 00:50");
    assert!(lines.iter().all(|line| line.state == SlotState::Planned));
    let settings = store.settings().await.unwrap();
    let timer = settings.timer("t").unwrap();
    assert!(timer.timer.is_on() && timer.timer.form().until.is_none());
    assert_eq!(runs(&house).await[0].settings_version, settings.version, "it is a change of settings like any other");
}
