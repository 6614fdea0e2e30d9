//! What the receiver's answer means: the decision `classify`, which reads one table ([`FORMS`]), and what follows from
//! each verdict, which is another; docs/states.md is written from both. The facts behind them: during maintenance every API answers 200 with an HTML page whose first line says 503 (RAKUS help
//! page); success and error bodies look like the sister API's (public client code). An unreadable body is never
//! taken for success.

use super::failure::Code;
use super::names::names;
use super::run::BatchState;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

names! {
    /// What became of one request.
    Verdict {
        /// The file was taken (受付済).
        Accepted = "accepted",
        /// The API's own error.
        Rejected = "rejected",
        /// The token was refused.
        DeniedToken = "denied-token",
        /// A proxy or an IP restriction stood in the way.
        DeniedRoute = "denied-route",
        /// The service is under maintenance.
        Maintenance = "maintenance",
        /// The service asked to slow down.
        Throttled = "throttled",
        /// No byte of the request was written.
        Unreachable = "unreachable",
        /// Bytes were sent, and no readable verdict came.
        Unknown = "unknown",
    }
}

/// What is done about a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on with the next batch.
    GoOn,
    /// The run cannot go on.
    Stop,
    /// Try again later, as long as `retry_for` allows.
    TryAgain,
    /// Try again later only where sending twice is harmless.
    TryAgainIfHarmless,
}

/// What follows from a verdict: one line of the second table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Consequence {
    batch: BatchState,
    next: Next,
    code: Option<Code>,
}

impl Verdict {
    /// The second table: a verdict, the batch's state after it, what is done, and the failure of a run that ends on it.
    const fn consequence(self) -> Consequence {
        let (batch, next, code) = match self {
            Self::Accepted => (BatchState::Accepted, Next::GoOn, None),
            Self::Rejected => (BatchState::Rejected, Next::Stop, Some(Code::Rejected)),
            Self::DeniedToken => (BatchState::NotTaken, Next::Stop, Some(Code::DeniedToken)),
            Self::DeniedRoute => (BatchState::NotTaken, Next::Stop, Some(Code::DeniedRoute)),
            Self::Maintenance => (BatchState::NotTaken, Next::TryAgain, Some(Code::Maintenance)),
            Self::Throttled => (BatchState::NotTaken, Next::TryAgain, Some(Code::Throttled)),
            Self::Unreachable => (BatchState::NotTaken, Next::TryAgain, Some(Code::Unreachable)),
            Self::Unknown => (BatchState::Unknown, Next::TryAgainIfHarmless, Some(Code::Unknown)),
        };
        Consequence { batch, next, code }
    }

    /// The state of a batch after it.
    #[must_use]
    pub fn batch_state(self) -> BatchState {
        self.consequence().batch
    }

    /// The state of a batch after it, where an earlier try may have been taken without anybody knowing (`doubted`): only
    /// an acceptance ends that doubt, whatever else a later try is told.
    #[must_use]
    pub fn batch_state_after(self, doubted: bool) -> BatchState {
        match self.batch_state() {
            BatchState::Accepted => BatchState::Accepted,
            _ if doubted => BatchState::Unknown,
            state => state,
        }
    }

    /// What is done about it.
    #[must_use]
    pub fn next(self) -> Next {
        self.consequence().next
    }

    /// The failure it stands for when the run ends on it.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        self.consequence().code
    }
}

/// What came back from one request, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Nothing was written: name, connect or TLS failed.
    NotSent,
    /// Something was written, and the answer did not come or not whole.
    Broken,
    /// An answer.
    Http {
        /// The status.
        status: u16,
        /// The body, bounded; `complete` says whether this is all of it.
        body: &'a [u8],
        /// Whether the whole body was read.
        complete: bool,
        /// Whether it came before the whole file had been sent.
        early: bool,
    },
}

/// What the table asks of an answer.
struct Facts {
    sent: bool,
    /// `None` where no whole head came.
    status: Option<u16>,
    maintenance: bool,
    /// The body is whole and is JSON.
    json: bool,
    /// What the JSON says of itself: success or error.
    said: Option<bool>,
    early: bool,
}

impl Facts {
    fn of(answer: &Answer<'_>) -> Self {
        let none = Self { sent: true, status: None, maintenance: false, json: false, said: None, early: false };
        match answer {
            Answer::NotSent => Self { sent: false, ..none },
            Answer::Broken => none,
            Answer::Http { status, body, complete, early } => {
                let json = complete.then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
                Self {
                    status: Some(*status),
                    maintenance: is_maintenance(body),
                    json: json.is_some(),
                    said: json.as_ref().and_then(said_status),
                    early: *early,
                    ..none
                }
            }
        }
    }

