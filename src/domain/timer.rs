//! タイマー: a menu and an integration, a switch, a priority, a schedule with its zone, and policies for slots that could
//! not run. [`TimerForm`] is what a person writes, [`Timer`] is checked.

mod start_by;

pub use start_by::StartBy;

use super::duration::Span;
use super::fault::{Checked, Fault, settle};
use super::integration::first_error;
use super::label;
use super::schedule::{Schedule, first_instant};
use super::secret::SecretText;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use url::Url;

/// タイマースイッチ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It runs.
    On,
    /// It rests; a schedule may be absent.
    Off,
}

/// What happens to slots that were missed while no daemon ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Misfire {
    /// All are skipped.
    None,
    /// The last one is caught up, the others are skipped.
    #[default]
    Last,
    /// Each is caught up.
    All,
}

/// What happens to a slot while an earlier run of the same menu and integration is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// The slot is skipped.
    #[default]
    Skip,
    /// One may wait; further ones are skipped.
    QueueOne,
}

/// What a follower does after a leader of which a part was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterPartial {
    /// Its run is skipped.
    #[default]
    Skip,
    /// It runs.
    Run,
}

/// A timer as a person writes it; see the settings reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerForm {
    /// The name, shown to people.
    pub name: String,
    /// A stable id that keeps the history over a rename; the name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The menu's id or name.
    pub menu: String,
    /// The integration's id or name.
    pub integration: String,
    /// タイマースイッチ.
    pub switch: Switch,
    /// タイマー優先度, 0 to 999: the larger number runs first (RAKUS help page, of 楽楽販売's timers).
    #[serde(default = "middle")]
    pub priority: u16,
    /// タイマー起動スケジュール; may be absent while the switch is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The IANA zone of the schedule; config.yaml's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
    /// What happens to missed slots.
    #[serde(default)]
    pub misfire: Misfire,
    /// Slots missed for longer are not caught up.
    #[serde(default = "half_a_day")]
    pub catch_up_within: Span,
    /// What happens while an earlier run is open.
    #[serde(default)]
    pub overlap: Overlap,
    /// With the switch off: the local date on which it is on again, from its first instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The timers (ids or names) whose latest slot of the same local date has to end well first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// What happens after a leader of which a part was taken.
    #[serde(default)]
    pub after_partial: AfterPartial,
    /// How long a leader rests after it was accepted, since the import behind it is asynchronous (our inference);
    /// none is needed after an import that was confirmed.
    #[serde(default = "ten_minutes")]
    pub settle: Span,
    /// Not started by then, a run is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_by: Option<StartBy>,
    /// A run that takes longer ends before its next file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Span>,
    /// A dead-man's switch that is told of each run's start and end; its address is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<SecretText>,
}

fn ten_minutes() -> Span {
    Span::minutes(10)
}

fn middle() -> u16 {
    50
}

fn half_a_day() -> Span {
    Span::seconds(12 * 3600)
}

/// The largest priority.
pub const MOST_PRIORITY: u16 = 999;

/// A checked timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TimerForm", into = "TimerForm")]
pub struct Timer {
    form: TimerForm,
    id: String,
}

impl Timer {
    /// Checks a form and says every fault at once. Whether its menu and integration exist is checked by whoever knows
    /// them.
    pub fn check(form: TimerForm) -> Checked<Self> {
        let mut faults = Vec::new();
        faults.extend(label::check("name", &form.name));
        faults.extend(form.id.as_deref().and_then(|id| label::check("id", id)));
        if form.priority > MOST_PRIORITY {
            let what = format!("priority {} is above {MOST_PRIORITY}", form.priority);
            faults.push(Fault::error(&["priority"], what, "write 0 to 999; the larger number runs first"));
        }
        if form.switch == Switch::On && form.schedule.is_none() {
            let fix = "add schedule: { daily: \"06:00\" }, say, or set switch: off";
            faults.push(Fault::error(&[], "the timer is on but has no schedule", fix));
        }
        if form.switch == Switch::On && form.until.is_some() {
            let fix = "leave until: out, or set switch: off";
            faults.push(Fault::error(&["until"], "until: says when a timer that is off is on again", fix));
        }
        if form.until.is_some() && form.schedule.is_none() {
            let fix = "add schedule: { daily: \"06:00\" }, say, or leave until: out";
            faults.push(Fault::error(&["until"], "without a schedule the timer cannot be on again", fix));
        }
        if form.time_limit.is_some_and(Span::is_zero) {
            faults.push(Fault::error(&["time_limit"], "no run ends in no time", "write time_limit: 1h, say"));
        }
        let own = [Some(form.name.as_str()), form.id.as_deref()];
        if form.after.iter().any(|leader| own.contains(&Some(leader.as_str()))) {
            faults.push(Fault::error(&["after"], "the timer would wait for itself", "name another timer"));
        }
        if form.after.is_empty() && (form.after_partial != AfterPartial::default() || form.settle != ten_minutes()) {
            let what = "after_partial: and settle: have no effect on a timer that follows none";
            faults.push(Fault::warning(&[], what, "name the leading timers in after: […], or leave them out"));
        }
        for warning in form.schedule.iter().flat_map(Schedule::warnings) {
            faults.push(Fault::from(&warning).under("schedule"));
        }
        if let Some(text) = form.ping.as_ref().and_then(SecretText::as_literal)
            && !Url::parse(&text).is_ok_and(|url| url.has_host() && matches!(url.scheme(), "https" | "http"))
        {
            let fix = "write \"${file:PATH}\" or \"${env:NAME}\" of it, or https://…";
            faults.push(Fault::error(&["ping"], "this is no address", fix));
        }
        let id = form.id.clone().unwrap_or_else(|| form.name.clone());
        settle(Self { form, id }, faults)
    }

    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.form.name
    }

    /// Everything as written.
    #[must_use]
    pub fn form(&self) -> &TimerForm {
        &self.form
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.form.switch == Switch::On
    }

    /// The zone in which its schedule is read.
    #[must_use]
    pub fn zone(&self, default: Tz) -> Tz {
        self.form.timezone.unwrap_or(default)
    }

    /// The same timer with another form of its ping, as sealing makes it.
    #[must_use]
    pub fn with_ping(mut self, ping: Option<SecretText>) -> Self {
        self.form.ping = ping;
        self
    }

    /// The same timer with its switch turned; `until` says when one that is switched off is on again.
    pub fn switched(&self, switch: Switch, until: Option<NaiveDate>) -> Checked<Self> {
        Self::check(TimerForm { switch, until, ..self.form.clone() })
    }

    /// When a timer that is off is on again, if a date was given: the first instant of that date in its zone.
    #[must_use]
    pub fn on_again_at(&self, zone: Tz) -> Option<DateTime<Utc>> {
        let date = self.form.until.filter(|_| !self.is_on())?;
        first_instant(self.zone(zone), date.and_time(NaiveTime::MIN))
    }
}

impl TryFrom<TimerForm> for Timer {
    type Error = String;
    fn try_from(form: TimerForm) -> Result<Self, String> {
        Self::check(form).map(|(timer, _)| timer).map_err(|faults| first_error(&faults))
    }
}

impl From<Timer> for TimerForm {
    fn from(timer: Timer) -> Self {
        timer.form
    }
}
