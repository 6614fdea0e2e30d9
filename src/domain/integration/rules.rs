//! The rules that make an integration right: the help page's for `kind: seisan`, and those of any HTTP request.

use super::{Account, Charset, Integration, IntegrationForm, Kind, Master, OnUnmappable};
use crate::domain::fault::{Checked, Fault, settle};
use crate::domain::label;
use crate::domain::secret::SecretText;
use serde_json::Value;
use url::Url;

/// The path behind an account (RAKUS help page).
const IMPORT_PATH: &str = "/api/v1/csvimport";

/// Whether a parameter's value means 1; the help page does not say whether numbers or strings are meant, so both do.
pub(super) fn is_one(value: &Value) -> bool {
    number(value) == Some(1)
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

pub(super) fn check(form: IntegrationForm) -> Checked<Integration> {
    let mut faults = Vec::new();
    faults.extend(label::check("name", &form.name));
    faults.extend(form.id.as_deref().and_then(|id| label::check("id", id)));
    let url = check_url(&form, &mut faults);
    headers(&form, &mut faults);
    csv(&form, &mut faults);
    limits(&form, &mut faults);
    recipients(&form, &mut faults);
    super::confirm::check(&form, url.as_ref(), &mut faults);
    if form.route.client_certificate.is_some() && form.kind == Kind::Seisan {
        faults.push(Fault::notice(
            &["route", "client_certificate"],
            "楽楽精算's own SSLクライアント認証 option excludes this import API; a client certificate here serves a gateway of yours only",
        ));
    }
    let master = if form.kind == Kind::Seisan { params(&form, &mut faults) } else { None };
    let id = form.id.clone().unwrap_or_else(|| form.name.clone());
    // Without a URL there is an error among the faults, so the placeholder never leaves this function.
    let Some(url) = url else { return Err(faults) };
    let account = Account::of(&url);
    settle(Integration { form, id, url, account, master }, faults)
}

fn check_url(form: &IntegrationForm, faults: &mut Vec<Fault>) -> Option<Url> {
    let refuse = |what: String, fix: &str| Fault::error(&["url"], what, fix);
    let example = "write it as https://DOMAIN/ACCOUNT/api/v1/csvimport";
    let mut url = match Url::parse(form.url.trim()) {
        Ok(url) => url,
        Err(error) => {
            faults.push(refuse(format!("this is not a URL: {error}"), example));
            return None;
        }
    };
    let before = faults.len();
    transport(&url, form.allow_http, example, faults);
    if form.kind == Kind::Seisan {
        if url.query().is_some() || url.fragment().is_some() {
            faults.push(refuse("the URL has a query or a fragment".into(), example));
        }
        complete(&mut url, faults, example);
    }
    (faults.len() == before
        || faults[before..].iter().all(|fault| fault.severity != crate::domain::fault::Severity::Error))
    .then_some(url)
}

/// What makes a URL one that a token may be sent to.
pub(super) fn transport(url: &Url, allow_http: bool, example: &str, faults: &mut Vec<Fault>) {
    let refuse = |what: String, fix: &str| Fault::error(&["url"], what, fix);
    if !url.username().is_empty() || url.password().is_some() {
        faults.push(refuse(
            "the URL has a user name or password in it".into(),
            "remove it: credentials belong in headers, as ${env:…} or ${file:…}",
        ));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => faults.push(refuse(
            "the URL is not https: the token would travel in clear".into(),
            "use https, or set allow_http: true to reach the sandbox",
        )),
        other => faults.push(refuse(format!("the URL's scheme is {other}"), example)),
    }
    if url.host_str().is_none_or(str::is_empty) {
        faults.push(refuse("the URL has no host".into(), example));
    }
}

/// Completes a login URL `https://DOMAIN/ACCOUNT` to the import URL, as the help page's note tells a person to do.
fn complete(url: &mut Url, faults: &mut Vec<Fault>, example: &str) {
    let parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => faults.push(Fault::error(&["url"], "the URL lacks the account", example)),
        [account] => {
            let path = format!("/{account}{IMPORT_PATH}");
            url.set_path(&path);
            // What was refused above, credentials among it, is not repeated in a message.
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let whole = format!("{}://{host}{port}{path}", url.scheme());
            faults.push(Fault::notice(&["url"], format!("the login URL was completed to {whole}")));
        }
        [_, "api", _, "csvimport"] if !url.path().ends_with('/') => {}
        _ => faults.push(Fault::warning(
            &["url"],
            "the path is not /ACCOUNT/api/v1/csvimport, which the help page names",
            "leave it if a gateway of yours rewrites it; else write https://DOMAIN/ACCOUNT/api/v1/csvimport",
        )),
    }
}

