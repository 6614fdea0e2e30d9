//! What an apply would change: old against new, field by field, secrets masked. A plan decides nothing and saves
//! nothing; it is pure.

mod fields;
mod render;

use super::canonical;
use super::entities::Entities;
use super::secrets::{Resolver, expose_equal};
use crate::domain::calendar::CompanyDays;
use crate::domain::integration::{Integration, IntegrationForm};
use crate::domain::secret::SecretText;
use crate::domain::timer::Timer;
use fields::Field;
use std::collections::BTreeSet;
use std::fmt;

/// What kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// システム連携設定
    Integration,
    /// メニュー
    Menu,
    /// タイマー
    Timer,
    /// 営業日カレンダー
    Calendar,
}

impl fmt::Display for EntityKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Integration => "integration",
            Self::Menu => "menu",
            Self::Timer => "timer",
            Self::Calendar => "calendar",
        })
    }
}

/// The calendar has no name of its own: there is one.
const CALENDAR: &str = "calendar";

/// One field's old and new value as people may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field, as in `source.csv.max_age` or `columns[社員コード].trim`.
    pub path: String,
    /// The old value; `None` where there was none.
    pub old: Option<String>,
    /// The new value; `None` where there is none any more.
    pub new: Option<String>,
}

/// An entity that is added, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityChange {
    /// Its kind.
    pub kind: EntityKind,
    /// Its id.
    pub id: String,
    /// Its name, after the change.
    pub name: String,
    /// What changes; of an added entity all that is not default, of a removed one nothing.
    pub fields: Vec<FieldChange>,
}

/// What an apply would change. Entities are told by id: another name under the same id is a rename.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// New entities.
    pub added: Vec<EntityChange>,
    /// Entities with another value somewhere.
    pub changed: Vec<EntityChange>,
    /// Entities that go; only when pruning.
    pub removed: Vec<EntityChange>,
    /// How many stand in the files and are as stored.
    pub unchanged: usize,
    /// Stored entities that are not in the files and stay.
    pub untouched: usize,
    put: Entities,
}

impl Plan {
    /// What leads from `current` to `wanted`. What is stored and not wanted stays unless `prune`. A literal secret that
    /// equals the stored, sealed one is no change.
    #[must_use]
    pub fn between(current: &Entities, wanted: &Entities, prune: bool, resolver: &Resolver) -> Self {
        let mut plan = Self::default();
        for new in &wanted.integrations {
            let old = current.integrations.iter().find(|old| old.id() == new.id());
            let new = old.map_or_else(|| new.clone(), |old| keep_sealed(new, old, resolver));
            let kind = EntityKind::Integration;
            if plan.put(kind, new.id(), new.name(), old, &new, &canonical::integration(&new)) {
                plan.put.integrations.push(new);
            }
        }
        for new in &wanted.menus {
            let old = current.menus.iter().find(|old| old.id() == new.id());
            if plan.put(EntityKind::Menu, new.id(), new.name(), old, new, &canonical::menu(new)) {
                plan.put.menus.push(new.clone());
            }
        }
        for new in &wanted.timers {
            let old = current.timers.iter().find(|old| old.id() == new.id());
            let new = old.map_or_else(|| new.clone(), |old| keep_sealed_ping(new, old, resolver));
            if plan.put(EntityKind::Timer, new.id(), new.name(), old, &new, &canonical::timer(&new)) {
                plan.put.timers.push(new);
            }
        }
        let (before, after) = (current.calendar.as_ref(), wanted.calendar.as_ref());
        if let Some(new) = after {
            // Nothing said of the days and the usual days said are the same.
            let usual = CompanyDays::default();
            let old = before.or(Some(&usual).filter(|usual| *usual == new));
            if plan.put(EntityKind::Calendar, CALENDAR, CALENDAR, old, new, &canonical::calendar(new)) {
                plan.put.calendar = Some(new.clone());
            }
        }
        let calendars = [before.map(|_| (CALENDAR, CALENDAR)), after.map(|_| (CALENDAR, CALENDAR))];
        plan.leave(EntityKind::Calendar, calendars[0].into_iter(), calendars[1].iter().map(|(id, _)| *id), prune);
        // Timers first: that is the order in which they can go.
        let timers = current.timers.iter().map(|old| (old.id(), old.name()));
        let menus = current.menus.iter().map(|old| (old.id(), old.name()));
        let integrations = current.integrations.iter().map(|old| (old.id(), old.name()));
        plan.leave(EntityKind::Timer, timers, wanted.timers.iter().map(|new| new.id()), prune);
        plan.leave(EntityKind::Menu, menus, wanted.menus.iter().map(|new| new.id()), prune);
        plan.leave(EntityKind::Integration, integrations, wanted.integrations.iter().map(|new| new.id()), prune);
        plan
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// The added and changed entities; literal secrets in them are not sealed yet.
    #[must_use]
    pub fn put_entities(&self) -> &Entities {
        &self.put
    }

    /// The ids of the entities of a kind that go.
    #[must_use]
    pub fn removed_ids(&self, kind: EntityKind) -> Vec<String> {
        self.removed.iter().filter(|change| change.kind == kind).map(|change| change.id.clone()).collect()
    }

    /// One line: how much changes.
    #[must_use]
    pub fn summary(&self) -> String {
        let (added, changed, removed) = (self.added.len(), self.changed.len(), self.removed.len());
        format!("{added} to add, {changed} to change, {removed} to remove, {} unchanged", self.unchanged)
    }

    /// The plan for people: `+` added, `~` changed, `-` removed, and every field. In colour for a terminal.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        render::render(self, color)
    }

