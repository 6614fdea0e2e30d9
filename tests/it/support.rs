//! What the tests share: a store in a temporary folder, settings in a few words, instants.

use chrono::{DateTime, Utc};
use renkei::domain::integration::Integration;
use renkei::domain::menu::Menu;
use renkei::domain::timer::Timer;
use renkei::store::Store;
use renkei::store::settings::SettingsChange;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The zone of all tests that do not say another.
pub(crate) const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;

/// An instant, written in Tokyo's time.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    local.and_local_timezone(TOKYO).unwrap().to_utc()
}

/// A store on a real file, gone with the folder.
pub(crate) struct TempStore {
    pub(crate) store: Store,
    pub(crate) path: PathBuf,
    _folder: tempfile::TempDir,
}

/// Opens a fresh one.
pub(crate) async fn temp_store() -> TempStore {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renkei.db");
    TempStore { store: Store::open(&path).await.unwrap(), path, _folder: folder }
}

/// An integration to a pretend service.
pub(crate) fn integration(name: &str, url: &str) -> Integration {
    let form = json!({
        "name": name, "url": url, "allow_http": true,
        "headers": { "X-RS-apitoken": "sandbox", "Content-Type": "multipart/form-data;" },
        "params": { "masterId": 0, "duplicateKey": 1 },
    });
    Integration::check(serde_json::from_value(form).unwrap()).unwrap().0
}

/// A menu over renkei's own records.
pub(crate) fn menu(name: &str, integration: &str) -> Menu {
    let form = json!({ "name": name, "source": { "records": {} }, "key": ["code"], "integrations": [integration] });
    Menu::check(serde_json::from_value(form).unwrap()).unwrap().0
}

/// A timer; `more` holds further keys.
pub(crate) fn timer(name: &str, menu: &str, integration: &str, more: Value) -> Timer {
    let mut form = json!({ "name": name, "menu": menu, "integration": integration, "switch": "on" });
    for (key, value) in more.as_object().unwrap() {
        form[key] = value.clone();
    }
    Timer::check(serde_json::from_value(form).unwrap()).unwrap().0
}

/// One menu `list` through one integration `push`, and these timers.
pub(crate) async fn save(store: &Store, timers: Vec<Timer>, now: DateTime<Utc>) -> i64 {
    let change = SettingsChange {
        integrations: vec![integration("push", "http://127.0.0.1:9/acme/api/v1/csvimport")],
        menus: vec![menu("list", "push")],
        timers,
        ..SettingsChange::default()
    };
    let version = store.settings_version().await.unwrap();
    store.save_settings(&change, version, "sato", TOKYO, now).await.unwrap()
}
