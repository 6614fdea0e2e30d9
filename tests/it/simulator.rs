//! The simulator: random lives of the daemon with a virtual clock, over books in memory and over the real database,
//! with everything that must hold said a second time. A seed tells a life; `docs/reliability.md` tells how to run it.
//!
//! `RENKEI_SIM_SEEDS=1000` lives so many lives, `RENKEI_SIM_SEED=17` only that one.

mod chance;
mod checks;
mod database;
mod life;
mod memory;
mod receiver;
mod rules;
mod sqlite;

use life::{Life, Lot, origin};
use memory::Memory;
use renkei::domain::order::Lanes;
use sqlite::Sqlite;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a number of lives came to.
#[derive(Default)]
struct Tally {
    slots: AtomicU64,
    runs: AtomicU64,
    requests: AtomicU64,
    crashes: AtomicU64,
}

fn lot(seed: u64, days: i64) -> Lot {
    Lot {
        seed,
        days,
        timers: 3 + (seed % 6) as usize,
        pace: 1,
        crashes: true,
        fine: true,
        errors: true,
        jumps: !seed.is_multiple_of(3),
        moods: true,
        people: true,
        traced: false,
    }
}

fn lanes(seed: u64) -> Lanes {
    if seed.is_multiple_of(2) { Lanes::One } else { Lanes::PerAccount }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// One life over the books in memory.
fn in_memory(lot: &Lot) -> (Result<(), String>, Life<Memory>) {
    let mut life = Life::new(Memory::new(lanes(lot.seed)), lot.clone());
    let result = block_on(life.live());
    (result, life)
}

/// One life over the real database.
fn in_sqlite(lot: &Lot) -> (Result<(), String>, Vec<String>) {
    block_on(async {
        let database = Sqlite::new(lanes(lot.seed), origin(lot.seed)).await;
        let mut life = Life::new(database, lot.clone());
        (life.live().await, life.trace)
    })
}

/// The seeds to live: the one that was asked for, or `RENKEI_SIM_SEEDS` of a thousand parts of `all`, or the first few.
fn seeds(few: u64, all: u64) -> Vec<u64> {
    let asked = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    match (asked("RENKEI_SIM_SEED"), asked("RENKEI_SIM_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(thousandths)) => (1..=(all * thousandths).div_ceil(1_000)).collect(),
        (None, None) => (1..=few).collect(),
    }
}

/// Lives every seed on two threads, up to the first one that fails.
fn each(seeds: &[u64], live: impl Fn(u64) -> Result<(), String> + Sync) {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    if let Err(what) = live(seed) {
                        next.store(u64::from(u32::MAX), Ordering::Relaxed);
                        failed.lock().unwrap().get_or_insert(what);
                    }
                }
            });
        }
    });
    if let Some(what) = failed.into_inner().unwrap() {
        panic!("{what}");
    }
}

/// Takes from a life what its failure does not need: days, timers, blows.
fn shrunk(lot: Lot) -> Lot {
    let fails = |lot: &Lot| in_memory(lot).0.is_err();
    let mut least = lot;
    if std::env::var("RENKEI_SIM_SHRINK").is_ok_and(|asked| asked == "0") {
        return least;
    }
    let blows: [fn(&mut Lot); 5] = [
        |lot| lot.jumps = false,
        |lot| lot.errors = false,
        |lot| lot.moods = false,
        |lot| lot.crashes = false,
        |lot| lot.people = false,
    ];
    let tries = |least: &Lot| {
        let days = [1, 2, 3, 5, 10, 20].into_iter().filter(|days| *days < least.days);
        let mut tries: Vec<Lot> = days.map(|days| Lot { days, ..least.clone() }).collect();
        tries.extend((1..least.timers).map(|timers| Lot { timers, ..least.clone() }));
        tries.extend(blows.iter().map(|blow| {
            let mut less = least.clone();
            blow(&mut less);
            less
        }));
        tries
    };
    while let Some(less) = tries(&least).into_iter().find(|less| *less != least && fails(less)) {
        least = less;
    }
    least
}

/// Shows what led to a failure, in the smallest life that has it.
fn show(seed: u64, what: &str) -> String {
    let least = Lot { traced: true, ..shrunk(lot(seed, 30)) };
    let (again, life) = in_memory(&least);
    let from = life.trace.len().saturating_sub(60);
    let last = life.trace[from..].join("\n");
    format!("RENKEI_SIM_SEED={seed}: {what}\nshrunk to {least:?}:\n{last}\n{}", again.err().unwrap_or_default())
}

#[test]
fn lives_of_thirty_days_keep_every_promise() {
    let tally = Tally::default();
    let seeds = seeds(10, 1_000);
    each(&seeds, |seed| {
        let (result, life) = in_memory(&lot(seed, 30));
        result.map_err(|what| show(seed, &what))?;
        tally.slots.fetch_add(life.checks.slots, Ordering::Relaxed);
        tally.runs.fetch_add(life.db.runs.len() as u64, Ordering::Relaxed);
        tally.requests.fetch_add(life.receiver.requests, Ordering::Relaxed);
        tally.crashes.fetch_add(life.crashes, Ordering::Relaxed);
        Ok(())
    });
    let said = format!(
        "{} lives: {} slots, {} runs, {} requests, {} crashes\n",
        seeds.len(),
        tally.slots.into_inner(),
        tally.runs.into_inner(),
        tally.requests.into_inner(),
        tally.crashes.into_inner()
    );
    std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
}

#[test]
fn the_real_database_lives_the_same_life_line_by_line() {
    each(&seeds(1, 30), |seed| {
        let lot = Lot { fine: false, traced: true, pace: 8, ..lot(seed, 3) };
        let (result, life) = in_memory(&lot);
        result.map_err(|what| format!("RENKEI_SIM_SEED={seed}: {what}"))?;
        let (result, trace) = in_sqlite(&lot);
        let differs = life.trace.iter().zip(&trace).position(|(memory, sqlite)| memory != sqlite);
        if let Some(at) = differs {
            let before = life.trace[at.saturating_sub(40)..at].join("\n");
            let (memory, sqlite) = (&life.trace[at], &trace[at]);
            return Err(format!("RENKEI_SIM_SEED={seed}: in memory: {memory}; in SQLite: {sqlite}; before:\n{before}"));
        }
        let lines = (life.trace.len(), trace.len());
        result.map_err(|what| format!("RENKEI_SIM_SEED={seed}: {what}"))?;
        if lines.0 == lines.1 { Ok(()) } else { Err(format!("RENKEI_SIM_SEED={seed}: lines: {lines:?}")) }
    });
}
