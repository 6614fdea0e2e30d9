//! The real database on a real file, the real planner, dispatcher, recovery and orders, under the clock of the life. The
//! executor's transactions are called one by one, since its requests would take real time.

use super::database::{Database, Done, Export, Facts, INTEGRATIONS, MENUS, Refusal, Row, Spool};
use super::memory::Memory;
use crate::support::TOKYO;
use chrono::{DateTime, Utc};
use renkei::app::App;
use renkei::clock::Clock;
use renkei::config::Config;
use renkei::config::raw::Raw;
use renkei::domain::admit::{Admission, BootInstant};
use renkei::domain::failure::{Code, Failure};
use renkei::domain::integration::{Account, Integration};
use renkei::domain::menu::Menu;
use renkei::domain::order::Lanes;
use renkei::domain::run::RunState;
use renkei::domain::stop::Stop;
use renkei::domain::timer::Timer;
use renkei::domain::trouble::{Outcome, tell};
use renkei::domain::verdict::Verdict;
use renkei::engine::{Engine, dispatcher, orders, pausing, planner, recovery};
use renkei::store::StoreError;
use renkei::store::batches::{Conclusion, NewBatch, NewExport};
use renkei::store::life::Ending;
use renkei::store::notices::News;
use renkei::store::pauses::{Pause, PauseCause};
use renkei::store::runs::RunFilter;
use renkei::store::settings::SettingsChange;
use serde_json::json;

pub(super) struct Sqlite {
    engine: Engine,
    _folder: tempfile::TempDir,
}

const SHA: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn store<T>(result: Result<T, StoreError>) -> Done<T> {
    result.map_err(|error| match error {
        StoreError::Conflict(_) | StoreError::NotFound(_) => Refusal::Refused,
        other => panic!("{other}"),
    })
}

fn order<T>(result: Result<T, orders::OrderError>) -> Done<T> {
    match result {
        Ok(done) => Ok(done),
        Err(orders::OrderError::Refused(_) | orders::OrderError::Usage(_)) => Err(Refusal::Refused),
        Err(orders::OrderError::Store(error)) => store(Err(error)),
    }
}

fn failure(code: Code) -> Failure {
    Failure::new(code, "simulated")
}

impl Sqlite {
    pub(super) async fn new(lanes: Lanes, at: DateTime<Utc>) -> Self {
        renkei::push::install_crypto();
        // In memory where there is such a place: what is tried is not the disk.
        let shared = std::path::Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
        let raw = Raw { data_dir: folder.path().join("data"), lanes, ..Raw::default() };
        let app = App::open(Config::check(raw, None).unwrap(), Clock::manual(at)).await.unwrap();
        let integration = |&(name, tenant, limit, harmless, retry): &(&str, &str, u32, bool, u32)| {
            let form = json!({
                "name": name, "url": format!("http://127.0.0.1:9/{tenant}/api/v1/csvimport"), "allow_http": true,
                "headers": { "X-RS-apitoken": "sandbox", "Content-Type": "multipart/form-data;" },
                "params": { "masterId": 0, "duplicateKey": 1 }, "repeat_safe": harmless,
                "retry_for": format!("{retry}m"), "limits": { "requests_per_minute": limit },
            });
            Integration::check(serde_json::from_value(form).unwrap()).unwrap().0
        };
        let integrations: Vec<Integration> = INTEGRATIONS.iter().map(integration).collect();
        let names: Vec<&str> = INTEGRATIONS.iter().map(|one| one.0).collect();
        let menu = |name: &&str| {
            let form = json!({ "name": name, "source": { "records": {} }, "key": ["code"], "integrations": names });
            Menu::check(serde_json::from_value(form).unwrap()).unwrap().0
        };
        let menus = MENUS.iter().map(menu).collect();
        let change = SettingsChange { integrations, menus, ..SettingsChange::default() };
        app.store.save_settings(&change, 0, "sato", TOKYO, at).await.unwrap();
        Self { engine: app.engine().unwrap(), _folder: folder }
    }

    fn at(&self, now: DateTime<Utc>) -> &Engine {
        self.engine.clock.set(now);
        &self.engine
    }

    async fn id_of(&self, seq: i64) -> String {
        self.engine.store.run_by_seq(seq).await.unwrap().id
    }

    async fn finish(
        &self,
        seq: i64,
        from: RunState,
        state: RunState,
        code: Option<Code>,
        now: DateTime<Utc>,
    ) -> Done<()> {
        let books = &self.engine.store;
        let run = books.run_by_seq(seq).await.unwrap();
        let outcome = match (state, code) {
            (RunState::Cancelled, _) => Outcome::Neither,
            (state, _) if state.is_good() => Outcome::Good,
            (_, code) => Outcome::Bad(code.unwrap_or(Code::Internal)),
        };
        let known = books.trouble(&run.menu_id, &run.integration_id).await.unwrap();
        let denied = code.filter(|code| matches!(code, Code::DeniedToken | Code::DeniedRoute));
        let pause = denied.map(|code| Pause {
            integration: run.integration_id.clone(),
            since: now,
            reason: "refused".to_owned(),
            cause: PauseCause::Refusal { code, run: run.id.clone(), token: None },
        });
        // The books want a reason for every bad end.
        let failure = code.or((!state.is_good()).then_some(Code::Internal)).map(failure);
        let ending = Ending { state, failure, news: News::default(), trouble: tell(known, outcome, now).1, pause };
        store(books.end(&run, from, &ending, now).await)
    }
}

