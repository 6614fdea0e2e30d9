//! システム連携設定: how to push. [`IntegrationForm`] is what a person writes; [`Integration`] is what the rest of the
//! house works with, and cannot be held wrongly: it is only made by [`Integration::check`], which knows the help
//! page's rules for the eleven masters and says every fault at once.

pub mod confirm;
mod master;
mod rules;

pub use master::Master;

use confirm::ConfirmForm;

use super::duration::Span;
use super::fault::Checked;
use super::secret::SecretText;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use url::Url;

/// Which rules bind an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 楽楽精算's CSV import API: the master rules bind.
    #[default]
    Seisan,
    /// Any endpoint that takes the same form of request.
    Generic,
}

/// The body's form (HTTPボディ形式): a plain form field that holds the parameters as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodyForm {
    /// The format; only JSON is known.
    pub format: BodyFormat,
    /// The part's name; `json` on the help page.
    pub name: String,
}

/// The one format that the help page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// A JSON object.
    #[default]
    Json,
}

impl Default for BodyForm {
    fn default() -> Self {
        Self { format: BodyFormat::Json, name: "json".to_owned() }
    }
}

/// The charset in which a CSV is written (文字コード).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Charset {
    /// Windows-31J, which 楽楽精算 calls SJIS.
    #[default]
    #[serde(rename = "sjis")]
    Sjis,
    /// UTF-8 without a byte order mark.
    #[serde(rename = "utf8")]
    Utf8,
    /// UTF-8 behind a byte order mark.
    #[serde(rename = "utf8-bom")]
    Utf8Bom,
}

/// What to do with a character that the charset does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnmappable {
    /// Stop the run before its first request.
    #[default]
    Reject,
    /// Leave the row out; the run ends partial.
    SkipRow,
    /// Write this mark instead.
    Substitute(String),
}

/// How the CSV is written (連携データ(CSV)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvForm {
    /// The part's name; `uploadFile` on the help page.
    pub name: String,
    /// Whether line 1 holds the headers. The receiver matches columns by them.
    pub header: bool,
    /// The charset.
    pub charset: Charset,
    /// What to do with a character that the charset does not have.
    pub unmappable: OnUnmappable,
    /// The company's replacement table: each text on the left is written as the text on the right.
    #[serde(with = "ordered", skip_serializing_if = "Vec::is_empty")]
    pub replacements: Vec<(String, String)>,
}

impl Default for CsvForm {
    fn default() -> Self {
        Self {
            name: "uploadFile".to_owned(),
            header: true,
            charset: Charset::Sjis,
            unmappable: OnUnmappable::Reject,
            replacements: Vec::new(),
        }
    }
}

/// The receiver's limits; the defaults are 楽楽精算's (RAKUS help page).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests in any 60 s of one account. Of several integrations of one account the smallest holds.
    pub requests_per_minute: u32,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Lines of one file, the header counted (that it counts is our inference).
    pub file_lines: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_minute: 20, file_bytes: 5_000_000, file_lines: 50_000 }
    }
}

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For name, TCP and TLS together.
    pub connect: Span,
    /// For the whole request, upload and answer included.
    pub request: Span,
    /// Without a single byte of answer.
    pub idle: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Span::seconds(10), request: Span::seconds(600), idle: Span::seconds(120) }
    }
}

/// How the route to the receiver goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// `http://host:port` of a proxy. Without one the route is direct: the environment's proxy is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SecretText>,
    /// A PEM file with a further certificate authority (a TLS-inspecting gateway's).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// A PEM file with a client certificate and its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}

impl Route {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// レポートメール: to whom, and when. The numbers are ours; the help page says only "by number".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum ReportPolicy {
    /// 0: nobody.
    None,
    /// 1: the actor (実行者), always.
    Actor,
    /// 2: the administrators (管理者), always.
    Administrator,
    /// 3: the actor, on errors only.
    ActorOnError,
    /// 4: the administrators, on errors only.
    #[default]
    AdministratorOnError,
}

impl TryFrom<u8> for ReportPolicy {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Actor,
            2 => Self::Administrator,
            3 => Self::ActorOnError,
            4 => Self::AdministratorOnError,
            _ => return Err(format!("report {number} is none of 0 to 4")),
        })
    }
}

impl From<ReportPolicy> for u8 {
    fn from(policy: ReportPolicy) -> Self {
        policy as Self
    }
}

impl ReportPolicy {
    /// Whether a mail is due after a run that ended well (`good`) or not.
    #[must_use]
    pub fn is_due(self, good: bool) -> bool {
        match self {
            Self::None => false,
            Self::Actor | Self::Administrator => true,
            Self::ActorOnError | Self::AdministratorOnError => !good,
        }
    }

    /// Whether it goes to the actor rather than to the administrators.
    #[must_use]
    pub fn is_to_actor(self) -> bool {
        matches!(self, Self::Actor | Self::ActorOnError)
    }
}

