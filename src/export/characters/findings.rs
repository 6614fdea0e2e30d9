//! What is told about letters that cannot be written: the letter, where, why, and what people usually write instead.

use std::collections::HashMap;
use std::fmt;

use unicode_normalization::char::is_combining_mark;

use super::letters::Letter;
use super::suggestions::suggest;

/// Why a letter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Windows-31J, which 楽楽精算 reads as Shift_JIS, has no place for it.
    NotInShiftJis,
    /// 外字: a private use character, whose shape only the machine with that font knows.
    PrivateUse,
    /// A control character other than tab, LF and CR; no CSV field should hold one.
    Control,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInShiftJis => "not in Shift_JIS (Windows-31J)",
            Self::PrivateUse => "外字 (private use: only the machine with that font knows its shape)",
            Self::Control => "control character",
        })
    }
}

/// A letter of a field that cannot be written.
///
/// Displays as `U+20BB7 𠮷 (suggestion: 吉)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmappable {
    /// The letter, after replacements and foldings.
    pub character: char,
    /// Where the field has it first, in characters (Unicode scalar values) from 1, as the field was given.
    pub index: usize,
    /// How often the field has it.
    pub times: usize,
    /// Why it is refused.
    pub reason: Reason,
}

impl Unmappable {
    /// The letter as people can look at it; empty where it is invisible, or its shape means nothing elsewhere.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.reason {
            Reason::NotInShiftJis if is_invisible(self.character) => String::new(),
            Reason::NotInShiftJis if is_combining_mark(self.character) => format!("◌{}", self.character),
            Reason::NotInShiftJis => self.character.to_string(),
            Reason::PrivateUse | Reason::Control => String::new(),
        }
    }

    /// What people usually write instead, if there is such a thing; empty where the letter is best left out (it is
    /// invisible). A suggestion can be written in Shift_JIS; it is for a human to choose, and never applied by itself.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        if self.reason == Reason::NotInShiftJis { suggest(self.character) } else { None }
    }
}

impl fmt::Display for Unmappable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.character))?;
        let shown = self.shown();
        match self.reason {
            Reason::NotInShiftJis if shown.is_empty() => {}
            Reason::NotInShiftJis => write!(f, " {shown}")?,
            Reason::PrivateUse | Reason::Control => write!(f, " {}", self.reason)?,
        }
        match self.suggestion().as_deref() {
            None => Ok(()),
            Some("") => f.write_str(" (suggestion: leave it out)"),
            Some(" ") => f.write_str(" (suggestion: a space)"),
            Some(text) => write!(f, " (suggestion: {text})"),
        }
    }
}

/// What a terminal or a mail would not show, or would be turned around by.
pub(super) fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Collects each distinct letter once, in the order of appearance, so that a page of emoji is a short list.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Unmappable>,
    places: HashMap<char, usize>,
}

impl Findings {
    pub(super) fn note(&mut self, letter: Letter, reason: Reason) {
        let Letter { character, index } = letter;
        if let Some(&place) = self.places.get(&character) {
            self.list[place].times += 1;
            return;
        }
        self.places.insert(character, self.list.len());
        self.list.push(Unmappable { character, index, times: 1, reason });
    }

    pub(super) fn into_list(self) -> Vec<Unmappable> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(character: char, reason: Reason) -> String {
        let mut findings = Findings::default();
        findings.note(Letter { character, index: 1 }, reason);
        findings.into_list()[0].to_string()
    }

    #[test]
    fn a_letter_is_told_with_code_point_shape_and_suggestion() {
        assert_eq!(told('𠮷', Reason::NotInShiftJis), "U+20BB7 𠮷 (suggestion: 吉)");
        assert_eq!(told('한', Reason::NotInShiftJis), "U+D55C 한");
        assert_eq!(told('\u{A0}', Reason::NotInShiftJis), "U+00A0 (suggestion: a space)");
        assert_eq!(told('\u{202E}', Reason::NotInShiftJis), "U+202E (suggestion: leave it out)");
    }

    #[test]
    fn gaiji_and_controls_are_called_by_name_and_not_printed() {
        assert!(told('\u{E000}', Reason::PrivateUse).starts_with("U+E000 外字"));
        assert_eq!(told('\u{1B}', Reason::Control), "U+001B control character");
    }
}
