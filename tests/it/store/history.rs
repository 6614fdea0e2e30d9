//! Runs by number and in lists.

use crate::support::{TOKYO, TempStore, at, temp_store};
use chrono::TimeDelta;
use renkei::domain::failure::{Code, Failure};
use renkei::domain::integration::Account;
use renkei::domain::run::{RunState, Trigger};
use renkei::store::StoreError;
use renkei::store::life::Ending;
use renkei::store::notices::News;
use renkei::store::runs::{NewRun, Run, RunFilter};

pub(super) fn by_hand(menu: (&str, &str)) -> NewRun {
    NewRun {
        menu: (menu.0.into(), menu.1.into()),
        integration: ("push".into(), "push".into()),
        timer: None,
        account: Account::from_stored("h/acme".into()),
        settings_version: 1,
        trigger: Trigger::Hand,
        actor: "sato".into(),
        memo: None,
        priority: 900,
        scheduled_at: None,
        start_by: None,
        wanted_keys: None,
        retry_of: None,
        forced: false,
        only_failed: false,
        behind: None,
    }
}

async fn start(db: &TempStore, menu: (&str, &str), day: &str) -> Run {
    let now = at(&format!("{day} 06:00:00"));
    db.store.enqueue(&by_hand(menu), now.with_timezone(&TOKYO).date_naive(), now).await.unwrap()
}

#[tokio::test]
async fn each_day_counts_its_runs_from_one_past_the_last_of_four_digits_and_when_the_clock_goes_back() {
    let db = temp_store().await;
    let mut ids = Vec::new();
    for day in ["2026-11-24", "2026-11-24", "2026-11-25", "2026-11-24", "2026-11-25"] {
        ids.push(start(&db, ("list", "list"), day).await.id);
    }
    assert_eq!(ids, ["R-20261124-0001", "R-20261124-0002", "R-20261125-0001", "R-20261124-0003", "R-20261125-0002"]);
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    connection.execute("UPDATE runs SET id = 'R-20261124-9999' WHERE id = 'R-20261124-0003'").await.unwrap();
    for expected in ["R-20261124-10000", "R-20261124-10001"] {
        assert_eq!(start(&db, ("list", "list"), "2026-11-24").await.id, expected);
    }
    start(&db, ("list", "list"), "2026-11-25").await;
    assert_eq!(start(&db, ("list", "list"), "2026-11-24").await.id, "R-20261124-10002");
}

#[tokio::test]
async fn a_list_of_runs_is_the_newest_first_and_by_state_and_menu() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:00:00");
    for menu in [("m1", "社員"), ("m2", "部門"), ("m1", "社員（旧名）"), ("m1", "社員")] {
        start(&db, menu, "2026-11-24").await;
    }
    let failure = Failure::new(Code::Cancelled, "not now");
    let third = db.store.run_by_seq(3).await.unwrap();
    let ending = Ending::quiet(RunState::Cancelled, Some(failure));
    db.store.end(&third, RunState::Queued, &ending, now).await.unwrap();
    let list = async |state: Option<RunState>, menu: Option<&str>, limit: u32| -> Vec<i64> {
        let filter = RunFilter { state, menu: menu.map(str::to_owned), limit };
        db.store.list_runs(&filter).await.unwrap().iter().map(|run| run.seq).collect()
    };
    assert_eq!(list(None, None, 10).await, [4, 3, 2, 1]);
    assert_eq!(list(None, None, 2).await, [4, 3]);
    assert_eq!(list(Some(RunState::Queued), None, 10).await, [4, 2, 1]);
    assert_eq!(list(None, Some("m1"), 10).await, [4, 3, 1], "by id");
    assert_eq!(list(None, Some("社員"), 10).await, [4, 1], "by the name that it had");
    assert_eq!(list(None, Some("m1"), 2).await, [4, 3]);
    assert_eq!(list(Some(RunState::Cancelled), Some("m1"), 10).await, [3]);
    assert_eq!(list(Some(RunState::Held), Some("m1"), 10).await, Vec::<i64>::new());
}

#[tokio::test]
async fn of_two_that_move_a_run_the_second_learns_it() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:00:00");
    let run = start(&db, ("m1", "社員"), "2026-11-24").await;
    db.store.claim(run.seq, "all", now).await.unwrap().unwrap();
    let why = Failure::new(Code::Maintenance, "until six");
    db.store.wait(run.seq, (now + TimeDelta::minutes(5)).with_timezone(&TOKYO), &why, now).await.unwrap();
    for second in [
        db.store.hold(run.seq, &why, &News::default(), now).await,
        db.store.requeue(run.seq, "x", now).await,
        db.store.approve(run.seq, "sato", now).await,
        db.store.end(&run, RunState::Running, &Ending::quiet(RunState::Accepted, None), now).await,
        db.store.end(&run, RunState::Held, &Ending::quiet(RunState::Cancelled, Some(why.clone())), now).await,
        db.store.end(&run, RunState::Running, &Ending::quiet(RunState::Skipped, None), now).await,
    ] {
        assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");
    }
    assert_eq!(db.store.wake_waiting(now + TimeDelta::minutes(4)).await.unwrap(), 0);
    assert_eq!(db.store.wake_waiting(now + TimeDelta::minutes(5)).await.unwrap(), 1);
    assert_eq!(db.store.run(&run.id).await.unwrap().state, RunState::Queued);
}

#[tokio::test]
async fn of_many_that_claim_at_once_one_gets_the_lane() {
    let db = temp_store().await;
    let now = at("2026-11-24 06:00:00");
    for _ in 0..8 {
        start(&db, ("m1", "社員"), "2026-11-24").await;
    }
    let claims = futures_util::future::join_all((1..=8).map(|seq| {
        let store = db.store.clone();
        tokio::spawn(async move { store.claim(seq, "all", now).await.unwrap().is_some() })
    }));
    let won = claims.await.into_iter().filter(|claim| *claim.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    assert_eq!(db.store.running().await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_that_want_to_send_at_once_no_more_than_allowed_do() {
    use renkei::domain::admit::{Admission, BootInstant};
    let db = temp_store().await;
    let asked = futures_util::future::join_all((0..40).map(|holder| {
        let store = db.store.clone();
        let now = BootInstant { boot_id: "b".into(), millis: 1_000 };
        let account = Account::from_stored("h/acme".into());
        tokio::spawn(async move { store.take_slot(&account, 20, &now, &holder.to_string()).await.unwrap() })
    }));
    let mut numbers: Vec<u32> = Vec::new();
    for answer in asked.await {
        if let Admission::Go(number) = answer.unwrap() {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}
