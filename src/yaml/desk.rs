//! The desk at which a tree is read: it knows where in the entity it is, reads the plain kinds of values, and keeps
//! the faults. What only one kind of file knows (its folder, its secrets) lies on the desk as `base`.

use super::{Entry, Node, Place, Scalar, Value, nearest};
use crate::domain::duration::Span;
use crate::domain::fault::{Fault, Severity};
use crate::domain::secret::SecretText;
use chrono_tz::Tz;

/// A fault and its place.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) fault: Fault,
}

/// Collects faults while an entity is read.
pub(crate) struct Desk<'a, Base> {
    pub(crate) base: &'a Base,
    pub(crate) faults: Vec<Placed>,
    /// Keys that are designed and not built yet: named in a clear fault instead of "unknown".
    later: &'static [&'static str],
    path: Vec<String>,
}

/// The entries of a map.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    pub(crate) place: Place,
    pub(crate) entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The value of a key; nothing where it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    fn place_of(&self, key: &str) -> Place {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map_or(self.place, |entry| entry.place)
    }
}

impl<'a, Base> Desk<'a, Base> {
    pub(crate) fn new(base: &'a Base, later: &'static [&'static str]) -> Self {
        Self { base, faults: Vec::new(), later, path: Vec::new() }
    }

    /// Writes a fault down, at a place and under the path where the desk is.
    pub(crate) fn refuse(&mut self, place: Place, what: impl Into<String>, fix: impl Into<String>) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let fault = Fault::error(&path, what, fix);
        self.faults.push(Placed { place, fault });
    }

    /// Writes down what is allowed and likely wrong.
    pub(crate) fn warn(&mut self, place: Place, what: impl Into<String>, fix: impl Into<String>) {
        self.refuse(place, what, fix);
        if let Some(last) = self.faults.last_mut() {
            last.fault.severity = Severity::Warning;
        }
    }

    /// Writes down a fault that knows its path from where the desk is.
    pub(crate) fn refuse_in(&mut self, node: &Node, fault: Fault) {
        let place = node.locate(&fault.path);
        let fault = self.path.iter().rev().fold(fault, |fault, part| fault.under(part));
        self.faults.push(Placed { place, fault });
    }

    /// Does something one level deeper.
    pub(crate) fn under<T>(&mut self, part: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part.to_owned());
        let done = work(self);
        self.path.pop();
        done
    }

    /// The entries of a map; unknown keys are refused.
    pub(crate) fn fields<'n>(&mut self, node: &'n Node, of: &str, known: &[&str]) -> Option<Fields<'n>> {
        self.fields_but(node, of, known, |_| false)
    }

    /// The same, where some keys are free.
    pub(crate) fn fields_but<'n>(
        &mut self,
        node: &'n Node,
        of: &str,
        known: &[&str],
        free: impl Fn(&str) -> bool,
    ) -> Option<Fields<'n>> {
        let Value::Map(entries) = &node.value else {
            let what = format!("here stands {}, not {of}", node.kind());
            let fix = format!("write its keys: {}", known.join(", "));
            self.refuse(node.place, what, fix);
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let key = entry.key.as_str();
            if free(key) {
                continue;
            }
            let (what, fix) = if self.later.contains(&key) {
                let fix = "remove it; nothing is done by it yet".to_owned();
                (format!("{key} is not in this version"), fix)
            } else {
                let fix = nearest(key, known).map_or_else(
                    || format!("{of} has these keys: {}", known.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                (format!("{of} has no key {key:?}"), fix)
            };
            self.under(key, |desk| desk.refuse(entry.place, what, fix));
        }
        Some(Fields { place: node.place, entries })
    }

    /// Reads a field if it is there.
    pub(crate) fn field<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        let node = fields.get(key)?;
        self.under(key, |desk| read(desk, node))
    }

    /// Reads a field that has to be there.
    pub(crate) fn needed<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        example: &str,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        if fields.get(key).is_some() {
            return self.field(fields, key, read);
        }
        let place = fields.place_of(key);
        self.under(key, |desk| desk.refuse(place, format!("{key} is missing"), format!("write {example}")));
        None
    }

    fn scalar<'n>(&mut self, node: &'n Node, wanted: &str, example: &str) -> Option<&'n Scalar> {
        match &node.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => {
                let what = format!("here stands {}, not {wanted}", node.kind());
                self.refuse(node.place, what, format!("write {example}"));
                None
            }
        }
    }

    /// A text, exactly as written: `0012` keeps its zeros.
    pub(crate) fn text(&mut self, node: &Node) -> Option<String> {
        self.scalar(node, "a text", "a text; \"\" is the empty one").map(|scalar| scalar.text.clone())
    }

    /// A text that may hold references to secrets, exactly as written.
    pub(crate) fn secret_as_written(&mut self, node: &Node) -> Option<SecretText> {
        let text = self.text(node)?;
        SecretText::parse(&text).map_err(|error| self.refuse(node.place, error.to_string(), "")).ok()
    }

    pub(crate) fn flag(&mut self, node: &Node) -> Option<bool> {
        let scalar = self.scalar(node, "true or false", "true or false")?;
        let truth = scalar.truth();
        if truth.is_none() {
            let what = format!("{:?} is neither true nor false", short(&scalar.text));
            self.refuse(node.place, what, "write true or false, without quotes");
        }
        truth
    }

    /// A whole number of that type.
    pub(crate) fn number<T: TryFrom<i128>>(&mut self, node: &Node) -> Option<T> {
        let scalar = self.scalar(node, "a number", "a whole number")?;
        let number = scalar.integer().and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            let what = format!("{:?} is no whole number that fits here", short(&scalar.text));
            self.refuse(node.place, what, "write digits only, without quotes, as in 50000");
        }
        number
    }

    pub(crate) fn span(&mut self, node: &Node) -> Option<Span> {
        let scalar = self.scalar(node, "a length of time", "30s, 15m, 12h or 7d")?;
        match scalar.text.parse() {
            Ok(span) => Some(span),
            Err(error) => {
                self.refuse(node.place, error.to_string(), "");
                None
            }
        }
    }

    /// An IANA zone.
    pub(crate) fn zone(&mut self, node: &Node) -> Option<Tz> {
        let text = self.text(node)?;
        let zone = text.parse().ok();
        if zone.is_none() {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let near = match text.as_str() {
                "JST" | "jst" | "Japan/Tokyo" | "Tokyo" => Some("Asia/Tokyo"),
                other => nearest(other, &known),
            };
            let fix = near.map_or("write Asia/Tokyo, say".to_owned(), |near| format!("did you mean {near}?"));
            self.refuse(node.place, format!("{:?} is no IANA zone", short(&text)), fix);
        }
        zone
    }

    /// One of a closed list of words.
    pub(crate) fn choice<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let scalar = self.scalar(node, "a word", &known.join(" or "))?;
        let found = words.iter().find(|(word, _)| *word == scalar.text);
        if found.is_none() {
            let near = nearest(&scalar.text, &known).map_or(String::new(), |near| format!("did you mean {near}? "));
            let what = format!("{:?} is not known here", short(&scalar.text));
            self.refuse(node.place, what, format!("{near}write {}", known.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    /// A list, each item read under its number.
    pub(crate) fn list<T>(
        &mut self,
        node: &Node,
        example: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            let what = format!("here stands {}, not a list", node.kind());
            self.refuse(node.place, what, format!("write {example}"));
            return None;
        };
        let mut all = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            all.extend(self.under(&index.to_string(), |desk| read(desk, item)));
        }
        Some(all)
    }
}

/// The beginning of a text, for a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
