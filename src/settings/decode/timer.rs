//! A timer as written.

use super::desk::Desk;
use crate::domain::duration::Span;
use crate::domain::fault::Fault;
use crate::domain::schedule::{Schedule, WrittenSchedule};
use crate::domain::timer::{AfterPartial, Misfire, Overlap, StartBy, Switch, TimerForm};
use crate::settings::keys;
use crate::yaml::{Node, Value as Tree, short};
use chrono::NaiveDate;
use serde_json::{Map, Value};

/// Reads a timer; `None` when it is no map at all.
pub(in crate::settings) fn timer(desk: &mut Desk<'_>, node: &Node) -> Option<TimerForm> {
    let fields = desk.fields(node, "a timer", keys::TIMER)?;
    let misfires = [("none", Misfire::None), ("last", Misfire::Last), ("all", Misfire::All)];
    Some(TimerForm {
        name: desk.needed(&fields, "name", "name: 毎朝の社員", Desk::text).unwrap_or_default(),
        id: desk.field(&fields, "id", Desk::text),
        menu: desk.needed(&fields, "menu", "menu: 社員一覧", Desk::text).unwrap_or_default(),
        integration: desk.needed(&fields, "integration", "integration: 社員マスタ連携", Desk::text).unwrap_or_default(),
        // A timer whose switch cannot be read is off until it can.
        switch: desk.needed(&fields, "switch", "switch: on, or switch: off", switch).unwrap_or(Switch::Off),
        priority: desk.field(&fields, "priority", Desk::number).unwrap_or(50),
        schedule: desk.field(&fields, "schedule", schedule),
        timezone: desk.field(&fields, "timezone", Desk::zone),
        misfire: desk.field(&fields, "misfire", |desk, node| desk.choice(node, &misfires)).unwrap_or_default(),
        catch_up_within: desk.field(&fields, "catch_up_within", Desk::span).unwrap_or(Span::hours(12)),
        overlap: desk
            .field(&fields, "overlap", |desk, node| {
                desk.choice(node, &[("skip", Overlap::Skip), ("queue-one", Overlap::QueueOne)])
            })
            .unwrap_or_default(),
        until: desk.field(&fields, "until", date),
        after: desk
            .field(&fields, "after", |desk, node| desk.list(node, "after: [毎朝の部門]", Desk::text))
            .unwrap_or_default(),
        after_partial: desk
            .field(&fields, "after_partial", |desk, node| {
                desk.choice(node, &[("skip", AfterPartial::Skip), ("run", AfterPartial::Run)])
            })
            .unwrap_or_default(),
        settle: desk.field(&fields, "settle", Desk::span).unwrap_or(Span::minutes(10)),
        start_by: desk.field(&fields, "start_by", start_by),
        time_limit: desk.field(&fields, "time_limit", Desk::span),
        ping: desk.field(&fields, "ping", Desk::secret),
    })
}

fn date(desk: &mut Desk<'_>, node: &Node) -> Option<NaiveDate> {
    let text = desk.text(node)?;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    if date.is_none() {
        desk.refuse(node.place, format!("{:?} is no date", short(&text)), "write it as 2026-12-01");
    }
    date
}

fn start_by(desk: &mut Desk<'_>, node: &Node) -> Option<StartBy> {
    match desk.text(node)?.parse() {
        Ok(start_by) => Some(start_by),
        Err(error) => {
            desk.refuse(node.place, error, "");
            None
        }
    }
}

/// `on` and `off`; a tool that reads YAML as of 1.1 writes them again as true and false.
fn switch(desk: &mut Desk<'_>, node: &Node) -> Option<Switch> {
    if let Tree::Scalar(scalar) = &node.value {
        match scalar.text.to_ascii_lowercase().as_str() {
            "on" | "true" => return Some(Switch::On),
            "off" | "false" => return Some(Switch::Off),
            _ => {}
        }
    }
    desk.choice(node, &[("on", Switch::On), ("off", Switch::Off)])
}

fn schedule(desk: &mut Desk<'_>, node: &Node) -> Option<Schedule> {
    let before = desk.faults.len();
    let fields = desk.fields(node, "a schedule", keys::SCHEDULE)?;
    for (key, known) in [("weekly", keys::WEEKLY), ("monthly", keys::MONTHLY)] {
        let of = format!("{key}:");
        desk.field(&fields, key, |desk, node| desk.fields(node, &of, known).map(|_| ()));
    }
    if desk.faults.len() > before {
        return None;
    }
    let written = match serde_json::from_value::<WrittenSchedule>(loose(node)) {
        Ok(written) => written,
        Err(error) => {
            desk.refuse(node.place, error.to_string(), "");
            return None;
        }
    };
    match Schedule::try_from(written) {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            desk.refuse_in(node, Fault::from(&error));
            None
        }
    }
}

/// The tree as JSON: whole numbers as numbers, everything else as the text that was written, so that an unquoted
/// `06:00` is a time and never a number of minutes.
fn loose(node: &Node) -> Value {
    match &node.value {
        Tree::Scalar(scalar) if scalar.is_null() => Value::Null,
        Tree::Scalar(scalar) => scalar
            .integer()
            .and_then(|number| i64::try_from(number).ok())
            .map_or_else(|| Value::String(scalar.text.clone()), Value::from),
        Tree::List(items) => Value::Array(items.iter().map(loose).collect()),
        Tree::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), loose(&entry.value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}
