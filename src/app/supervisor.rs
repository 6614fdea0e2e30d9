//! What the service manager is told (systemd's sd_notify): that the daemon is ready, that it stops, how it is, and that
//! its loops move. The keepalive stops when a loop hangs, since a restart helps then; a locked or full database is told
//! as status alone, since a restart would not help. Without a service manager nothing is told.

use crate::engine::Engine;
use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

/// Tells the service manager until it is dropped.
#[derive(Debug)]
pub struct Supervisor {
    told: CancellationToken,
}

impl Supervisor {
    /// Says READY=1, and goes on telling how the daemon is.
    #[must_use]
    pub fn ready(engine: &Engine) -> Self {
        let told = CancellationToken::new();
        tokio::spawn(keep_telling(engine.clone(), told.clone()));
        Self { told }
    }

    /// Says STOPPING=1; no keepalive follows.
    pub fn stopping(self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }
}

/// Says what it waits for before it is ready, so that the wait is not taken for a start that hangs.
pub fn waiting(status: &str) {
    tell(&[NotifyState::ExtendTimeoutUsec(30_000_000), NotifyState::Status(status)]);
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.told.cancel();
    }
}

async fn keep_telling(engine: Engine, told: CancellationToken) {
    let mut readiness = engine.board.watch();
    let state = readiness.borrow_and_update().to_string();
    tell(&[NotifyState::Ready, NotifyState::Status(&state)]);
    // Twice as often as is asked for, as sd_watchdog_enabled(3) recommends.
    let every = sd_notify::watchdog_enabled().map(|limit| limit / 2);
    let mut hung = None;
    loop {
        if every.is_some() {
            match engine.hangs() {
                None => tell(&[NotifyState::Watchdog]),
                Some(part) if hung != Some(part) => error!(part, "a loop hangs: the watchdog gets no keepalive"),
                Some(_) => {}
            }
            hung = engine.hangs();
        }
        let due = async {
            match every {
                Some(every) => engine.clock.sleep(every).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            Ok(()) = readiness.changed() => {
                let state = readiness.borrow_and_update().to_string();
                tell(&[NotifyState::Status(&state)]);
            }
            () = told.cancelled() => return,
        }
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        debug!(%error, "the service manager could not be told");
    }
}
