//! Apply over a real store: versions, plans, pruning, and secrets that are never in clear.

use super::EXAMPLE;
use crate::support::{TOKYO, TempStore, at, temp_store};
use renkei::settings::secrets::Resolver;
use renkei::settings::{self, ApplyError, Entities, Proposal, Saving};
use renkei::store::StoreError;
use std::fs;
use std::path::PathBuf;

const TOKEN: &str = "hunter2-hunter2";

struct House {
    db: TempStore,
    folder: tempfile::TempDir,
    resolver: Resolver,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let resolver = Resolver::new(folder.path().join("renkei.key")).with_variables([("SEISAN_TOKEN", TOKEN)]);
        Self { db: temp_store().await, folder, resolver }
    }

    fn write(&self, name: &str, yaml: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, yaml).unwrap();
        file
    }

    async fn apply(&self, yaml: &str, prune: bool) -> Result<(Proposal, Option<i64>), ApplyError> {
        let file = self.write("settings.yaml", yaml);
        settings::apply(&self.db.store, &[file], prune, &self.resolver, saving()).await
    }

    async fn stored(&self) -> Entities {
        Entities::from(&self.db.store.settings().await.unwrap())
    }
}

fn saving() -> Saving<'static> {
    Saving { actor: "sato", zone: TOKYO, now: at("2026-11-24 06:00:00"), note: "" }
}

/// The example with its token written out, and a proxy with a login.
fn in_clear() -> String {
    EXAMPLE
        .replace("${env:SEISAN_TOKEN}", TOKEN)
        .replace("    report: 4", &format!("    route: {{ proxy: 'http://taro:{TOKEN}@proxy:8080' }}\n    report: 4"))
}

#[tokio::test]
async fn an_apply_is_one_version_and_the_same_again_is_none() {
    let house = House::new().await;
    let (proposal, version) = house.apply(EXAMPLE, false).await.unwrap();
    assert_eq!(version, Some(1));
    assert_eq!(proposal.plan.added.len(), 3);
    let (proposal, version) = house.apply(EXAMPLE, true).await.unwrap();
    assert_eq!((version, proposal.plan.unchanged), (None, 3));
    assert!(proposal.plan.render(false).contains("Nothing changes."));
    assert_eq!(house.db.store.settings_version().await.unwrap(), 1);
    assert!(!house.resolver.key_file().exists(), "without a literal secret no key is needed");
}

