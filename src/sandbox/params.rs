//! The `json` part: which master, and what to do with what is already there.
//!
//! The rules are the table of RAKUS's help page. Two choices are ours, because the page does not say: a number may be
//! written as a string of digits (`"0"`), and a value of 1 where a parameter has no effect is refused rather than ignored.

use serde_json::Value;

use super::answer::{Fault, Refusal};

/// The checked parameters of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) master: u32,
    pub(super) update_existing: bool,
    pub(super) send_password_email: bool,
    pub(super) create_category: bool,
}

/// The eleven masters: employees, departments, posts, payees, projects, approvers, five free ones.
pub(super) const MASTERS: [u32; 11] = [0, 1, 2, 3, 4, 18, 81, 82, 83, 84, 85];

impl Params {
    /// Reads the text of the `json` part.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::one("json", "", "the part is empty (a json part with a filename is read as empty)"));
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Refusal::one("json", text, format!("the part is not JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(Refusal::one("json", text, "the part must be a JSON object"));
        };
        let mut faults = Vec::new();
        let mut number = |name: &str| -> Option<i64> {
            let value = object.get(name)?;
            let number = match value {
                Value::Number(number) => number.as_i64(),
                Value::String(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                    digits.parse().ok()
                }
                _ => None,
            };
            if number.is_none() {
                faults.push(Fault::new(name, value.to_string(), "must be a whole number"));
            }
            number
        };
        let master = number("masterId");
        let duplicate = number("duplicateKey");
        let mail = number("sendPasswordEmail");
        let category = number("createCategory");

        for name in object.keys() {
            if !["masterId", "duplicateKey", "sendPasswordEmail", "createCategory"].contains(&name.as_str()) {
                faults.push(Fault::new(name, object[name].to_string(), "no such parameter"));
            }
        }
        if !object.contains_key("masterId") {
            faults.push(Fault::new("masterId", "", "is required"));
        }
        let master = master.and_then(|id| {
            let known = u32::try_from(id).ok().filter(|id| MASTERS.contains(id));
            if known.is_none() {
                faults.push(Fault::new("masterId", id.to_string(), "no such master"));
            }
            known
        });
        let mut flag = |name: &str, value: Option<i64>, default: bool| match value {
            None => default,
            Some(0) => false,
            Some(1) => true,
            Some(other) => {
                faults.push(Fault::new(name, other.to_string(), "must be 0 or 1"));
                default
            }
        };
        let update_existing = flag("duplicateKey", duplicate, master == Some(18));
        let send_password_email = flag("sendPasswordEmail", mail, false);
        let create_category = flag("createCategory", category, false);
        if let Some(id) = master {
            if id == 18 && !update_existing {
                faults.push(Fault::new("duplicateKey", "0", "must be 1 for master 18"));
            }
            if send_password_email && id != 0 {
                faults.push(Fault::new("sendPasswordEmail", "1", format!("has no effect on master {id}")));
            }
            if create_category && !takes_categories(id) {
                faults.push(Fault::new("createCategory", "1", format!("has no effect on master {id}")));
            }
        }
        match master {
            Some(master) if faults.is_empty() => {
                Ok(Self { master, update_existing, send_password_email, create_category })
            }
            _ => Err(Refusal::Faults(faults)),
        }
    }
}

/// Whether a master has categories that an import may create.
pub(super) fn takes_categories(master: u32) -> bool {
    matches!(master, 3 | 4 | 81..=85)
}