impl Database for Sqlite {
    async fn save(&mut self, timers: Vec<Timer>, now: DateTime<Utc>) -> Done<()> {
        let change = SettingsChange { timers, ..SettingsChange::default() };
        let books = &self.at(now).store;
        let version = books.settings_version().await.unwrap();
        store(books.save_settings(&change, version, "sato", TOKYO, now).await).map(drop)
    }
    async fn pause(&mut self, integration: &str, now: DateTime<Utc>) -> Done<()> {
        order(pausing::pause(self.at(now), integration, "tried", "sato").await)
    }
    async fn resume(&mut self, integration: &str, now: DateTime<Utc>) -> Done<()> {
        order(pausing::resume(self.at(now), integration, "sato").await)
    }
    async fn add_stop(&mut self, stop: &Stop, now: DateTime<Utc>) -> Done<()> {
        store(self.at(now).store.add_stop(stop, "tried", "sato", now).await).map(drop)
    }
    async fn end_stop(&mut self, number: i64, now: DateTime<Utc>) -> Done<()> {
        store(self.at(now).store.end_stop(number, "sato", now).await)
    }

    async fn plan(&mut self, now: DateTime<Utc>) -> Done<Option<DateTime<Utc>>> {
        store(planner::step(self.at(now)).await)
    }
    async fn claim(&mut self, now: DateTime<Utc>) -> Done<Option<i64>> {
        Ok(store(dispatcher::claim(self.at(now)).await)?.map(|run| run.seq))
    }
    async fn recover(&mut self, spool: &Spool, boot: &BootInstant, now: DateTime<Utc>) -> Done<()> {
        let engine = self.at(now);
        for run in engine.store.running().await.unwrap() {
            for attempt in engine.store.open_attempts(run.seq).await.unwrap() {
                let folder = engine.folder_of(&run.id);
                std::fs::create_dir_all(&folder).unwrap();
                let file = folder.join(format!("{}.verdict", attempt.batch));
                let verdict = spool.get(&(run.seq, attempt.batch, attempt.number)).map(|verdict| verdict.as_str());
                let written =
                    json!({ "attempt": attempt.number, "sha256": SHA, "verdict": verdict, "http_status": null });
                std::fs::write(file, written.to_string()).unwrap();
            }
        }
        // The engine's clock knows another boot than the life does.
        engine.store.recover_slots(boot).await.unwrap();
        store(recovery::recover(engine).await)
    }

