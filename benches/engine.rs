//! The engine against the clock: slots due at once, slots over a minute, the cycle of an empty run, a long history. On
//! real SQLite files with `synchronous=FULL`, through the functions that the daemon's loops call.
//!
//! `cargo bench --bench engine -- NAME…` with `planning`, `lateness`, `cycle`, `history`; all where none is named. Each
//! prints one JSON object a line, which `benches/scheduler.py` puts beside APScheduler's figures.
#![expect(clippy::print_stdout, reason = "a benchmark tells its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use renkei::app::App;
use renkei::clock::Clock;
use renkei::config::{Config, raw::Raw};
use renkei::domain::integration::{Account, Integration};
use renkei::domain::menu::Menu;
use renkei::domain::order::Lanes;
use renkei::domain::run::{RunState, Trigger};
use renkei::domain::timer::Timer;
use renkei::store::Store;
use renkei::store::life::Ending;
use renkei::store::runs::{NewRun, RunFilter};
use renkei::store::settings::SettingsChange;
use serde_json::{Value, json};
use std::time::Duration;

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Tokyo;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    runtime.block_on(async {
        if is_wanted("planning") {
            for timers in [1_000, 10_000] {
                planning(timers).await;
            }
        }
        if is_wanted("lateness") {
            lateness(1_000).await;
        }
        if is_wanted("cycle") {
            cycle(1_000).await;
        }
        if is_wanted("history") {
            history(1_000_000).await;
        }
    });
}

fn tell(what: Value) {
    println!("{what}");
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 1e2
}

