//! `confirm:` of an integration: how the receiver is asked, after it took a file, what became of its import. The real
//! status API's URL, parameters and answer are not public, so that all of it is a setting and nothing is presumed:
//! what an answer says is read through JSON pointers and compared with the values written here.

use super::{IntegrationForm, Kind, ordered, rules};
use crate::domain::duration::Span;
use crate::domain::fault::Fault;
use crate::domain::secret::{SecretText, names_a_secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use url::Url;

/// What stands in the URL or body for the number that the answer to the push named.
pub const ID: &str = "{id}";

/// The longest time that an import may be asked after.
const LONGEST: Span = Span::days(7);

/// The HTTP method of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// With a JSON body.
    #[default]
    Post,
    /// Without a body.
    Get,
}

/// A JSON pointer (RFC 6901): where in an answer something stands. It cannot be held wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

/// Why a text is no JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin with `/`.
    #[error("{0:?} is no JSON pointer: it begins with /, as in /items/importId")]
    Start(String),
    /// `~` that is not `~0` or `~1`.
    #[error("{0:?} is no JSON pointer: ~ is written ~0, and / inside a name ~1")]
    Escape(String),
}

impl Pointer {
    /// Reads the notation; the empty pointer is the whole answer.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let shown = || text.chars().take(60).collect::<String>();
        if !text.is_empty() && !text.starts_with('/') {
            return Err(PointerError::Start(shown()));
        }
        if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            return Err(PointerError::Escape(shown()));
        }
        Ok(Self(text.to_owned()))
    }

    /// What stands there.
    #[must_use]
    pub fn of<'j>(&self, json: &'j Value) -> Option<&'j Value> {
        json.pointer(&self.0)
    }

    /// The text, number or truth that stands there, as text; nothing for lists, maps and null.
    #[must_use]
    pub fn text_of(&self, json: &Value) -> Option<String> {
        self.of(json).and_then(plain)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;
    fn try_from(text: String) -> Result<Self, PointerError> {
        Self::parse(&text)
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

/// A text, number or truth as text: an API that says `200` today may say `"200"` tomorrow.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Something that an answer says: one of these values stands at that place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where.
    pub at: Pointer,
    /// Texts, numbers or truths; `1` and `"1"` are the same.
    pub is: Vec<Value>,
}

impl Condition {
    /// Whether an answer says it.
    #[must_use]
    pub fn holds(&self, json: &Value) -> bool {
        self.at.text_of(json).is_some_and(|found| self.is.iter().filter_map(plain).any(|wanted| wanted == found))
    }

    /// Whether one answer could say both.
    fn meets(&self, other: &Self) -> bool {
        self.at == other.at
            && self.is.iter().filter_map(plain).any(|one| other.is.iter().filter_map(plain).any(|two| one == two))
    }
}

/// Where an answer lists the rows that were refused. The inner pointers start at one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsForm {
    /// The list.
    pub at: Pointer,
    /// The record's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Pointer>,
    /// The line of the file that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Pointer>,
    /// The column's header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Pointer>,
    /// Why, in the receiver's words: shown to people as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Pointer>,
}

/// `confirm:` as a person writes it; see the settings reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmForm {
    /// Where to ask; [`ID`] in its path or query stands for the import's number.
    pub url: String,
    /// How.
    #[serde(default)]
    pub method: Method,
    /// HTTP headers; the integration's own (without Content-Type) where none are written.
    #[serde(default, with = "ordered", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, SecretText)>,
    /// The JSON body of a POST; [`ID`] in its texts stands for the import's number.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub body: Map<String, Value>,
    /// Where the answer to the push names the import.
    pub id: Pointer,
    /// The import is over; where it is absent, one of the three below says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Condition>,
    /// Everything was imported, but for the listed rows.
    pub success: Condition,
    /// Nothing was imported, but for what `imported` counts.
    pub failure: Condition,
    /// A part was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Condition>,
    /// How many records were imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Pointer>,
    /// The rows that were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsForm>,
    /// How long to wait before asking, and between two questions.
    #[serde(default = "usual_interval")]
    pub interval: Span,
    /// How long to ask; an import that is not over then is of unknown fate.
    #[serde(default = "usual_limit")]
    pub limit: Span,
}

/// The interval where none is written.
#[must_use]
pub fn usual_interval() -> Span {
    Span::seconds(30)
}

/// The limit where none is written.
#[must_use]
pub fn usual_limit() -> Span {
    Span::hours(1)
}

impl ConfirmForm {
    /// The URL with the import's number in it, percent-encoded; `None` where it is none with this number.
    #[must_use]
    pub fn url_for(&self, id: &str) -> Option<Url> {
        let mut encoded = String::new();
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        // A step up the path, which even percent-encoded dots are.
        if matches!(id, "." | "..") {
            return None;
        }
        Url::parse(&self.url.trim().replace(ID, &encoded)).ok()
    }

