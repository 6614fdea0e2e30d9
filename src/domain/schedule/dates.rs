//! The kinds that say on which dates and at which times of the day: their next slot, on the dates to which business
//! days move them. Moving never changes the order of dates, so the first date that moves to a day or later is found by
//! a search among the dates before they move.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

use super::{Kind, SEARCH_DAYS, Schedule, first_date, grid::Grid, wall::Wall};
use crate::domain::calendar::{BusinessDay, Calendar};

/// A schedule's dates under a calendar.
#[derive(Clone, Copy)]
pub(super) struct Dates<'s> {
    pub(super) schedule: &'s Schedule,
    pub(super) calendar: &'s Calendar,
}

impl Dates<'_> {
    /// The next slot strictly after `after`.
    pub(super) fn next_slot(self, grid: Grid, wall: Wall, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = wall.local_at(after);
        let next = loop {
            local = self.next_local(grid, local)?;
            // In the second pass of a repeated hour the local clock shows times that have had their turn.
            match wall.first_at(local)? {
                instant if instant > after => break instant,
                _ => {}
            }
        };
        if !grid.names_every_hour() {
            return Some(next);
        }
        let repeated = wall.second_pass(after).and_then(|pass| {
            let mut local = pass.after;
            loop {
                local = self.next_local(grid, local).filter(|local| *local <= pass.until)?;
                match wall.second_at(local) {
                    Some(instant) if instant > after => return Some(instant),
                    _ => {}
                }
            }
        });
        Some(repeated.map_or(next, |repeated| repeated.min(next)))
    }

    /// The next date and time on a clock that never changes, strictly after `local`.
    fn next_local(self, grid: Grid, local: NaiveDateTime) -> Option<NaiveDateTime> {
        if let Some(time) = grid.next_after(local.time())
            && self.next_date(local.date())? == local.date()
        {
            return Some(local.date().and_time(time));
        }
        let date = self.next_date(local.date().succ_opt()?)?;
        Some(date.and_time(grid.first()?))
    }

    /// The first date from `from` on that has a slot; the search is bounded.
    fn next_date(self, from: NaiveDate) -> Option<NaiveDate> {
        if let Kind::Monthly(monthly) = &self.schedule.kind
            && monthly.asks_calendar()
        {
            let months = first_of_months(from).take(usize::try_from(SEARCH_DAYS / 28).ok()?);
            return months.filter_map(|first| monthly.date_in(first, self.calendar)).find(|date| *date >= from);
        }
        match self.schedule.business_day {
            None | Some(BusinessDay::Only) => self.named_from(from),
            Some(rule @ BusinessDay::Next) => {
                // Every date of the rest that ends before `from` moves to `from` or later, no earlier date does.
                let named = self.named_from(self.calendar.rest_before(from))?;
                self.calendar.shift(named, rule)
            }
            Some(rule @ BusinessDay::Previous) => {
                let named = self.named_from(self.calendar.on_or_after(from)?)?;
                self.calendar.shift(named, rule)
            }
        }
    }

    /// The first date from `from` on that the schedule names, before any moves.
    fn named_from(self, from: NaiveDate) -> Option<NaiveDate> {
        first_date(from, |month| self.schedule.has_month(month), |date| self.schedule.has_date(date))
    }
}

/// The first days of the months from that of a date on.
fn first_of_months(date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let next = |first: &NaiveDate| first.checked_add_months(chrono::Months::new(1));
    std::iter::successors(date.with_day(1), next)
}
