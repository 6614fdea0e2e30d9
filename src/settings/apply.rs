//! Apply: files → checked → planned → sealed → saved as one version. Nothing is saved while a fault stands, and no
//! version is made when nothing changes. It asks nobody and prints nothing; a plan can be looked at before it is saved.

use super::entities::Entities;
use super::load::{Against, load, load_files};
use super::plan::{EntityChange, EntityKind, Plan};
use super::secrets::{Resolver, SecretError, seal_integration, seal_timer};
use crate::domain::calendar::CompanyDays;
use crate::store::people::AuditEntry;
use crate::store::settings::{Settings, SettingsChange};
use crate::store::{Store, StoreError};
use crate::yaml::{Finding, Findings, Text};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use std::path::Path;

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The files have faults.
    #[error(transparent)]
    Refused(#[from] Findings),
    /// A literal could not be sealed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The store did not take it; a conflict means that somebody saved meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who saves, and when.
#[derive(Debug, Clone, Copy)]
pub struct Saving<'a> {
    /// The actor, as it is written down.
    pub actor: &'a str,
    /// The zone of timers that name none.
    pub zone: Tz,
    /// The time of the version.
    pub now: DateTime<Utc>,
    /// Why, for the list of versions; the files' names where empty.
    pub note: &'a str,
}

/// A plan with the version that it was made against.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What would change.
    pub plan: Plan,
    /// Warnings and notices.
    pub findings: Vec<Finding>,
    based_on: i64,
    sources: String,
}

/// Reads files and plans; saves nothing.
pub async fn propose<P: AsRef<Path>>(
    store: &Store,
    files: &[P],
    prune: bool,
    resolver: &Resolver,
) -> Result<Proposal, ApplyError> {
    let settings = store.settings().await?;
    let stored = Entities::from(&settings);
    let loaded = load_files(files, &Against { stored: &stored, prune, resolver })?;
    let names: Vec<String> = files.iter().map(|file| file.as_ref().display().to_string()).collect();
    let plan = Plan::between(&stored, &loaded.entities, prune, resolver);
    Ok(Proposal { plan, findings: loaded.findings, based_on: settings.version, sources: names.join(", ") })
}

/// The same over texts that are read already.
pub async fn propose_texts(
    store: &Store,
    texts: &[Text],
    prune: bool,
    resolver: &Resolver,
) -> Result<Proposal, ApplyError> {
    let settings = store.settings().await?;
    let stored = Entities::from(&settings);
    let loaded = load(texts, &Against { stored: &stored, prune, resolver })?;
    let names: Vec<String> = texts.iter().map(|text| text.path.display().to_string()).collect();
    let plan = Plan::between(&stored, &loaded.entities, prune, resolver);
    Ok(Proposal { plan, findings: loaded.findings, based_on: settings.version, sources: names.join(", ") })
}

/// Reads files and saves what they change. The second value is the new version; `None` when nothing changes.
pub async fn apply<P: AsRef<Path>>(
    store: &Store,
    files: &[P],
    prune: bool,
    resolver: &Resolver,
    saving: Saving<'_>,
) -> Result<(Proposal, Option<i64>), ApplyError> {
    let proposal = propose(store, files, prune, resolver).await?;
    let version = proposal.save(store, resolver, saving).await?;
    Ok((proposal, version))
}

impl Proposal {
    /// The version that it was made against.
    #[must_use]
    pub fn based_on(&self) -> i64 {
        self.based_on
    }

    /// Seals and saves. Gives the new version, or `None` when nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody saved since the plan was made: propose again.
    pub async fn save(
        &self,
        store: &Store,
        resolver: &Resolver,
        saving: Saving<'_>,
    ) -> Result<Option<i64>, ApplyError> {
        if self.plan.is_empty() {
            return Ok(None);
        }
        let note = if saving.note.is_empty() { &self.sources } else { saving.note };
        let change = self.change(resolver, note)?;
        let version = store.save_settings(&change, self.based_on, saving.actor, saving.zone, saving.now).await?;
        Ok(Some(version))
    }

    fn change(&self, resolver: &Resolver, note: &str) -> Result<SettingsChange, SecretError> {
        let put = self.plan.put_entities();
        let integrations = put.integrations.iter().map(|one| seal_integration(one.clone(), resolver));
        let timers = put.timers.iter().map(|one| seal_timer(one.clone(), resolver));
        let mut audit = Vec::new();
        for (action, changes) in
            [("add", &self.plan.added), ("change", &self.plan.changed), ("remove", &self.plan.removed)]
        {
            audit.extend(changes.iter().map(|change| audit_entry(action, change)));
        }
        Ok(SettingsChange {
            integrations: integrations.collect::<Result<_, _>>()?,
            menus: put.menus.clone(),
            timers: timers.collect::<Result<_, _>>()?,
            calendar: put.calendar.clone().or_else(|| {
                let goes = !self.plan.removed_ids(EntityKind::Calendar).is_empty();
                goes.then(CompanyDays::default)
            }),
            holidays: None,
            remove_integrations: self.plan.removed_ids(EntityKind::Integration),
            remove_menus: self.plan.removed_ids(EntityKind::Menu),
            remove_timers: self.plan.removed_ids(EntityKind::Timer),
            audit,
            note: note.to_owned(),
        })
    }
}

/// The fields that changed as JSON, as the plan shows them: masked.
fn audit_entry(action: &str, change: &EntityChange) -> AuditEntry {
    let side = |pick: fn(&super::plan::FieldChange) -> &Option<String>| {
        let fields = change.fields.iter();
        let fields: Map<String, Value> =
            fields.filter_map(|field| Some((field.path.clone(), Value::from(pick(field).clone()?)))).collect();
        (!fields.is_empty()).then(|| Value::Object(fields).to_string())
    };
    AuditEntry {
        action: action.to_owned(),
        entity: match change.kind {
            EntityKind::Calendar => change.kind.to_string(),
            kind => format!("{kind} {}", change.id),
        },
        old: side(|field| &field.old),
        new: side(|field| &field.new),
    }
}

impl From<&Settings> for Entities {
    fn from(settings: &Settings) -> Self {
        Self {
            integrations: settings.integrations.clone(),
            menus: settings.menus.clone(),
            timers: settings.timers.iter().map(|stored| stored.timer.clone()).collect(),
            calendar: Some(settings.calendar.company()).filter(|days| **days != CompanyDays::default()).cloned(),
        }
    }
}
