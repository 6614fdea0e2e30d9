//! An entity in its canonical written form: keys in the order of the reference, what equals the default left out. The
//! export writes it, and the plan compares it.

use crate::domain::calendar::CompanyDays;
use crate::domain::integration::Integration;
use crate::domain::integration::confirm::{Method, usual_interval, usual_limit};
use crate::domain::menu::{Menu, SourceForm};
use crate::domain::timer::Timer;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Everything that is written or defaulted.
pub(super) fn full<T: Serialize>(entity: &T) -> Value {
    // Forms hold texts, numbers and lists only: they always have a JSON form.
    serde_json::to_value(entity).unwrap_or_default()
}

pub(super) fn integration(integration: &Integration) -> Value {
    let form = integration.form();
    let bare = json!({ "name": form.name, "url": form.url });
    let defaults = serde_json::from_value::<crate::domain::integration::IntegrationForm>(bare);
    let mut defaults = defaults.map(|form| full(&form)).unwrap_or_default();
    // Not a default of its own: what is left out of a `confirm` that is there.
    defaults["confirm"] = json!({ "method": Method::default(), "interval": usual_interval(), "limit": usual_limit() });
    without(full(integration), &defaults, &["name", "url"])
}

pub(super) fn menu(menu: &Menu) -> Value {
    let form = menu.form();
    let mut defaults = json!({ "integrations": [] });
    match &form.source {
        SourceForm::Records(_) => {}
        SourceForm::Csv(_) => defaults["source"] = json!({ "csv": { "charset": "auto" } }),
        SourceForm::Jsonl(_) => defaults["source"] = json!({ "jsonl": { "charset": "auto" } }),
    }
    without(full(menu), &defaults, &["name", "source"])
}

pub(super) fn timer(timer: &Timer) -> Value {
    let form = timer.form();
    let bare = json!({ "name": "", "menu": form.menu, "integration": form.integration, "switch": "off" });
    let defaults = serde_json::from_value::<crate::domain::timer::TimerForm>(bare);
    let kept = ["name", "menu", "integration", "switch", "schedule"];
    without(full(timer), &defaults.map(|form| full(&form)).unwrap_or_default(), &kept)
}

pub(super) fn calendar(days: &CompanyDays) -> Value {
    without(full(days), &full(&CompanyDays::default()), &[])
}

/// The entries that differ from the defaults; those of `kept` in any case.
fn without(value: Value, defaults: &Value, kept: &[&str]) -> Value {
    let Value::Object(entries) = value else { return value };
    let mut rest = Map::new();
    for (key, value) in entries {
        let default = defaults.get(&key);
        if default == Some(&value) && !kept.contains(&key.as_str()) {
            continue;
        }
        let value = match default {
            Some(default @ Value::Object(_)) => without(value, default, &[]),
            _ => value,
        };
        rest.insert(key, value);
    }
    Value::Object(rest)
}