    /// The body as JSON text with the import's number in it; `None` for a GET. A text that is [`ID`] alone becomes
    /// the number with the type that it had in the answer to the push.
    #[must_use]
    pub fn body_for(&self, id: &Value) -> Option<String> {
        let filled = Value::Object(self.body.clone());
        (self.method == Method::Post).then(|| fill(filled, id).to_string())
    }

    /// The import's number in the JSON answer to a push: a text or number of sensible length.
    #[must_use]
    pub fn id_in(&self, json: &Value) -> Option<Value> {
        let found = self.id.of(json)?;
        let text = match found {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let sensible = !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
        sensible.then(|| found.clone())
    }

    /// The conditions that must not say the same, with their names.
    fn outcomes(&self) -> Vec<(&'static str, &Condition)> {
        let mut all = vec![("success", &self.success), ("failure", &self.failure)];
        all.extend(self.partial.as_ref().map(|condition| ("partial", condition)));
        all
    }
}

fn fill(value: Value, id: &Value) -> Value {
    match value {
        Value::String(text) if text == ID => id.clone(),
        Value::String(text) => Value::String(text.replace(ID, &plain(id).unwrap_or_default())),
        Value::Array(items) => items.into_iter().map(|item| fill(item, id)).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, fill(value, id))).collect(),
        other => other,
    }
}

fn mentions_id(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(ID),
        Value::Array(items) => items.iter().any(mentions_id),
        Value::Object(entries) => entries.values().any(mentions_id),
        _ => false,
    }
}

/// Adds what is wrong with an integration's `confirm:`; `push` is the checked URL of the push, where it has one.
pub(super) fn check(form: &IntegrationForm, push: Option<&Url>, faults: &mut Vec<Fault>) {
    let Some(confirm) = &form.confirm else { return };
    let mut found = Vec::new();
    check_url(form, confirm, push, &mut found);
    rules::header_lines(&confirm.headers, &mut found);
    question(confirm, &mut found);
    outcomes(confirm, &mut found);
    pace(form, confirm, &mut found);
    faults.extend(found.into_iter().map(|fault| fault.under("confirm")));
}

fn check_url(form: &IntegrationForm, confirm: &ConfirmForm, push: Option<&Url>, faults: &mut Vec<Fault>) {
    let example = "write it as https://DOMAIN/ACCOUNT/…, with {id} where the import's number belongs";
    let (Some(one), Some(two)) = (confirm.url_for("1"), confirm.url_for("2")) else {
        faults.push(Fault::error(&["url"], "this is not a URL", example));
        return;
    };
    let before = faults.len();
    rules::transport(&one, form.allow_http, example, faults);
    if one.fragment().is_some() {
        faults.push(Fault::error(&["url"], "the URL has a fragment, which is never sent", example));
    }
    let place = |url: &Url| (url.origin(), super::Account::of(url));
    if place(&one) != place(&two) {
        let what = "the import's number would decide which host or account is asked";
        faults.push(Fault::error(&["url"], what, "put {id} behind the account, or into the query"));
        return;
    }
    if faults.len() > before {
        return;
    }
    let Some(push) = push.filter(|push| place(push) != place(&one)) else { return };
    let elsewhere = format!(
        "the status would be asked of {}, not of the account {}",
        super::Account::of(&one),
        super::Account::of(push)
    );
    if form.kind == Kind::Seisan {
        faults.push(Fault::error(
            &["url"],
            elsewhere,
            "the status API counts against the account's requests: use its own host and account",
        ));
    } else if confirm.headers.is_empty() {
        let fix = "write the headers here: those of the integration are not shown to another host or account";
        faults.push(Fault::error(&["url"], elsewhere, fix));
    } else {
        let fix = "its requests use the request slots of the integration's account";
        faults.push(Fault::warning(&["url"], elsewhere, fix));
    }
}

fn question(confirm: &ConfirmForm, faults: &mut Vec<Fault>) {
    if confirm.method == Method::Get && !confirm.body.is_empty() {
        faults.push(Fault::error(&["body"], "a GET has no body", "write method: post, or put {id} into the URL"));
    }
    let body = confirm.body.values().any(mentions_id);
    if !confirm.url.contains(ID) && !body {
        let fix = "put {id} into the URL, or into a text of the body, as in body: { importId: \"{id}\" }";
        faults.push(Fault::error(&[], "the import's number is not part of the question", fix));
    }
    for (name, value) in &confirm.body {
        if names_a_secret(name) && matches!(value, Value::String(text) if !text.contains(ID)) {
            let what = format!("{name} looks like a secret, and the body is stored and shown in clear");
            let fix = "send it in a header: headers are kept as references or sealed";
            faults.push(Fault::error(&["body", name], what, fix));
        }
    }
    if let Some((name, _)) =
        Url::parse(confirm.url.trim()).ok().iter().flat_map(Url::query_pairs).find(|(name, _)| names_a_secret(name))
    {
        let what = format!("the URL's {name} looks like a secret, and URLs are stored and shown in clear");
        faults.push(Fault::error(&["url"], what, "send it in a header: headers are kept as references or sealed"));
    }
}

