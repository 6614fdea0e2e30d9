//! The company's own table: what it has decided to write in the place of a letter or a word.
//!
//! It comes before everything else, so it can give a 外字 a meaning or overrule a folding. It is applied once, from the
//! left, the longest source first; what it writes is not looked up again. A target that cannot be written is refused
//! when the table is made, not at night.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use thiserror::Error;

use super::{Encoder, Unmappable};

/// A checked replacement table: source text → target text.
#[derive(Clone, Debug, Default)]
pub struct Replacements {
    /// By the first letter of the source; the longest source first.
    rules: HashMap<char, Vec<(String, String)>>,
    /// Whether a letter below U+10000 starts a source, a bit each; empty in an empty table.
    starts: Vec<u64>,
    ascii: bool,
    astral: bool,
}

/// Why a replacement table is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReplacementError {
    /// A rule says nothing about what it replaces.
    #[error("a replacement (to 「{target}」) has an empty source text; write the letter that it replaces")]
    EmptySource {
        /// What the rule would have written.
        target: String,
    },
    /// Two rules disagree.
    #[error("「{source_text}」 is replaced by both 「{first}」 and 「{second}」; keep one of them")]
    Contradiction {
        /// What both rules replace.
        source_text: String,
        /// What the first of them writes.
        first: String,
        /// What the other writes.
        second: String,
    },
    /// What a rule writes cannot be written in Shift_JIS.
    #[error("「{source_text}」 is replaced by 「{target}」, which cannot be written in Shift_JIS: {unmappable}")]
    UnmappableTarget {
        /// What the rule replaces.
        source_text: String,
        /// What it writes.
        target: String,
        /// The first letter of it that has no place.
        unmappable: Unmappable,
    },
}

impl Replacements {
    /// A table from (source, target) pairs. A source is one letter or more; a target may be empty, which takes the
    /// source away. The same pair twice is one rule.
    ///
    /// # Errors
    ///
    /// An empty source, one source with two targets, a target that cannot be written in Shift_JIS.
    pub fn new(rules: impl IntoIterator<Item = (String, String)>) -> Result<Self, ReplacementError> {
        let mut checked: HashMap<String, String> = HashMap::new();
        for (source_text, target) in rules {
            if source_text.is_empty() {
                return Err(ReplacementError::EmptySource { target });
            }
            if let Err(found) = Encoder::default().encode_field(&target, &mut Vec::new())
                && let Some(unmappable) = found.into_iter().next()
            {
                return Err(ReplacementError::UnmappableTarget { source_text, target, unmappable });
            }
            match checked.entry(source_text) {
                Entry::Occupied(rule) if *rule.get() != target => {
                    let (source_text, first) = rule.remove_entry();
                    return Err(ReplacementError::Contradiction { source_text, first, second: target });
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(place) => {
                    place.insert(target);
                }
            }
        }
        let mut table = Self::default();
        for (source, target) in checked {
            let Some(first) = source.chars().next() else { continue };
            table.mark(first);
            table.rules.entry(first).or_default().push((source, target));
        }
        for rules in table.rules.values_mut() {
            rules.sort_by_key(|(source, _)| std::cmp::Reverse(source.len()));
        }
        Ok(table)
    }

    fn mark(&mut self, first: char) {
        let code = u32::from(first) as usize;
        self.ascii |= first.is_ascii();
        if self.starts.is_empty() {
            self.starts = vec![0; 0x1_0000 / 64];
        }
        match self.starts.get_mut(code / 64) {
            Some(bits) => *bits |= 1 << (code % 64),
            None => self.astral = true,
        }
    }

    /// Whether a source may start with this letter; exact below U+10000.
    fn may_start(&self, character: char) -> bool {
        let code = u32::from(character) as usize;
        self.starts.get(code / 64).map_or(self.astral, |bits| bits >> (code % 64) & 1 == 1)
    }

    /// Whether some source starts with an ASCII character.
    pub(super) fn concern_ascii(&self) -> bool {
        self.ascii
    }

    /// Whether the table may have something to say about this text; quick, and never a wrong no.
    pub(super) fn concern(&self, text: &str) -> bool {
        !self.rules.is_empty() && text.chars().any(|character| self.may_start(character))
    }

    /// The rule for the beginning of `text`, the longest that fits.
    pub(super) fn at(&self, text: &str) -> Option<(&str, &str)> {
        if self.rules.is_empty() {
            return None;
        }
        let first = text.chars().next().filter(|&first| self.may_start(first))?;
        let rules = self.rules.get(&first)?;
        rules
            .iter()
            .find(|(source, _)| text.starts_with(source.as_str()))
            .map(|(source, target)| (source.as_str(), target.as_str()))
    }

    /// `text` with the table applied, and nothing else.
    pub(super) fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.concern(text) {
            return Cow::Borrowed(text);
        }
        let mut rest = text;
        let mut written = String::with_capacity(text.len());
        while let Some(character) = rest.chars().next() {
            if let Some((source, target)) = self.at(rest) {
                written.push_str(target);
                rest = &rest[source.len()..];
            } else {
                written.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        Cow::Owned(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rules: &[(&str, &str)]) -> Result<Replacements, ReplacementError> {
        Replacements::new(rules.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())))
    }

    #[test]
    fn the_longest_source_wins_and_a_target_is_not_looked_up_again() {
        let table = table(&[("a", "b"), ("ab", "x"), ("b", "a"), ("𠮷", "吉"), ("❤", "")]).unwrap();
        assert_eq!(table.apply("baab𠮷野❤"), "abx吉野");
        assert!(matches!(table.apply("漢字"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_table_that_cannot_work_is_refused() {
        assert_eq!(table(&[("", "x")]).unwrap_err(), ReplacementError::EmptySource { target: "x".into() });
        assert!(matches!(table(&[("a", "b"), ("a", "c")]), Err(ReplacementError::Contradiction { .. })));
        assert!(table(&[("a", "b"), ("a", "b")]).is_ok());
        for target in ["𠮷", "\u{E000}", "\0"] {
            let refused = table(&[("吉", target)]).unwrap_err();
            assert!(refused.to_string().contains("吉"), "{refused}");
        }
    }

    #[test]
    fn a_gaiji_can_be_given_a_meaning() {
        let encoder = Encoder::new(table(&[("\u{E000}", "髙")]).unwrap());
        let mut out = Vec::new();
        encoder.encode_field("\u{E000}", &mut out).unwrap();
        assert_eq!(out, b"\xFB\xFC");
    }
}
