//! The control door: how another process tells a running sandbox what to do, and asks what it has seen.
//!
//! Only callers on the same machine are let in. Nothing that comes through here counts against a limit.
//!
//! | request | does |
//! |---|---|
//! | `POST /_sandbox/misbehave` `{"how":{"kind":"maintenance"},"times":2}` | the next two requests meet the maintenance page |
//! | … `{"how":{"kind":"slow","delay_ms":3000}}` | every request, until changed |
//! | … `{"times":3}` | the next three requests are treated well, before what is planned after them |
//! | … `{}` | behave well from now on |
//! | `POST /_sandbox/release` | lets go of the requests that `{"kind":"hold"}` holds |
//! | `GET /_sandbox/received` | all requests as JSON, secrets masked |
//! | `GET /_sandbox/received/NUMBER/csv` | the bytes of one received CSV |
//! | `GET /_sandbox/master/ID` (`?account=NAME`) | the contents of a master |

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::misbehaviour::{Misbehaviour, Plan};
use super::params::MASTERS;
use super::reply::{Body, Reply};
use super::server::State;
use super::upload::read_body;
use super::{DEFAULT_ACCOUNT, answer::NOTE};

const ROOT: &str = "/_sandbox";

pub(super) fn is_for(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    how: Option<Misbehaviour>,
    times: Option<usize>,
}

impl From<Wish> for Plan {
    fn from(wish: Wish) -> Self {
        match (wish.how, wish.times) {
            (Some(how), Some(times)) => Self::Next(times, how),
            (Some(how), None) => Self::Always(how),
            (None, Some(times)) => Self::Pass(times),
            (None, None) => Self::Behave,
        }
    }
}

pub(super) async fn answer(state: &State, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
    reply(state, peer, request)
        .await
        .unwrap_or_else(|(status, error)| Reply::json(status, json!({"error": error})))
        .into_response()
}

async fn reply(state: &State, peer: SocketAddr, request: Request<Incoming>) -> Result<Reply, (u16, String)> {
    if !peer.ip().to_canonical().is_loopback() {
        return Err((403, "the control door is open to this machine only".to_owned()));
    }
    let (head, mut body) = request.into_parts();
    let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let get = head.method == Method::GET;
    let post = head.method == Method::POST;
    match segments.as_slice() {
        ["misbehave"] if post => {
            let bytes =
                read_body(&mut body, 64 * 1024, None).await.map_err(|_| (413, "the body is too large".to_owned()))?;
            let wish: Wish = serde_json::from_slice(&bytes).map_err(|error| (400, error.to_string()))?;
            state.lock().script.add(wish.into());
            Ok(Reply::json(200, json!({"ok": true})))
        }
        ["release"] if post => {
            state.release.send_modify(|count| *count += 1);
            Ok(Reply::json(200, json!({"ok": true})))
        }
        ["received"] if get => {
            let all: Vec<Value> = state.log.all().iter().map(super::Received::to_json).collect();
            Ok(Reply::json(200, json!({"received": all, "sandbox": NOTE})))
        }
        ["received", number, "csv"] if get => {
            let number: u64 = number.parse().map_err(|_| (404, "no such request".to_owned()))?;
            let found = state.log.all().into_iter().find(|received| received.number == number);
            let csv =
                found.and_then(|received| received.csv).ok_or((404, "no such request, or no CSV kept".to_owned()))?;
            Ok(Reply::bytes("text/csv; charset=Shift_JIS", csv))
        }
        ["master", id] if get => {
            let id = id.parse().ok().filter(|id| MASTERS.contains(id)).ok_or((404, "no such master".to_owned()))?;
            let query = head.uri.query().unwrap_or_default();
            let named = query.split('&').find_map(|pair| pair.strip_prefix("account="));
            let account = named.or(state.options.account.as_deref()).unwrap_or(DEFAULT_ACCOUNT);
            let master = state.lock().masters.get(account, id);
            Ok(Reply::json(
                200,
                json!({
                    "master": id, "account": account, "columns": master.columns, "records": master.records,
                    "categories": master.categories, "mailed": master.mailed,
                }),
            ))
        }
        _ => Err((
            404,
            "POST misbehave | POST release | GET received | GET received/NUMBER/csv | GET master/ID".to_owned(),
        )),
    }
}
