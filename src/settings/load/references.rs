//! References between entities become ids, so that a later change of a name breaks nothing; what refers to nothing,
//! and a timer whose integration is not applied to its menu, is refused.

use super::names::{Names, Register};
use super::{Against, Forms};
use crate::domain::fault::Fault;
use crate::yaml::Finding;
use std::collections::HashMap;

/// Turns references into ids. `complete` is false when a file could not be read: then what is missing may be in it.
pub(super) fn settle(forms: &mut Forms<'_>, names: &Names, complete: bool, findings: &mut Vec<Finding>) {
    for menu in &mut forms.menus {
        let written = std::mem::take(&mut menu.form.integrations);
        let subject = format!("menu {}", menu.form.name);
        let (ids, faults) = ids_of(written, &names.integrations, complete);
        for (index, (what, fix)) in faults {
            menu.refuse(&["integrations", &index], subject.clone(), what, fix, findings);
        }
        menu.form.integrations = ids;
    }
    for timer in &mut forms.timers {
        let subject = format!("timer {}", timer.form.name);
        let mut menu = std::mem::take(&mut timer.form.menu);
        let mut integration = std::mem::take(&mut timer.form.integration);
        for (field, reference, register) in
            [("menu", &mut menu, &names.menus), ("integration", &mut integration, &names.integrations)]
        {
            if timer.has_fault_at(field) {
                continue;
            }
            match register.id_of(reference) {
                Some(id) => *reference = id.to_owned(),
                None if complete => {
                    let (what, fix) = register.unknown(reference);
                    timer.refuse(&[field], subject.clone(), what, fix, findings);
                }
                None => {}
            }
        }
        timer.form.menu = menu;
        timer.form.integration = integration;
        let (ids, faults) = ids_of(std::mem::take(&mut timer.form.after), &names.timers, complete);
        for (index, (what, fix)) in faults {
            timer.refuse(&["after", &index], subject.clone(), what, fix, findings);
        }
        timer.form.after = ids;
    }
}

/// A fault of a list's item: its number, what is wrong and how to mend it.
type ItemFault = (String, (String, String));

/// A list of references as ids, each once.
fn ids_of(references: Vec<String>, register: &Register, complete: bool) -> (Vec<String>, Vec<ItemFault>) {
    let mut ids: Vec<String> = Vec::with_capacity(references.len());
    let mut faults = Vec::new();
    for (index, reference) in references.into_iter().enumerate() {
        match register.id_of(&reference) {
            Some(id) if ids.iter().any(|known| known == id) => {
                let what = format!("the {} {reference} stands twice", register.kind());
                faults.push((index.to_string(), (what, "keep it once".to_owned())));
            }
            Some(id) => ids.push(id.to_owned()),
            None => {
                if complete {
                    faults.push((index.to_string(), register.unknown(&reference)));
                }
                ids.push(reference);
            }
        }
    }
    (ids, faults)
}

/// Timers against the menus as they will be: each timer's integration has to be applied to its menu, also where only
/// one of the two is in the files.
pub(super) fn stored_timers(forms: &Forms<'_>, names: &Names, against: &Against<'_>, findings: &mut Vec<Finding>) {
    use super::names::Named;
    let mut applied: HashMap<&str, &[String]> = HashMap::new();
    if !against.prune {
        for menu in &against.stored.menus {
            applied.insert(menu.id(), &menu.form().integrations);
        }
    }
    let mut unread: Vec<&str> = Vec::new();
    for menu in &forms.menus {
        applied.insert(menu.form.effective_id(), &menu.form.integrations);
        if menu.has_fault_at("integrations") {
            unread.push(menu.form.effective_id());
        }
    }
    let lacks = |menu: &str, integration: &str| {
        let known = names.integrations.id_of(integration).is_some();
        known && !unread.contains(&menu) && applied.get(menu).is_some_and(|ids| !ids.iter().any(|id| id == integration))
    };
    for timer in &forms.timers {
        let (menu, integration) = (timer.form.menu.as_str(), timer.form.integration.as_str());
        if lacks(menu, integration) {
            let what = format!("the integration {integration} is not applied to the menu {menu}");
            let fix = format!("add {integration} to the menu's integrations:");
            let subject = format!("timer {}", timer.form.name);
            timer.refuse(&["integration"], subject, what, fix, findings);
        }
    }
    if against.prune {
        return;
    }
    let in_files = |id: &str| forms.timers.iter().any(|timer| timer.form.effective_id() == id);
    for timer in against.stored.timers.iter().filter(|timer| !in_files(timer.id())) {
        let (id, integration) = (&timer.form().menu, &timer.form().integration);
        let menu = forms.menus.iter().find(|menu| menu.form.effective_id() == id);
        if let Some(menu) = menu
            && lacks(id, integration)
        {
            let what = format!("the stored timer {} carries this menu through {integration}", timer.name());
            let fix = format!("keep {integration} here, or change the timer in the same files");
            let fault = Fault::error(&["integrations"], what, fix);
            let place = menu.node.locate(&fault.path);
            let subject = format!("menu {}", menu.form.name);
            findings.push(Finding::of(fault, menu.file, place, &subject));
        }
    }
}
