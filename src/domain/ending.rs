//! How a run ends by what became of its batches: the last step of `transition`. A batch of unknown fate makes the run
//! unknown whatever else happened, because somebody has to look.

use super::run::{BatchState, RunState};

/// The end state of a run whose batches will not be tried again; `rows_left` says that a rule left rows out.
#[must_use]
pub fn end_state(batches: &[BatchState], rows_left: bool) -> RunState {
    let count = |wanted: BatchState| batches.iter().filter(|&&state| state == wanted).count();
    let (taken, unknown) = (count(BatchState::Accepted), count(BatchState::Unknown) + count(BatchState::Sending));
    match (taken, unknown) {
        (_, 1..) => RunState::Unknown,
        (0, 0) => RunState::Failed,
        (taken, 0) if taken == batches.len() && !rows_left => RunState::Accepted,
        _ => RunState::Partial,
    }
}

/// The end state of a run that a person stops before its batches are through: cancelled only where nothing was taken,
/// and that is certain.
#[must_use]
pub fn stopped_state(batches: &[BatchState]) -> RunState {
    match end_state(batches, true) {
        RunState::Failed => RunState::Cancelled,
        state => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_hides_nothing_that_was_sent() {
        use BatchState::{Accepted, NotTaken, Ready, Sending, Unknown};
        let table: [(&[BatchState], RunState); 5] = [
            (&[], RunState::Cancelled),
            (&[Ready, Ready], RunState::Cancelled),
            (&[NotTaken, Ready], RunState::Cancelled),
            (&[Accepted, NotTaken], RunState::Partial),
            (&[Accepted, Unknown, Sending], RunState::Unknown),
        ];
        for (batches, state) in table {
            assert_eq!(stopped_state(batches), state, "{batches:?}");
        }
    }

    #[test]
    fn the_batches_decide() {
        use BatchState::{Accepted, NotTaken, Ready, Rejected, Unknown};
        let table: [(&[BatchState], bool, RunState); 7] = [
            (&[Accepted, Accepted], false, RunState::Accepted),
            (&[Accepted], true, RunState::Partial),
            (&[Accepted, Rejected, Ready], false, RunState::Partial),
            (&[Rejected, Ready], false, RunState::Failed),
            (&[NotTaken], false, RunState::Failed),
            (&[Accepted, Unknown], false, RunState::Unknown),
            (&[], false, RunState::Failed),
        ];
        for (batches, rows_left, state) in table {
            assert_eq!(end_state(batches, rows_left), state, "{batches:?}");
        }
    }
}