#[tokio::test]
async fn a_change_is_told_field_by_field_and_audited() {
    let house = House::new().await;
    house.apply(EXAMPLE, false).await.unwrap();
    let changed = EXAMPLE
        .replace("max_age: 26h", "max_age: 12h")
        .replace("switch: on", "switch: off")
        .replace("columns: [ {", "columns: [ { header: 区分, constant: x }, {")
        .replace("name: 社員名, trim: true", "name: 社員名");
    let file = house.write("settings.yaml", &changed);
    let proposal = settings::propose(&house.db.store, &[file], false, &house.resolver).await.unwrap();
    assert_eq!(house.db.store.settings_version().await.unwrap(), 1, "a plan saves nothing");
    let told = proposal.plan.render(false);
    for wanted in [
        "~ menu 社員一覧",
        "    source.csv.max_age: 26h → 12h",
        "    columns: [社員コード, 社員名] → [区分, 社員コード, 社員名]",
        "    columns[区分].constant: x",
        "~ timer 毎朝の社員",
        "    switch: on → off",
        "0 to add, 2 to change, 0 to remove, 1 unchanged.",
    ] {
        assert!(told.contains(wanted), "{wanted}\n{told}");
    }
    assert_eq!(told.matches("columns[").count(), 1, "what only moved is not told: {told}");
    let coloured = proposal.plan.render(true);
    assert!(coloured.contains("\x1b[33m~ timer") && coloured.contains("\x1b[31mon\x1b[0m → \x1b[32moff\x1b[0m"));
    assert!(!told.contains('\x1b'));

    assert_eq!(proposal.save(&house.db.store, &house.resolver, saving()).await.unwrap(), Some(2));
    let audit = house.db.store.audit_log(10).await.unwrap();
    let line =
        audit.iter().find(|line| line.entry.entity == "timer 毎朝の社員" && line.entry.action == "change").unwrap();
    assert_eq!(line.entry.old.as_deref(), Some(r#"{"switch":"on"}"#));
    assert_eq!(line.entry.new.as_deref(), Some(r#"{"switch":"off"}"#));
    assert_eq!(line.actor, "sato");
    // The same plan a second time meets a newer version.
    let late = proposal.save(&house.db.store, &house.resolver, saving()).await;
    assert!(matches!(late, Err(ApplyError::Store(StoreError::Conflict(_)))));
}

#[tokio::test]
async fn what_is_not_in_the_files_stays_unless_it_is_pruned() {
    let house = House::new().await;
    house.apply(EXAMPLE, false).await.unwrap();
    let (head, _) = EXAMPLE.split_once("timers:").unwrap();
    let (proposal, version) = house.apply(head, false).await.unwrap();
    assert_eq!((version, proposal.plan.untouched), (None, 1));
    assert!(proposal.plan.render(false).contains("they stay (--prune removes them)"));
    let (proposal, version) = house.apply(head, true).await.unwrap();
    assert_eq!(version, Some(2));
    assert!(proposal.plan.render(false).contains("- timer 毎朝の社員"));
    assert_eq!(house.stored().await.timers, []);

    let (_, menus) = head.split_once("menus:").unwrap();
    let refused = house.apply(&format!("menus:{menus}"), true).await.unwrap_err().to_string();
    assert!(refused.contains("so --prune would remove it"), "{refused}");
    assert_eq!(house.stored().await.integrations.len(), 1);
}

#[tokio::test]
async fn a_rename_under_the_same_id_keeps_its_references() {
    let house = House::new().await;
    house.apply(EXAMPLE, false).await.unwrap();
    let renamed =
        "menus:\n  - id: 社員一覧\n    name: 全社員\n    source: { records: {} }\n    integrations: [社員マスタ連携]\n";
    let (proposal, _) = house.apply(renamed, false).await.unwrap();
    assert!(proposal.plan.render(false).contains("~ menu 全社員 (id 社員一覧)"));
    let timer = &house.stored().await.timers[0];
    assert_eq!(timer.form().menu, "社員一覧");
    // The new name is understood in files, and means the same.
    let (_, version) = house
        .apply(
            &EXAMPLE
                .replace("menu: 社員一覧", "menu: 全社員")
                .replace("- name: 社員一覧", "- id: 社員一覧\n    name: 全社員"),
            false,
        )
        .await
        .unwrap();
    assert_eq!(version, Some(3));
    assert_eq!(house.stored().await.timers[0], *timer);
}

#[tokio::test]
async fn a_literal_secret_is_nowhere_in_clear_and_no_change_when_written_again() {
    let house = House::new().await;
    let file = house.write("settings.yaml", &in_clear());
    let planned = settings::propose(&house.db.store, &[file], false, &house.resolver).await.unwrap();
    assert!(!house.resolver.key_file().exists(), "a plan makes no key");
    let mut seen = vec![planned.plan.render(true), format!("{planned:?}"), format!("{:#?}", planned.plan)];
    let (_, version) = house.apply(&in_clear(), false).await.unwrap();
    assert_eq!(version, Some(1));

    let stored = house.stored().await;
    let exported = settings::export(&stored);
    assert!(exported.contains("X-RS-apitoken: \"${sealed:") && exported.contains("@proxy:8080"), "{exported}");
    let audit = house.db.store.audit_log(10).await.unwrap();
    assert!(format!("{audit:?}").contains("••••"));
    seen.extend([exported.clone(), format!("{stored:?}"), format!("{audit:?}")]);
    for file in fs::read_dir(house.db.path.parent().unwrap()).unwrap() {
        seen.push(String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).into_owned());
    }
    for text in &seen {
        assert!(!text.contains(TOKEN) && !text.contains("taro:"), "{text}");
    }

    // Written out again, exported, or as it was sealed: no change, no version.
    for yaml in [in_clear(), exported] {
        let (proposal, version) = house.apply(&yaml, false).await.unwrap();
        assert_eq!(version, None, "{}", proposal.plan.render(false));
    }
    let (proposal, version) = house.apply(&in_clear().replacen(TOKEN, "hunter3-hunter3", 1), false).await.unwrap();
    assert_eq!(version, Some(2));
    let told = proposal.plan.render(false);
    assert!(told.contains("headers.X-RS-apitoken: •••• → •••• (another value)"), "{told}");
    assert!(!told.contains("proxy"), "{told}");
    let opened = house.resolver.secrets_in(&house.stored().await.integrations[0]).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&opened[0]), "hunter3-hunter3");
}

#[tokio::test]
async fn what_was_sealed_elsewhere_is_refused_at_its_place() {
    let house = House::new().await;
    house.apply(&in_clear(), false).await.unwrap();
    let exported = settings::export(&house.stored().await);
    let other = House::new().await;
    let refused = other.apply(&exported, false).await.unwrap_err().to_string();
    assert!(refused.contains("settings.yaml:7:22: error:") && refused.contains("renkei.key is missing"), "{refused}");
    assert_eq!(other.stored().await, Entities::default());
}

#[tokio::test]
async fn a_fault_anywhere_saves_nothing_of_anything() {
    let house = House::new().await;
    let good = house.write("good.yaml", EXAMPLE);
    let bad = house.write("bad.yaml", "timers:\n  - { name: x }\n");
    let refused = settings::apply(&house.db.store, &[good, bad], false, &house.resolver, saving()).await.unwrap_err();
    assert!(matches!(refused, ApplyError::Refused(_)));
    assert!(refused.to_string().contains("menu is missing (write menu: "), "{refused}");
    assert_eq!(house.db.store.settings_version().await.unwrap(), 0);
}
