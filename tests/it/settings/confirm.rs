//! `confirm:`: how the import is asked after is a setting from end to end, and everything wrong with it is said at once.

use super::{error, errors, example_with, load_all, loaded, text};
use renkei::settings::secrets::{Resolver, seal_integration};
use renkei::settings::{self, Against, Entities, Plan};

const URL: &str = "https://example.rakurakuseisan.jp/acme/api/v1/csvimport/status";

/// The documented example with a `confirm` whose one line is replaced.
fn with(old: &str, new: &str) -> String {
    let confirm = format!(
        "confirm:
      url: {URL}
      body: {{ importId: \"{{id}}\" }}
      id: /items/importId
      success: {{ at: /items/state, is: completed }}
      failure: {{ at: /items/state, is: error }}
      rows: {{ at: /items/refused, key: /value }}
      interval: 30s"
    );
    assert!(confirm.contains(old), "{old}");
    example_with("confirm: null", &confirm.replacen(old, new, 1))
}

#[test]
fn a_confirm_is_read_without_a_word() {
    let loaded = loaded(&with("x", "x"));
    assert_eq!(loaded.findings, []);
    let confirm = loaded.entities.integrations[0].form().confirm.as_ref().unwrap();
    assert_eq!((confirm.limit.to_string(), confirm.headers.len()), ("1h".to_owned(), 0));
}

#[test]
fn each_fault_is_told_with_its_place_and_its_fix() {
    for (old, new, wanted) in [
        (URL, "http://example.rakurakuseisan.jp/acme/status", "the URL is not https"),
        (URL, "ftp//x", "13:12: error: integration 社員マスタ連携: this is not a URL"),
        (URL, "https://u:p@example.rakurakuseisan.jp/acme/status", "the URL has a user name or password"),
        (URL, "https://status.example.jp/acme/status", "the status would be asked of status.example.jp/acme"),
        (URL, "https://example.rakurakuseisan.jp/other/status", "not of the account example.rakurakuseisan.jp/acme"),
        (URL, "https://{id}.example.jp/acme", "would decide which host or account is asked"),
        (URL, "https://example.rakurakuseisan.jp/{id}/x", "would decide which host or account is asked"),
        (URL, "https://example.rakurakuseisan.jp/acme/s?token=x", "the URL's token looks like a secret"),
        ("id: /items/importId", "id: items", "\"items\" is no JSON pointer: it begins with /"),
        (
            "id: /items/importId\n",
            "interval: 30s\n      limit: 1h\n      id: /a~b\n",
            "is no JSON pointer: ~ is written ~0",
        ),
        ("id: /items/importId\n", "ids: /x\n      id: /i\n", "confirm has no key \"ids\""),
        ("      id: /items/importId\n", "", "id is missing (write id: /items/importId, say)"),
        ("is: completed", "is: error", "one answer would say both success and failure"),
        ("is: completed", "is: []", "a value is missing"),
        ("is: completed", "is: [null]", "a value is missing"),
        ("key: /value", "column: /name", "neither key nor line tells"),
        ("{ importId: \"{id}\" }", "{ importId: 1 }", "the import's number is not part of the question"),
        ("{ importId: \"{id}\" }", "{ importId: \"{id}\", apiToken: abc }", "apiToken looks like a secret"),
        ("{ importId: \"{id}\" }", "{ importId: \"{id}\" }\n      method: get", "a GET has no body"),
        ("{ importId: \"{id}\" }", "{ importId: \"{id}\" }\n      method: put", "\"put\" is not known here"),
        ("interval: 30s", "headers: { Host: x }", "Host is set by the HTTP client itself"),
        ("interval: 30s", "interval: 0s", "the interval is zero"),
        ("interval: 30s", "interval: 2h", "the limit is shorter than the interval"),
        ("interval: 30s", "limit: 8d", "the limit is above 7d"),
        (
            "      rows: { at: /items/refused, key: /value }\n",
            "      partial: { at: /items/state, is: half }\n",
            "a partial import could not be counted",
        ),
    ] {
        let found = error(&with(old, new).replace("interval: 30s\n      limit: 1h\n      id", "id"));
        assert!(found.contains(wanted), "{new}:\n{found}");
    }
    assert!(
        load_all(&[text("/x.yaml", &with("30s", "3s"))], &Entities::default(), false).unwrap().findings[0]
            .to_string()
            .contains("asking so often")
    );
}

#[test]
fn all_faults_of_a_confirm_are_told_at_once() {
    let yaml = with(URL, "http://x/acme")
        .replace("id: /items/importId", "id: nowhere")
        .replace("is: completed", "os: completed")
        .replace("interval: 30s", "interval: 30");
    let found = errors(&yaml);
    for wanted in
        ["not https", "\"nowhere\" is no JSON pointer", "has no key \"os\"", "is is missing", "30 has no unit"]
    {
        assert!(found.iter().any(|error| error.contains(wanted)), "{wanted} is not among {found:#?}");
    }
    assert_eq!(found.len(), 5, "nothing is told twice: {found:#?}");
}

#[test]
fn a_token_of_its_own_is_sealed_masked_and_survives_an_export() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(folder.path().join("key"));
    let yaml = with("interval: 30s", "headers: { X-Token: a-pretend-token, Accept: application/json }");
    let plain = loaded(&yaml).entities;
    let plan = Plan::between(&Entities::default(), &plain, false, &resolver).render(false);
    assert!(plan.contains("confirm.headers.X-Token: ••••") && plan.contains("application/json"), "{plan}");
    let mut sealed = plain.clone();
    sealed.integrations = vec![seal_integration(plain.integrations[0].clone(), &resolver).unwrap()];
    let exported = settings::export(&sealed);
    assert!(!exported.contains("a-pretend-token") && exported.contains("X-Token: \"${sealed:"), "{exported}");
    for same in [exported, yaml] {
        let against = Against { stored: &sealed, prune: false, resolver: &resolver };
        let again = settings::load(&[text("/etc/renkei/settings.yaml", &same)], &against).unwrap().entities;
        let plan = Plan::between(&sealed, &again, true, &resolver);
        assert!(plan.is_empty(), "{}", plan.render(false));
    }
}