/// What is wrong with any header lines; gives their names in lower case.
pub(super) fn header_lines(headers: &[(String, SecretText)], faults: &mut Vec<Fault>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in headers {
        let path = ["headers", name.as_str()];
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
            faults.push(Fault::error(&path, format!("{name:?} is no header name"), "use letters, digits and hyphens"));
        }
        let lower = name.to_ascii_lowercase();
        if ["host", "content-length", "transfer-encoding", "connection"].contains(&lower.as_str()) {
            faults.push(Fault::error(&path, format!("{name} is set by the HTTP client itself"), "remove this header"));
        }
        if seen.contains(&lower) {
            faults.push(Fault::error(&path, format!("the header {name} is given twice"), "keep one of them"));
        }
        seen.push(lower);
        if value.is_empty() {
            faults.push(Fault::error(&path, format!("the header {name} is empty"), "give it a value"));
        }
        if value.as_literal().is_some_and(|text| !text.bytes().all(|b| (0x20..0x7f).contains(&b))) {
            faults.push(Fault::error(
                &path,
                format!("the header {name} has a character that HTTP does not carry"),
                "use printable ASCII in one line",
            ));
        }
    }
    seen
}

fn headers(form: &IntegrationForm, faults: &mut Vec<Fault>) {
    let seen = header_lines(&form.headers, faults);
    if form.kind != Kind::Seisan {
        return;
    }
    let has = |wanted: &str| seen.iter().any(|name| name == wanted);
    if !has("x-rs-apitoken") {
        faults.push(Fault::error(
            &["headers"],
            "the header X-RS-apitoken is missing",
            "add X-RS-apitoken: \"${env:SEISAN_TOKEN}\"; 楽楽精算's admin user issues the token",
        ));
    }
    if !has("content-type") {
        faults.push(Fault::error(
            &["headers"],
            "the header Content-Type is missing",
            "add Content-Type: \"multipart/form-data;\"",
        ));
    }
    let typed = form.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some((name, value)) = typed
        && value.as_literal().is_some_and(|text| !text.trim().to_ascii_lowercase().starts_with("multipart/form-data"))
    {
        faults.push(Fault::error(
            &["headers", name],
            "the Content-Type is not multipart/form-data",
            "write \"multipart/form-data;\"; the boundary is added by renkei",
        ));
    }
}

fn csv(form: &IntegrationForm, faults: &mut Vec<Fault>) {
    for (path, text) in [(["body", "name"], &form.body.name), (["csv", "name"], &form.csv.name)] {
        if text.is_empty() {
            let usual = if path[0] == "body" { "json" } else { "uploadFile" };
            faults.push(Fault::error(&path, "the part's name is empty", format!("the help page says {usual}")));
        } else if text.chars().any(|c| c.is_control() || c == '"') {
            faults.push(Fault::error(&path, "the part's name holds a quote or control character", "use letters"));
        }
    }
    if form.body.name == form.csv.name {
        faults.push(Fault::error(
            &["csv", "name"],
            "both parts have the same name",
            "the help page says json and uploadFile",
        ));
    }
    if let OnUnmappable::Substitute(mark) = &form.csv.unmappable
        && (mark.is_empty() || mark.chars().any(char::is_control))
    {
        faults.push(Fault::error(
            &["csv", "unmappable"],
            "the substitute mark is empty",
            "write substitute: \"〓\", say",
        ));
    }
    if form.kind == Kind::Seisan {
        if !form.csv.header {
            faults.push(Fault::warning(
                &["csv", "header"],
                "without a header line the receiver cannot match columns by name",
                "set header: true",
            ));
        }
        if form.csv.charset != Charset::Sjis {
            faults.push(Fault::warning(&["csv", "charset"], "the help page says SJIS", "set charset: sjis"));
        }
    }
}

