//! What a name or an id may be: it is shown in lists, mails and logs, where it has to stay in its place.

use super::fault::Fault;

/// The most characters of a name: what a line of a list still shows.
pub const MOST_CHARACTERS: usize = 100;

/// What is wrong with a name, or with another text of the kind, in the field that holds it.
pub fn check(field: &str, text: &str) -> Option<Fault> {
    let length = text.chars().count();
    let (what, fix) = if text.trim().is_empty() {
        (format!("the {field} is empty"), "give it one that people recognise")
    } else if text.chars().any(char::is_control) {
        (format!("the {field} holds a control character"), "write it in one line")
    } else if let Some(mark) = text.chars().find(|&c| turns_the_text(c)) {
        let mark = u32::from(mark);
        (format!("the {field} holds U+{mark:04X}, which turns the text around it"), "take the invisible mark out")
    } else if length > MOST_CHARACTERS {
        (format!("the {field} has {length} characters"), "write at most 100, and the rest into a comment")
    } else {
        return None;
    };
    Some(Fault::error(&[field], what, fix))
}

/// The marks of Unicode's bidirectional algorithm (UAX #9), with which a text can be made to look like another.
fn turns_the_text(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_is_one_short_line_that_reads_as_it_stands() {
        for good in ["社員一覧", "ｶﾅ (東京)", &"長".repeat(100), "a b", "🍣"] {
            assert_eq!(check("name", good), None, "{good}");
        }
        for (bad, said) in [
            ("", "is empty"),
            (" \u{3000}", "is empty"),
            ("a\nb", "a control character"),
            ("a\u{1b}[31m", "a control character"),
            ("a\u{202e}b", "U+202E"),
            (&"長".repeat(101), "has 101 characters"),
        ] {
            let fault = check("name", bad).unwrap();
            assert!(fault.to_string().contains(said), "{fault}");
        }
    }
}
