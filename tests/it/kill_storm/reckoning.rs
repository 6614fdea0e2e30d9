//! The reckoning after the storm: four books that were kept apart (ledger, history, spool, the sandbox's log) must tell
//! one story. The slots are counted from what the schedules say in words, not by renkei's own schedules.

use super::machine::{Machine, ROUTES, Route};
use chrono::{DateTime, Timelike, Utc};
use renkei::domain::failure::Code;
use renkei::domain::run::{RunState, SlotState, Trigger};
use renkei::domain::verdict::Verdict;
use renkei::sandbox::Received;
use renkei::store::batches::Attempt;
use renkei::store::ledger::Occurrence;
use renkei::store::runs::{RunDetail, RunFilter};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A timer with its route, its rule and the span that the storm lasted for it.
struct Book {
    timer: &'static str,
    names: fn(i64) -> bool,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    rows: Vec<Occurrence>,
}

/// A request of a batch: what history says of it, and whether the receiver imported it.
type Sent = (Option<Verdict>, bool);

pub(super) struct Reckoning {
    books: Vec<Book>,
    runs: Vec<RunDetail>,
    received: Vec<Received>,
    lives: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    promised: Vec<String>,
    spool: PathBuf,
    counts: BTreeMap<&'static str, usize>,
    pub(super) faults: Vec<String>,
}

