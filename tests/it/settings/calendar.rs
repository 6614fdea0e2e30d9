//! The company's days in settings: read with their places, planned, pruned and exported like everything else.

use super::{EXAMPLE, error, errors, load_all, loaded, resolver, text};
use crate::support::{TOKYO, at, temp_store};
use renkei::domain::calendar::{Calendar, Closed, CompanyDays};
use renkei::settings::{self, Entities, Plan, Saving};

const DAYS: &str = "\
calendar:
  closed:
    - { from: 12-29, to: 01-03, name: 年末年始 }
    - 2027-06-01
  working:
    - { on: 2026-11-28, name: 棚卸 }
";

#[test]
fn days_are_read_alone_or_beside_the_lists() {
    let company = loaded(DAYS).entities.calendar.unwrap();
    let calendar = Calendar::new(company, None);
    let closed = |date: &str| calendar.closed_on(date.parse().unwrap());
    assert_eq!(closed("2026-12-30"), Some(Closed::Company("年末年始")));
    assert_eq!(closed("2027-06-01"), Some(Closed::Company("休業日")));
    assert_eq!(closed("2026-11-28"), None);
    assert_eq!(loaded(&format!("{EXAMPLE}{DAYS}")).entities.timers.len(), 1);
    assert_eq!(loaded(EXAMPLE).entities.calendar, None);
}

#[test]
fn faults_have_their_places_and_are_told_at_once() {
    let yaml = "\
calendar:
  weekend: [sat, soon]
  holidays: none
  closed:
    - 2026/08/14
    - { from: 12-29 }
    - { on: 02-30, name: x }
    - 2026-11-28
  working: [ 2026-11-28 ]
";
    let told = errors(yaml);
    for wanted in [
        "2:18: error: calendar: \"soon\" is not known here",
        "3:3: error: calendar: the calendar has no key \"holidays\"",
        "5:7: error: calendar: \"2026/08/14\" is no day (write a date such as 2026-08-14, or 12-29 for every year)",
        "6:15: error: calendar: from stands without to",
        "7:13: error: calendar: 02-30 does not exist",
    ] {
        assert!(told.iter().any(|one| one.starts_with(wanted)), "{wanted}\n{told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
    let told = error("calendar:\n  closed:\n    - { from: 12-29 }\n");
    assert_eq!(told, "3:15: error: calendar: from stands without to (write on for one day, or from and to)");
    let told = error("calendar:\n  closed: [ 2026-11-28 ]\n  working: [ 2026-11-28 ]\n");
    assert!(told.starts_with("3:14: error: calendar: 2026-11-28 is listed as closed and as a working day"), "{told}");
    assert!(error("calendar: [ 2026-11-28 ]\n").starts_with("1:11: error: here stands a list, not the calendar"));
}

#[test]
fn there_is_one_calendar() {
    let texts = [text("/a.yaml", DAYS), text("/b.yaml", "calendar: { weekend: [sun] }\n")];
    let findings = load_all(&texts, &Entities::default(), false).unwrap_err();
    assert!(
        findings.to_string().contains("/b.yaml:1:11: error: calendar: the calendar stands twice: first at /a.yaml:2:3"),
        "{findings}"
    );
}

#[test]
fn the_usual_days_are_no_change_and_one_more_is() {
    let plan = |stored: &Entities, yaml: &str, prune| Plan::between(stored, &loaded(yaml).entities, prune, &resolver());
    let none = Entities::default();
    assert!(plan(&none, "calendar: {}\n", false).is_empty());
    let stored = loaded(DAYS).entities;
    assert!(plan(&stored, DAYS, true).is_empty());
    let shown = plan(&stored, &DAYS.replace("01-03", "01-04"), false).render(false);
    assert!(shown.contains("~ calendar\n") && shown.contains("12-29 to 01-04"), "{shown}");
    // What the files do not say stays, unless it is pruned.
    assert_eq!(plan(&stored, EXAMPLE, false).untouched, 1);
    assert!(plan(&stored, EXAMPLE, true).render(false).contains("- calendar\n"));
}

#[test]
fn an_export_reads_as_one_would_write_it() {
    let exported = settings::export(&loaded(DAYS).entities);
    let calendar = exported.split_once("\ncalendar:\n").unwrap().1;
    let wanted = "  closed:
    - { from: \"12-29\", to: \"01-03\", name: 年末年始 }
    - { on: \"2027-06-01\" }
  working:
    - { on: \"2026-11-28\", name: 棚卸 }
";
    assert_eq!(calendar, wanted);
}

#[tokio::test]
async fn days_are_saved_as_a_version_and_pruned_back_to_the_usual_ones() {
    let db = temp_store().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.yaml");
    let apply = async |yaml: &str, prune| {
        std::fs::write(&file, yaml).unwrap();
        let saving = Saving { actor: "sato", zone: TOKYO, now: at("2026-11-24 06:00:00"), note: "" };
        settings::apply(&db.store, &[&file], prune, &resolver(), saving).await.unwrap().1
    };
    assert_eq!(apply(&format!("{EXAMPLE}{DAYS}"), false).await, Some(1));
    assert_eq!(apply(EXAMPLE, false).await, None);
    let holiday = "2026-12-30".parse().unwrap();
    assert_eq!(db.store.calendar().await.unwrap().closed_on(holiday), Some(Closed::Company("年末年始")));
    assert_eq!(apply(EXAMPLE, true).await, Some(2));
    assert_eq!(db.store.calendar().await.unwrap(), Calendar::japanese());
    let past = db.store.settings_of(1).await.unwrap().calendar;
    assert_eq!(Some(past), loaded(DAYS).entities.calendar);
    assert_eq!(db.store.settings_of(2).await.unwrap().calendar, CompanyDays::default());
    let audit = db.store.audit_log(10).await.unwrap();
    assert!(audit.iter().any(|line| line.entry.entity == "calendar" && line.entry.action == "remove"), "{audit:?}");
}
