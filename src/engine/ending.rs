//! How a run ends: its state, the mail about it, the trouble that people know of, the pause that a refusal causes, all
//! written in one transaction; and the older held runs that it has overtaken.

use super::{Engine, pausing, reporting};
use crate::domain::failure::{Code, Failure};
use crate::domain::run::{RunState, Trigger};
use crate::domain::trouble::{Outcome, Telling, tell};
use crate::store::StoreError;
use crate::store::life::Ending;
use crate::store::runs::Run;
use tracing::{info, warn};

/// Ends an open run that is in state `from`.
///
/// # Errors
/// The database did not take it, or the run is not in that state any more; nothing was changed then.
pub(super) async fn end(
    engine: &Engine,
    run: &Run,
    from: RunState,
    state: RunState,
    failure: Option<Failure>,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let known = engine.store.trouble(&run.menu_id, &run.integration_id).await?;
    let (mut telling, trouble) = tell(known, outcome(state, failure.as_ref()), now);
    if telling == Telling::Hush && run.trigger != Trigger::Timer {
        // Somebody waits for this one.
        telling = Telling::AsUsual;
    }
    let mail = reporting::mail(engine, run, state, failure.as_ref(), telling).await;
    let pause = pausing::after(engine, run, failure.as_ref()).await?;
    let ending = Ending { state, failure, mail, trouble, pause };
    engine.store.end(run, from, &ending, now).await?;
    log(run, &ending);
    if engine.store.has_sent(run.seq).await? {
        overtake(engine, run).await?;
    }
    engine.bells.outbox.notify_one();
    Ok(())
}

fn outcome(state: RunState, failure: Option<&Failure>) -> Outcome {
    match (state, failure) {
        (RunState::Cancelled, _) => Outcome::Neither,
        (state, _) if state.is_good() => Outcome::Good,
        (_, Some(failure)) => Outcome::Bad(failure.code),
        (_, None) => Outcome::Bad(Code::Internal),
    }
}

fn log(run: &Run, ending: &Ending) {
    let state = ending.state;
    match &ending.failure {
        None => info!(run = %run.id, %state, "run ended"),
        // What is said of a row can hold its key and a letter of it: that is for the history and the mail.
        Some(failure) if !failure.rows.is_empty() => {
            warn!(run = %run.id, %state, code = %failure.code, rows = failure.rows_total, "run ended; its rows stand in the history");
        }
        Some(failure) => warn!(run = %run.id, %state, code = %failure.code, "run ended: {}", failure.message),
    }
    if let Some(pause) = &ending.pause {
        warn!(run = %run.id, integration = %run.integration, "integration paused: {}", pause.reason);
    }
}

/// Held runs that are older than what was sent now are not sent any more.
async fn overtake(engine: &Engine, newer: &Run) -> Result<(), StoreError> {
    for run in engine.store.held_before(newer.seq).await? {
        let message = format!("run {} of the same menu and integration has sent newer data", newer.id);
        let failure = Failure::new(Code::Overtaken, message);
        // Boxed, since an end can end others; these have sent nothing, so that it stops here.
        Box::pin(end(engine, &run, RunState::Held, RunState::Cancelled, Some(failure))).await?;
    }
    Ok(())
}
