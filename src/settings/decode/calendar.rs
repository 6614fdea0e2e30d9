//! The company's days as written.

use super::desk::Desk;
use crate::domain::calendar::CalendarForm;
use crate::domain::calendar::company::{Day, DaysForm};
use crate::settings::keys;
use crate::yaml::{Node, Value, short};
use chrono::Weekday;

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// Reads the calendar; `None` when it is no map at all.
pub(in crate::settings) fn calendar(desk: &mut Desk<'_>, node: &Node) -> Option<CalendarForm> {
    let fields = desk.fields(node, "the calendar", keys::CALENDAR)?;
    let default = CalendarForm::default();
    let mut lists = ["closed", "working"].map(|key| {
        let example = "[{ from: 12-29, to: 01-03, name: 年末年始 }, 2026-08-14]";
        // A line that cannot be read keeps its place, so that what is said of the others points at them.
        let line = |desk: &mut Desk<'_>, node: &Node| Some(days(desk, node).unwrap_or_default());
        desk.field(&fields, key, |desk, node| desk.list(node, example, line)).unwrap_or_default()
    });
    Some(CalendarForm {
        weekend: desk
            .field(&fields, "weekend", |desk, node| desk.list(node, "[sat, sun]", |desk, day| desk.choice(day, &WEEK)))
            .unwrap_or(default.weekend),
        public_holidays: desk.field(&fields, "public_holidays", Desk::flag).unwrap_or(default.public_holidays),
        closed: std::mem::take(&mut lists[0]),
        working: std::mem::take(&mut lists[1]),
    })
}

/// A day alone, or a map of days with their name.
fn days(desk: &mut Desk<'_>, node: &Node) -> Option<DaysForm> {
    if let Value::Scalar(_) = &node.value {
        return Some(DaysForm { on: Some(day(desk, node)?), ..DaysForm::default() });
    }
    let fields = desk.fields(node, "a line of days", keys::DAYS)?;
    Some(DaysForm {
        on: desk.field(&fields, "on", day),
        from: desk.field(&fields, "from", day),
        to: desk.field(&fields, "to", day),
        name: desk.field(&fields, "name", Desk::text),
    })
}

fn day(desk: &mut Desk<'_>, node: &Node) -> Option<Day> {
    let text = desk.text(node)?;
    match Day::parse(&text) {
        Ok(day) => Some(day),
        Err(error) => {
            let told = error.to_string();
            let (what, fix) = told.split_once(": ").unwrap_or((&told, ""));
            desk.refuse(node.place, short(what), fix);
            None
        }
    }
}
