//! What the demo prints while it plays, and its summary.

use super::stage::Stage;
use crate::cli::output;
use crate::messages::thousands;
use crate::report::view;
use crate::sandbox::Received;
use crate::store::runs::RunDetail;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The live view.
pub(super) struct Show {
    live: bool,
    planned: bool,
    told: HashSet<String>,
    files: usize,
    mails: usize,
}

impl Show {
    pub(super) fn new(live: bool) -> Self {
        Self { live, planned: false, told: HashSet::new(), files: 0, mails: 0 }
    }

    fn say(&self, text: impl AsRef<str>) {
        if self.live {
            output::line(text);
        }
    }

    /// Where everything is.
    pub(super) fn opening(&self, stage: &Stage) {
        self.say("renkei demo: three lists on their way to a pretend 楽楽精算\n");
        self.say(format!("  receiver  {}", stage.sandbox.url()));
        self.say(format!("  mailbox   {}", stage.mailbox.address()));
        self.say(format!("  data      {}\n", stage.folder.path().display()));
        let slot = stage.slot.with_timezone(&stage.app.config.timezone).format("%H:%M:%S");
        self.say(format!(
            "Three timers wait for their slot at {slot}. The larger priority goes first, one run at a time.\n"
        ));
    }

    /// Tells what is new; `true` once every expected run has ended.
    pub(super) async fn look(&mut self, stage: &Stage) -> anyhow::Result<bool> {
        let runs = stage.runs().await?;
        if !self.planned && runs.len() == stage.expected() {
            self.planned = true;
            let mut due: Vec<_> = runs.iter().map(|detail| &detail.run).collect();
            due.sort_by_key(|run| std::cmp::Reverse(run.priority));
            let due: Vec<String> = due
                .iter()
                .map(|run| format!("{} ({})", run.timer.as_deref().unwrap_or(&run.menu), run.priority))
                .collect();
            self.say(format!("{}  slots   {}", self.now(stage), due.join(" → ")));
        }
        let received = stage.sandbox.received();
        for detail in runs.iter().filter(|detail| detail.run.state.is_ended()) {
            if self.told.insert(detail.run.id.clone()) {
                self.run(stage, detail, received.get(self.files..).unwrap_or_default());
                self.files += detail.attempts.len();
            }
        }
        let mails = stage.mailbox.messages();
        for mail in mails.iter().skip(self.mails) {
            self.say(format!("{}  mail    {}", self.now(stage), mail.subject()));
        }
        self.mails = mails.len();
        Ok(runs.len() >= stage.expected() && self.told.len() >= stage.expected())
    }

    fn now(&self, stage: &Stage) -> String {
        stage.app.clock.now().with_timezone(&stage.app.config.timezone).format("%H:%M:%S%.3f").to_string()
    }

    fn run(&self, stage: &Stage, detail: &RunDetail, received: &[Received]) {
        let run = &detail.run;
        self.say(format!(
            "{}  run     {} → {}: {} records, {} bytes of Shift_JIS in {} file(s): {}",
            self.now(stage),
            run.menu,
            run.integration,
            thousands(run.records),
            thousands(run.bytes),
            detail.batches.len(),
            run.state,
        ));
        if let Some(failure) = &run.failure {
            self.say(format!("                      {failure}"));
        }
        for line in received.first().map(|one| one.csv_lines(3)).unwrap_or_default() {
            self.say(format!("                      │ {line}"));
        }
    }

    /// One mail as a person reads it, the line that adds up, and how to go on.
    pub(super) async fn closing(&self, stage: &Stage, good: bool) -> anyhow::Result<()> {
        if let Some(mail) = stage.mailbox.messages().first() {
            self.say(format!("\nThe first mail, as {} reads it:\n", mail.to.join(", ")));
            self.say(format!("  │ {}", mail.subject()));
            self.say("  │");
            for line in mail.text().lines() {
                self.say(format!("  │ {line}"));
            }
        }
        let slots = ledger(stage).await?;
        self.say(format!(
            "\nAccounted for: {} slots due = {} runs + {} skipped + {} superseded. {} requests, {} mails.",
            slots.due,
            slots.planned,
            slots.skipped,
            slots.superseded,
            stage.sandbox.received().len(),
            stage.mailbox.messages().len()
        ));
        if !good {
            self.say("Something did not go as it should; the runs above say what.");
        }
        self.say("\nGo on with your own list: README.md has a set-up of five minutes, docs/settings.md every key.");
        self.say("  renkei sandbox                       the same pretend service, to try your settings against");
        self.say("  renkei apply settings.yaml --plan    what a settings file would change");
        self.say("  renkei serve                         the daemon");
        Ok(())
    }
}

/// How the slots of the demo's timers add up.
struct Ledger {
    due: u64,
    planned: u64,
    skipped: u64,
    superseded: u64,
}

async fn ledger(stage: &Stage) -> anyhow::Result<Ledger> {
    use crate::domain::run::SlotState;
    let mut ledger = Ledger { due: 0, planned: 0, skipped: 0, superseded: 0 };
    let (from, to) = (stage.slot - TimeDelta::hours(1), stage.app.clock.now().max(stage.slot));
    for stored in stage.app.store.settings().await?.timers {
        for slot in stage.app.store.occurrences(stored.timer.id(), from, to).await? {
            ledger.due += slot.slots;
            match slot.state {
                SlotState::Planned => ledger.planned += slot.slots,
                SlotState::Skipped => ledger.skipped += slot.slots,
                SlotState::Superseded => ledger.superseded += slot.slots,
            }
        }
    }
    Ok(ledger)
}

/// The summary as JSON; `runs` are in the form of `run show`, in the order in which they ran.
pub(super) async fn summary(stage: &Stage, runs: &[RunDetail], good: bool) -> anyhow::Result<Value> {
    let zone = stage.app.config.timezone;
    let slots = ledger(stage).await?;
    let received: Vec<Value> = stage.sandbox.received().iter().map(Received::to_json).collect();
    let mails: Vec<Value> = stage
        .mailbox
        .messages()
        .iter()
        .map(|mail| json!({ "to": mail.to, "subject": mail.subject(), "text": mail.text() }))
        .collect();
    Ok(json!({
        "good": good,
        "slots": { "due": slots.due, "run": slots.planned, "skipped": slots.skipped, "superseded": slots.superseded },
        "runs": runs.iter().map(|detail| view::run(detail, zone)).collect::<Vec<_>>(),
        "received": received,
        "mails": mails,
    }))
}
