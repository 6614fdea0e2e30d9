//! How a run ends: its state, what is told of it, the trouble that people know of, the pause that a refusal causes, all
//! written in one transaction; and the older held runs that it has overtaken.

use super::{Engine, pausing, reporting};
use crate::domain::failure::{Code, Failure};
use crate::domain::run::{RunState, Trigger};
use crate::domain::trouble::{Outcome, Telling, tell};
use crate::store::StoreError;
use crate::store::life::Ending;
use crate::store::runs::Run;
use tracing::{info, warn};

/// Ends an open run that is in state `from`, and the older held runs that it has overtaken.
///
/// # Errors
/// The database did not take it, or the run is not in that state any more.
pub(super) async fn end(
    engine: &Engine,
    run: &Run,
    from: RunState,
    state: RunState,
    failure: Option<Failure>,
) -> Result<(), StoreError> {
    conclude(engine, run, from, state, failure).await?;
    overtake(engine, run).await
}

/// Ends the run alone; [`overtake`] has to follow. Whoever insists insists on the one and then on the other, since a
/// run that has ended cannot end again.
///
/// # Errors
/// As [`end`]; nothing was changed then.
pub(super) async fn conclude(
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
    let news = reporting::news(engine, run, state, failure.as_ref(), telling).await?;
    let pause = pausing::after(engine, run, failure.as_ref()).await?;
    let ending = Ending { state, failure, news, trouble, pause };
    engine.store.end(run, from, &ending, now).await?;
    log(run, &ending);
    engine.news_is_out();
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
        Some(failure) if !failure.rows.is_empty() || failure.code == Code::KeyNotFound => {
            warn!(run = %run.id, %state, code = %failure.code, rows = failure.rows_total, "run ended; its rows stand in the history");
        }
        Some(failure) => warn!(run = %run.id, %state, code = %failure.code, "run ended: {}", failure.message),
    }
    if let Some(pause) = &ending.pause {
        warn!(run = %run.id, integration = %run.integration, "integration paused: {}", pause.reason);
    }
}

/// Held runs that are older than what an ended run has sent are not sent any more. It may be said twice.
///
/// # Errors
/// The database could not be asked, or did not take the end of one of them.
pub(super) async fn overtake(engine: &Engine, newer: &Run) -> Result<(), StoreError> {
    if !engine.store.has_sent(newer.seq).await? {
        return Ok(());
    }
    for run in engine.store.held_before(newer.seq).await? {
        let message = format!("run {} of the same menu and integration has sent newer data", newer.id);
        let failure = Failure::new(Code::Overtaken, message);
        // Boxed, since an end can end others; these have sent nothing, so that it stops here.
        Box::pin(end(engine, &run, RunState::Held, RunState::Cancelled, Some(failure))).await?;
    }
    Ok(())
}
