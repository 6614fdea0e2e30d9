//! The rules of an integration, one by one, with what is refused and what is only warned of.

use super::*;
use crate::domain::fault::Severity;
use crate::domain::secret::SecretText;
use serde_json::json;

fn form(params: Value) -> IntegrationForm {
    let mut form: IntegrationForm = serde_json::from_value(json!({
        "name": "社員マスタ連携",
        "url": "https://example.rakurakuseisan.jp/acme/api/v1/csvimport",
        "headers": { "X-RS-apitoken": "${env:SEISAN_TOKEN}", "Content-Type": "multipart/form-data;" },
    }))
    .unwrap();
    form.params = params.as_object().unwrap().clone();
    form
}

fn findings(form: IntegrationForm) -> Vec<(Severity, String)> {
    let faults = match Integration::check(form) {
        Ok((_, faults)) | Err(faults) => faults,
    };
    faults.into_iter().map(|fault| (fault.severity, fault.path.join("."))).collect()
}

fn with(change: impl FnOnce(&mut IntegrationForm)) -> Vec<(Severity, String)> {
    let mut form = form(json!({ "masterId": 0, "duplicateKey": 1 }));
    change(&mut form);
    findings(form)
}

const ERROR: Severity = Severity::Error;
const WARNING: Severity = Severity::Warning;

#[test]
fn the_help_pages_example_is_right_and_silent() {
    assert_eq!(with(|_| ()), []);
}

#[test]
fn each_masters_parameters_are_held_to_the_table() {
    for master in Master::ALL {
        let id = master.id();
        let update = findings(form(json!({ "masterId": id, "duplicateKey": 1 })));
        assert_eq!(update, [], "{master}");
        let skip = findings(form(json!({ "masterId": id, "duplicateKey": 0 })));
        let expected = if id == 18 { ERROR } else { WARNING };
        assert_eq!(skip, [(expected, "params.duplicateKey".into())], "{master}");
        for (name, applies) in
            [("sendPasswordEmail", id == 0), ("createCategory", [3, 4, 81, 82, 83, 84, 85].contains(&id))]
        {
            for value in [0, 1] {
                let found = findings(form(json!({ "masterId": id, "duplicateKey": 1, name: value })));
                let path = format!("params.{name}");
                let expected = match (applies, value) {
                    (true, _) => vec![],
                    (false, 0) => vec![(WARNING, path)],
                    (false, _) => vec![(ERROR, path)],
                };
                assert_eq!(found, expected, "{master} {name} {value}");
            }
        }
    }
}

#[test]
fn an_absent_duplicate_key_warns_except_where_it_means_update() {
    assert_eq!(findings(form(json!({ "masterId": 1 }))), [(WARNING, "params".into())]);
    assert_eq!(findings(form(json!({ "masterId": 18 }))), []);
}

#[test]
fn values_outside_0_and_1_and_unknown_masters_are_refused() {
    let wrong = findings(form(json!({ "masterId": 7, "duplicateKey": 2, "createCategory": true })));
    for path in ["params.masterId", "params.duplicateKey", "params.createCategory"] {
        assert!(wrong.contains(&(ERROR, path.into())), "{path} in {wrong:?}");
    }
    assert_eq!(findings(form(json!({ "duplicateKey": 1 }))), [(ERROR, "params".into())]);
    let mut future = form(json!({ "masterId": 90, "duplicateKey": 1 }));
    future.allow_unknown_master = true;
    assert_eq!(findings(future), [(WARNING, "params.masterId".into())]);
}

#[test]
fn numbers_written_as_text_mean_the_same() {
    assert_eq!(findings(form(json!({ "masterId": "0", "duplicateKey": "1" }))), []);
}

#[test]
fn the_login_url_is_completed_with_a_notice() {
    let mut login = form(json!({ "masterId": 0, "duplicateKey": 1 }));
    login.url = "https://example.rakurakuseisan.jp/acme/".into();
    let (integration, notes) = Integration::check(login).unwrap();
    assert_eq!(integration.url().as_str(), "https://example.rakurakuseisan.jp/acme/api/v1/csvimport");
    assert_eq!(integration.account().as_str(), "example.rakurakuseisan.jp/acme");
    assert_eq!(notes[0].severity, Severity::Notice);
}

