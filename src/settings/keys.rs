//! Every key that a settings file may hold. The decoders read by these lists, so that the settings reference can be
//! tested against what is really understood.

pub(super) const FILE: &[&str] = &["integrations", "menus", "timers", "calendar"];
pub(super) const INTEGRATION: &[&str] = &[
    "name",
    "id",
    "kind",
    "url",
    "headers",
    "body",
    "params",
    "csv",
    "limits",
    "timeouts",
    "route",
    "retry_for",
    "repeat_safe",
    "report",
    "to",
    "confirm",
    "allow_unknown_master",
    "allow_http",
];
pub(super) const BODY: &[&str] = &["format", "name"];
pub(super) const CSV: &[&str] = &["name", "header", "charset", "unmappable", "replacements"];
pub(super) const UNMAPPABLE: &[&str] = &["substitute"];
pub(super) const LIMITS: &[&str] = &["requests_per_minute", "file_bytes", "file_lines"];
pub(super) const TIMEOUTS: &[&str] = &["connect", "request", "idle"];
pub(super) const ROUTE: &[&str] = &["proxy", "ca_file", "client_certificate"];
pub(super) const CONFIRM: &[&str] = &[
    "url", "method", "headers", "body", "id", "finished", "success", "failure", "partial", "imported", "rows",
    "interval", "limit",
];
/// Of `finished`, `success`, `failure` and `partial` alike.
pub(super) const CONDITION: &[&str] = &["at", "is"];
pub(super) const CONFIRM_ROWS: &[&str] = &["at", "key", "line", "column", "reason"];
pub(super) const MENU: &[&str] =
    &["name", "id", "source", "key", "columns", "where", "order_by", "bad_rows", "checks", "integrations"];
pub(super) const SOURCE: &[&str] = &["records", "csv", "jsonl"];
pub(super) const RECORDS_SOURCE: &[&str] = &["most_rows"];
pub(super) const CSV_SOURCE: &[&str] =
    &["path", "charset", "delimiter", "quote", "columns", "max_age", "wait_until", "completion", "most_rows"];
pub(super) const JSONL_SOURCE: &[&str] =
    &["path", "charset", "columns", "max_age", "wait_until", "completion", "most_rows"];
/// In the order in which the steps apply.
pub(super) const COLUMN: &[&str] = &[
    "header",
    "field",
    "constant",
    "concat",
    "between",
    "trim",
    "collapse_spaces",
    "default",
    "replace",
    "case",
    "width",
    "kana",
    "date",
    "pad",
    "max_chars",
    "max_bytes",
    "on_long",
    "required",
    "pattern",
    "unique",
];
pub(super) const REPLACE: &[&str] = &["map", "otherwise"];
pub(super) const OTHERWISE: &[&str] = &["text"];
pub(super) const PAD: &[&str] = &["to", "with", "side"];
pub(super) const DATE: &[&str] = &["from", "to"];
/// Of `where`.
pub(super) const CONDITION_OF_ROWS: &[&str] = &["field", "is", "is_not", "in", "empty"];
pub(super) const ORDER_BY: &[&str] = &["header", "numeric", "descending"];
pub(super) const CHECKS: &[&str] = &["empty", "duplicate_keys", "missing_column"];
pub(super) const TIMER: &[&str] = &[
    "name",
    "id",
    "menu",
    "integration",
    "switch",
    "priority",
    "schedule",
    "timezone",
    "misfire",
    "catch_up_within",
    "overlap",
    "until",
    "after",
    "after_partial",
    "settle",
    "start_by",
    "time_limit",
    "ping",
];
pub(super) const SCHEDULE: &[&str] =
    &["once", "daily", "weekly", "monthly", "every", "between", "cron", "business_day"];
pub(super) const WEEKLY: &[&str] = &["on", "at"];
pub(super) const MONTHLY: &[&str] = &["day", "nth_business_day", "at", "months"];
pub(super) const CALENDAR: &[&str] = &["weekend", "public_holidays", "closed", "working"];
pub(super) const DAYS: &[&str] = &["on", "from", "to", "name"];

/// Keys that are designed and not built yet: named in a clear fault instead of "unknown".
pub(super) const LATER: &[&str] = &[];
/// Sources that are designed and not built yet.
pub(super) const LATER_SOURCES: &[&str] = &["xlsx", "sql", "hanbai", "http", "command"];

/// Every key as a path, such as `integrations[].csv.charset`, in the order of the settings reference.
#[must_use]
pub fn keys() -> Vec<String> {
    let tables: [(&str, &[&str]); 31] = [
        ("", FILE),
        ("integrations[].", INTEGRATION),
        ("integrations[].body.", BODY),
        ("integrations[].csv.", CSV),
        ("integrations[].csv.unmappable.", UNMAPPABLE),
        ("integrations[].limits.", LIMITS),
        ("integrations[].timeouts.", TIMEOUTS),
        ("integrations[].route.", ROUTE),
        ("integrations[].confirm.", CONFIRM),
        ("integrations[].confirm.success.", CONDITION),
        ("integrations[].confirm.rows.", CONFIRM_ROWS),
        ("menus[].", MENU),
        ("menus[].source.", SOURCE),
        ("menus[].source.records.", RECORDS_SOURCE),
        ("menus[].source.csv.", CSV_SOURCE),
        ("menus[].source.jsonl.", JSONL_SOURCE),
        ("menus[].columns[].", COLUMN),
        ("menus[].columns[].replace.", REPLACE),
        ("menus[].columns[].replace.otherwise.", OTHERWISE),
        ("menus[].columns[].date.", DATE),
        ("menus[].columns[].pad.", PAD),
        ("menus[].where[].", CONDITION_OF_ROWS),
        ("menus[].order_by[].", ORDER_BY),
        ("menus[].checks.", CHECKS),
        ("timers[].", TIMER),
        ("timers[].schedule.", SCHEDULE),
        ("timers[].schedule.weekly.", WEEKLY),
        ("timers[].schedule.monthly.", MONTHLY),
        ("calendar.", CALENDAR),
        ("calendar.closed[].", DAYS),
        ("calendar.working[].", DAYS),
    ];
    tables.into_iter().flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}{name}"))).collect()
}