fn outcomes(confirm: &ConfirmForm, faults: &mut Vec<Fault>) {
    let mut all = confirm.outcomes();
    for (index, (name, condition)) in all.iter().enumerate() {
        for (other, earlier) in &all[..index] {
            if condition.meets(earlier) {
                let what = format!("one answer would say both {other} and {name}");
                faults.push(Fault::error(&[name, "is"], what, "give each its own values; `imported` tells partial from failed where the receiver has one word for both"));
            }
        }
    }
    all.extend(confirm.finished.as_ref().map(|condition| ("finished", condition)));
    for (name, condition) in all {
        if condition.is.is_empty() || condition.is.iter().any(|value| plain(value).is_none()) {
            let fix = "write what stands there then, as in is: completed, or is: [done, ok]";
            faults.push(Fault::error(&[name, "is"], "a value is missing, or is no text, number or truth", fix));
        }
    }
    if confirm.partial.is_some() && confirm.rows.is_none() && confirm.imported.is_none() {
        let fix = "add rows: or imported:, so that it can be told how much is missing";
        faults.push(Fault::error(&["partial"], "a partial import could not be counted", fix));
    }
    if confirm.rows.as_ref().is_some_and(|rows| rows.key.is_none() && rows.line.is_none()) {
        let fix = "add key: or line:, a pointer that starts at one row";
        faults.push(Fault::error(&["rows"], "neither key nor line tells one refused row from another", fix));
    }
}

fn pace(form: &IntegrationForm, confirm: &ConfirmForm, faults: &mut Vec<Fault>) {
    let (interval, limit) = (confirm.interval, confirm.limit);
    if interval.is_zero() {
        faults.push(Fault::error(&["interval"], "the interval is zero", "give it seconds, as in 30s"));
    } else if 60 / interval.as_secs().max(1) >= form.limits.requests_per_minute.max(1) {
        let what = "asking so often can use up the account's requests of a minute";
        faults.push(Fault::warning(
            &["interval"],
            what,
            "the push waits for the same request slots: write 30s or more",
        ));
    }
    if limit < interval {
        faults.push(Fault::error(
            &["limit"],
            "the limit is shorter than the interval",
            "give it an hour, say: limit: 1h",
        ));
    } else if limit > LONGEST {
        faults.push(Fault::error(&["limit"], format!("the limit is above {LONGEST}"), "lower it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(more: Value) -> ConfirmForm {
        let mut form = json!({
            "url": "https://example.jp/acme/status?n={id}", "id": "/items/importId", "body": { "importId": "{id}" },
            "success": { "at": "/s", "is": ["ok"] }, "failure": { "at": "/s", "is": ["no"] },
        });
        for (key, value) in more.as_object().unwrap() {
            form[key] = value.clone();
        }
        serde_json::from_value(form).unwrap()
    }

    #[test]
    fn a_number_cannot_lead_the_question_elsewhere() {
        let form = form(json!({ "url": "https://example.jp/acme/status/{id}" }));
        assert_eq!(
            form.url_for("1/../x?y#z").unwrap().as_str(),
            "https://example.jp/acme/status/1%2F%2E%2E%2Fx%3Fy%23z"
        );
        assert_eq!(form.url_for(".."), None);
    }

    #[test]
    fn the_body_keeps_the_numbers_own_type() {
        let form = form(json!({ "body": { "a": "{id}", "b": ["no-{id}", 1] } }));
        assert_eq!(form.body_for(&json!(7)).unwrap(), r#"{"a":7,"b":["no-7",1]}"#);
        assert_eq!(form.body_for(&json!("7\"")).unwrap(), r#"{"a":"7\"","b":["no-7\"",1]}"#);
    }

    #[test]
    fn only_a_text_or_number_of_sensible_length_names_an_import() {
        let form = form(json!({}));
        let id = |value: Value| form.id_in(&json!({ "items": { "importId": value } }));
        assert_eq!((id(json!("12")), id(json!(12))), (Some(json!("12")), Some(json!(12))));
        for value in [json!(null), json!(""), json!(["1"]), json!("x".repeat(201)), json!("a\nb")] {
            assert_eq!(id(value), None);
        }
        assert_eq!(form.id_in(&json!({})), None);
    }

    #[test]
    fn a_pointer_is_read_or_refused() {
        for text in ["", "/", "/a/0", "/a~1b/~0"] {
            assert_eq!(Pointer::parse(text).unwrap().to_string(), text);
        }
        for text in ["a", "items/0", "/a~2", "/a~"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_condition_takes_numbers_and_texts_alike() {
        let condition: Condition = serde_json::from_value(json!({ "at": "/code", "is": [200, "ok"] })).unwrap();
        for (answer, holds) in [
            (json!({"code": "200"}), true),
            (json!({"code": 200}), true),
            (json!({"code": null}), false),
            (json!([]), false),
        ] {
            assert_eq!(condition.holds(&answer), holds, "{answer}");
        }
    }
}
