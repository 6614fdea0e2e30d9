//! One request's way: counted in, routed, admitted by the account's window, handed its misbehaviour (if any is planned),
//! read, imported, recorded, answered. It sleeps only where a misbehaviour says so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::{Request, Response};
use tokio::time::sleep;

use super::answer::{Imported, Refusal};
use super::door;
use super::entry::Entry;
use super::misbehaviour::{Fate, Misbehaviour};
use super::params::Params;
use super::reply::{Body, Reply};
use super::server::{Api, State};
use super::status;
use super::upload::{BodyError, Upload, drain, read_body};
use super::wire::Orders;

/// Ends the connection without an answer.
fn cut() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// Serves one request. An error ends the connection without an answer.
pub(super) async fn serve(
    state: Arc<State>,
    orders: Orders,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    if door::is_for(request.uri().path()) {
        return Ok(door::answer(&state, peer, request).await);
    }
    let mut entry = Entry::open(Arc::clone(&state), &request);
    let (head, mut body) = request.into_parts();
    let (account, api) = match state.route(&head.method, head.uri.path()) {
        Ok(found) => found,
        Err(refusal) => {
            drain(&mut body).await;
            return Ok(entry.refuse(&refusal));
        }
    };
    if let Err(refusal) = state.admit(&account) {
        drain(&mut body).await;
        let mut reply = Reply::json(refusal.status(), refusal.body(entry.elapsed_ms()));
        if refusal.status() == 429
            && let Some(value) = &state.options.limits.retry_after
        {
            reply = reply.header("retry-after", value);
        }
        return Ok(entry.answer(reply));
    }
    let how = state.lock().script.next();
    entry.note(|received| received.misbehaviour.clone_from(&how));

    let cap = state.options.limits.body_bytes;
    match &how {
        Some(Misbehaviour::RefuseEarly { status }) => {
            let reply = Reply::html(*status, "Request refused").header("connection", "close");
            return Ok(entry.answer(reply));
        }
        Some(Misbehaviour::ResetDuringBody { after_bytes }) => {
            let read =
                read_body(&mut body, cap, Some((*after_bytes).max(1))).await.map_or(0, |bytes| bytes.len() as u64);
            entry.note(|received| received.body_bytes = read);
            entry.close(None, Some("reset during the body"));
            orders.reset();
            return Err(cut());
        }
        _ => {}
    }
    if api == Api::Import && state.options.require_content_length && !head.headers.contains_key(CONTENT_LENGTH) {
        drain(&mut body).await;
        return Ok(entry.refuse(&Refusal::Request(411, "Content-Length is required".to_owned())));
    }
    let bytes = match read_body(&mut body, cap, None).await {
        Ok(bytes) => bytes,
        Err(BodyError::TooLarge) => {
            drain(&mut body).await;
            return Ok(entry.refuse(&Refusal::Request(413, format!("the body is larger than {cap} bytes"))));
        }
        Err(BodyError::Gone) => return Err(cut()),
    };
    entry.note(|received| received.body_bytes = bytes.len() as u64);
    if api == Api::Status {
        let token_ok = token_is(&head.headers, &state.options.token);
        let right = match status::answer(&state, &account, token_ok, head.uri.query(), &bytes) {
            Ok(body) => Reply::json(200, body),
            Err(refusal) => Reply::json(refusal.status(), refusal.body(entry.elapsed_ms())),
        };
        return finish(how, &state, &orders, entry, right).await;
    }
    let upload = Upload::read(&head.headers, bytes).await;
    let work = Work {
        state: Arc::clone(&state),
        account,
        token_ok: token_is(&head.headers, &state.options.token),
        import: how.as_ref().is_none_or(Misbehaviour::imports),
        fate: how.as_ref().map(Misbehaviour::fate).unwrap_or_default(),
    };
    let (upload, outcome) = tokio::task::spawn_blocking(move || work.run(upload)).await.map_err(io::Error::other)?;
    entry.note(|received| {
        received.parts = upload.parts;
        received.json = upload.json;
        received.csv = upload.csv;
        received.imported = matches!(outcome, Some(Ok(_)));
    });
    let later = matches!(how, Some(Misbehaviour::RefuseLater { .. } | Misbehaviour::RefuseFileLater { .. }));
    let right = match outcome {
        Some(Ok(imported)) if later => Reply::json(200, imported.body_too_early(entry.elapsed_ms())),
        Some(Ok(imported)) => Reply::json(200, imported.body(entry.elapsed_ms())),
        Some(Err(refusal)) => Reply::json(refusal.status(), refusal.body(entry.elapsed_ms())),
        None => Reply::json(200, Imported::default().body(entry.elapsed_ms())),
    };
    finish(how, &state, &orders, entry, right).await
}

/// Answers rightly, or as planned.
async fn finish(
    how: Option<Misbehaviour>,
    state: &State,
    orders: &Orders,
    mut entry: Entry,
    right: Reply,
) -> io::Result<Response<Body>> {
    match how {
        None => Ok(entry.answer(right)),
        Some(how) => misbehave(&how, state, orders, entry, right).await,
    }
}

