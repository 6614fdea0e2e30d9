//! The only reader of time: wall clock, monotonic clock, boot clock and id, and `sleep_until`. [`Clock::manual`] is
//! moved by a test; everything else in the house takes a `Clock` or an instant as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the one room that reads time")]

use crate::domain::admit::BootInstant;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Tells the time. Cheap to clone; all clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    System { started: Instant },
    Manual { origin: DateTime<Utc>, now: Arc<watch::Sender<DateTime<Utc>>> },
}

/// The longest a real sleep lasts before the wall clock is read again, so that a clock that jumped forward or a
/// machine that was suspended is noticed.
const LONGEST_NAP: Duration = Duration::from_secs(1);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: Kind::System { started: Instant::now() } }
    }

    /// A clock that stands until it is moved.
    #[must_use]
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self { kind: Kind::Manual { origin: start, now: Arc::new(watch::Sender::new(start)) } }
    }

    /// The wall clock's time, in whole milliseconds as the store keeps it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.kind {
            Kind::System { .. } => Utc::now().trunc_subsecs(3),
            Kind::Manual { now, .. } => *now.borrow(),
        }
    }

    /// How long this clock has been running; never goes back.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.kind {
            Kind::System { started } => started.elapsed(),
            Kind::Manual { origin, now } => (*now.borrow() - *origin).to_std().unwrap_or_default(),
        }
    }

    /// The boot clock's instant: it counts through suspend and does not care about the wall clock. On machines
    /// without `/proc` it is an instant of this process alone, which makes slots rest longer after a restart, never
    /// shorter.
    #[must_use]
    pub fn boot(&self) -> BootInstant {
        match &self.kind {
            Kind::System { .. } => read_boot().unwrap_or_else(|| BootInstant {
                boot_id: format!("process-{}", std::process::id()),
                millis: u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX),
            }),
            Kind::Manual { .. } => BootInstant {
                boot_id: "manual".to_owned(),
                millis: u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX),
            },
        }
    }

    /// Moves a manual clock forward and wakes its sleepers; a system clock is not moved.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual { now, .. } = &self.kind {
            let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
            now.send_modify(|now| *now += by);
        }
    }

    /// Sets a manual clock, also backwards.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Kind::Manual { now, .. } = &self.kind {
            now.send_replace(to);
        }
    }

    /// Returns once the wall clock shows `when` or later. It naps for a second at most and looks again, so that it is
    /// right after a jump or a suspend. Dropping it is safe.
    pub async fn sleep_until(&self, when: DateTime<Utc>) {
        match &self.kind {
            Kind::System { .. } => {
                while let Ok(left) = (when - Utc::now()).to_std() {
                    tokio::time::sleep(left.min(LONGEST_NAP)).await;
                    if left.is_zero() {
                        break;
                    }
                }
            }
            Kind::Manual { now, .. } => {
                let mut moved = now.subscribe();
                // The sender lives in this clock, so the wait ends only when the time has come.
                let _ = moved.wait_for(|now| *now >= when).await;
            }
        }
    }

    /// Returns after a length of time.
    pub async fn sleep(&self, length: Duration) {
        let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::days(36_500));
        match &self.kind {
            Kind::System { .. } => tokio::time::sleep(length.to_std().unwrap_or_default()).await,
            Kind::Manual { .. } => self.sleep_until(self.now() + length).await,
        }
    }
}

/// `/proc/uptime` counts from boot, suspend included, in hundredths of a second.
fn read_boot() -> Option<BootInstant> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = uptime.split_whitespace().next()?.split_once('.')?;
    let millis = seconds.parse::<u64>().ok()? * 1_000 + hundredths.parse::<u64>().ok()? * 10;
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
    Some(BootInstant { boot_id, millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_moved() {
        let clock = Clock::manual(DateTime::from_timestamp(0, 0).unwrap());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(DateTime::from_timestamp(60, 0).unwrap()).await }
        });
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!(clock.elapsed(), Duration::from_secs(60));
    }

    #[test]
    fn the_boot_clock_runs_forward_under_one_id() {
        let clock = Clock::system();
        let (first, second) = (clock.boot(), clock.boot());
        assert_eq!(first.boot_id, second.boot_id);
        assert!(second.millis >= first.millis);
    }
}
