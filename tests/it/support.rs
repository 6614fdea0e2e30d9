//! What the tests share: a store in a temporary folder, settings in a few words, instants.

use chrono::{DateTime, Utc};
use renkei::app::App;
use renkei::clock::Clock;
use renkei::config::Config;
use renkei::config::raw::{Raw, RawMail};
use renkei::domain::integration::Integration;
use renkei::domain::menu::Menu;
use renkei::domain::timer::Timer;
use renkei::engine::{Engine, confirming, dispatcher, orders, planner};
use renkei::report::outbox::deliver_due;
use renkei::sandbox::mailbox::{CaughtMail, Mailbox, MailboxOptions};
use renkei::sandbox::{Received, Sandbox, SandboxOptions};
use renkei::store::Store;
use renkei::store::runs::{Run, RunDetail};
use renkei::store::settings::SettingsChange;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The zone of all tests that do not say another.
pub(crate) const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;

/// Says a figure to whoever asked for it with `--nocapture`.
#[expect(clippy::print_stdout, reason = "a measurement is there to be read")]
pub(crate) fn tell(line: impl std::fmt::Display) {
    println!("{line}");
}

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

/// The token that nothing but the wire may show.
pub(crate) const TOKEN: &str = "tkn-0123456789-never-shown";

/// A whole house on real sockets and files, with a clock that a test moves; its loops are driven step by step.
pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    pub(crate) mailbox: Mailbox,
    pub(crate) app: App,
    pub(crate) engine: Engine,
    pub(crate) folder: tempfile::TempDir,
}

impl House {
    /// An empty house.
    pub(crate) async fn new() -> Self {
        Self::with(SandboxOptions { token: TOKEN.to_owned(), ..SandboxOptions::default() }).await
    }

    /// With somebody to tell, beside mail; the secrets of `notify:` are `${env:…}` of these variables.
    pub(crate) async fn telling(notify: &str, variables: &[(&str, &str)]) -> Self {
        let mut house = Self::new().await;
        let text = renkei::yaml::Text { path: "config.yaml".into(), text: format!("notify: {notify}") };
        let mut config = (*house.app.config).clone();
        config.notify = Config::parse(&text).unwrap().notify;
        house.app.config = std::sync::Arc::new(config);
        let own = [("RENKEI_TEST_TOKEN", TOKEN)];
        house.app.secrets = house.app.secrets.clone().with_variables(own.iter().chain(variables).copied());
        house.engine = house.app.engine().unwrap();
        house
    }

    /// By the machine's clock, and with little patience towards a locked database, which may lie elsewhere.
    pub(crate) async fn impatient(database: Option<PathBuf>) -> Self {
        let mut house = Self::new().await;
        house.app.store.close().await;
        let mut config = (*house.app.config).clone();
        config.database = database.unwrap_or(config.database);
        house.app.store = Store::open_patient(&config.database, Duration::from_millis(20)).await.unwrap();
        house.app.config = std::sync::Arc::new(config);
        house.app.clock = Clock::system();
        house.engine = house.app.engine().unwrap();
        house
    }

    /// With a sandbox of its own making.
    pub(crate) async fn with(options: SandboxOptions) -> Self {
        renkei::push::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(options).await.unwrap();
        let mailbox = Mailbox::start(MailboxOptions::default()).await.unwrap();
        let config = config(folder.path(), &mailbox);
        let app = open(config, Clock::manual(Clock::system().now())).await;
        let engine = app.engine().unwrap();
        Self { sandbox, mailbox, app, engine, folder }
    }

    /// The same database and folder after a crash: nothing of the process before is left.
    pub(crate) async fn reopened(self) -> Self {
        let config = config(self.folder.path(), &self.mailbox);
        let clock = self.app.clock.clone();
        drop((self.app, self.engine));
        let app = open(config, clock).await;
        let engine = app.engine().unwrap();
        Self { app, engine, ..self }
    }