/// The work on one upload that takes processor time or touches files.
struct Work {
    state: Arc<State>,
    account: String,
    token_ok: bool,
    import: bool,
    fate: Fate,
}

impl Work {
    fn run(self, mut upload: Upload) -> (Upload, Option<Result<Imported, Refusal>>) {
        upload.hash();
        if let Some(csv) = &upload.csv {
            let master = upload.json.as_deref().and_then(|text| Params::read(text).ok()).map(|params| params.master);
            let label = master.map_or_else(|| "unknown".to_owned(), |id| format!("master{id}"));
            self.state.log.keep_file(&label, csv);
        }
        let outcome = self.import.then(|| self.state.import(&self.account, self.token_ok, &upload, self.fate));
        (upload, outcome)
    }
}

fn token_is(headers: &HeaderMap, token: &str) -> bool {
    let mut values = headers.get_all("x-rs-apitoken").iter();
    values.next().is_some_and(|value| value.as_bytes() == token.as_bytes()) && values.next().is_none()
}

/// Answers wrongly. `right` is what would have been said.
async fn misbehave(
    how: &Misbehaviour,
    state: &State,
    orders: &Orders,
    mut entry: Entry,
    right: Reply,
) -> io::Result<Response<Body>> {
    let answer = |mut entry: Entry, reply: Reply| Ok(entry.answer(reply));
    match how {
        Misbehaviour::Maintenance => answer(entry, Reply::maintenance()),
        Misbehaviour::Throttle { retry_after } => {
            let body = Refusal::Request(429, "too many requests".to_owned()).body(entry.elapsed_ms());
            let reply = Reply::json(429, body);
            answer(entry, if let Some(value) = retry_after { reply.header("retry-after", value) } else { reply })
        }
        Misbehaviour::ServerError { status } | Misbehaviour::RefuseEarly { status } => {
            answer(entry, Reply::html(*status, "Server error"))
        }
        Misbehaviour::Unauthorized => {
            let body = Refusal::Request(401, "the token is not valid".to_owned()).body(entry.elapsed_ms());
            answer(entry, Reply::json(401, body))
        }
        Misbehaviour::Forbidden { html: true } => answer(entry, Reply::html(403, "403 Forbidden")),
        Misbehaviour::Forbidden { html: false } => {
            let body = Refusal::Request(403, "not allowed".to_owned()).body(entry.elapsed_ms());
            answer(entry, Reply::json(403, body))
        }
        Misbehaviour::ErrorBody => {
            let body = Refusal::one("masterId", "0", "refused by order").body(entry.elapsed_ms());
            answer(entry, Reply::json(200, body))
        }
        Misbehaviour::Redirect { status, location } => {
            answer(entry, Reply::html(*status, "Moved").header("location", location))
        }
        Misbehaviour::ResetDuringBody { .. } | Misbehaviour::ResetBeforeAnswer { .. } => {
            entry.close(None, Some("reset before the answer"));
            orders.reset();
            Err(cut())
        }
        Misbehaviour::ResetMidAnswer { after_bytes } => {
            entry.close(Some(&right), Some("reset in the middle of the answer"));
            orders.cut_after(*after_bytes);
            Ok(right.header("connection", "close").into_response())
        }
        Misbehaviour::AcceptThenSilent => {
            entry.close(None, Some("silent"));
            std::future::pending().await
        }
        Misbehaviour::Hold => {
            let mut release = state.release.subscribe();
            entry.close(Some(&right), Some("held"));
            // An error means that the sandbox is being shut down.
            release.changed().await.map_err(|_| cut())?;
            Ok(right.into_response())
        }
        Misbehaviour::Slow { delay_ms } => {
            sleep(Duration::from_millis(*delay_ms)).await;
            answer(entry, right)
        }
        Misbehaviour::DripAnswer { bytes, every_ms } => {
            entry.close(Some(&right), Some("dripping"));
            orders.drip(*bytes, Duration::from_millis(*every_ms));
            Ok(right.header("connection", "close").into_response())
        }
        Misbehaviour::NotHttp => {
            entry.close(None, Some("not HTTP"));
            orders.garble();
            Ok(right.header("connection", "close").into_response())
        }
        Misbehaviour::Rubbish => answer(entry, Reply::rubbish()),
        Misbehaviour::EmptyBody => answer(entry, Reply::empty()),
        Misbehaviour::EndlessBody => answer(entry, Reply::endless()),
        Misbehaviour::GzipBomb => answer(entry, Reply::gzip_bomb()),
        Misbehaviour::RefuseRows { .. }
        | Misbehaviour::RefuseLater { .. }
        | Misbehaviour::RefuseFileLater { .. }
        | Misbehaviour::ImportSlowly { .. }
        | Misbehaviour::ImportNeverEnds => answer(entry, right),
    }
}