/// An integration as a person writes it; see the settings reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrationForm {
    /// システム連携名, shown to people.
    pub name: String,
    /// A stable id that keeps the history over a rename; the name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which rules bind.
    #[serde(default)]
    pub kind: Kind,
    /// The API's URL; for `kind: seisan` the login URL is completed.
    pub url: String,
    /// HTTPヘッダ, in order.
    #[serde(default, with = "ordered")]
    pub headers: Vec<(String, SecretText)>,
    /// HTTPボディ形式.
    #[serde(default)]
    pub body: BodyForm,
    /// リクエストパラメータ, in order, sent with the JSON type that is written.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// 連携データ(CSV).
    #[serde(default)]
    pub csv: CsvForm,
    /// The receiver's limits.
    #[serde(default)]
    pub limits: Limits,
    /// Time-outs of a request.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Proxy and certificates.
    #[serde(default, skip_serializing_if = "Route::is_default")]
    pub route: Route,
    /// How long maintenance, throttling and an unreachable receiver are retried.
    #[serde(default = "an_hour")]
    pub retry_for: Span,
    /// Whether bytes of unknown fate may be sent again; by default true for `kind: seisan` without sendPasswordEmail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_safe: Option<bool>,
    /// レポートメール.
    #[serde(default)]
    pub report: ReportPolicy,
    /// Further recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// How the import is asked after; without it, accepted is the best that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<ConfirmForm>,
    /// Lets a masterId through that this version does not know.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_unknown_master: bool,
    /// Lets an `http:` URL through, to reach the sandbox.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_http: bool,
}

impl IntegrationForm {
    /// The headers of both kinds of request: of the push, and of the question after its import.
    pub fn every_header(&self) -> impl Iterator<Item = &(String, SecretText)> {
        self.headers.iter().chain(self.confirm.iter().flat_map(|confirm| &confirm.headers))
    }
}

fn an_hour() -> Span {
    Span::seconds(3600)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
pub(super) fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A checked integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "IntegrationForm", into = "IntegrationForm")]
pub struct Integration {
    form: IntegrationForm,
    id: String,
    url: Url,
    account: Account,
    master: Option<Master>,
}

impl Integration {
    /// Checks a form and says every fault at once.
    pub fn check(form: IntegrationForm) -> Checked<Self> {
        rules::check(form)
    }

    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// システム連携名.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.form.name
    }

    /// Everything as written.
    #[must_use]
    pub fn form(&self) -> &IntegrationForm {
        &self.form
    }

    /// The complete URL that is posted to.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whose request slots and lane it uses.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Which master it writes; `None` for `kind: generic` and for an allowed unknown master.
    #[must_use]
    pub fn master(&self) -> Option<Master> {
        self.master
    }

    /// Whether bytes whose fate is unknown may be sent again without harm: an import that skips or overwrites by key
    /// is the same twice, a mail to a person is not.
    #[must_use]
    pub fn repeat_safe(&self) -> bool {
        self.form.repeat_safe.unwrap_or_else(|| {
            self.form.kind == Kind::Seisan && !self.form.params.get("sendPasswordEmail").is_some_and(rules::is_one)
        })
    }

    /// The parameters as the compact JSON text of the body part, keys in the order written.
    #[must_use]
    pub fn params_json(&self) -> String {
        Value::Object(self.form.params.clone()).to_string()
    }

    /// The same integration with its secrets replaced, as sealing does it.
    #[must_use]
    pub fn with_headers(mut self, headers: Vec<(String, SecretText)>) -> Self {
        self.form.headers = headers;
        self
    }

    /// The same integration with other headers for the question after its imports, as sealing does it.
    #[must_use]
    pub fn with_confirm_headers(mut self, headers: Vec<(String, SecretText)>) -> Self {
        if let Some(confirm) = &mut self.form.confirm {
            confirm.headers = headers;
        }
        self
    }

    /// The same integration with another route, as sealing a proxy's password does it.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.form.route = route;
        self
    }
}

impl TryFrom<IntegrationForm> for Integration {
    type Error = String;
    fn try_from(form: IntegrationForm) -> Result<Self, String> {
        Self::check(form).map(|(integration, _)| integration).map_err(|faults| first_error(&faults))
    }
}

impl From<Integration> for IntegrationForm {
    fn from(integration: Integration) -> Self {
        integration.form
    }
}

pub(super) fn first_error(faults: &[super::fault::Fault]) -> String {
    use super::fault::Severity;
    faults.iter().find(|fault| fault.severity == Severity::Error).map(ToString::to_string).unwrap_or_default()
}

/// An account of the receiver: the URL's host and first path segment. Request slots and lanes are per account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(String);

impl Account {
    /// Of a URL.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let first = url.path().split('/').find(|part| !part.is_empty()).unwrap_or_default();
        Self(format!("{host}{port}/{first}"))
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Read back from the store.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// A map that keeps the order in which it was written.
pub(super) mod ordered {
    use serde::de::{MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::{fmt, marker::PhantomData};

    pub(in crate::domain) fn serialize<T: Serialize, S: Serializer>(
        pairs: &[(String, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
    }

    pub(in crate::domain) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, T)>, D::Error> {
        struct Pairs<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Vec<(String, T)>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
