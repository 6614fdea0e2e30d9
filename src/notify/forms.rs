//! How a notice looks to its receiver. Names that people typed stand in it: none may become a mention, a link or a tag
//! there.

use crate::config::notify::Form;
use crate::store::notices::Content;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// The most characters of a text: a section of Slack takes 3,000, a card of Teams 28 KB.
const LONGEST: usize = 2_800;
/// The most lines of a card.
const MOST_LINES: usize = 60;

/// A body and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The type.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Writes a notice in a webhook's form.
#[must_use]
pub fn body(form: Form, content: &Content) -> Body {
    let text = bounded(&content.text);
    let title = bounded(&content.title);
    let value = match form {
        Form::Json => content.run.clone(),
        Form::Slack => slack(&title, &text),
        Form::Teams => teams(&title, &text),
        Form::Chatwork => {
            return Body {
                content_type: "application/x-www-form-urlencoded",
                bytes: chatwork(&title, &text).into_bytes(),
            };
        }
    };
    Body { content_type: "application/json", bytes: value.to_string().into_bytes() }
}

/// Slack shows the blocks; `text` is what a notification shows, and there alone `<…>` and `&` mean something.
fn slack(title: &str, text: &str) -> serde_json::Value {
    let plain = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let section =
        |text: &str| json!({ "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } });
    json!({ "text": plain, "blocks": [section(title), section(text)] })
}

/// An Adaptive Card in the envelope that a workflow's webhook takes. Text runs know no Markdown, other blocks do.
fn teams(title: &str, text: &str) -> serde_json::Value {
    let run = |text: &str, bold: bool| {
        let weight = if bold { "Bolder" } else { "Default" };
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] })
    };
    let mut blocks = vec![run(title, true)];
    blocks.extend(text.lines().filter(|line| !line.trim().is_empty()).take(MOST_LINES).map(|line| run(line, false)));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": blocks,
            },
        }],
    })
}

/// A framed message; it marks nothing as read by the token's owner. Chatwork knows no way to write `[` without its
/// being a tag, so the full-width one stands for it.
fn chatwork(title: &str, text: &str) -> String {
    let tame = |text: &str| text.replace('[', "［").replace(']', "］");
    let message = format!("[info][title]{}[/title]{}[/info]", tame(title), tame(text));
    format!("self_unread=1&body={}", utf8_percent_encode(&message, NON_ALPHANUMERIC))
}

fn bounded(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn content(title: &str, text: &str) -> Content {
        Content { title: title.to_owned(), text: text.to_owned(), run: json!({ "id": "R-1" }) }
    }

    fn read(form: Form, title: &str, text: &str) -> Value {
        serde_json::from_slice(&body(form, &content(title, text)).bytes).unwrap()
    }

    #[test]
    fn no_name_becomes_a_mention_a_link_or_a_tag() {
        let evil = "<!channel> & [x](https://evil.example) [toall]";
        let slack = read(Form::Slack, evil, evil);
        assert_eq!(slack["text"], "&lt;!channel&gt; &amp; [x](https://evil.example) [toall]");
        assert_eq!(slack["blocks"][1]["text"], json!({ "type": "plain_text", "text": evil, "emoji": false }));
        let teams = read(Form::Teams, evil, evil);
        let blocks = teams["attachments"][0]["content"]["body"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"), "{teams}");
        let chatwork = body(Form::Chatwork, &content(evil, evil));
        let form: Vec<_> = url::form_urlencoded::parse(&chatwork.bytes).collect();
        assert_eq!(form[0], ("self_unread".into(), "1".into()));
        assert_eq!(form[1].0, "body");
        assert_eq!(form[1].1.matches('[').count(), 4, "the frame's own alone: {}", form[1].1);
    }

    #[test]
    fn a_long_text_is_cut_to_what_the_services_take() {
        let slack = read(Form::Slack, "t", &"あ".repeat(10_000));
        assert_eq!(slack["blocks"][1]["text"]["text"].as_str().unwrap().chars().count(), LONGEST);
        assert!(body(Form::Teams, &content("t", &"あ\n".repeat(10_000))).bytes.len() < 28 * 1024);
    }
}
