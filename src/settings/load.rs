//! One or several settings files → checked entities, or every fault at once, each with its place. It reads the files'
//! texts and what is stored already; it saves nothing and seals nothing.

mod chains;
mod names;
mod references;
mod secret_faults;

use super::decode::{self, Base, Desk};
use super::entities::Entities;
use super::secrets::Resolver;
use crate::domain::calendar::{CalendarForm, CompanyDays};
use crate::domain::fault::{Checked, Fault, Severity};
use crate::domain::integration::{Integration, IntegrationForm};
use crate::domain::menu::{Menu, MenuForm};
use crate::domain::timer::{Switch, Timer, TimerForm};
use crate::yaml::{self, Finding, Findings, Node, Place, Placed, Text};
use names::Names;
use std::path::Path;

/// What files want, with what their reader should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The entities, in file order; references between them are ids.
    pub entities: Entities,
    /// Warnings and notices.
    pub findings: Vec<Finding>,
}

/// What the files are held against.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// What is stored already; files may refer to it.
    pub stored: &'a Entities,
    /// Whether what is stored and not in the files will be removed.
    pub prune: bool,
    /// Tells whether secrets can be had here.
    pub resolver: &'a Resolver,
}

/// A form and where it was written.
struct Written<'n, F> {
    form: F,
    node: &'n Node,
    file: &'n Path,
    faults: Vec<Placed>,
}

/// The forms of all files.
#[derive(Default)]
struct Forms<'n> {
    integrations: Vec<Written<'n, IntegrationForm>>,
    menus: Vec<Written<'n, MenuForm>>,
    timers: Vec<Written<'n, TimerForm>>,
    calendars: Vec<Written<'n, CalendarForm>>,
}

/// Reads files and loads them together. A file that cannot be read does not hide what is wrong with the others.
pub fn load_files<P: AsRef<Path>>(files: &[P], against: &Against<'_>) -> Result<Loaded, Findings> {
    let mut findings = Vec::new();
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        match yaml::read(file.as_ref()) {
            Ok(text) => texts.push(text),
            Err(finding) => findings.push(*finding),
        }
    }
    load_with(&texts, against, findings)
}

/// Loads texts together: they may refer to each other in any order.
pub fn load(texts: &[Text], against: &Against<'_>) -> Result<Loaded, Findings> {
    load_with(texts, against, Vec::new())
}

fn load_with(texts: &[Text], against: &Against<'_>, mut findings: Vec<Finding>) -> Result<Loaded, Findings> {
    let unread = !findings.is_empty();
    let trees: Vec<Option<Node>> = texts.iter().map(|text| read_tree(text, &mut findings)).collect();
    // A file that could not be read to its end may hold what others refer to.
    let complete = !unread && trees.iter().all(Option::is_some);
    let mut forms = Forms::default();
    for (text, tree) in texts.iter().zip(&trees) {
        if let Some(tree) = tree {
            forms.add(tree, &text.path, against.prune, &mut findings);
        }
    }
    let names = Names::of(&forms, against);
    names.clashes(&forms, &mut findings);
    references::settle(&mut forms, &names, complete, &mut findings);
    let mut entities = Entities::default();
    for written in &forms.integrations {
        let mut faults = written.faults_of(Integration::check(written.form.clone()), &mut entities.integrations);
        faults.extend(secret_faults::of(&written.form, against.resolver));
        written.place(faults, "integration", &written.form.name, &mut findings);
    }
    for written in &forms.menus {
        let faults = written.faults_of(Menu::check(written.form.clone()), &mut entities.menus);
        written.place(faults, "menu", &written.form.name, &mut findings);
    }
    for written in &forms.timers {
        let mut faults = written.faults_of(Timer::check(written.form.clone()), &mut entities.timers);
        faults.extend(secret_faults::of_timer(&written.form, against.resolver));
        written.place(faults, "timer", &written.form.name, &mut findings);
    }
    let mut calendars = Vec::new();
    for (index, written) in forms.calendars.iter().enumerate() {
        let faults = written.faults_of(CompanyDays::check(written.form.clone()), &mut calendars);
        written.place(faults, "calendar", "", &mut findings);
        if let Some(first) = forms.calendars.first().filter(|_| index > 0) {
            let what = format!("the calendar stands twice: first at {}:{}", first.file.display(), first.node.place);
            written.refuse(&[], "calendar".to_owned(), what, "keep it in one file".to_owned(), &mut findings);
        }
    }
    entities.calendar = calendars.pop();
    if complete {
        references::stored_timers(&forms, &names, against, &mut findings);
        chains::circles(&forms, against, &mut findings);
    }
    sort(&mut findings, texts);
    let findings = Findings(findings);
    if findings.has_error() {
        return Err(findings);
    }
    Ok(Loaded { entities, findings: findings.0 })
}