fn quantiles(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    json!({ "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0) })
}

/// A house with so many menus and one timer for each, whose schedule `schedule` gives by its number.
struct House {
    store: Store,
    app: App,
    clock: Clock,
    _folder: tempfile::TempDir,
}

async fn house(timers: usize, clock: Clock, schedule: impl Fn(usize) -> Value) -> House {
    let folder = tempfile::tempdir().unwrap();
    let raw = Raw { data_dir: folder.path().join("data"), ..Raw::default() };
    let app = App::open(Config::check(raw, None).unwrap(), clock.clone()).await.unwrap();
    let push = json!({
        "name": "push", "url": "http://127.0.0.1:9/acme/api/v1/csvimport", "allow_http": true,
        "headers": { "X-RS-apitoken": "x", "Content-Type": "multipart/form-data;" }, "params": { "masterId": 0, "duplicateKey": 1 },
    });
    let menu = |n: usize| json!({ "name": format!("m{n}"), "source": { "records": {} }, "integrations": ["push"] });
    let timer = |n: usize| json!({ "name": format!("t{n}"), "menu": format!("m{n}"), "integration": "push", "switch": "on", "schedule": schedule(n) });
    let change = SettingsChange {
        integrations: vec![Integration::check(serde_json::from_value(push).unwrap()).unwrap().0],
        menus: (0..timers).map(|n| Menu::check(serde_json::from_value(menu(n)).unwrap()).unwrap().0).collect(),
        timers: (0..timers).map(|n| Timer::check(serde_json::from_value(timer(n)).unwrap()).unwrap().0).collect(),
        ..SettingsChange::default()
    };
    app.store.save_settings(&change, 0, "bench", ZONE, clock.now()).await.unwrap();
    House { store: app.store.clone(), app, clock, _folder: folder }
}

/// All timers are due in one second: how long until each has its run on the disk.
async fn planning(timers: usize) {
    let start: DateTime<Utc> = "2026-11-24T05:59:00+09:00".parse().unwrap();
    let house = house(timers, Clock::manual(start), |_| json!({ "daily": "06:00" })).await;
    let due = start + TimeDelta::minutes(1);
    // As a daemon does when it starts.
    house.store.plan_due(ZONE, start).await.unwrap();
    let watch = Clock::system();
    let planned = house.store.plan_due(ZONE, due).await.unwrap();
    let took = watch.elapsed();
    let runs = house.store.candidates(due).await.unwrap().len();
    tell(
        json!({ "bench": "planning", "timers": timers, "planned_ms": millis(took), "planned": planned, "lost": timers - runs }),
    );
}

/// Slots spread over a minute, one step of the planner after the other as the daemon makes them: from the slot to the
/// committed run.
async fn lateness(slots: usize) {
    let clock = Clock::system();
    let first = clock.now().with_timezone(&ZONE) + TimeDelta::seconds(15 + slots as i64 / 400);
    let at = |n: usize| {
        let at = first + TimeDelta::seconds((n % 60) as i64);
        json!({ "cron": format!("{} {} {} * * *", at.second(), at.minute(), at.hour()) })
    };
    let house = house(slots, clock.clone(), at).await;
    let end = first.to_utc() + TimeDelta::seconds(62);
    let (mut late, mut seen) = (Vec::with_capacity(slots), 0);
    while clock.now() < end {
        // What a step of the planner does, and the moment between.
        if clock.now().second() == 15 {
            // The daemon's chore comes in the same moment.
            let (chore, _) = tokio::join!(house.store.write_back(), house.store.plan_due(ZONE, clock.now()));
            chore.unwrap();
        } else {
            house.store.plan_due(ZONE, clock.now()).await.unwrap();
        }
        let now = clock.now();
        let next = house.store.next_due().await.unwrap();
        let filter = RunFilter { limit: u32::try_from(slots).unwrap(), ..RunFilter::default() };
        let runs = house.store.list_runs(&filter).await.unwrap();
        let fresh = &runs[..runs.len() - seen];
        late.extend(
            fresh
                .iter()
                .filter_map(|run| run.scheduled_at)
                .map(|slot| (now - slot).num_microseconds().unwrap() as f64 / 1e3),
        );
        seen = runs.len();
        house.clock.sleep_until(next.unwrap_or(end).min(end)).await;
    }
    let mut told = quantiles(late);
    told["bench"] = json!("lateness");
    told["slots"] = json!(slots);
    told["lost"] = json!(slots - seen);
    tell(told);
}

fn by_hand() -> NewRun {
    NewRun {
        menu: ("m0".into(), "m0".into()),
        integration: ("push".into(), "push".into()),
        timer: None,
        account: Account::from_stored("127.0.0.1:9/acme".into()),
        settings_version: 1,
        trigger: Trigger::Hand,
        actor: "bench".into(),
        memo: None,
        priority: 50,
        scheduled_at: None,
        start_by: None,
        wanted_keys: None,
        retry_of: None,
        forced: false,
        only_failed: false,
        behind: None,
    }
}

/// A run from its claim to its end, with nothing in between: what the bookkeeping costs.
async fn cycle(runs: usize) {
    let house = house(1, Clock::system(), |_| json!({ "daily": "06:00" })).await;
    let (store, clock) = (&house.store, &house.clock);
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        store.enqueue(&by_hand(), clock.now().date_naive(), clock.now()).await.unwrap();
        let begun = clock.elapsed();
        let candidates = store.candidates(clock.now()).await.unwrap();
        let busy = store.busy_lanes().await.unwrap();
        let next = renkei::domain::order::next(&candidates, &busy, Lanes::One, clock.now()).unwrap();
        let run = store.claim(next.seq, "all", clock.now()).await.unwrap().unwrap();
        let ending = Ending::quiet(RunState::Accepted, None);
        store.end(&run, RunState::Running, &ending, clock.now()).await.unwrap();
        times.push(millis(clock.elapsed() - begun));
    }
    let mut told = quantiles(times);
    told["bench"] = json!("cycle");
    told["runs"] = json!(runs);
    tell(told);
}

/// A history of so many runs: how long until the store is open and recovered, and how long a list takes.
async fn history(runs: i64) {
    let house = house(1, Clock::system(), |_| json!({ "daily": "06:00" })).await;
    let run = house.store.enqueue(&by_hand(), house.clock.now().date_naive(), house.clock.now()).await.unwrap();
    let claimed = house.store.claim(run.seq, "all", house.clock.now()).await.unwrap().unwrap();
    house
        .store
        .end(&claimed, RunState::Running, &Ending::quiet(RunState::Accepted, None), house.clock.now())
        .await
        .unwrap();
    house.store.close().await;
    let path = house.app.config.database.clone();
    multiply(&path, runs).await;

    let config = (*house.app.config).clone();
    let watch = Clock::system();
    let app = App::open(config, Clock::system()).await.unwrap();
    let daemon = app.serve().await.unwrap();
    let ready = watch.elapsed();
    let mut lists = Vec::new();
    for filter in [
        RunFilter { limit: 30, ..RunFilter::default() },
        RunFilter { limit: 30, state: Some(RunState::Failed), ..RunFilter::default() },
        RunFilter { limit: 30, menu: Some("m0".into()), ..RunFilter::default() },
    ] {
        let begun = watch.elapsed();
        app.store.list_runs(&filter).await.unwrap();
        lists.push(millis(watch.elapsed() - begun));
    }
    daemon.stop(Duration::from_secs(5)).await;
    let slowest = lists.iter().copied().fold(0.0, f64::max);
    tell(json!({ "bench": "history", "runs": runs, "ready_ms": millis(ready), "list_ms": slowest }));
}

/// Copies the one run that is there until there are so many.
async fn multiply(path: &std::path::Path, runs: i64) {
    use sqlx::{Connection, Executor};
    let mut database = sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let columns: Vec<String> = {
        let rows = database.fetch_all("SELECT name FROM pragma_table_info('runs')").await.unwrap();
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    };
    let copied = columns.iter().map(|column| match column.as_str() {
        "seq" => "n".to_owned(),
        "id" => "'R-20250101-' || n".to_owned(),
        "state" => "CASE WHEN n % 50 = 0 THEN 'failed' ELSE state END".to_owned(),
        "failure" => "CASE WHEN n % 50 = 0 THEN '{\"code\":\"CHECK-EMPTY\",\"message\":\"x\"}' END".to_owned(),
        column => column.to_owned(),
    });
    let copied = copied.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {runs}) \
         INSERT INTO runs ({}) SELECT {copied} FROM numbers, (SELECT * FROM runs WHERE seq = 1)",
        columns.join(", ")
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
    let events = "INSERT INTO events (run_seq, number, at, kind, text) SELECT seq, 1, queued_at, 'queued', 'queued by bench' FROM runs WHERE seq > 1";
    database.execute(events).await.unwrap();
    database.close().await.unwrap();
}
