//! The receiver: what it answers by its mood, when a request arrives between its sending and its answer, and its own
//! books of what arrived, what it took and how old that was.

use super::chance::Chance;
use renkei::domain::integration::Account;
use renkei::domain::plan::Pair;
use renkei::domain::verdict::{Answer, Verdict, classify};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Fine,
    Slow,
    Maintenance,
    Throttling,
    Rejecting,
    Rubbish,
    Resetting,
    HalfAnswers,
    BadToken,
    Proxy,
    Away,
    Mixed,
}

pub(super) const MOODS: [Mood; 12] = [
    Mood::Fine,
    Mood::Slow,
    Mood::Maintenance,
    Mood::Throttling,
    Mood::Rejecting,
    Mood::Rubbish,
    Mood::Resetting,
    Mood::HalfAnswers,
    Mood::BadToken,
    Mood::Proxy,
    Mood::Away,
    Mood::Mixed,
];

/// A request under way. All times are true ones, in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) account: Account,
    pub(super) pair: Pair,
    pub(super) run: i64,
    pub(super) batch: u32,
    /// When the bytes were exported, counted over all.
    pub(super) stamp: u64,
    pub(super) forced: bool,
    /// `None`: it never arrives.
    pub(super) arrives: Option<i64>,
    pub(super) answered: i64,
    pub(super) taken: bool,
    pub(super) verdict: Verdict,
    pub(super) retry_after: Option<Duration>,
}

#[derive(Default)]
pub(super) struct Receiver {
    moods: BTreeMap<Account, Mood>,
    arrivals: BTreeMap<Account, VecDeque<i64>>,
    /// The batches that it took, by run.
    pub(super) taken: BTreeSet<(i64, u32)>,
    newest: BTreeMap<Pair, u64>,
    pub(super) requests: u64,
}

const OK: &[u8] = br#"{"status":"success"}"#;
const MAINTENANCE: &[u8] = b"Status: 503 Maintenance mode\n<html>";
const SORRY: &[u8] = b"<html>sorry</html>";
const ERROR: &[u8] = br#"{"status":"error"}"#;

impl Receiver {
    pub(super) fn set_mood(&mut self, account: Account, mood: Mood) {
        self.moods.insert(account, mood);
    }

    /// What becomes of a request that is sent at `now`.
    pub(super) fn send(&self, chance: &mut Chance, now: i64, mut flight: Flight) -> Flight {
        let mut mood = self.moods.get(&flight.account).copied().unwrap_or(Mood::Fine);
        if mood == Mood::Mixed {
            mood = *chance.pick(&MOODS[..11]);
        }
        let luck = chance.odds(5_000);
        let lasts = match mood {
            Mood::Slow => chance.between(5_000, 90_000),
            Mood::Resetting if luck => 120_000,
            Mood::Away => chance.between(1, 10_000),
            _ => *chance.pick(&[1, 20, 200, 1_000, 3_000]),
        };
        let http = |status, body| Answer::Http { status, body, complete: true, early: false };
        let (answer, taken) = match mood {
            Mood::Fine | Mood::Slow | Mood::Mixed => (http(200, OK), true),
            Mood::Maintenance => (http(200, MAINTENANCE), false),
            Mood::Throttling => (http(429, SORRY), false),
            Mood::Rejecting => (http(if luck { 200 } else { 400 }, ERROR), false),
            Mood::Rubbish => (http(if luck { 200 } else { 502 }, if luck { SORRY } else { OK }), chance.odds(5_000)),
            Mood::Resetting => (Answer::Broken, chance.odds(5_000)),
            Mood::HalfAnswers => {
                (Answer::Http { status: 200, body: OK, complete: false, early: false }, chance.odds(5_000))
            }
            Mood::BadToken => (http(401, ERROR), false),
            Mood::Proxy => (http(403, SORRY), false),
            Mood::Away => (Answer::NotSent, false),
        };
        flight.verdict = classify(&answer);
        flight.taken = taken;
        flight.answered = now + lasts;
        let arrival = match chance.below(4) {
            0 => now,
            1 => flight.answered,
            _ => chance.between(now, flight.answered),
        };
        flight.arrives = (mood != Mood::Away).then_some(arrival);
        flight.retry_after = (mood == Mood::Throttling).then(|| Duration::from_secs(chance.below(200) as u64));
        flight
    }

    /// A request has come in, at its time of arrival; says what must never be.
    pub(super) fn arrived(&mut self, flight: &Flight, most: usize) -> Result<(), String> {
        let Some(at) = flight.arrives else { return Ok(()) };
        self.requests += 1;
        let arrivals = self.arrivals.entry(flight.account.clone()).or_default();
        while arrivals.front().is_some_and(|&first| first + 60_000 <= at) {
            arrivals.pop_front();
        }
        arrivals.push_back(at);
        if arrivals.len() > most {
            return Err(format!("{} requests of {} in 60 s", arrivals.len(), flight.account.as_str()));
        }
        if flight.taken {
            self.taken.insert((flight.run, flight.batch));
            let newest = self.newest.entry(flight.pair.clone()).or_default();
            if flight.stamp < *newest && !flight.forced {
                return Err(format!("run {}: bytes of export {} over those of {newest}", flight.run, flight.stamp));
            }
            *newest = flight.stamp.max(*newest);
        }
        Ok(())
    }

    /// What the sender made of the answer must be true.
    pub(super) fn judged(flight: &Flight) -> Result<(), String> {
        let right = match flight.verdict {
            Verdict::Accepted => flight.taken,
            Verdict::Unknown => true,
            _ => !flight.taken,
        };
        let what = format!("run {} batch {}: {} but taken: {}", flight.run, flight.batch, flight.verdict, flight.taken);
        if right { Ok(()) } else { Err(what) }
    }
}