    /// Puts a source file into the house, as if it had been there for an hour.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified((self.app.clock.now() - chrono::TimeDelta::hours(1)).into()).unwrap();
        path
    }

    /// Saves one menu `社員一覧` over `list.csv` through one integration; `more` changes either form.
    pub(crate) async fn settings(&self, integration: Value, menu: Value, timers: Vec<Timer>) {
        let mut push = json!({
            "name": "社員マスタ連携", "url": self.sandbox.url(), "allow_http": true, "report": 2,
            "headers": { "X-RS-apitoken": "${env:RENKEI_TEST_TOKEN}", "Content-Type": "multipart/form-data;" },
            "params": { "masterId": 0, "duplicateKey": 1 },
        });
        let path = self.folder.path().join("list.csv");
        let mut list = json!({
            "name": "社員一覧", "source": { "csv": { "path": path } }, "key": ["社員コード"],
            "integrations": ["社員マスタ連携"],
        });
        for (form, more) in [(&mut push, integration), (&mut list, menu)] {
            for (key, value) in more.as_object().unwrap() {
                form[key] = value.clone();
            }
        }
        let change = SettingsChange {
            integrations: vec![Integration::check(serde_json::from_value(push).unwrap()).unwrap().0],
            menus: vec![Menu::check(serde_json::from_value(list).unwrap()).unwrap().0],
            timers,
            ..SettingsChange::default()
        };
        self.save(&change).await;
    }

    /// Saves a change as 佐藤.
    pub(crate) async fn save(&self, change: &SettingsChange) {
        let version = self.app.store.settings_version().await.unwrap();
        self.app.store.save_settings(change, version, "佐藤", TOKYO, self.app.clock.now()).await.unwrap();
    }

    /// A menu over `NAME.csv`.
    pub(crate) fn menu(&self, name: &str) -> Menu {
        let path = self.folder.path().join(format!("{name}.csv"));
        let form = json!({ "name": name, "source": { "csv": { "path": path } }, "key": ["社員コード"],
                           "integrations": ["社員マスタ連携"] });
        Menu::check(serde_json::from_value(form).unwrap()).unwrap().0
    }

    /// Queues a run of the one menu.
    pub(crate) async fn start(&self) -> Run {
        let wanted = orders::Wanted { menu: "社員一覧".to_owned(), ..orders::Wanted::default() };
        orders::start(&self.engine, &wanted, "佐藤").await.unwrap()
    }

    /// Plans what is due, carries what is queued, asks what is to be asked, delivers what is in the outbox, until nothing is left to do now.
    pub(crate) async fn settle(&self) {
        planner::step(&self.engine).await.unwrap();
        while dispatcher::step(&self.engine, &CancellationToken::new()).await.unwrap() {}
        while confirming::step(&self.engine, &CancellationToken::new()).await.unwrap() == confirming::Step::Asked {}
        if let Some(postman) = &self.engine.postman {
            deliver_due(&self.engine.store, postman, &self.engine.clock).await.unwrap();
        }
        renkei::notify::deliver_due(&self.engine.store, &self.engine.herald, &self.engine.clock).await.unwrap();
    }

    /// Starts a run and carries it as far as it goes now.
    pub(crate) async fn carried(&self) -> RunDetail {
        let run = self.start().await;
        self.settle().await;
        self.detail(&run.id).await
    }

    pub(crate) async fn detail(&self, id: &str) -> RunDetail {
        self.app.store.run_detail(id).await.unwrap()
    }

    /// What the sandbox has received, its clock moved like ours.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.sandbox.received()
    }

    pub(crate) fn mails(&self) -> Vec<CaughtMail> {
        self.mailbox.messages()
    }

    /// Lets time pass, for the sandbox's window too.
    pub(crate) fn pass(&self, time: Duration) {
        self.app.clock.advance(time);
        self.sandbox.forward(time);
    }
}

/// A repeat of a run that a person asks for.
pub(crate) fn repeat(id: &str, only_failed: bool, forced: bool) -> orders::Repeat {
    orders::Repeat { id: id.to_owned(), only_failed, forced, behind: None }
}

async fn open(config: Config, clock: Clock) -> App {
    let mut app = App::open(config, clock).await.unwrap();
    app.secrets = app.secrets.with_variables([("RENKEI_TEST_TOKEN", TOKEN)]);
    app
}

fn config(folder: &std::path::Path, mailbox: &Mailbox) -> Config {
    let mail = RawMail {
        url: format!("smtp://{}?tls=none", mailbox.address()),
        password: None,
        from: "renkei@example.jp".to_owned(),
        administrators: vec!["it@example.jp".to_owned()],
        ca_file: None,
        digest: Some("08:30".to_owned()),
    };
    let raw = Raw { data_dir: folder.join("data"), mail: Some(mail), ..Raw::default() };
    Config::check(raw, None).unwrap()
}
