//! Settings files: what is right loads, and what is wrong is told with its place and its fix, all at once.

mod apply;
mod calendar;
mod columns;
mod confirm;
mod export;
mod files;
mod yaml;

use renkei::domain::fault::Severity;
use renkei::domain::integration::OnUnmappable;
use renkei::domain::timer::Switch;
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, Against, Entities, Findings, Loaded};
use renkei::yaml::Text;
use serde_json::json;
use std::path::PathBuf;

/// The settings example of the documentation.
const EXAMPLE: &str = include_str!("../data/settings/design.yaml");

fn text(path: &str, text: &str) -> Text {
    Text { path: PathBuf::from(path), text: text.to_owned() }
}

/// A process that has the example's token.
fn resolver() -> Resolver {
    Resolver::new("/nonexistent/renkei.key").with_variables([("SEISAN_TOKEN", "t0p")])
}

fn load_all(texts: &[Text], stored: &Entities, prune: bool) -> Result<Loaded, Findings> {
    let resolver = resolver();
    let against = Against { stored, prune, resolver: &resolver };
    settings::load(texts, &against)
}

fn load(yaml: &str) -> Result<Loaded, Findings> {
    load_all(&[text("/etc/renkei/settings.yaml", yaml)], &Entities::default(), false)
}

fn loaded(yaml: &str) -> Loaded {
    load(yaml).unwrap_or_else(|findings| panic!("{findings}"))
}

/// Every error as `line:column what (fix)`.
fn errors(yaml: &str) -> Vec<String> {
    let Err(findings) = load(yaml) else { return Vec::new() };
    told(&findings)
}

fn told(findings: &Findings) -> Vec<String> {
    let errors = findings.0.iter().filter(|finding| finding.is_error());
    errors
        .map(|finding| {
            assert!(finding.file.is_some() && finding.place.is_some(), "{finding}");
            finding.to_string().replace("/etc/renkei/settings.yaml:", "")
        })
        .collect()
}

/// The one error there is.
fn error(yaml: &str) -> String {
    let errors = errors(yaml);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().unwrap()
}

/// The example with one text replaced by another.
fn example_with(old: &str, new: &str) -> String {
    assert!(EXAMPLE.contains(old), "{old}");
    EXAMPLE.replacen(old, new, 1)
}