    fn is(&self, status: u16) -> bool {
        self.status == Some(status)
    }

    fn within(&self, hundred: u16) -> bool {
        self.status.is_some_and(|status| status / 100 == hundred)
    }
}

/// One line of the first table.
pub struct Form {
    /// The form of an answer, as the documentation says it.
    pub told: &'static str,
    fits: fn(&Facts) -> bool,
    /// What it means.
    pub verdict: Verdict,
}

macro_rules! forms {
    ($($told:literal, $fits:expr => $verdict:ident,)+) => {
        &[$(Form { told: $told, fits: $fits, verdict: Verdict::$verdict }),+]
    };
}

/// The first table: the forms of an answer in the order in which they are asked for. The first that fits is the
/// verdict, and the last fits always.
pub const FORMS: &[Form] = forms![
    "no byte of the request was written: name, connect, proxy or TLS failed (a wrong certificate, say)",
        |facts| !facts.sent => Unreachable,
    "none, or not a whole head of one: a reset, silence, a time-out, bytes that are no HTTP",
        |facts| facts.status.is_none() => Unknown,
    "any status with a body whose first line is `Status: 503 Maintenance mode`",
        |facts| facts.maintenance => Maintenance,
    "401", |facts| facts.is(401) => DeniedToken,
    "403 with JSON", |facts| facts.is(403) && facts.json => DeniedToken,
    "403 without JSON: a proxy or an IP restriction", |facts| facts.is(403) => DeniedRoute,
    // A proxy asks for its own password: nothing has reached the service.
    "407: a proxy asks for its own password", |facts| facts.is(407) => DeniedRoute,
    "429, with or without `Retry-After`", |facts| facts.is(429) => Throttled,
    // Whoever answered 4xx, service or gateway, says that it took nothing.
    "another 4xx", |facts| facts.within(4) => Rejected,
    "2xx whose whole body is JSON with the `status` error", |facts| facts.within(2) && facts.said == Some(false) => Rejected,
    // Whoever thanks for half a file has not read it.
    "2xx whose whole body is JSON with the `status` success, once the whole file was sent",
        |facts| facts.within(2) && facts.said == Some(true) && !facts.early => Accepted,
    "anything else: 3xx, 5xx, a 2xx with HTML, rubbish, half a body, one that does not end or unpacks without end, or a success that came before the whole file was sent",
        |_| true => Unknown,
];

/// Reads an answer.
#[must_use]
pub fn classify(answer: &Answer<'_>) -> Verdict {
    let facts = Facts::of(answer);
    FORMS.iter().find(|form| (form.fits)(&facts)).map_or(Verdict::Unknown, |form| form.verdict)
}

/// Whether a JSON answer says success (`true`), error (`false`), or neither. Codes may be texts or numbers.
fn said_status(json: &Value) -> Option<bool> {
    match json.get("status")?.as_str()?.to_ascii_lowercase().as_str() {
        "success" | "ok" => Some(true),
        "error" | "fail" | "failure" => Some(false),
        _ => None,
    }
}

/// The one line that tells maintenance (RAKUS help page).
fn is_maintenance(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    let line = body.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    line.trim_ascii().eq_ignore_ascii_case(b"Status: 503 Maintenance mode")
}

/// When to try again after the `attempt`-th failure (from 1): exponential from 5 s to 10 min, spread by `jitter`
/// (0.0 to 1.0) over the upper half so that many runs do not come back at once; never before the receiver's own
/// Retry-After.
#[must_use]
pub fn backoff(attempt: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let full =
        Duration::from_secs(5).saturating_mul(1 << attempt.saturating_sub(1).min(7)).min(Duration::from_secs(600));
    let spread = full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    retry_after.map_or(spread, |asked| asked.max(spread))
}

/// When to try again, if that is at most `retry_for` after the first trouble (`since`); see [`backoff`].
#[must_use]
pub fn try_again_at(
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    retry_for: Duration,
    attempt: u32,
    jitter: f64,
    retry_after: Option<Duration>,
) -> Option<DateTime<Utc>> {
    // A receiver may ask for an instant that no calendar holds.
    let until = now.checked_add_signed(TimeDelta::from_std(backoff(attempt, jitter, retry_after)).ok()?)?;
    let tried = (until - since).to_std().unwrap_or_default();
    (tried <= retry_for).then_some(until)
}

/// Sentences of the API's own error that tell which row and column (sister API's two shapes, public client code).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The error's code, as text.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.is_empty(), self.message.is_empty()) {
            (false, false) => write!(out, "{} ({})", self.message, self.code),
            (false, true) => out.write_str(&self.code),
            _ => out.write_str(&self.message),
        }
    }
}

