//! The daemon's own dead-man's switch: told while renkei is ready, so that a daemon that is dead, cut off or stopped is
//! noticed by its silence. One that is not ready for a minute says so itself.

use super::Engine;
use crate::store::notices::NoticeEvent;
use chrono::TimeDelta;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Trouble that is over sooner is nobody's alarm.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// When to look again after a sign could not be given.
const SOON: Duration = Duration::from_secs(15);

/// Gives signs until told to stop.
pub(super) async fn run(engine: Engine, stopping: CancellationToken) {
    let Some((switch, every)) = engine.config.notify.ping.clone() else { return };
    let mut heard = true;
    loop {
        let pause = match sign(&engine) {
            None => SOON.min(every),
            Some((event, line)) => {
                let told = tokio::select! {
                    told = engine.herald.ping(&switch, event, &line) => told,
                    () = stopping.cancelled() => return,
                };
                match &told {
                    Ok(()) if heard => debug!("sign of life given"),
                    Ok(()) => info!("signs of life are heard again"),
                    Err(why) if heard => warn!("the sign of life was not taken: {why}"),
                    Err(why) => debug!("the sign of life was not taken: {why}"),
                }
                heard = told.is_ok();
                if heard { every } else { SOON.min(every) }
            }
        };
        tokio::select! {
            () = engine.clock.sleep(pause) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// What is to be told now.
fn sign(engine: &Engine) -> Option<(NoticeEvent, String)> {
    let readiness = engine.readiness();
    if let Some(part) = engine.hangs() {
        return Some((NoticeEvent::Trouble, format!("renkei hangs: {part}")));
    }
    if readiness.is_ready() {
        return Some((NoticeEvent::Good, format!("renkei is ready since {}", readiness.since.to_rfc3339())));
    }
    let waited = engine.clock.now() - readiness.since >= PATIENCE;
    waited.then(|| (NoticeEvent::Trouble, format!("renkei is {readiness}")))
}