#[test]
fn the_documented_example_loads_without_a_word() {
    let loaded = loaded(EXAMPLE);
    assert_eq!(loaded.findings, []);
    let entities = loaded.entities;
    let counts = (entities.integrations.len(), entities.menus.len(), entities.timers.len());
    assert_eq!(counts, (1, 1, 1));
    let timer = &entities.timers[0];
    assert_eq!(timer.form().switch, Switch::On);
    assert_eq!(timer.form().priority, 80);
    assert_eq!(timer.form().schedule, serde_json::from_str(r#"{"daily":"06:00"}"#).unwrap());
    let menu = serde_json::to_value(entities.menus[0].form()).unwrap();
    assert_eq!(menu["source"]["csv"]["path"], "/etc/renkei/employees.csv");
    assert_eq!(menu["columns"][0]["required"], true);
    let params = entities.integrations[0].params_json();
    assert_eq!(params, r#"{"masterId":0,"duplicateKey":1}"#);
}

#[test]
fn a_reference_that_is_not_visible_here_is_a_warning_at_its_header() {
    let loaded = loaded(&EXAMPLE.replace("SEISAN_TOKEN", "ELSEWHERE"));
    let finding = &loaded.findings[0];
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.place.map(|place| (place.line, place.column)), Some((5, 31)));
    assert!(finding.what.contains("ELSEWHERE"));
}

#[test]
fn every_fault_is_told_at_once_with_line_column_and_fix() {
    let yaml = "\
integrations:
  - name: A
    url: http://example.jp/acme/api/v1/csvimport
    headers: { X-RS-apitoken: x, Content-Type: multipart/form-data; }
    params: { masterId: 7, duplicateKey: 2 }
    repot: 4
    limits: { file_lines: many }
menus:
  - name: M
    source: { csv: { path: a.csv, max_age: 26 } }
    columns: [ { header: a }, { header: a, trim: ja } ]
    key: [b]
    integrations: [B]
timers:
  - { name: T, menu: M, integration: A, switch: maybe, schedule: { daily: \"25:00\" }, timezone: Asia/Tokio }
  - { name: U, menu: N, integration: A, switch: on }
";
    let errors = errors(yaml);
    for wanted in [
        "3:10: error: integration A: the URL is not https",
        "5:25: error: integration A: masterId 7 is no known master",
        "5:42: error: integration A: duplicateKey is 2 (write 0 or 1)",
        "6:5: error: integration A: an integration has no key \"repot\" (did you mean report?)",
        "7:27: error: integration A: \"many\" is no whole number",
        "10:44: error: menu M: 26 has no unit (write 26s for seconds",
        "11:41: error: menu M: the header a stands twice",
        "11:50: error: menu M: \"ja\" is neither true nor false",
        "12:11: error: menu M: the key b is none of the columns' headers",
        "13:20: error: menu M: there is no integration B",
        "15:38: error: timer T: the integration A is not applied",
        "15:49: error: timer T: \"maybe\" is not known here (write on or off)",
        "15:75: error: timer T: `25:00` is no time of the day",
        "15:96: error: timer T: \"Asia/Tokio\" is no IANA zone (did you mean Asia/Tokyo?)",
        "16:22: error: timer U: there is no menu N",
        "16:5: error: timer U: the timer is on but has no schedule",
    ] {
        assert!(errors.iter().any(|error| error.starts_with(wanted)), "{wanted}\n{errors:#?}");
    }
    assert_eq!(errors.len(), 16, "{errors:#?}");
    let places: Vec<_> = errors.iter().map(|error| error.split(':').next().unwrap().parse::<u32>().unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(errors.iter().all(|error| error.ends_with(')')), "each has a fix: {errors:#?}");
}

#[test]
fn texts_stay_as_written_and_numbers_keep_their_type() {
    let yaml = example_with("field: name, trim: true", "constant: 0012")
        .replace("masterId: 0,", "masterId: \"0\", ratio: 1.5,")
        .replace("daily: \"06:00\"", "daily: 06:00")
        .replace("name: 社員一覧\n", "name: 2026-12-01\n")
        .replace("menu: 社員一覧", "menu: 2026-12-01");
    let entities = loaded(&yaml).entities;
    assert_eq!(entities.menus[0].form().columns[1].constant.as_deref(), Some("0012"));
    assert_eq!(entities.menus[0].name(), "2026-12-01");
    let params = entities.integrations[0].params_json();
    assert_eq!(params, r#"{"masterId":"0","ratio":1.5,"duplicateKey":1}"#);
    assert_eq!(entities.timers[0].form().schedule, serde_json::from_str(r#"{"daily":"06:00"}"#).unwrap());
    let zeros = error(&example_with("masterId: 0,", "masterId: 00,"));
    assert!(zeros.starts_with("7:25: ") && zeros.contains("put it into quotes"), "{zeros}");
}

#[test]
fn a_switch_is_read_in_every_spelling_and_nothing_else_is() {
    for (written, switch) in
        [("on", Switch::On), ("\"off\"", Switch::Off), ("true", Switch::On), ("false", Switch::Off), ("ON", Switch::On)]
    {
        let entities = loaded(&example_with("switch: on", &format!("switch: {written}"))).entities;
        assert_eq!(entities.timers[0].form().switch, switch, "{written}");
    }
    assert!(error(&example_with("switch: on", "switch: yes")).contains("write on or off"));
    assert!(error(&example_with("switch: on, ", "")).contains("switch is missing (write switch: on"));
    // Elsewhere YAML 1.2 holds: yes is a word.
    assert!(error(&example_with("header: true", "header: yes")).contains("write true or false"));
}

#[test]
fn a_source_of_json_lines_is_read_and_each_of_its_faults_stands_at_its_key() {
    let csv = "{ csv: { path: employees.csv, charset: auto, max_age: 26h } }";
    let right = "{ jsonl: { path: \"e-{run_date}.jsonl\", columns: [emp_no, name], completion: \"{path}.done\", wait_until: 1h } }";
    let menu = serde_json::to_value(loaded(&example_with(csv, right)).entities.menus[0].form()).unwrap();
    let form = json!({ "path": "/etc/renkei/e-{run_date}.jsonl", "charset": "auto", "columns": ["emp_no", "name"],
                       "completion": "{path}.done", "wait_until": "1h" });
    assert_eq!(menu["source"], json!({ "jsonl": form }));
    let wrong = "{ jsonl: { path: \"\", charset: latin1, delimiter: \",\", columns: [a, a], max_age: 26 } }";
    let errors = errors(&example_with(csv, wrong));
    for wanted in [
        "16:30: error: menu 社員一覧: the path is empty or holds a NUL",
        "16:43: error: menu 社員一覧: \"latin1\" is not known here",
        "16:51: error: menu 社員一覧: a jsonl source has no key \"delimiter\"",
        "16:76: error: menu 社員一覧: a column name is empty or stands twice",
        "16:93: error: menu 社員一覧: 26 has no unit",
    ] {
        assert!(errors.iter().any(|error| error.starts_with(wanted)), "{wanted}\n{errors:#?}");
    }
    assert_eq!(errors.len(), 5, "{errors:#?}");
    assert!(error(&example_with(csv, "{ jsonl: {} }")).contains("path is missing (write path: employees.jsonl"));
    assert!(error(&example_with(csv, "{ jsonl: { path: a }, csv: { path: a } }")).contains("names two kinds"));
}

#[test]
fn what_is_not_in_this_version_is_named_so() {
    let (old, new, wanted) = (
        "{ csv: { path: employees.csv, charset: auto, max_age: 26h } }",
        "{ sql: { url: x, query: y } }",
        "the source sql is not in this version (use csv",
    );
    let error = error(&example_with(old, new));
    assert!(error.contains(wanted), "{error}");
}

#[test]
fn a_timer_that_follows_others_names_timers_that_are_there_and_never_waits_for_itself() {
    let second =
        "\n  - { name: 毎朝の部門, menu: 社員一覧, integration: 社員マスタ連携, switch: off, after: [毎朝の社員] }\n";
    let leader = &second.replace(", after: [毎朝の社員]", "");
    for (old, new, more, wanted) in [
        ("misfire: last", "after: 毎朝", "", "22:66: error: timer 毎朝の社員: here stands a text, not a list"),
        ("misfire: last", "after: [毎朝の部]", second, "there is no timer 毎朝の部 (did you mean 毎朝の部門?)"),
        ("misfire: last", "after: [毎朝の社員]", "", "the timer would wait for itself"),
        ("misfire: last", "after: [毎朝の部門]", second, "毎朝の社員 → 毎朝の部門 → 毎朝の社員"),
        ("misfire: last", "after: [毎朝の部門, 毎朝の部門]", leader, "the timer 毎朝の部門 stands twice"),
        ("misfire: last", "start_by: soon", "", "(2h) or a time of day (08:30)"),
        ("misfire: last", "time_limit: 0s", "", "no run ends in no time"),
        ("misfire: last", "until: 2026-12-01", "", "until: says when a timer that is off is on again"),
        ("misfire: last", "until: 2026-02-30", "", "is no date (write it as 2026-12-01)"),
    ] {
        let error = error(&(example_with(old, new) + more));
        assert!(error.contains(wanted), "{new}: {error}");
    }
}

#[test]
fn values_of_every_form_are_read() {
    let yaml = example_with("unmappable: reject", "unmappable: { substitute: 〓 }, replacements: { 𠮷: 吉, ①: '' }")
        .replace("{ daily: \"06:00\" }", "{ weekly: { on: [mon, thu], at: 06:00 } }")
        .replace("max_age: 26h", "delimiter: \"\\t\", completion: \"{path}.done\", wait_until: 1h30m");
    let entities = loaded(&yaml).entities;
    let csv = &entities.integrations[0].form().csv;
    assert_eq!(csv.unmappable, OnUnmappable::Substitute("〓".into()));
    assert_eq!(csv.replacements, [("𠮷".into(), "吉".into()), ("①".into(), String::new())]);
    let menu = serde_json::to_value(entities.menus[0].form()).unwrap();
    assert_eq!(menu["source"]["csv"]["delimiter"], "\\t");
    assert_eq!(menu["source"]["csv"]["completion"], "{path}.done");
    assert_eq!(menu["source"]["csv"]["wait_until"], "1h30m");
    assert!(error(&example_with("unmappable: reject", "unmappable: substitute")).contains("substitute: \"〓\""));
    assert!(
        loaded(&example_with("csv: { path: employees.csv, charset: auto, max_age: 26h }", "records: {}"))
            .findings
            .is_empty()
    );
    assert!(
        loaded(&example_with("csv: { path: employees.csv, charset: auto, max_age: 26h }", "records:"))
            .findings
            .is_empty()
    );
}

#[test]
fn a_schedules_fault_points_at_its_key() {
    for (schedule, place, wanted) in [
        ("{ weekly: { on: [mon, die], at: \"06:00\" } }", "22:33", "no day of the week"),
        ("{ cron: \"0 0 31 2 *\" }", "22:25", "never comes"),
        ("{ daily: \"06:00\", every: 5m }", "22:17", "daily and every stand together"),
        ("{ dayly: \"06:00\" }", "22:19", "did you mean daily?"),
        ("{ monthly: { day: 25, att: x } }", "22:39", "did you mean at?"),
        ("06:00", "22:17", "a text, not a schedule"),
    ] {
        let error = error(&example_with("{ daily: \"06:00\" }", schedule));
        assert!(error.starts_with(place) && error.contains(wanted), "{schedule}: {error}");
    }
}

#[test]
fn files_may_refer_to_each_other_and_to_what_is_stored() {
    let parts: Vec<&str> = EXAMPLE.split("menus:\n").collect();
    let (menus, timers) = parts[1].split_once("timers:\n").unwrap();
    let (one, two, three) = (
        text("a.yaml", parts[0]),
        text("b.yaml", &format!("menus:\n{menus}")),
        text("c.yaml", &format!("timers:\n{timers}")),
    );
    let none = Entities::default();
    let all = load_all(&[three.clone(), two.clone(), one.clone()], &none, false).unwrap();
    assert_eq!(all.entities.timers.len(), 1);
    // One at a time, upon what is stored.
    load_all(std::slice::from_ref(&three), &none, false).unwrap_err();
    let upon = load_all(std::slice::from_ref(&three), &all.entities, false).unwrap();
    assert_eq!(upon.entities.menus, []);
    let pruned = load_all(&[three], &all.entities, true).unwrap_err().to_string();
    assert!(pruned.contains("--prune would remove it"), "{pruned}");
    // A menu may not lose the integration that a stored timer uses.
    let bare = two.text.replace("[社員マスタ連携]", "[]");
    let lost = load_all(&[text("b.yaml", &bare)], &all.entities, false).unwrap_err().to_string();
    assert!(lost.contains("b.yaml:6:19: error: menu 社員一覧: the stored timer 毎朝の社員"), "{lost}");
}

#[test]
fn references_become_ids_and_names_stand_once() {
    let yaml = example_with("name: 社員マスタ連携 ", "id: emp\n    name: 社員マスタ連携 ");
    let entities = loaded(&yaml).entities;
    assert_eq!(entities.menus[0].form().integrations, ["emp"]);
    assert_eq!(entities.timers[0].form().integration, "emp");
    let first = text("a.yaml", EXAMPLE);
    let again = load_all(&[first, text("b.yaml", EXAMPLE)], &Entities::default(), false).unwrap_err();
    let again = told(&again).join("\n");
    for wanted in [
        "b.yaml:2:11: error: integration 社員マスタ連携: the name 社員マスタ連携 stands twice: first at a.yaml:2:5",
        "b.yaml:15:11: error: menu",
        "b.yaml:21:13: error: timer",
    ] {
        assert!(again.contains(wanted), "{again}");
    }
    // The same name under a new id is likely the stored one with an id added.
    let stored = loaded(EXAMPLE).entities;
    let clash = load_all(&[text("a.yaml", &yaml)], &stored, false).unwrap_err().to_string();
    assert!(clash.contains("write id: 社員マスタ連携 if this is the same one"), "{clash}");
}

#[test]
fn a_list_that_is_named_and_holds_nothing_is_a_warning_that_says_what_it_means() {
    let stored = loaded(EXAMPLE).entities;
    let warned = |yaml: &str, prune| {
        let loaded = load_all(&[text("s.yaml", yaml)], &stored, prune).unwrap();
        loaded.findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for nothing in ["timers:\n", "timers: null\n", "timers: ~\n", "# below\ntimers:\n# - name: 毎朝の社員\n"] {
        let told = warned(nothing, false);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("warning: timers: holds nothing (what is stored stays as it is"), "{told:?}");
    }
    assert_eq!(warned("integrations:\nmenus: ~\ntimers:\n", false).len(), 3);
    let told = warned("x-a: 1\ntimers:\n", true);
    assert!(
        told[0].starts_with("s.yaml:2:1: warning: timers: holds nothing (with --prune every stored one"),
        "{told:?}"
    );
    assert!(told[0].contains("write timers: [] if that is meant"), "{told:?}");
    assert!(warned("timers: []\n", true).is_empty(), "whoever writes [] means it");
}

#[test]
fn a_secret_has_no_place_in_parameters_or_the_url() {
    let generic = EXAMPLE.replace("kind: seisan", "kind: generic");
    let param = error(&generic.replace("masterId: 0", "api_token: hunter2"));
    assert!(param.contains("send it in a header") && !param.contains("hunter2"), "{param}");
    let url = error(&generic.replace("/csvimport ", "/csvimport?token=hunter2 "));
    assert!(url.contains("send it in a header") && !url.contains("hunter2"), "{url}");
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    for path in ["acme", "acme/api/v1/csvimport"] {
        let url = format!("https://taro:hunter2@example.rakurakuseisan.jp/{path}");
        let yaml = example_with("https://example.rakurakuseisan.jp/acme/api/v1/csvimport", &url);
        let told = load(&yaml).unwrap_err().to_string();
        assert!(told.contains("a user name or password") && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn the_list_of_keys_is_what_is_understood() {
    let keys = settings::keys();
    let mut sorted = keys.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), keys.len());
    for key in
        ["timers[].schedule.weekly.on", "integrations[].csv.unmappable.substitute", "menus[].columns[].max_bytes"]
    {
        assert!(keys.iter().any(|known| known == key), "{key}");
    }
}