/// The API's own error in a body, tolerantly: codes may be texts or numbers.
#[must_use]
pub fn api_error(body: &[u8]) -> Option<ApiError> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let errors = json.get("errors").unwrap_or(&json);
    let code =
        [errors.get("code"), json.get("code")].into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_default();
    let message = ["msg", "message"]
        .into_iter()
        .map(|key| text(errors.get(key)))
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let error = ApiError { code, message };
    (!error.code.is_empty() || !error.message.is_empty()).then_some(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(status: u16, body: &str) -> Verdict {
        classify(&Answer::Http { status, body: body.as_bytes(), complete: true, early: false })
    }

    #[test]
    fn the_table_of_answers() {
        let html = "<html>no</html>";
        let table = [
            (200, r#"{"status":"success","code":"200","items":{}}"#, Verdict::Accepted),
            (200, r#"{"status":"error","code":400,"errors":{"code":1}}"#, Verdict::Rejected),
            (200, r#"{"status":"fail"}"#, Verdict::Rejected),
            (200, "Status: 503 Maintenance mode\n<html>", Verdict::Maintenance),
            (200, "\u{feff}Status: 503 Maintenance mode\r\n", Verdict::Maintenance),
            (503, "Status: 503 Maintenance mode\n", Verdict::Maintenance),
            (200, html, Verdict::Unknown),
            (200, "", Verdict::Unknown),
            (200, r#"{"status":"success""#, Verdict::Unknown),
            (200, r#"{"result":"ok"}"#, Verdict::Unknown),
            (204, "", Verdict::Unknown),
            (302, html, Verdict::Unknown),
            (400, r#"{"status":"error","errors":{"msg":"x"}}"#, Verdict::Rejected),
            (401, "{}", Verdict::DeniedToken),
            (401, html, Verdict::DeniedToken),
            (403, "{}", Verdict::DeniedToken),
            (403, html, Verdict::DeniedRoute),
            (407, html, Verdict::DeniedRoute),
            (429, html, Verdict::Throttled),
            (500, r#"{"status":"error"}"#, Verdict::Unknown),
            (502, html, Verdict::Unknown),
            (503, html, Verdict::Unknown),
        ];
        for (status, body, verdict) in table {
            assert_eq!(http(status, body), verdict, "{status} {body}");
        }
    }

    #[test]
    fn every_verdict_has_a_form_and_the_last_form_takes_what_is_left() {
        for verdict in Verdict::ALL {
            assert!(FORMS.iter().any(|form| form.verdict == *verdict), "{verdict}");
        }
        assert!((FORMS.last().unwrap().fits)(&Facts::of(&Answer::Broken)));
    }

    #[test]
    fn a_refusal_after_a_try_of_unknown_fate_says_nothing_of_that_try() {
        assert_eq!(Verdict::Rejected.batch_state_after(true), BatchState::Unknown);
        assert_eq!(Verdict::Maintenance.batch_state_after(true), BatchState::Unknown);
        assert_eq!(Verdict::Accepted.batch_state_after(true), BatchState::Accepted);
        assert_eq!(Verdict::Rejected.batch_state_after(false), BatchState::Rejected);
    }

    #[test]
    fn half_a_body_is_never_success() {
        let body = br#"{"status":"success"}"#;
        let answer = |complete, early| classify(&Answer::Http { status: 200, body, complete, early });
        assert_eq!(answer(true, false), Verdict::Accepted);
        assert_eq!(answer(false, false), Verdict::Unknown);
        assert_eq!(answer(true, true), Verdict::Unknown, "nobody has read a file that is half sent");
        assert_eq!(classify(&Answer::Broken), Verdict::Unknown);
        assert_eq!(classify(&Answer::NotSent), Verdict::Unreachable);
    }

    #[test]
    fn the_wait_grows_keeps_below_ten_minutes_and_honours_retry_after() {
        assert_eq!(backoff(1, 1.0, None), Duration::from_secs(5));
        assert_eq!(backoff(1, 0.0, None), Duration::from_millis(2_500));
        assert_eq!(backoff(3, 1.0, None), Duration::from_secs(20));
        assert_eq!(backoff(u32::MAX, 1.0, None), Duration::from_secs(600));
        assert_eq!(backoff(1, 1.0, Some(Duration::from_secs(90))), Duration::from_secs(90));
    }

    #[test]
    fn the_apis_own_error_is_read_whether_its_codes_are_texts_or_numbers() {
        let read = |body: &str| api_error(body.as_bytes()).map(|error| error.to_string());
        assert_eq!(read(r#"{"status":"error","errors":{"code":17,"msg":"bad"}}"#), Some("bad (17)".into()));
        assert_eq!(read(r#"{"status":"fail","code":"400"}"#), Some("400".into()));
        assert_eq!(read("<html>"), None);
    }
}