    /// Compares one entity and says whether it has to be saved.
    fn put<T: PartialEq + serde::Serialize>(
        &mut self,
        kind: EntityKind,
        id: &str,
        name: &str,
        old: Option<&T>,
        new: &T,
        canonical: &serde_json::Value,
    ) -> bool {
        let change = |fields| EntityChange { kind, id: id.to_owned(), name: name.to_owned(), fields };
        match old {
            Some(old) if old == new => {
                self.unchanged += 1;
                return false;
            }
            Some(old) => {
                let fields = fields::difference(&Field::of(&canonical::full(old)), &Field::of(&canonical::full(new)));
                self.changed.push(change(fields));
            }
            None => self.added.push(change(fields::difference(&[], &Field::of(canonical)))),
        }
        true
    }

    fn leave<'a>(
        &mut self,
        kind: EntityKind,
        stored: impl Iterator<Item = (&'a str, &'a str)>,
        wanted: impl Iterator<Item = &'a str>,
        prune: bool,
    ) {
        let wanted: BTreeSet<&str> = wanted.collect();
        for (id, name) in stored.filter(|(id, _)| !wanted.contains(id)) {
            if prune {
                let (id, name) = (id.to_owned(), name.to_owned());
                self.removed.push(EntityChange { kind, id, name, fields: Vec::new() });
            } else {
                self.untouched += 1;
            }
        }
    }
}

/// The new integration, with each secret that means the same as before taken in its stored form.
fn keep_sealed(new: &Integration, old: &Integration, resolver: &Resolver) -> Integration {
    let (form, before) = (new.form(), old.form());
    let kept = |headers: &[(String, SecretText)], before: &[(String, SecretText)]| -> Vec<(String, SecretText)> {
        let kept = headers.iter().map(|(name, value)| {
            let stored = before.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let same = stored.filter(|(_, stored)| expose_equal(stored, value, resolver));
            (name.clone(), same.map_or(value, |(_, stored)| stored).clone())
        });
        kept.collect()
    };
    let headers = kept(&form.headers, &before.headers);
    let of_confirm =
        |form: &IntegrationForm| form.confirm.as_ref().map(|confirm| confirm.headers.clone()).unwrap_or_default();
    let confirm = kept(&of_confirm(form), &of_confirm(before));
    let mut route = form.route.clone();
    if let (Some(stored), Some(value)) = (&before.route.proxy, &form.route.proxy)
        && expose_equal(stored, value, resolver)
    {
        route.proxy = Some(stored.clone());
    }
    new.clone().with_headers(headers).with_confirm_headers(confirm).with_route(route)
}

/// The new timer, with a ping that means the same as before taken in its stored form.
fn keep_sealed_ping(new: &Timer, old: &Timer, resolver: &Resolver) -> Timer {
    match (&old.form().ping, &new.form().ping) {
        (Some(stored), Some(value)) if expose_equal(stored, value, resolver) => {
            new.clone().with_ping(Some(stored.clone()))
        }
        _ => new.clone(),
    }
}
