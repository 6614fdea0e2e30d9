//! An integration as written.

use super::desk::Desk;
use crate::domain::integration::{
    BodyForm, BodyFormat, Charset, CsvForm, IntegrationForm, Kind, Limits, OnUnmappable, ReportPolicy, Route, Timeouts,
};
use crate::settings::keys;
use crate::yaml::{self, Node, Scalar, Value as Tree};
use serde_json::{Map, Number, Value};

/// Reads an integration; `None` when it is no map at all.
pub(in crate::settings) fn integration(desk: &mut Desk<'_>, node: &Node) -> Option<IntegrationForm> {
    let fields = desk.fields(node, "an integration", keys::INTEGRATION)?;
    let name = desk.needed(&fields, "name", "name: 社員マスタ連携", Desk::text);
    let url_example = "url: https://DOMAIN/ACCOUNT/api/v1/csvimport";
    Some(IntegrationForm {
        name: name.unwrap_or_default(),
        id: desk.field(&fields, "id", Desk::text),
        kind: desk
            .field(&fields, "kind", |desk, node| {
                desk.choice(node, &[("seisan", Kind::Seisan), ("generic", Kind::Generic)])
            })
            .unwrap_or_default(),
        url: desk.needed(&fields, "url", url_example, Desk::text).unwrap_or_default(),
        headers: desk.field(&fields, "headers", headers).unwrap_or_default(),
        body: desk.field(&fields, "body", body).unwrap_or_default(),
        params: desk.field(&fields, "params", params).unwrap_or_default(),
        csv: desk.field(&fields, "csv", csv).unwrap_or_default(),
        limits: desk.field(&fields, "limits", limits).unwrap_or_default(),
        timeouts: desk.field(&fields, "timeouts", timeouts).unwrap_or_default(),
        route: desk.field(&fields, "route", route).unwrap_or_default(),
        retry_for: desk.field(&fields, "retry_for", Desk::span).unwrap_or(crate::domain::duration::Span::hours(1)),
        repeat_safe: desk.field(&fields, "repeat_safe", Desk::flag),
        report: desk.field(&fields, "report", report).unwrap_or_default(),
        to: desk.field(&fields, "to", |desk, node| desk.list(node, "[it@example.jp]", Desk::text)).unwrap_or_default(),
        confirm: desk.field(&fields, "confirm", super::confirm::confirm),
        allow_unknown_master: desk.field(&fields, "allow_unknown_master", Desk::flag).unwrap_or_default(),
        allow_http: desk.field(&fields, "allow_http", Desk::flag).unwrap_or_default(),
    })
}

/// The entries of a map whose keys are free.
pub(super) fn pairs<'a, T>(
    desk: &mut Desk<'a>,
    node: &Node,
    of: &str,
    mut read: impl FnMut(&mut Desk<'a>, &Node) -> Option<T>,
) -> Option<Vec<(String, T)>> {
    let Tree::Map(entries) = &node.value else {
        desk.refuse(node.place, format!("here stands {}, not {of}", node.kind()), "write KEY: VALUE, one a line");
        return None;
    };
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let value = desk.under(&entry.key, |desk| read(desk, &entry.value));
        all.extend(value.map(|value| (entry.key.clone(), value)));
    }
    Some(all)
}

pub(super) fn headers(desk: &mut Desk<'_>, node: &Node) -> Option<Vec<(String, crate::domain::secret::SecretText)>> {
    pairs(desk, node, "HTTP headers", Desk::secret)
}

fn body(desk: &mut Desk<'_>, node: &Node) -> Option<BodyForm> {
    let fields = desk.fields(node, "the body", keys::BODY)?;
    let default = BodyForm::default();
    Some(BodyForm {
        format: desk
            .field(&fields, "format", |desk, node| desk.choice(node, &[("json", BodyFormat::Json)]))
            .unwrap_or(default.format),
        name: desk.field(&fields, "name", Desk::text).unwrap_or(default.name),
    })
}

pub(super) fn params(desk: &mut Desk<'_>, node: &Node) -> Option<Map<String, Value>> {
    Some(pairs(desk, node, "parameters", param)?.into_iter().collect())
}

/// A parameter with the JSON type that was written.
pub(super) fn param(desk: &mut Desk<'_>, node: &Node) -> Option<Value> {
    match &node.value {
        Tree::Scalar(scalar) => scalar_param(desk, node, scalar),
        Tree::List(_) => desk.list(node, "[1, 2]", param).map(Value::Array),
        Tree::Map(_) => params(desk, node).map(Value::Object),
    }
}

