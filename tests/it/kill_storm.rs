//! The kill storm: the real binary against the sandbox, killed at random instants, stopped for a while, ordered about
//! by other processes that are killed too, and started again at once. Afterwards ledger, history, spool and the sandbox's
//! log must tell one story. `RENKEI_KILLS=10000` makes it long, `RENKEI_KILL_SECONDS` ends it early, `RENKEI_KILL_SEED` repeats its
//! choices. A killed process
//! leaves the kernel's buffers alone: this says nothing about a loss of power.

mod machine;
mod reckoning;

use crate::support::tell;
use machine::{Life, Machine};
use reckoning::Reckoning;
use renkei::clock::Clock;
use renkei::sandbox::{Misbehaviour, Plan};
use std::time::Duration;

/// Where a number is not given by the environment.
const KILLS: u64 = 300;

/// Choices that the seed repeats (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }
}

/// What the receiver does wrong now and then; each is taken by the request that comes next.
fn trouble(dice: &mut Dice) -> Misbehaviour {
    match dice.below(8) {
        0 => Misbehaviour::ServerError { status: 502 },
        1 => Misbehaviour::ResetBeforeAnswer { imported: true },
        2 => Misbehaviour::ResetMidAnswer { after_bytes: 20 },
        3 => Misbehaviour::Maintenance,
        _ => Misbehaviour::Slow { delay_ms: 20 + dice.below(300) },
    }
}

/// One life of the daemon: from its start to its kill.
async fn live(machine: &mut Machine, dice: &mut Dice) {
    if dice.below(10) == 0 {
        machine.sandbox.misbehave(Plan::once(trouble(dice)));
    }
    let mut life: Life = machine.start();
    if dice.below(6) == 0 {
        machine.order(dice.below(4), (dice.below(2) == 0).then(|| dice.millis(150))).await;
    }
    match dice.below(40) {
        // Some live long enough to fall into a rhythm.
        0 => life.last(Duration::from_millis(500) + dice.millis(1_000)).await,
        // Some are stopped for a while, as a suspended machine is; slots go by meanwhile.
        1 => {
            life.last(dice.millis(300)).await;
            life.pause(dice.millis(1_000)).await;
            machine.pauses += 1;
            life.last(dice.millis(200)).await;
        }
        // Some are killed in the middle of a request: just after its head has arrived.
        2..=21 => {
            machine.next_request(Duration::from_millis(300)).await;
            life.last(Duration::from_micros(dice.below(12_000))).await;
        }
        _ => life.last(dice.millis(250)).await,
    }
    machine.kill(life).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_stuck_however_often_the_daemon_is_killed() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = number("RENKEI_KILLS").unwrap_or(KILLS);
    let clock = Clock::system();
    let seed = number("RENKEI_KILL_SEED").unwrap_or_else(|| clock.now().timestamp_millis().unsigned_abs());
    tell(format_args!("kill storm: {kills} kills, seed {seed}"));
    let mut dice = Dice(seed);
    let mut machine = Machine::new().await;
    let begun = machine.cursors().await;
    let most = number("RENKEI_KILL_SECONDS").map_or(Duration::MAX, Duration::from_secs);
    let mut killed = 0;
    while killed < kills && clock.elapsed() < most {
        live(&mut machine, &mut dice).await;
        killed += 1;
        if killed % 500 == 0 {
            tell(format_args!("{killed} kills after {} s", clock.elapsed().as_secs()));
        }
    }
    let storm = clock.elapsed();
    machine.drain().await;
    let mut reckoning = Reckoning::of(&machine, begun).await;
    reckoning.settle();
    tell(format_args!("seed {seed}, {killed} kills in {} s; {}", storm.as_secs(), reckoning.summary()));
    let faults = reckoning.faults;
    let kept = if faults.is_empty() { None } else { machine.keep() };
    assert!(faults.is_empty(), "seed {seed}: {} faults, kept in {kept:?}:\n{}", faults.len(), faults.join("\n"));
}