fn limits(form: &IntegrationForm, faults: &mut Vec<Fault>) {
    let limits = form.limits;
    let lowest_lines = 1 + u64::from(form.csv.header);
    for (field, value, lowest) in [
        ("requests_per_minute", u64::from(limits.requests_per_minute), 1),
        ("file_bytes", limits.file_bytes, 1_000),
        ("file_lines", limits.file_lines, lowest_lines),
    ] {
        if value < lowest {
            faults.push(Fault::error(&["limits", field], format!("{field} {value} is below {lowest}"), "raise it"));
        }
    }
    if limits.requests_per_minute > 100_000 {
        faults.push(Fault::error(&["limits", "requests_per_minute"], "more than 100000 a minute", "lower it"));
    }
    if form.kind == Kind::Seisan && !form.allow_http {
        let default = super::Limits::default();
        if limits.requests_per_minute > default.requests_per_minute
            || limits.file_bytes > default.file_bytes
            || limits.file_lines > default.file_lines
        {
            faults.push(Fault::warning(
                &["limits"],
                "a limit is above the one that RAKUS names (20 requests a minute, 5 MB, 50,000 lines)",
                "raise it only after RAKUS has agreed",
            ));
        }
    }
    for (field, span) in
        [("connect", form.timeouts.connect), ("request", form.timeouts.request), ("idle", form.timeouts.idle)]
    {
        if span.as_secs() == 0 {
            faults.push(Fault::error(
                &["timeouts", field],
                format!("the {field} time-out is zero"),
                "give it seconds, as in 30s",
            ));
        }
    }
}

fn recipients(form: &IntegrationForm, faults: &mut Vec<Fault>) {
    for (index, address) in form.to.iter().enumerate() {
        if !crate::domain::user::is_address(address) {
            let index = index.to_string();
            faults.push(Fault::error(
                &["to", &index],
                format!("{address:?} is no mail address"),
                "write name@example.jp",
            ));
        }
    }
}

/// The parameters of `kind: seisan` (RAKUS help page).
fn params(form: &IntegrationForm, faults: &mut Vec<Fault>) -> Option<Master> {
    let params = &form.params;
    for (name, value) in params {
        if !matches!(value, Value::Number(_) | Value::String(_)) {
            faults.push(Fault::error(
                &["params", name],
                format!("{name} is neither a number nor a text"),
                "write 0 or 1",
            ));
        }
        if !["masterId", "duplicateKey", "sendPasswordEmail", "createCategory"].contains(&name.as_str()) {
            faults.push(Fault::warning(
                &["params", name],
                format!("the help page knows no parameter {name}"),
                "it is sent as written; remove it if it is a slip of the pen",
            ));
        }
    }
    let flag = |name: &str, faults: &mut Vec<Fault>| -> Option<bool> {
        let value = params.get(name)?;
        match number(value) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => {
                faults.push(Fault::error(&["params", name], format!("{name} is {value}"), "write 0 or 1"));
                None
            }
        }
    };
    let duplicate = flag("duplicateKey", faults);
    let password = flag("sendPasswordEmail", faults);
    let category = flag("createCategory", faults);
    let known = "0 社員, 1 部門, 2 役職, 3 支払先, 4 プロジェクト, 18 承認者の設定, 81 to 85 汎用マスタ1 to 5";
    let Some(id) = params.get("masterId") else {
        faults.push(Fault::error(&["params"], "masterId is missing", format!("add masterId: {known}")));
        return None;
    };
    let Some(master) = number(id).and_then(Master::from_id) else {
        if form.allow_unknown_master && number(id).is_some() {
            faults.push(Fault::warning(
                &["params", "masterId"],
                format!("masterId {id} is not known to this version: its parameters are sent unchecked"),
                "",
            ));
        } else {
            let fix = format!("choose one of {known}; allow_unknown_master: true lets a new one through");
            faults.push(Fault::error(&["params", "masterId"], format!("masterId {id} is no known master"), fix));
        }
        return None;
    };
    if master.only_updates() {
        if duplicate == Some(false) {
            faults.push(Fault::error(
                &["params", "duplicateKey"],
                format!("{master} takes duplicateKey 1 only"),
                "write 1",
            ));
        }
    } else if duplicate != Some(true) && !faults.iter().any(|fault| fault.path == ["params", "duplicateKey"]) {
        let at: &[&str] = if duplicate.is_some() { &["params", "duplicateKey"] } else { &["params"] };
        faults.push(Fault::warning(
            at,
            "records that exist already are skipped, not updated (duplicateKey 0, the default)",
            "write duplicateKey: 1 if changes should arrive; note that it overwrites what was edited in 楽楽精算",
        ));
    }
    for (name, value, applies, where_it_does) in [
        ("sendPasswordEmail", password, master.sends_passwords(), "masterId 0 (社員マスタ)"),
        ("createCategory", category, master.has_categories(), "masterId 3, 4 and 81 to 85"),
    ] {
        match (value, applies) {
            (Some(true), false) => faults.push(Fault::error(
                &["params", name],
                format!("{name} 1 has no effect on {master}"),
                format!("remove it: it works on {where_it_does} only"),
            )),
            (Some(false), false) => faults.push(Fault::warning(
                &["params", name],
                format!("{name} 0 has no effect on {master}"),
                format!("remove it: it works on {where_it_does} only"),
            )),
            _ => {}
        }
    }
    Some(master)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
