//! A request on its way, so that none is forgotten: whatever becomes of it, it is recorded once.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::time::Instant;

use super::answer::Refusal;
use super::record::{Answer, Received, millis};
use super::reply::{Body, Reply};
use super::server::State;

/// A request on its way. Dropped before it was closed (the client hung up), it is recorded as such.
pub(super) struct Entry {
    state: Arc<State>,
    received: Option<Received>,
    arrived: Instant,
}

impl Entry {
    pub(super) fn open(state: Arc<State>, request: &Request<Incoming>) -> Self {
        let arrived = Instant::now();
        let path = request.uri().path().to_owned();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let received = Received {
            number: state.log.arrive(),
            at: state.age(),
            method: request.method().to_string(),
            account: path.split('/').nth(1).unwrap_or_default().to_owned(),
            path,
            headers,
            body_bytes: 0,
            parts: Vec::new(),
            json: None,
            csv: None,
            misbehaviour: None,
            imported: false,
            answer: Answer { fault: Some("client went away".to_owned()), ..Answer::default() },
        };
        Self { state, received: Some(received), arrived }
    }

    pub(super) fn note(&mut self, write: impl FnOnce(&mut Received)) {
        if let Some(received) = &mut self.received {
            write(received);
        }
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        millis(self.arrived.elapsed())
    }

    /// Records the request with what is answered, and what is done to the answer.
    pub(super) fn close(&mut self, reply: Option<&Reply>, fault: Option<&str>) {
        self.note(|received| {
            received.answer = Answer {
                status: reply.map(Reply::status),
                body: reply.map(Reply::text).unwrap_or_default(),
                fault: fault.map(str::to_owned),
            };
        });
        if let Some(received) = self.received.take() {
            self.state.log.push(received);
        }
    }

    /// Records a plain answer and makes the response of it.
    pub(super) fn answer(&mut self, reply: Reply) -> Response<Body> {
        self.close(Some(&reply), None);
        reply.into_response()
    }

    pub(super) fn refuse(&mut self, refusal: &Refusal) -> Response<Body> {
        let reply = Reply::json(refusal.status(), refusal.body(self.elapsed_ms()));
        self.answer(reply)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(received) = self.received.take() {
            self.state.log.push(received);
        }
    }
}
