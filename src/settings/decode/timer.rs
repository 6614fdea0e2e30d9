//! A timer as written.

use super::desk::{Desk, short};
use crate::domain::duration::Span;
use crate::domain::fault::Fault;
use crate::domain::schedule::{Schedule, WrittenSchedule};
use crate::domain::timer::{Misfire, Overlap, Switch, TimerForm};
use crate::settings::keys;
use crate::settings::tree::{Node, Value as Tree};
use chrono_tz::Tz;
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
        timezone: desk.field(&fields, "timezone", timezone),
        misfire: desk.field(&fields, "misfire", |desk, node| desk.choice(node, &misfires)).unwrap_or_default(),
        catch_up_within: desk.field(&fields, "catch_up_within", Desk::span).unwrap_or(Span::hours(12)),
        overlap: desk
            .field(&fields, "overlap", |desk, node| {
                desk.choice(node, &[("skip", Overlap::Skip), ("queue-one", Overlap::QueueOne)])
            })
            .unwrap_or_default(),
        ping: desk.field(&fields, "ping", Desk::secret),
    })
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

fn timezone(desk: &mut Desk<'_>, node: &Node) -> Option<Tz> {
    let text = desk.text(node)?;
    match text.parse() {
        Ok(zone) => Some(zone),
        Err(_) => {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let near = match text.as_str() {
                "JST" | "jst" | "Japan/Tokyo" | "Tokyo" => Some("Asia/Tokyo"),
                other => keys::nearest(other, &known),
            };
            let fix = near.map_or("write Asia/Tokyo, say".to_owned(), |near| format!("did you mean {near}?"));
            desk.refuse(node.place, format!("{:?} is no IANA zone", short(&text)), fix);
            None
        }
    }
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
