//! A YAML text as a tree in which every node knows its place. Scalars keep the text as written: `0012` stays `0012`
//! until a decoder asks for a number, and `on` is a word. It refuses duplicate keys, several documents, unknown tags,
//! and what would grow beyond its limits; it knows no keys.

mod build;
mod syntax;

pub(crate) use build::parse;

use super::Place;

/// How deeply lists and maps may stand in each other.
pub(super) const MOST_DEPTH: usize = 48;
/// The most nodes after aliases have been written out.
pub(super) const MOST_NODES: usize = 200_000;
/// The most bytes of text after aliases have been written out.
pub(super) const MOST_TEXT: usize = 32 * 1024 * 1024;

/// A node and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar's text; a plain one (without quotes) may also mean a number, a truth or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
}

/// A key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
    /// Whether the key was written without quotes, as the merge key `<<` is.
    plain: bool,
}

/// Something wrong with the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeFault {
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl TreeFault {
    fn new(place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: fix.into() }
    }
}

impl Scalar {
    /// Nothing, by YAML 1.2's core schema.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// A truth, by YAML 1.2's core schema: `yes`, `no`, `on` and `off` are words.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// Whether it reads as a number, by YAML 1.2's core schema.
    pub(crate) fn is_number(&self) -> bool {
        let unsigned = self.text.trim_start_matches(['-', '+']);
        self.plain
            && self.text.len() - unsigned.len() <= 1
            && (unsigned.starts_with(|c: char| c.is_ascii_digit())
                || unsigned.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
            && (unsigned.parse::<f64>().is_ok() || self.integer().is_some())
    }

    /// A whole number that fits; leading zeros do not change it.
    pub(crate) fn integer(&self) -> Option<i128> {
        if !self.plain {
            return None;
        }
        let text = self.text.as_str();
        let radix = |digits: &str, radix| {
            let clean = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            clean.then(|| i128::from_str_radix(digits, radix).ok())?
        };
        if let Some(digits) = text.strip_prefix("0x") {
            return radix(digits, 16);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return radix(digits, 8);
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let value = radix(digits, 10)?;
        Some(if text.starts_with('-') { -value } else { value })
    }

    /// A number such as `0012`, whose zeros are lost when it is taken as a number.
    pub(crate) fn has_leading_zeros(&self) -> bool {
        let digits = self.text.trim_start_matches(['-', '+']);
        self.plain && digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(scalar) if scalar.truth().is_some() => "true or false",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The entry of that key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The place of what a path names, or of the deepest node above it that exists.
    pub(crate) fn locate(&self, path: &[String]) -> Place {
        let Some((first, rest)) = path.split_first() else {
            return self.place;
        };
        match &self.value {
            Value::List(items) => {
                let item = first.parse::<usize>().ok().and_then(|index| items.get(index));
                item.map_or(self.place, |item| item.locate(rest))
            }
            _ => self.entry(first).map_or(self.place, |entry| entry.value.locate(rest)),
        }
    }

    /// How many nodes and bytes of text it holds.
    fn weight(&self) -> (usize, usize) {
        let add = |sum: (usize, usize), more: (usize, usize)| (sum.0 + more.0, sum.1 + more.1);
        match &self.value {
            Value::Scalar(scalar) => (1, scalar.text.len()),
            Value::List(items) => items.iter().map(Self::weight).fold((1, 0), add),
            Value::Map(entries) => {
                entries.iter().map(|entry| add(entry.value.weight(), (1, entry.key.len()))).fold((1, 0), add)
            }
        }
    }

    /// How many levels it has.
    fn depth(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
        }
    }
}
