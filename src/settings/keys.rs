//! Every key that a settings file may hold. The decoders read by these lists, so that the settings reference can be
//! tested against what is really understood.

pub(super) const FILE: &[&str] = &["integrations", "menus", "timers"];
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
pub(super) const MENU: &[&str] =
    &["name", "id", "source", "key", "columns", "order_by", "bad_rows", "checks", "integrations"];
pub(super) const SOURCE: &[&str] = &["records", "csv"];
pub(super) const CSV_SOURCE: &[&str] =
    &["path", "charset", "delimiter", "quote", "columns", "max_age", "wait_until", "completion"];
pub(super) const COLUMN: &[&str] =
    &["header", "field", "constant", "trim", "required", "width", "kana", "date", "max_chars", "max_bytes", "on_long"];
pub(super) const DATE: &[&str] = &["from", "to"];
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
    "ping",
];
pub(super) const SCHEDULE: &[&str] = &["once", "daily", "weekly", "monthly", "every", "between", "cron"];
pub(super) const WEEKLY: &[&str] = &["on", "at"];
pub(super) const MONTHLY: &[&str] = &["day", "at", "months"];

/// Keys that are designed and not built yet: named in a clear fault instead of "unknown".
pub(super) const LATER: &[&str] =
    &["after", "after_partial", "business_day", "start_by", "time_limit", "settle", "confirm"];
/// Sources that are designed and not built yet.
pub(super) const LATER_SOURCES: &[&str] = &["xlsx", "sql", "hanbai", "http", "command"];

/// Every key as a path, such as `integrations[].csv.charset`, in the order of the settings reference.
#[must_use]
pub fn keys() -> Vec<String> {
    let tables: [(&str, &[&str]); 19] = [
        ("", FILE),
        ("integrations[].", INTEGRATION),
        ("integrations[].body.", BODY),
        ("integrations[].csv.", CSV),
        ("integrations[].csv.unmappable.", UNMAPPABLE),
        ("integrations[].limits.", LIMITS),
        ("integrations[].timeouts.", TIMEOUTS),
        ("integrations[].route.", ROUTE),
        ("menus[].", MENU),
        ("menus[].source.", SOURCE),
        ("menus[].source.csv.", CSV_SOURCE),
        ("menus[].columns[].", COLUMN),
        ("menus[].columns[].date.", DATE),
        ("menus[].order_by[].", ORDER_BY),
        ("menus[].checks.", CHECKS),
        ("timers[].", TIMER),
        ("timers[].schedule.", SCHEDULE),
        ("timers[].schedule.weekly.", WEEKLY),
        ("timers[].schedule.monthly.", MONTHLY),
    ];
    tables.into_iter().flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}{name}"))).collect()
}

/// The known word that somebody probably meant: full-width letters and capitals are folded, and up to a third of the
/// letters may be wrong.
pub(super) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    use unicode_normalization::UnicodeNormalization;
    let fold = |text: &str| -> Vec<char> {
        let letters = text.nfkc().flat_map(char::to_lowercase).take(64);
        letters.map(|c| if c == '-' { '_' } else { c }).collect()
    };
    let written = fold(written);
    known
        .iter()
        .map(|word| (distance(&written, &fold(word)), *word))
        .filter(|(distance, word)| *distance <= word.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Letters to change, add, drop or swap.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *b && right[j - 1] == *a {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}
