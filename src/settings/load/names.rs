//! Who is called how: ids and names of what the files hold and of what stays stored.

use super::{Against, Forms, Written};
use crate::domain::integration::IntegrationForm;
use crate::domain::menu::MenuForm;
use crate::domain::timer::TimerForm;
use crate::yaml::{Finding, nearest};
use std::collections::{BTreeSet, HashMap};

/// The names of all integrations, menus and timers.
pub(super) struct Names {
    pub(super) integrations: Register,
    pub(super) menus: Register,
    pub(super) timers: Register,
}

/// Ids and names of one kind.
pub(super) struct Register {
    kind: &'static str,
    ids: BTreeSet<String>,
    by_name: HashMap<String, String>,
    /// Ids of stored entities that stay beside the files, by name.
    staying: HashMap<String, String>,
    /// Ids and names of stored entities that are going to be removed.
    leaving: BTreeSet<String>,
}

/// A form's name and id.
pub(super) trait Named {
    fn name(&self) -> &str;
    fn id(&self) -> Option<&str>;

    fn effective_id(&self) -> &str {
        self.id().unwrap_or(self.name())
    }
}

macro_rules! named {
    ($($form:ty),+) => {$(
        impl Named for $form {
            fn name(&self) -> &str {
                &self.name
            }
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }
        }
    )+};
}
named!(IntegrationForm, MenuForm, TimerForm);

impl Names {
    pub(super) fn of(forms: &Forms<'_>, against: &Against<'_>) -> Self {
        let stored = against.stored;
        let integrations = stored.integrations.iter().map(|stored| (stored.id(), stored.name()));
        let menus = stored.menus.iter().map(|stored| (stored.id(), stored.name()));
        let timers = stored.timers.iter().map(|stored| (stored.id(), stored.name()));
        Self {
            integrations: Register::of("integration", &forms.integrations, integrations, against.prune),
            menus: Register::of("menu", &forms.menus, menus, against.prune),
            timers: Register::of("timer", &forms.timers, timers, against.prune),
        }
    }

    /// Ids and names that stand twice, in the files or beside what is stored.
    pub(super) fn clashes(&self, forms: &Forms<'_>, findings: &mut Vec<Finding>) {
        self.integrations.clashes(&forms.integrations, findings);
        self.menus.clashes(&forms.menus, findings);
        self.timers.clashes(&forms.timers, findings);
    }
}

impl Register {
    fn of<'s, F: Named>(
        kind: &'static str,
        written: &[Written<'_, F>],
        stored: impl Iterator<Item = (&'s str, &'s str)>,
        prune: bool,
    ) -> Self {
        let mut register = Self {
            kind,
            ids: written.iter().map(|one| one.form.effective_id().to_owned()).collect(),
            by_name: HashMap::new(),
            staying: HashMap::new(),
            leaving: BTreeSet::new(),
        };
        for one in written {
            let id = one.form.effective_id().to_owned();
            register.by_name.entry(one.form.name().to_owned()).or_insert(id);
        }
        for (id, name) in stored {
            if register.ids.contains(id) {
                continue;
            }
            if prune {
                register.leaving.extend([id.to_owned(), name.to_owned()]);
                continue;
            }
            register.staying.insert(name.to_owned(), id.to_owned());
        }
        for (name, id) in &register.staying {
            register.ids.insert(id.clone());
            register.by_name.entry(name.clone()).or_insert_with(|| id.clone());
        }
        register
    }

    /// What its entities are called: `menu`, say.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The id that an id or a name means.
    pub(super) fn id_of(&self, reference: &str) -> Option<&str> {
        if let Some(id) = self.ids.get(reference) {
            return Some(id);
        }
        self.by_name.get(reference).map(String::as_str)
    }

    /// Why a reference means nothing, and how to mend it.
    pub(super) fn unknown(&self, reference: &str) -> (String, String) {
        let kind = self.kind;
        if self.leaving.contains(reference) {
            let what = format!("the {kind} {reference} is not in the files, so --prune would remove it");
            return (what, "add it to the files, or apply without --prune".to_owned());
        }
        let known: Vec<&str> = self.by_name.keys().chain(&self.ids).map(String::as_str).collect();
        let fix = match nearest(reference, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => {
                let mut known = known;
                known.sort_unstable();
                known.dedup();
                match known.len() {
                    0 => format!("there is none yet: add it under {kind}s:"),
                    1..=8 => format!("known are: {}", known.join(", ")),
                    _ => format!("add it under {kind}s:, or write one that exists"),
                }
            }
        };
        (format!("there is no {kind} {reference}"), fix)
    }

    fn clashes<F: Named>(&self, written: &[Written<'_, F>], findings: &mut Vec<Finding>) {
        let kind = self.kind;
        let mut seen: HashMap<&str, String> = HashMap::new();
        let mut names: HashMap<&str, String> = HashMap::new();
        for one in written {
            let (id, name) = (one.form.effective_id(), one.form.name());
            if name.is_empty() {
                continue;
            }
            let at = format!("{}:{}", one.file.display(), one.node.place);
            let subject = format!("{kind} {name}");
            let field = if one.form.id().is_some() { "id" } else { "name" };
            if let Some(first) = seen.get(id) {
                let what = format!("the {field} {id} stands twice: first at {first}");
                let fix = "keep one of the two, or give this one another name and id".to_owned();
                one.refuse(&[field], subject, what, fix, findings);
                continue;
            }
            if let Some(first) = names.get(name) {
                let what = format!("another {kind} has the name {name}: at {first}");
                one.refuse(&["name"], subject, what, "give it a name of its own".to_owned(), findings);
            } else if let Some(stored) = self.staying.get(name).filter(|stored| *stored != id) {
                let what = format!("a stored {kind} has the name {name} and the id {stored}");
                let fix = format!("write id: {stored} if this is the same one, else give it another name");
                one.refuse(&["name"], subject, what, fix, findings);
            } else if name != id && self.ids.contains(name) {
                let what = format!("the name {name} is the id of another {kind}: references would be unclear");
                one.refuse(&["name"], subject, what, "give it a name of its own".to_owned(), findings);
            }
            seen.insert(id, at.clone());
            names.insert(name, at);
        }
    }
}
