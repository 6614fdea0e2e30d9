//! What the sandbox can be told to do wrong, and for how long.
//!
//! Each variant is something that a client of the real service has to survive: a documented oddity (the maintenance
//! page), something HTTP allows, or something networks do. It refuses to be clever: a misbehaviour is taken from a
//! queue when a request arrives, applied to that request alone, and written into its [`Received`](super::Received).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// One way of answering wrongly. In JSON (the control door): `{"kind":"server_error","status":502}`.
///
/// Variants that break the answer only after the import was done say so: they are the worst case for a client that
/// guesses "failed" and sends again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Misbehaviour {
    /// HTTP 200 with an HTML page whose first line is `Status: 503 Maintenance mode` (RAKUS help page). No import.
    Maintenance,
    /// 429 as JSON, with this text as `Retry-After`: seconds, an HTTP date, or rubbish. No import.
    Throttle {
        /// The value of the header as it is sent; none leaves the header out.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// This status (5xx is meant) with an HTML page. No import.
    ServerError {
        /// The HTTP status.
        status: u16,
    },
    /// This status with an HTML page, sent before the upload was read, as a proxy with a size limit does. No import.
    RefuseEarly {
        /// The HTTP status.
        status: u16,
    },
    /// 401 as JSON, as if the token had been re-issued. No import.
    Unauthorized,
    /// 403: as JSON (the API refuses), or as HTML (a proxy or an address restriction refuses). No import.
    Forbidden {
        /// True for the HTML page.
        #[serde(default)]
        html: bool,
    },
    /// Reads at least this much of the upload (or all, if it is shorter), then resets the connection. No import.
    ResetDuringBody {
        /// Bytes of the request's body.
        #[serde(default)]
        after_bytes: u64,
    },
    /// Reads the whole upload, then resets the connection without a byte of an answer.
    ResetBeforeAnswer {
        /// Whether the import was done before the reset; the client cannot tell.
        #[serde(default)]
        imported: bool,
    },
    /// Imports, writes this many bytes of the answer (status line and headers counted), then resets.
    ResetMidAnswer {
        /// Bytes of the answer.
        after_bytes: u64,
    },
    /// Imports and never answers; the connection stays open.
    AcceptThenSilent,
    /// Imports and answers only when [`Sandbox::release`](super::Sandbox::release) is called (or `/_sandbox/release`).
    Hold,
    /// Imports and answers rightly, after this time.
    Slow {
        /// Milliseconds before the first byte of the answer.
        delay_ms: u64,
    },
    /// Imports and answers rightly, a few bytes at a time.
    DripAnswer {
        /// Bytes a tick, at least 1.
        bytes: usize,
        /// Milliseconds between two ticks.
        every_ms: u64,
    },
    /// Imports, then answers 200 with bytes that are no JSON, no HTML and no text.
    Rubbish,
    /// Imports, then answers with bytes that are not HTTP at all.
    NotHttp,
    /// Imports, then answers 200 with an empty body.
    EmptyBody,
    /// Answers 200 with a body whose `status` is `error`. No import.
    ErrorBody,
    /// Answers with a redirect; the request must not be repeated there, since it carries the token. No import.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The value of `Location`.
        location: String,
    },
    /// Imports, then answers 200 with JSON that never ends.
    EndlessBody,
    /// Imports, then answers 200 with a small `gzip` body that unpacks to more than 4 GiB of spaces.
    GzipBomb,
    /// Answers success, but lists this many rows (the first ones) as refused; the others are imported.
    RefuseRows {
        /// Number of rows, from the first data line on.
        rows: usize,
    },
    /// Answers success as if all rows were taken; only the status of the import tells that the first ones were not.
    RefuseLater {
        /// Number of rows, from the first data line on.
        rows: usize,
    },
    /// Answers success as if all rows were taken; only the status of the import tells that nothing was imported,
    /// because of the first ones.
    RefuseFileLater {
        /// Number of rows, from the first data line on.
        rows: usize,
    },
    /// Imports, but its status reads `processing` this many times before it tells the end.
    ImportSlowly {
        /// Number of questions.
        polls: usize,
    },
    /// Imports, but its status reads `processing` for ever.
    ImportNeverEnds,
}

/// What is to become of an import that a misbehaviour lets happen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// Rows that are refused, from the first data line on.
    pub(super) refuse: usize,
    /// Whether the others are refused with them.
    pub(super) whole: bool,
    /// How often its status reads `processing`; as the options say where it is nothing.
    pub(super) polls: Option<usize>,
}

impl Misbehaviour {
    pub(super) fn fate(&self) -> Fate {
        match *self {
            Self::RefuseRows { rows } | Self::RefuseLater { rows } => Fate { refuse: rows, ..Fate::default() },
            Self::RefuseFileLater { rows } => Fate { refuse: rows, whole: true, polls: None },
            Self::ImportSlowly { polls } => Fate { polls: Some(polls), ..Fate::default() },
            Self::ImportNeverEnds => Fate { polls: Some(usize::MAX), ..Fate::default() },
            _ => Fate::default(),
        }
    }

    /// Whether the import happens although the client may never hear of it.
    pub(super) fn imports(&self) -> bool {
        match self {
            Self::ResetMidAnswer { .. }
            | Self::AcceptThenSilent
            | Self::Hold
            | Self::Slow { .. }
            | Self::DripAnswer { .. }
            | Self::Rubbish
            | Self::NotHttp
            | Self::EmptyBody
            | Self::EndlessBody
            | Self::GzipBomb
            | Self::RefuseRows { .. }
            | Self::RefuseLater { .. }
            | Self::RefuseFileLater { .. }
            | Self::ImportSlowly { .. }
            | Self::ImportNeverEnds => true,
            Self::ResetBeforeAnswer { imported } => *imported,
            Self::Maintenance
            | Self::Throttle { .. }
            | Self::ServerError { .. }
            | Self::RefuseEarly { .. }
            | Self::Unauthorized
            | Self::Forbidden { .. }
            | Self::ResetDuringBody { .. }
            | Self::ErrorBody
            | Self::Redirect { .. } => false,
        }
    }
}

/// How long a misbehaviour lasts: of the API by the request, of the mailbox by the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<T = Misbehaviour> {
    /// The next so many, after those already planned.
    Next(usize, T),
    /// Lets so many pass well, after those already planned.
    Pass(usize),
    /// Every one, once the planned ones are used up, until this is changed.
    Always(T),
    /// Forgets everything planned: behaves well from now on.
    Behave,
}

impl<T> Plan<T> {
    /// The next one only.
    #[must_use]
    pub fn once(how: T) -> Self {
        Self::Next(1, how)
    }
}

/// What is planned: runs of requests, then the standing order.
#[derive(Debug)]
pub(super) struct Script<T = Misbehaviour> {
    queue: VecDeque<(usize, Option<T>)>,
    standing: Option<T>,
}

impl<T> Default for Script<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), standing: None }
    }
}

impl<T: Clone> Script<T> {
    pub(super) fn add(&mut self, plan: Plan<T>) {
        match plan {
            Plan::Next(times, how) => self.queue.push_back((times, Some(how))),
            Plan::Pass(times) => self.queue.push_back((times, None)),
            Plan::Always(how) => self.standing = Some(how),
            Plan::Behave => *self = Self::default(),
        }
    }

    /// What to do with the one that has just arrived.
    pub(super) fn next(&mut self) -> Option<T> {
        while let Some((left, how)) = self.queue.front_mut() {
            if *left > 0 {
                *left -= 1;
                return how.clone();
            }
            self.queue.pop_front();
        }
        self.standing.clone()
    }
}