fn scalar_param(desk: &mut Desk<'_>, node: &Node, scalar: &Scalar) -> Option<Value> {
    if scalar.is_null() {
        return Some(Value::Null);
    }
    if let Some(truth) = scalar.truth() {
        return Some(Value::Bool(truth));
    }
    let written = yaml::short(&scalar.text);
    let mut refuse = |what: String, fix: &str| {
        desk.refuse(node.place, what, fix);
        None
    };
    if scalar.has_leading_zeros() {
        let fix = "put it into quotes to send the text, or write the number without the zeros";
        return refuse(format!("{written} is a number whose leading zeros would be lost"), fix);
    }
    if let Some(number) = scalar.integer() {
        let number = i64::try_from(number).map(Number::from).or_else(|_| u64::try_from(number).map(Number::from));
        return match number {
            Ok(number) => Some(Value::Number(number)),
            Err(_) => refuse(format!("{written} is too large for a number"), "put it into quotes to send the text"),
        };
    }
    if scalar.is_number() {
        return match scalar.text.parse().ok().and_then(Number::from_f64) {
            Some(number) => Some(Value::Number(number)),
            None => refuse(format!("{written} is too large for a number"), "put it into quotes to send the text"),
        };
    }
    Some(Value::String(scalar.text.clone()))
}

fn csv(desk: &mut Desk<'_>, node: &Node) -> Option<CsvForm> {
    let fields = desk.fields(node, "the CSV", keys::CSV)?;
    let default = CsvForm::default();
    let charsets = [("sjis", Charset::Sjis), ("utf8", Charset::Utf8), ("utf8-bom", Charset::Utf8Bom)];
    Some(CsvForm {
        name: desk.field(&fields, "name", Desk::text).unwrap_or(default.name),
        header: desk.field(&fields, "header", Desk::flag).unwrap_or(default.header),
        charset: desk.field(&fields, "charset", |desk, node| desk.choice(node, &charsets)).unwrap_or_default(),
        unmappable: desk.field(&fields, "unmappable", unmappable).unwrap_or_default(),
        replacements: desk
            .field(&fields, "replacements", |desk, node| pairs(desk, node, "replacements", Desk::text))
            .unwrap_or_default(),
    })
}

fn unmappable(desk: &mut Desk<'_>, node: &Node) -> Option<OnUnmappable> {
    match &node.value {
        Tree::Scalar(scalar) if scalar.text == "substitute" => {
            let fix = "write unmappable: { substitute: \"〓\" }";
            desk.refuse(node.place, "the mark to substitute is missing", fix);
            None
        }
        Tree::Map(_) => {
            let fields = desk.fields(node, "unmappable", keys::UNMAPPABLE)?;
            let mark = desk.needed(&fields, "substitute", "substitute: \"〓\"", Desk::text)?;
            Some(OnUnmappable::Substitute(mark))
        }
        _ => {
            let skip = desk.choice(node, &[("reject", false), ("skip-row", true), ("substitute", false)])?;
            Some(if skip { OnUnmappable::SkipRow } else { OnUnmappable::Reject })
        }
    }
}

fn limits(desk: &mut Desk<'_>, node: &Node) -> Option<Limits> {
    let fields = desk.fields(node, "the limits", keys::LIMITS)?;
    let default = Limits::default();
    Some(Limits {
        requests_per_minute: desk
            .field(&fields, "requests_per_minute", Desk::number)
            .unwrap_or(default.requests_per_minute),
        file_bytes: desk.field(&fields, "file_bytes", Desk::number).unwrap_or(default.file_bytes),
        file_lines: desk.field(&fields, "file_lines", Desk::number).unwrap_or(default.file_lines),
    })
}

fn timeouts(desk: &mut Desk<'_>, node: &Node) -> Option<Timeouts> {
    let fields = desk.fields(node, "the time-outs", keys::TIMEOUTS)?;
    let default = Timeouts::default();
    Some(Timeouts {
        connect: desk.field(&fields, "connect", Desk::span).unwrap_or(default.connect),
        request: desk.field(&fields, "request", Desk::span).unwrap_or(default.request),
        idle: desk.field(&fields, "idle", Desk::span).unwrap_or(default.idle),
    })
}

fn route(desk: &mut Desk<'_>, node: &Node) -> Option<Route> {
    let fields = desk.fields(node, "the route", keys::ROUTE)?;
    Some(Route {
        proxy: desk.field(&fields, "proxy", Desk::secret),
        ca_file: desk.field(&fields, "ca_file", Desk::file),
        client_certificate: desk.field(&fields, "client_certificate", Desk::file),
    })
}

fn report(desk: &mut Desk<'_>, node: &Node) -> Option<ReportPolicy> {
    let number: u8 = desk.number(node)?;
    match ReportPolicy::try_from(number) {
        Ok(policy) => Some(policy),
        Err(what) => {
            let fix = "0 none, 1 actor, 2 administrator, 3 actor on errors, 4 administrator on errors";
            desk.refuse(node.place, what, fix);
            None
        }
    }
}
