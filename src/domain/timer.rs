//! タイマー: a menu and an integration, a switch, a priority, a schedule with its zone, and policies for slots that could
//! not run. [`TimerForm`] is what a person writes, [`Timer`] is checked.

use super::duration::Span;
use super::fault::{Checked, Fault, settle};
use super::integration::first_error;
use super::schedule::Schedule;
use super::secret::SecretText;
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
    /// A dead-man's switch that is told of each run's start and end; its address is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<SecretText>,
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
        if form.name.trim().is_empty() || form.name.chars().any(char::is_control) {
            faults.push(Fault::error(
                &["name"],
                "the name is empty or holds a control character",
                "write it in one line",
            ));
        }
        if form.priority > MOST_PRIORITY {
            let what = format!("priority {} is above {MOST_PRIORITY}", form.priority);
            faults.push(Fault::error(&["priority"], what, "write 0 to 999; the larger number runs first"));
        }
        if form.switch == Switch::On && form.schedule.is_none() {
            let fix = "add schedule: { daily: \"06:00\" }, say, or set switch: off";
            faults.push(Fault::error(&[], "the timer is on but has no schedule", fix));
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

    /// The same timer with its switch turned.
    pub fn switched(&self, switch: Switch) -> Checked<Self> {
        Self::check(TimerForm { switch, ..self.form.clone() })
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
