//! The form of a dead-man's switch as healthchecks.io made it common: `URL` when all is well, `URL/start` at a start,
//! `URL/fail` when it went wrong, each a POST with one line as its body.

use crate::store::notices::NoticeEvent;
use url::Url;

/// The longest line, in bytes: far below what the known services keep.
const LONGEST: usize = 1000;

/// Where a switch hears of an event; a query stays where it is.
pub(super) fn address(mut url: Url, event: NoticeEvent) -> Url {
    let word = match event {
        NoticeEvent::Good => return url,
        NoticeEvent::Start => "start",
        NoticeEvent::Trouble => "fail",
    };
    let path = format!("{}/{word}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// One bounded line.
pub(super) fn line(text: &str) -> String {
    let mut line = String::new();
    for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        if line.len() + letter.len_utf8() > LONGEST {
            break;
        }
        line.push(letter);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_put_behind_the_path_and_before_the_query() {
        let at = |url: &str, event| address(Url::parse(url).unwrap(), event).to_string();
        assert_eq!(at("https://hc.example/ping/uuid", NoticeEvent::Good), "https://hc.example/ping/uuid");
        assert_eq!(at("https://hc.example/ping/uuid", NoticeEvent::Start), "https://hc.example/ping/uuid/start");
        assert_eq!(
            at("https://hc.example/uuid/?create=1", NoticeEvent::Trouble),
            "https://hc.example/uuid/fail?create=1"
        );
    }

    #[test]
    fn a_line_is_one_line_and_bounded() {
        assert_eq!(line("a\nb"), "a b");
        assert_eq!(line(&"あ".repeat(1000)).len(), 999);
    }
}
