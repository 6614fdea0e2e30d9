//! What the sandbox says: the JSON of a success and of an error.
//!
//! **The shape is an assumption.** The answer of `csvimport` is not public; this is the shape that public clients of a
//! sister API read (`status`, `code`, `items`, `errors.description`). Every answer says so in its field `sandbox`, so
//! that nobody takes it for the real thing.

use serde_json::{Value, json};

/// The sentence in every answer.
pub(super) const NOTE: &str =
    "This is a sandbox. The shape of this answer is an assumption: the real service's is not public.";

/// One fault in a request, in the sister API's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The part, parameter or column.
    pub(super) name: String,
    /// The value as it came, shortened.
    pub(super) value: String,
    /// What is wrong and where.
    pub(super) msg: String,
}

impl Fault {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>, msg: impl Into<String>) -> Self {
        let mut value: String = value.into();
        if let Some((end, _)) = value.char_indices().nth(80) {
            value.truncate(end);
            value.push('…');
        }
        Self { name: name.into(), value, msg: msg.into() }
    }
}

/// The answer to a request that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request itself is wrong: HTTP status and a sentence.
    Request(u16, String),
    /// Parameters or rows are wrong: 400 with a list.
    Faults(Vec<Fault>),
    /// The header line is wrong: 400 with the columns or a sentence each.
    Header(Vec<String>),
}

impl Refusal {
    pub(super) fn one(name: impl Into<String>, value: impl Into<String>, msg: impl Into<String>) -> Self {
        Self::Faults(vec![Fault::new(name, value, msg)])
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Request(status, _) => *status,
            Self::Faults(_) | Self::Header(_) => 400,
        }
    }

    /// The error in JSON.
    pub(super) fn body(&self, access_ms: u64) -> Value {
        let (msg, description) = match self {
            Self::Request(_, msg) => (msg.clone(), json!([])),
            Self::Faults(faults) => {
                let list: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({"name": fault.name, "value": fault.value, "code": "400", "msg": fault.msg}))
                    .collect();
                ("the request has faults".to_owned(), Value::Array(list))
            }
            Self::Header(lines) => ("the header line is wrong".to_owned(), json!({"header": lines})),
        };
        // The sister API calls some of its refusals "fail"; here those that have nothing to do with the content.
        let (status, code) = (if self.status() == 400 { "error" } else { "fail" }, self.status().to_string());
        json!({
            "status": status,
            "code": code,
            "errors": {"code": code, "msg": msg, "description": description},
            "accessTime": access_ms,
            "sandbox": NOTE,
        })
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Imported {
    /// The number under which the status API knows the import; 0 for none.
    pub(super) id: u64,
    pub(super) master: u32,
    pub(super) total: usize,
    pub(super) created: usize,
    pub(super) updated: usize,
    pub(super) skipped: usize,
    pub(super) categories_created: usize,
    pub(super) mails: usize,
    pub(super) refused: Vec<RefusedRow>,
}

/// A row that a misbehaving sandbox left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefusedRow {
    pub(super) line: u64,
    pub(super) key: String,
    pub(super) column: String,
}

impl Imported {
    /// The success in JSON.
    pub(super) fn body(&self, access_ms: u64) -> Value {
        success(self.items(), access_ms)
    }

    /// The success in JSON as it reads while nothing is known of refused rows.
    pub(super) fn body_too_early(&self, access_ms: u64) -> Value {
        let created = self.total - self.updated - self.skipped;
        Self { refused: Vec::new(), created, ..self.clone() }.body(access_ms)
    }

    /// The numbers and the refused rows.
    pub(super) fn items(&self) -> Value {
        let mut items = json!({
            "importId": self.id.to_string(),
            "masterId": self.master,
            "total": self.total,
            "created": self.created,
            "updated": self.updated,
            "skipped": self.skipped,
            "categoriesCreated": self.categories_created,
            "mails": self.mails,
        });
        if !self.refused.is_empty() {
            items["refused"] = self
                .refused
                .iter()
                .map(|row| {
                    json!({"line": row.line, "name": row.column, "value": row.key, "code": "400", "msg": "refused by order"})
                })
                .collect();
        }
        items
    }
}

/// A success with these items.
pub(super) fn success(items: Value, access_ms: u64) -> Value {
    json!({"status": "success", "code": "200", "items": items, "accessTime": access_ms, "sandbox": NOTE})
}
