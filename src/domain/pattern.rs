//! A regular expression over a whole value, in the notation of Rust's `regex` crate: it takes time linear in the value,
//! whatever is written.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// The most bytes that a pattern takes when made ready: `\w{1000}{1000}` is refused, and nobody writes such a rule.
const MOST_BYTES: usize = 10 << 20;

/// A pattern, ready to be asked.
#[derive(Debug, Clone)]
pub struct Pattern {
    written: String,
    regex: Regex,
}

impl Pattern {
    /// Makes a pattern ready.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a clause: `unclosed group`.
    pub fn new(written: &str) -> Result<Self, String> {
        // Alone first: `a)(b` is no pattern, though it would be one between two parentheses.
        syntax::parse(written).map_err(|error| clause(&error.to_string()))?;
        let config = Regex::config().nfa_size_limit(Some(MOST_BYTES));
        let regex = Regex::builder().configure(config).build(&format!(r"\A(?:{written})\z"));
        let regex = regex.map_err(|error| match error.size_limit() {
            Some(_) => "it is too large".to_owned(),
            None => error.syntax_error().map_or_else(|| error.to_string(), |error| clause(&error.to_string())),
        })?;
        Ok(Self { written: written.to_owned(), regex })
    }

    /// Whether the whole value is of this form.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// The last line of an error that draws the pattern above it.
fn clause(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_is_asked() {
        let pattern = Pattern::new("[0-9]{3}|a+?").unwrap();
        assert!(["123", "a", "aaa"].iter().all(|value| pattern.is_match(value)));
        assert!(["1234", "12", "x123", "123\n", "ab", ""].iter().all(|value| !pattern.is_match(value)));
        assert!(Pattern::new(r"(?i)\p{Katakana}+ [a-z]").unwrap().is_match("カナ X"));
        assert!(!Pattern::new("(?m)^a$").unwrap().is_match("a\nb"));
    }

    #[test]
    fn what_is_no_pattern_is_said_in_a_clause() {
        for (wrong, why) in [
            ("a(b", "unclosed group"),
            ("a)(b", "unopened group"),
            ("[z-a]", "invalid character class range, the start must be <= the end"),
            ("(?x)a # b", "unclosed group"),
            (r"\w{1000}{1000}", "it is too large"),
        ] {
            assert_eq!(Pattern::new(wrong).unwrap_err(), why, "{wrong}");
        }
    }
}
