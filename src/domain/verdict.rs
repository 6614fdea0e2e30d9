//! What the receiver's answer means: the decision `classify`, and the table of what follows from each verdict. The
//! facts behind it: during maintenance every API answers 200 with an HTML page whose first line says 503 (RAKUS help
//! page); success and error bodies look like the sister API's (public client code). An unreadable body is never
//! taken for success.

use super::failure::Code;
use super::names::names;
use super::run::BatchState;
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

impl Verdict {
    /// The state of a batch after it.
    #[must_use]
    pub fn batch_state(self) -> BatchState {
        match self {
            Self::Accepted => BatchState::Accepted,
            Self::Rejected => BatchState::Rejected,
            Self::Unknown => BatchState::Unknown,
            Self::DeniedToken | Self::DeniedRoute | Self::Maintenance | Self::Throttled | Self::Unreachable => {
                BatchState::NotTaken
            }
        }
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
        match self {
            Self::Accepted => Next::GoOn,
            Self::Rejected | Self::DeniedToken | Self::DeniedRoute => Next::Stop,
            Self::Maintenance | Self::Throttled | Self::Unreachable => Next::TryAgain,
            Self::Unknown => Next::TryAgainIfHarmless,
        }
    }

    /// The failure it stands for when the run ends on it.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        Some(match self {
            Self::Accepted => return None,
            Self::Rejected => Code::Rejected,
            Self::DeniedToken => Code::DeniedToken,
            Self::DeniedRoute => Code::DeniedRoute,
            Self::Maintenance => Code::Maintenance,
            Self::Throttled => Code::Throttled,
            Self::Unreachable => Code::Unreachable,
            Self::Unknown => Code::Unknown,
        })
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
    },
}

/// Reads an answer.
#[must_use]
pub fn classify(answer: &Answer<'_>) -> Verdict {
    let (status, body, complete) = match answer {
        Answer::NotSent => return Verdict::Unreachable,
        Answer::Broken => return Verdict::Unknown,
        Answer::Http { status, body, complete, .. } => (*status, *body, *complete),
    };
    if is_maintenance(body) {
        return Verdict::Maintenance;
    }
    let json = complete.then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
    match status {
        401 => Verdict::DeniedToken,
        403 if json.is_some() => Verdict::DeniedToken,
        403 => Verdict::DeniedRoute,
        // A proxy asks for its own password: nothing has reached the service.
        407 => Verdict::DeniedRoute,
        429 => Verdict::Throttled,
        200..=299 => match json.as_ref().and_then(said_status) {
            Some(true) => Verdict::Accepted,
            Some(false) => Verdict::Rejected,
            None => Verdict::Unknown,
        },
        // Whoever answered 4xx, service or gateway, says that it took nothing.
        400..=499 => Verdict::Rejected,
        _ => Verdict::Unknown,
    }
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
        classify(&Answer::Http { status, body: body.as_bytes(), complete: true })
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
    fn a_refusal_after_a_try_of_unknown_fate_says_nothing_of_that_try() {
        assert_eq!(Verdict::Rejected.batch_state_after(true), BatchState::Unknown);
        assert_eq!(Verdict::Maintenance.batch_state_after(true), BatchState::Unknown);
        assert_eq!(Verdict::Accepted.batch_state_after(true), BatchState::Accepted);
        assert_eq!(Verdict::Rejected.batch_state_after(false), BatchState::Rejected);
    }

    #[test]
    fn half_a_body_is_never_success() {
        let body = br#"{"status":"success"}"#;
        let answer = Answer::Http { status: 200, body, complete: false };
        assert_eq!(classify(&answer), Verdict::Unknown);
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
