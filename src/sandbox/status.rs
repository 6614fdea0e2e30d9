//! The status of an import: how a client can learn later what became of an upload.
//!
//! **All of it is an assumption.** RAKUS names a CSV取込状況確認API, but neither its URL nor its answer is public. Here it is
//! `POST /ACCOUNT/api/v1/csvimport/status` with `{"importId":"1"}`, or `GET` with `?importId=1`; it wants the token, counts
//! against the limit, and answers `items.state`: `processing` for as many polls as the options say, then `completed`,
//! or `error` where rows were refused; `items.imported` counts the rows that were not. How an import goes is decided
//! when it arrives; misbehaviour on this path is that of one question.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::answer::{Imported, Refusal, success};
use super::server::State;

/// How many imports are remembered.
const IMPORTS_KEPT: usize = 10_000;

/// The imports of all accounts.
#[derive(Debug, Default)]
pub(super) struct Imports {
    last: u64,
    kept: VecDeque<Import>,
}

#[derive(Debug)]
struct Import {
    account: String,
    polls_left: usize,
    done: Imported,
}

impl Imports {
    /// Remembers an import and gives it a number.
    pub(super) fn add(&mut self, account: &str, mut done: Imported, polls: usize) -> Imported {
        self.last += 1;
        done.id = self.last;
        self.kept.push_back(Import { account: account.to_owned(), polls_left: polls, done: done.clone() });
        if self.kept.len() > IMPORTS_KEPT {
            self.kept.pop_front();
        }
        done
    }

    fn poll(&mut self, account: &str, id: u64) -> Option<Value> {
        let import = self.kept.iter_mut().find(|import| import.account == account && import.done.id == id)?;
        if import.polls_left > 0 {
            import.polls_left = import.polls_left.saturating_sub(usize::from(import.polls_left < usize::MAX));
            return Some(json!({"importId": id.to_string(), "state": "processing"}));
        }
        let done = &import.done;
        let mut items = done.items();
        items["imported"] = (done.created + done.updated + done.skipped).into();
        items["state"] = if done.refused.is_empty() { "completed" } else { "error" }.into();
        Some(items)
    }
}

/// Answers one poll.
pub(super) fn answer(
    state: &State,
    account: &str,
    token_ok: bool,
    query: Option<&str>,
    body: &[u8],
) -> Result<Value, Refusal> {
    if !token_ok {
        return Err(Refusal::Request(401, "X-RS-apitoken is missing or wrong".to_owned()));
    }
    let in_query = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("importId="));
    let in_body = serde_json::from_slice::<Value>(body).ok().and_then(|body| match body.get("importId")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    let id = in_query.map(str::to_owned).or(in_body).unwrap_or_default();
    let number = id.parse().map_err(|_| Refusal::one("importId", &id, "must be the number of an import"))?;
    let items = state.lock().imports.poll(account, number);
    let items = items.ok_or_else(|| Refusal::Request(404, format!("no import has the number {number}")))?;
    Ok(success(items, 0))
}
