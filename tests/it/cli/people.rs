//! Users on the command line: who may do what, and who is kept from locking themselves out.

use super::{Machine, text};

#[tokio::test(flavor = "multi_thread")]
async fn who_would_be_locked_out_by_their_own_entry_is_refused_with_the_fix() {
    let machine = Machine::new().await;
    for grants in [vec![], vec!["--grant", "db_settings"], vec!["--grant", "db_settings,system_integration"]] {
        let output = machine.run(&[&["user", "add", "sato"][..], &grants].concat()).await;
        assert_eq!(output.status.code(), Some(1), "{grants:?}: {}", text(&output));
        assert!(text(&output).contains("db_settings,system_integration,administrator"), "{}", text(&output));
    }
    assert_eq!(machine.json(&["user", "list", "--json"]).await, serde_json::json!([]));
    assert_eq!(machine.code(&["apply", "settings.yaml"]).await, Some(0), "sato may still configure");

    let everything = "db_settings,system_integration,administrator";
    assert_eq!(machine.code(&["user", "add", "sato", "--grant", everything]).await, Some(0));
    let gone = machine.run(&["user", "grant", "sato", "administrator", "--revoke"]).await;
    assert_eq!(gone.status.code(), Some(1), "nobody could give it back: {}", text(&gone));
    assert_eq!(machine.code(&["user", "add", "tanaka"]).await, Some(0), "others need nothing to run");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_be_let_in_again_is_warned_and_then_bound() {
    let machine = Machine::new().await;
    let added = machine.run(&["user", "add", "sato", "--grant", "administrator"]).await;
    assert_eq!(added.status.code(), Some(0), "{}", text(&added));
    assert!(text(&added).contains("renkei user grant sato db_settings,system_integration"), "{}", text(&added));
    let refused = machine.run(&["apply", "settings.yaml"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert_eq!(machine.code(&["user", "grant", "sato", "db_settings,system_integration"]).await, Some(0));
    assert_eq!(machine.code(&["apply", "settings.yaml"]).await, Some(0));
}
