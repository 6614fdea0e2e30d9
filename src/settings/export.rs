//! Settings as YAML again: in the reference's order, without defaults, Japanese as it is, secrets as references or
//! `${sealed:…}`. Applying an export changes nothing.

mod yaml;

use super::canonical;
use super::entities::Entities;
use serde_json::Value;

/// The YAML text. Literal secrets do not occur: what is stored is sealed.
#[must_use]
pub fn export(entities: &Entities) -> String {
    let mut out =
        String::from("# renkei settings. `renkei apply` takes this file; keys left out have their defaults.\n");
    let sections: [(&str, Vec<Value>); 3] = [
        ("integrations", entities.integrations.iter().map(canonical::integration).collect()),
        ("menus", entities.menus.iter().map(canonical::menu).collect()),
        ("timers", entities.timers.iter().map(canonical::timer).collect()),
    ];
    for (name, entities) in sections {
        if entities.is_empty() {
            out.push_str(&format!("\n{name}: []\n"));
            continue;
        }
        out.push_str(&format!("\n{name}:\n"));
        for entity in &entities {
            yaml::item(&mut out, entity);
        }
    }
    if let Some(calendar) = &entities.calendar {
        out.push_str("\ncalendar:\n");
        yaml::map(&mut out, &canonical::calendar(calendar));
    }
    out
}
