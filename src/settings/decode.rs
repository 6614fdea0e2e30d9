//! From a tree to the forms that the domain checks. Every fault is collected with its place; a value at fault is left
//! at its default, so that one run says everything that is wrong. What a form means is the domain's to say.

mod calendar;
mod column;
mod confirm;
mod desk;
mod integration;
mod menu;
mod paths;
mod timer;

pub(super) use calendar::calendar;
pub(super) use integration::integration;
pub(super) use menu::menu;
pub(super) use timer::timer;

pub(super) use desk::{Desk, desk};
pub(super) use paths::Base;

use crate::yaml::{Node, Place, Value};

/// The lists of entities in a file, in file order, and the calendar; `None` where the file itself is no map.
pub(super) struct Lists<'n> {
    pub(super) integrations: Vec<&'n Node>,
    pub(super) menus: Vec<&'n Node>,
    pub(super) timers: Vec<&'n Node>,
    pub(super) calendar: Option<&'n Node>,
}

/// Finds the lists. Keys that start with `x-` are free: a place for anchors. A list that is named and holds nothing is
/// worth a warning: mostly its entries were lost, and `prune` would take the stored ones for unwanted.
pub(super) fn lists<'n>(desk: &mut Desk<'_>, root: &'n Node, prune: bool) -> Lists<'n> {
    let mut lists = Lists { integrations: Vec::new(), menus: Vec::new(), timers: Vec::new(), calendar: None };
    if root.is_null() {
        desk.refuse(Place::START, "the file holds nothing", "write integrations:, menus:, timers: or calendar:");
        return lists;
    }
    let free = |key: &str| key.starts_with("x-");
    let Some(fields) = desk.fields_but(root, "a settings file", super::keys::FILE, free) else {
        return lists;
    };
    lists.calendar = fields.get("calendar");
    for (key, list) in
        [("integrations", &mut lists.integrations), ("menus", &mut lists.menus), ("timers", &mut lists.timers)]
    {
        let Some(node) = fields.get(key) else {
            if let Some(entry) = root.entry(key) {
                desk.warn(entry.place, format!("{key}: holds nothing"), nothing_means(key, prune));
            }
            continue;
        };
        match &node.value {
            Value::List(items) => list.extend(items),
            _ => desk.refuse(
                node.place,
                format!("{key} is {}, not a list", node.kind()),
                format!("start each of the {key} with \"- name: …\""),
            ),
        }
    }
    lists
}

/// What a list that is written without a value does.
fn nothing_means(key: &str, prune: bool) -> String {
    if prune {
        format!(
            "with --prune every stored one of the {key} that no other file here names is removed; write {key}: [] if \
             that is meant, or its entries below it"
        )
    } else {
        format!("what is stored stays as it is; write the {key} below it as a list, or remove the line")
    }
}
