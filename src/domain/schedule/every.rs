//! Steps through the day, or through a part of it.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{ScheduleError, ScheduleFault as Fault, ScheduleWarning, Window, error::At, wall::Wall};
use crate::domain::duration::Span;

const DAY: u32 = 86_400;

/// A step of 1 second to 24 hours, and the part of the day in which it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    step: Span,
    between: Option<Window>,
}

impl Every {
    /// The time from one slot to the next.
    pub fn step(self) -> Span {
        self.step
    }

    /// The part of the day, or `None` for all of it.
    pub fn between(self) -> Option<Window> {
        self.between
    }

    pub(super) fn read(step: &str, between: Option<&str>) -> Result<Every, ScheduleError> {
        let step: Span = step.parse().map_err(|error| Fault::Span(error).at("every"))?;
        if step.is_zero() {
            return Err(Fault::NoStep.at("every"));
        }
        if step.as_secs() > DAY {
            return Err(Fault::LongStep(step).at("every"));
        }
        let between = between.map(Window::parse).transpose().map_err(|fault| fault.at("between"))?;
        if let Some(window) = between
            && step.as_secs() > window.seconds()
        {
            return Err(Fault::StepDoesNotFit { step, window }.at("every"));
        }
        Ok(Every { step, between })
    }

    pub(super) fn warning(self) -> Option<ScheduleWarning> {
        let restarts = self.between.is_none() && !DAY.is_multiple_of(self.step.as_secs());
        restarts.then_some(ScheduleWarning::RestartsAtMidnight { step: self.step })
    }

    pub(super) fn next_after(self, wall: Wall, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A window over midnight belongs to the day before, and a clock may have gone back by a day: look from two days
        // before to some days behind, since a day can be missing (Samoa had no 30 December 2011).
        let mut date = wall.local_at(after).date().checked_sub_days(Days::new(2))?;
        for _ in 0..8 {
            let (start, end) = self.window_of(date, wall)?;
            let steps =
                if after < start { 0 } else { (after - start).num_seconds() / i64::from(self.step.as_secs()) + 1 };
            let slot = start + TimeDelta::seconds(steps * i64::from(self.step.as_secs()));
            // The end of `between` is a slot; the end of a day is the start of the next.
            if slot < end || (slot == end && self.between.is_some()) {
                return Some(slot);
            }
            date = date.succ_opt()?;
        }
        None
    }

    /// The date on which the window starts that holds a slot.
    pub(super) fn date_of(self, wall: Wall, slot: DateTime<Utc>) -> Option<NaiveDate> {
        let shown = wall.local_at(slot).date();
        // Windows do not overlap, but one may end in the instant in which the next one starts: the later one's then.
        let dates = [shown.succ_opt(), Some(shown), shown.pred_opt(), shown.checked_sub_days(Days::new(2))];
        let holds =
            |date: &NaiveDate| self.window_of(*date, wall).is_some_and(|(start, end)| start <= slot && slot <= end);
        dates.into_iter().flatten().find(holds)
    }

    /// The first instant of the window that starts on a date.
    pub(super) fn start_on(self, date: NaiveDate, wall: Wall) -> Option<DateTime<Utc>> {
        Some(self.window_of(date, wall)?.0)
    }

    /// The first and the last instant of the window that starts on a date.
    fn window_of(self, date: NaiveDate, wall: Wall) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let start = self.between.map_or(NaiveTime::MIN, |window| window.start().local());
        let end = self.between.and_then(Window::end).map_or(NaiveTime::MIN, |end| end.local());
        let end_date = if self.between.is_none_or(Window::goes_over_midnight) { date.succ_opt()? } else { date };
        Some((wall.first_at(date.and_time(start))?, wall.first_at(end_date.and_time(end))?))
    }
}