impl Reckoning {
    /// Opens the books.
    pub(super) async fn of(machine: &Machine, begun: BTreeMap<String, DateTime<Utc>>) -> Self {
        let ended = machine.cursors().await;
        let mut books = Vec::new();
        for &(timer, _, names) in ROUTES.iter().flat_map(|route| route.timers) {
            let (from, to) = (begun[timer], ended[timer]);
            let far = DateTime::from_timestamp(4_000_000_000, 0).unwrap();
            let rows = machine.store.occurrences(timer, DateTime::UNIX_EPOCH, far).await.unwrap();
            books.push(Book { timer, names, from, to, rows });
        }
        let filter = RunFilter { limit: u32::MAX, ..RunFilter::default() };
        let mut runs = Vec::new();
        for run in machine.store.list_runs(&filter).await.unwrap() {
            runs.push(machine.store.run_detail(&run.id).await.unwrap());
        }
        runs.sort_by_key(|detail| detail.run.seq);
        let mut received = machine.sandbox.received();
        received.sort_by_key(|request| request.number);
        let counts = [
            ("pauses", machine.pauses),
            ("orders killed", machine.orders_killed),
            ("orders taken", machine.promised.len()),
        ];
        Self {
            books,
            runs,
            received,
            lives: machine.past.iter().map(|life| (life.from, life.to)).collect(),
            promised: machine.promised.clone(),
            spool: machine.path().join("data/spool"),
            counts: counts.into_iter().collect(),
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    fn count(&mut self, what: &'static str, many: usize) {
        *self.counts.entry(what).or_default() += many;
    }

    pub(super) fn summary(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(what, many)| format!("{what} {many}")).collect();
        counts.join(", ")
    }

    /// Compares everything with everything.
    pub(super) fn settle(&mut self) {
        self.slots();
        self.ends();
        self.lanes();
        self.spool();
        self.requests();
    }

    /// Each slot of each timer has one fate, and one that was planned has one run.
    fn slots(&mut self) {
        let runs: BTreeMap<(String, DateTime<Utc>), String> = self
            .runs
            .iter()
            .filter(|detail| detail.run.trigger == Trigger::Timer)
            .map(|detail| {
                ((detail.run.timer.clone().unwrap(), detail.run.scheduled_at.unwrap()), detail.run.id.clone())
            })
            .collect();
        let of_timers = self.runs.iter().filter(|detail| detail.run.trigger == Trigger::Timer).count();
        if runs.len() != of_timers {
            self.fault("a slot has two runs");
        }
        let mut planned = 0;
        for book in std::mem::take(&mut self.books) {
            let between = |after: DateTime<Utc>, to: DateTime<Utc>| {
                let seconds = after.timestamp() + 1..=to.timestamp();
                seconds.filter(|second| (book.names)(second.rem_euclid(60))).collect::<Vec<_>>()
            };
            let due = between(book.from, book.to);
            let mut told = Vec::new();
            for row in &book.rows {
                if row.state == SlotState::Superseded {
                    if row.scheduled_at <= book.to {
                        self.fault(format!("{}: {} is superseded, but it was due", book.timer, row.scheduled_at));
                    }
                    continue;
                }
                let first = row.first_at.with_nanosecond(0).unwrap() - chrono::TimeDelta::seconds(1);
                let slots = between(first, row.scheduled_at);
                if slots.len() as u64 != row.slots {
                    self.fault(format!("{}: a row says {} slots for {:?}", book.timer, row.slots, slots));
                }
                told.extend(slots.iter().copied());
                let run = runs.get(&(book.timer.to_owned(), row.scheduled_at));
                if row.run.as_ref() != run || (row.state == SlotState::Planned) != run.is_some() {
                    self.fault(format!(
                        "{}: {} is {} with {:?}, history has {run:?}",
                        book.timer, row.scheduled_at, row.state, row.run
                    ));
                }
                planned += usize::from(run.is_some());
                self.count(
                    if row.state == SlotState::Planned { "slots planned" } else { "slots skipped" },
                    slots.len(),
                );
            }
            let (wanted, found): (BTreeSet<_>, BTreeSet<_>) = (due.iter().collect(), told.iter().collect());
            if found.len() != told.len() {
                self.fault(format!("{}: {} slots have two fates", book.timer, told.len() - found.len()));
            }
            for (what, slots) in
                [("lost", wanted.difference(&found)), ("told that were never due", found.difference(&wanted))]
            {
                let slots: Vec<_> = slots.collect();
                if !slots.is_empty() {
                    self.fault(format!("{}: {} slots {what}: {slots:?}", book.timer, slots.len()));
                }
            }
            self.count("slots due", due.len());
        }
        if planned != of_timers {
            self.fault(format!("{of_timers} runs by timers, but {planned} planned slots"));
        }
    }

    /// Every run has come to an end that this storm can bring, and every order that was taken is there.
    fn ends(&mut self) {
        let known: BTreeSet<String> = self.runs.iter().map(|detail| detail.run.id.clone()).collect();
        for id in std::mem::take(&mut self.promised) {
            if !known.contains(&id) {
                self.fault(format!("{id} was promised and is not there"));
            }
        }
        for index in 0..self.runs.len() {
            let run = &self.runs[index].run;
            let code = run.failure.as_ref().map(|failure| failure.code);
            let right = match (run.state, code) {
                (RunState::Held, Some(Code::DuplicateKeys)) => run.menu == "twice",
                (RunState::Accepted, None) => run.menu != "twice",
                (RunState::Cancelled, Some(Code::Overtaken)) => true,
                (RunState::Unknown, Some(_)) => run.menu == "once",
                _ => false,
            };
            let (id, state, message) = (run.id.clone(), run.state, run.failure.clone());
            if !right {
                self.fault(format!("{id} of {} is {state}: {message:?}", run.menu.clone()));
            }
            let open = self.runs[index].attempts.iter().filter(|attempt| attempt.verdict.is_none()).count();
            if open > 0 {
                self.fault(format!("{id}: {open} requests were never concluded"));
            }
            let name = match state {
                RunState::Accepted => "runs accepted",
                RunState::Held => "runs held",
                RunState::Unknown => "runs unknown",
                RunState::Cancelled => "runs overtaken",
                _ => "runs stuck or failed",
            };
            self.count(name, 1);
        }
        self.count("runs", self.runs.len());
    }

    /// Never two runs in one lane, and never two requests of one account.
    fn lanes(&mut self) {
        for Route { name, .. } in &ROUTES {
            let (mut held, mut asked) = (Vec::new(), Vec::new());
            for detail in self.runs.iter().filter(|detail| detail.run.menu == *name) {
                let mut since = None;
                for event in &detail.events {
                    match event.kind.as_str() {
                        "running" => since = Some(event.at),
                        "exported" | "pushed" | "cancel-asked" => {}
                        _ => held.extend(since.take().map(|since| (since, event.at, detail.run.id.clone()))),
                    }
                }
                let spans =
                    detail.attempts.iter().filter_map(|attempt| Some((attempt.intended_at, attempt.concluded_at?)));
                asked.extend(spans.map(|(from, to)| (from, to, detail.run.id.clone())));
            }
            for (what, mut spans) in [("runs in its lane", held), ("requests", asked)] {
                spans.sort();
                for pair in spans.windows(2) {
                    if pair[1].0 < pair[0].1 {
                        self.fault(format!("{name} had two {what} at {}: {} and {}", pair[1].0, pair[0].2, pair[1].2));
                    }
                }
            }
        }
    }

    /// The files are those of the history, and a verdict beside one is the history's.
    fn spool(&mut self) {
        let known: BTreeSet<String> = self.runs.iter().map(|detail| detail.run.id.clone()).collect();
        for folder in entries(&self.spool) {
            if !known.contains(&name(&folder)) {
                self.fault(format!("{} belongs to no run", folder.display()));
            }
        }
        for index in 0..self.runs.len() {
            let RunDetail { run, batches, attempts, .. } = self.runs[index].clone();
            let folder = self.spool.join(&run.id);
            let mut expected: BTreeSet<String> = BTreeSet::new();
            for batch in &batches {
                let file = folder.join(&batch.file);
                let bytes = std::fs::read(&file).unwrap_or_default();
                let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                if (bytes.len() as u64, &sha256) != (batch.bytes, &batch.sha256) {
                    self.fault(format!("{} is not the file that history knows", file.display()));
                }
                expected.insert(batch.file.clone());
                let verdict = file.with_extension("verdict");
                expected.insert(name(&verdict));
                let Some(last) = attempts.iter().rfind(|attempt| attempt.batch == batch.number) else { continue };
                let Ok(text) = std::fs::read_to_string(&verdict) else { continue };
                let Ok(written) = serde_json::from_str::<serde_json::Value>(text.trim_end()) else { continue };
                let said = written["verdict"].as_str().and_then(|verdict| verdict.parse::<Verdict>().ok());
                if said.is_some() && written["attempt"] == last.number && said != last.verdict {
                    self.fault(format!("{}: the spool says {said:?}, history {:?}", file.display(), last.verdict));
                }
            }
            let found: BTreeSet<String> = entries(&folder).iter().map(|path| name(path)).collect();
            let strange: Vec<_> = found.difference(&expected).collect();
            if run.exported_at.is_some() && !strange.is_empty() {
                self.fault(format!("{}: {strange:?} belong to no batch", folder.display()));
            }
        }
    }

    /// Each request that arrived is an attempt of the history, in the life whose number it carries, with its bytes; what
    /// was taken twice had an attempt of unknown fate before.
    fn requests(&mut self) {
        let mut taken: BTreeMap<(usize, u32), Vec<Sent>> = BTreeMap::new();
        let received = std::mem::take(&mut self.received);
        self.count("requests", received.len());
        for Route { name, .. } in &ROUTES {
            let mut attempts: Vec<(usize, Attempt)> = Vec::new();
            for (index, detail) in self.runs.iter().enumerate().filter(|(_, detail)| detail.run.menu == *name) {
                attempts.extend(detail.attempts.iter().map(|attempt| (index, attempt.clone())));
            }
            attempts.sort_by_key(|(index, attempt)| (attempt.intended_at, *index, attempt.batch, attempt.number));
            self.count("attempts", attempts.len());
            let mut asked: BTreeMap<usize, Vec<&Received>> = BTreeMap::new();
            for request in received.iter().filter(|request| request.account == *name) {
                let life = request.header("x-life").and_then(|life| life.parse().ok()).unwrap_or(0);
                asked.entry(life).or_default().push(request);
            }
            for life in 1..=self.lives.len() {
                let (from, to) = self.lives[life - 1];
                let first = attempts.partition_point(|(_, attempt)| attempt.intended_at < from);
                let of_life = attempts[first..].iter().take_while(|(_, attempt)| attempt.intended_at <= to);
                let mut sent = of_life.peekable();
                for request in asked.remove(&life).unwrap_or_default() {
                    let Some((index, attempt)) = sent.next() else {
                        self.fault(format!("{name}, life {life}: request {} is unknown to history", request.number));
                        continue;
                    };
                    let detail = &self.runs[*index];
                    let batch = detail.batches.iter().find(|batch| batch.number == attempt.batch).unwrap();
                    let bytes = request.parts.iter().find(|part| part.name == "uploadFile").map(|part| &part.sha256);
                    let id = format!("{}, batch {}, attempt {}", detail.run.id, attempt.batch, attempt.number);
                    if bytes.is_some_and(|sha256| *sha256 != batch.sha256) {
                        self.fault(format!("{id}: request {} carried other bytes", request.number));
                    }
                    let right = match attempt.verdict {
                        Some(Verdict::Accepted) => request.imported && request.answer.status == Some(200),
                        Some(Verdict::Maintenance) => !request.imported,
                        Some(Verdict::Unknown) => true,
                        _ => false,
                    };
                    if !right {
                        let verdict = attempt.verdict;
                        self.fault(format!(
                            "{id}: {verdict:?}, but the receiver knows {:?}, imported {}",
                            request.answer, request.imported
                        ));
                    }
                    taken.entry((*index, attempt.batch)).or_default().push((attempt.verdict, request.imported));
                }
                // Only the last intent of a life may have come to nothing: the kill came before the bytes.
                if let Some((index, attempt)) = sent.next()
                    && (sent.peek().is_some() || attempt.verdict != Some(Verdict::Unknown))
                {
                    self.fault(format!(
                        "{name}, life {life}: an attempt of {} never arrived, and others followed",
                        self.runs[*index].run.id
                    ));
                }
            }
            if !asked.is_empty() {
                self.fault(format!("{name}: requests of lives that never were: {:?}", asked.keys()));
            }
        }
        for ((index, batch), requests) in taken {
            let run = &self.runs[index].run;
            let repeat_safe = ROUTES.iter().any(|route| route.name == run.menu && route.repeat_safe);
            let doubled = requests.iter().filter(|(_, imported)| *imported).count().saturating_sub(1);
            let before = &requests[..requests.len() - 1];
            let explained = before.iter().all(|(verdict, imported)| {
                *verdict == Some(Verdict::Unknown) && repeat_safe || *verdict == Some(Verdict::Maintenance) && !imported
            });
            let id = run.id.clone();
            if !explained {
                self.fault(format!("{id}: batch {batch} was sent again after {before:?}"));
            }
            self.count("batches taken twice, each explained", doubled);
            self.count("batches sent again", usize::from(requests.len() > 1));
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