    async fn facts(&mut self, seq: i64) -> Facts {
        let books = &self.engine.store;
        let run = books.run_by_seq(seq).await.unwrap();
        let batches = books.batches(seq).await.unwrap().into_iter().map(|batch| batch.state).collect();
        let retry_of = match &run.retry_of {
            Some(id) => Some(books.run(id).await.unwrap().seq),
            None => None,
        };
        Facts {
            pair: (run.menu_id, run.integration_id),
            account: run.account,
            timer: run.timer_id,
            started_at: run.started_at,
            trouble_since: run.trouble_since,
            tries: run.tries,
            exported: run.exported_at.is_some(),
            export_number: run.export_number,
            records: run.records,
            tripped: run.failure.is_some_and(|failure| failure.code == Code::Empty),
            retry_of,
            forced: run.forced,
            only_failed: run.only_failed,
            cancel: run.cancel_by.is_some(),
            batches,
        }
    }
    async fn newer_sent(&mut self, seq: i64) -> bool {
        let run = self.engine.store.run_by_seq(seq).await.unwrap();
        self.engine.store.newer_sent(&run).await.unwrap().is_some()
    }
    async fn may_send(&mut self, seq: i64, now: DateTime<Utc>) -> bool {
        let books = &self.at(now).store;
        let run = books.run_by_seq(seq).await.unwrap();
        books.obstacle(&run, now).await.unwrap().is_none()
    }
    async fn record_export(&mut self, seq: i64, export: &Export, now: DateTime<Utc>) -> Done<()> {
        let batch = |(number, state): (usize, &_)| NewBatch {
            file: format!("{}.csv", number + 1),
            records: 1,
            bytes: 1,
            sha256: SHA.to_owned(),
            state: *state,
        };
        let new = NewExport {
            batches: export.batches.iter().enumerate().map(batch).collect(),
            records: export.records,
            skipped_rows: 0,
            warning: None,
            tripped: export.tripped.then(|| failure(Code::Empty)).into_iter().collect(),
            source: None,
            adopted: export.adopted,
        };
        // A repeat asks whether the files are there.
        let id = store(self.engine.store.run_by_seq(seq).await)?.id;
        let folder = self.engine.folder_of(&id);
        std::fs::create_dir_all(&folder).unwrap();
        for batch in &new.batches {
            std::fs::write(folder.join(&batch.file), b"").unwrap();
        }
        store(self.at(now).store.record_export(seq, &new, now).await)
    }
    async fn take_slot(&mut self, account: &Account, limit: u32, boot: &BootInstant) -> Done<Admission> {
        store(self.engine.store.take_slot(account, limit, boot, "life").await)
    }
    async fn release_slot(&mut self, account: &Account, number: u32, boot: &BootInstant) -> Done<()> {
        store(self.engine.store.release_slot(account, number, boot).await)
    }
    async fn intend(&mut self, seq: i64, batch: u32, now: DateTime<Utc>) -> Done<u32> {
        store(self.engine.store.intend(seq, batch, now).await)
    }
    async fn conclude(&mut self, seq: i64, batch: u32, attempt: u32, verdict: Verdict, now: DateTime<Utc>) -> Done<()> {
        let what = Conclusion { verdict, http_status: None, answer: None, note: "simulated".to_owned() };
        store(self.engine.store.conclude(seq, batch, attempt, &what, now).await).map(drop)
    }
    async fn wait(&mut self, seq: i64, until: DateTime<Utc>, code: Code, now: DateTime<Utc>) -> Done<()> {
        store(self.engine.store.wait(seq, until.with_timezone(&TOKYO), &failure(code), now).await)
    }
    async fn hold(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        store(self.engine.store.hold(seq, &failure(Code::Empty), &News::default(), now).await)
    }
    async fn requeue(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        store(self.engine.store.requeue(seq, "simulated", now).await)
    }
    async fn end(&mut self, seq: i64, state: RunState, code: Option<Code>, now: DateTime<Utc>) -> Done<()> {
        self.at(now);
        self.finish(seq, RunState::Running, state, code, now).await
    }
    async fn overtake(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        let books = &self.at(now).store;
        if !books.has_sent(seq).await.unwrap() {
            return Ok(());
        }
        for held in books.held_before(seq).await.unwrap() {
            self.finish(held.seq, RunState::Held, RunState::Cancelled, Some(Code::Overtaken), now).await?;
        }
        Ok(())
    }

    async fn start(&mut self, menu: &str, integration: &str, now: DateTime<Utc>) -> Done<()> {
        let (menu, integration) = (menu.to_owned(), Some(integration.to_owned()));
        let wanted = orders::Wanted { menu, integration, ..orders::Wanted::default() };
        order(orders::start(self.at(now), &wanted, "sato").await).map(drop)
    }
    async fn retry(
        &mut self,
        seq: i64,
        only_failed: bool,
        forced: bool,
        followers: bool,
        now: DateTime<Utc>,
    ) -> Done<()> {
        let engine = self.at(now);
        let earlier = engine.store.run_by_seq(seq).await.unwrap();
        let repeat = orders::Repeat { id: earlier.id.clone(), only_failed, forced, behind: None };
        let again = order(orders::retry(engine, &repeat, "sato").await)?;
        if followers {
            order(orders::retry_followers(engine, &earlier, &again, "sato").await)?;
        }
        Ok(())
    }
    async fn cancel(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        let id = self.id_of(seq).await;
        order(orders::cancel(self.at(now), &id, "sato").await).map(drop)
    }
    async fn decide(&mut self, seq: i64, approve: bool, now: DateTime<Utc>) -> Done<()> {
        let id = self.id_of(seq).await;
        let engine = self.at(now);
        order(match approve {
            true => orders::approve(engine, &id, "sato").await,
            false => orders::refuse_held(engine, &id, "sato").await,
        })
    }

    async fn recent(&mut self, limit: u32) -> Vec<(i64, RunState)> {
        let filter = RunFilter { limit, ..RunFilter::default() };
        self.engine.store.list_runs(&filter).await.unwrap().into_iter().map(|run| (run.seq, run.state)).collect()
    }
    async fn ledger(&mut self, timer: &str) -> Vec<Row> {
        let all = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(4_000_000_000, 0).unwrap());
        let mut rows = Vec::new();
        for one in self.engine.store.occurrences(timer, all.0, all.1).await.unwrap() {
            let run = match &one.run {
                Some(id) => Some(self.engine.store.run(id).await.unwrap().seq),
                None => None,
            };
            let (at, first, slots) = (one.scheduled_at, one.first_at, one.slots);
            rows.push(Row { at, first, slots, state: one.state, reason: one.reason, run });
        }
        rows
    }
    fn memory(&mut self) -> Option<&mut Memory> {
        None
    }
}