fn read_tree(text: &Text, findings: &mut Vec<Finding>) -> Option<Node> {
    let (tree, faults) = yaml::parse(&text.text);
    if tree.is_none() && faults.is_empty() {
        let fix = "write integrations:, menus:, timers: or calendar:";
        findings.push(Finding::at(&text.path, Place::START, "the file holds nothing", fix));
    }
    let faults = faults.into_iter();
    findings.extend(faults.map(|fault| Finding::at(&text.path, fault.place, fault.what, fault.fix)));
    tree
}

/// By file in the order given, then by place.
fn sort(findings: &mut [Finding], texts: &[Text]) {
    let file = |finding: &Finding| {
        let path = finding.file.as_deref();
        texts.iter().position(|text| Some(text.path.as_path()) == path)
    };
    findings.sort_by_key(|finding| (file(finding).unwrap_or(usize::MAX), finding.place));
}

impl<'n> Forms<'n> {
    fn add(&mut self, tree: &'n Node, file: &'n Path, prune: bool, findings: &mut Vec<Finding>) {
        let base = Base::of(file);
        let mut desk = decode::desk(&base);
        let lists = decode::lists(&mut desk, tree, prune);
        place_all(desk.faults, file, "", findings);
        gather(&lists.integrations, file, &base, decode::integration, &mut self.integrations, findings);
        gather(&lists.menus, file, &base, decode::menu, &mut self.menus, findings);
        let calendar: Vec<&Node> = lists.calendar.into_iter().collect();
        gather(&calendar, file, &base, decode::calendar, &mut self.calendars, findings);
        gather(&lists.timers, file, &base, decode::timer, &mut self.timers, findings);
        for timer in &mut self.timers {
            // "On, but without a schedule" would be said of a schedule that is there and wrong.
            if timer.form.schedule.is_none() && timer.has_fault_at("schedule") {
                timer.form.switch = Switch::Off;
            }
        }
    }
}

fn gather<'n, F>(
    nodes: &[&'n Node],
    file: &'n Path,
    base: &Base,
    read: fn(&mut Desk<'_>, &Node) -> Option<F>,
    into: &mut Vec<Written<'n, F>>,
    findings: &mut Vec<Finding>,
) {
    for node in nodes {
        let mut desk = decode::desk(base);
        match read(&mut desk, node) {
            Some(form) => into.push(Written { form, node, file, faults: desk.faults }),
            None => place_all(desk.faults, file, "", findings),
        }
    }
}

fn place_all(faults: Vec<Placed>, file: &Path, subject: &str, findings: &mut Vec<Finding>) {
    let placed = faults.into_iter();
    findings.extend(placed.map(|placed| Finding::of(placed.fault, file, placed.place, subject)));
}

impl<F> Written<'_, F> {
    /// Keeps what passed and returns what was found. A form that was not read without faults is never kept.
    fn faults_of<T>(&self, checked: Checked<T>, into: &mut Vec<T>) -> Vec<Fault> {
        match checked {
            Ok((entity, faults)) => {
                if self.faults.is_empty() {
                    into.push(entity);
                }
                faults
            }
            Err(faults) => faults,
        }
    }

    /// Writes the reading's faults down, and those of the check that do not follow from them.
    fn place(&self, faults: Vec<Fault>, kind: &str, name: &str, findings: &mut Vec<Finding>) {
        let subject = if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") };
        for placed in &self.faults {
            findings.push(Finding::of(placed.fault.clone(), self.file, placed.place, &subject));
        }
        for fault in faults.into_iter().filter(|fault| !self.follows(fault)) {
            let place = self.node.locate(&fault.path);
            findings.push(Finding::of(fault, self.file, place, &subject));
        }
    }

    /// Whether a fault of the check only says again that something could not be read.
    fn follows(&self, fault: &Fault) -> bool {
        if fault.path.is_empty() && fault.severity != Severity::Error {
            return !self.faults.is_empty();
        }
        self.faults.iter().any(|read| {
            let path = &read.fault.path;
            let misses = path.last().is_some_and(|last| fault.what.contains(last.as_str()));
            !path.is_empty() && (fault.path.starts_with(path) || (path.starts_with(&fault.path) && misses))
        })
    }

    fn has_fault_at(&self, key: &str) -> bool {
        self.faults.iter().any(|read| read.fault.path.first().is_some_and(|first| first == key))
    }

    fn refuse(&self, path: &[&str], subject: String, what: String, fix: String, findings: &mut Vec<Finding>) {
        let fault = Fault::error(path, what, fix);
        let place = self.node.locate(&fault.path);
        findings.push(Finding::of(fault, self.file, place, &subject));
    }
}