#[test]
fn a_url_that_would_leak_or_lead_nowhere_is_refused() {
    for url in [
        "http://example.jp/acme/api/v1/csvimport",
        "https://user:pw@example.jp/acme/api/v1/csvimport",
        "ftp://example.jp/acme",
        "https://example.jp/",
        "https://example.jp/acme?x=1",
        "example.jp/acme",
        "",
    ] {
        let found = with(|form| form.url = url.into());
        assert!(found.contains(&(ERROR, "url".into())), "{url}: {found:?}");
    }
    let sandbox = with(|form| {
        form.url = "http://127.0.0.1:8080/acme/api/v1/csvimport".into();
        form.allow_http = true;
    });
    assert_eq!(sandbox, []);
}

#[test]
fn missing_or_broken_headers_are_refused() {
    assert_eq!(with(|form| form.headers.clear()), [(ERROR, "headers".into()), (ERROR, "headers".into())]);
    let plain = with(|form| form.headers[1].1 = SecretText::literal("text/csv"));
    assert_eq!(plain, [(ERROR, "headers.Content-Type".into())]);
    let split = with(|form| form.headers[0].1 = SecretText::literal("a\r\nX-Evil: 1"));
    assert_eq!(split, [(ERROR, "headers.X-RS-apitoken".into())]);
    let twice = with(|form| form.headers.push(("x-rs-APITOKEN".into(), SecretText::literal("b"))));
    assert_eq!(twice, [(ERROR, "headers.x-rs-APITOKEN".into())]);
    let own = with(|form| form.headers.push(("Host".into(), SecretText::literal("b"))));
    assert_eq!(own, [(ERROR, "headers.Host".into())]);
}

#[test]
fn an_empty_part_name_is_refused_with_the_usual_one() {
    let found = with(|form| {
        form.body.name.clear();
        form.csv.name.clear();
    });
    assert!(found.contains(&(ERROR, "body.name".into())) && found.contains(&(ERROR, "csv.name".into())));
}

#[test]
fn what_is_likely_wrong_is_a_warning_and_passes() {
    assert_eq!(with(|form| form.csv.header = false), [(WARNING, "csv.header".into())]);
    assert_eq!(with(|form| form.csv.charset = Charset::Utf8), [(WARNING, "csv.charset".into())]);
    assert_eq!(with(|form| form.limits.requests_per_minute = 60), [(WARNING, "limits".into())]);
}

#[test]
fn a_password_mail_is_not_repeated_blindly() {
    let quiet = Integration::check(form(json!({ "masterId": 0, "duplicateKey": 1 }))).unwrap().0;
    let mails =
        Integration::check(form(json!({ "masterId": 0, "duplicateKey": 1, "sendPasswordEmail": 1 }))).unwrap().0;
    assert!(quiet.repeat_safe());
    assert!(!mails.repeat_safe());
}

#[test]
fn the_parameters_keep_their_types_and_order() {
    let integration = Integration::check(form(json!({ "masterId": 0, "duplicateKey": "1" }))).unwrap().0;
    assert_eq!(integration.params_json(), r#"{"masterId":0,"duplicateKey":"1"}"#);
}

#[test]
fn a_form_survives_the_store() {
    let integration =
        Integration::check(form(json!({ "masterId": 4, "duplicateKey": 1, "createCategory": 1 }))).unwrap().0;
    let text = serde_json::to_string(&integration).unwrap();
    assert_eq!(serde_json::from_str::<Integration>(&text).unwrap(), integration);
}

#[test]
fn a_client_certificate_is_taken_with_the_notice_that_it_is_not_for_the_services_own_option() {
    let certificate = |form: &mut IntegrationForm| form.route.client_certificate = Some("client.pem".to_owned());
    assert_eq!(with(certificate), [(Severity::Notice, "route.client_certificate".into())]);
}
