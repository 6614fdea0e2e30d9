//! A mail's body as pieces, and how they look as plain text and as HTML. Columns are aligned by display width, since
//! a full-width letter takes two places.

use crate::config::Locale;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// A body, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body(pub(super) Vec<Piece>);

/// One piece of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Sentences; line breaks are kept.
    Paragraph(String),
    /// Sentences under a heading.
    Section { heading: String, text: String },
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// What to do, or what to choose from.
    Steps { heading: String, steps: Vec<String>, numbered: bool },
    /// Rows of key, column and reason.
    Table { head: [String; 3], rows: Vec<[String; 3]>, more: Option<String> },
    /// The last line.
    Footer(String),
}

impl Body {
    /// Plain text, lines ended by `\n`.
    pub(super) fn to_text(&self) -> String {
        let pieces: Vec<String> = self.0.iter().map(Piece::to_text).collect();
        pieces.join("\n\n") + "\n"
    }

    /// A whole HTML document without any outside reference.
    pub(super) fn to_html(&self, locale: Locale) -> String {
        let lang = match locale {
            Locale::Ja => "ja",
            Locale::En => "en",
        };
        let pieces: String = self.0.iter().map(Piece::to_html).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"></head>\n\
             <body style=\"font-family:sans-serif;line-height:1.6;color:#222;max-width:44em\">\n{pieces}</body></html>\n"
        )
    }
}

impl Piece {
    fn to_text(&self) -> String {
        match self {
            Self::Paragraph(text) | Self::Footer(text) => text.clone(),
            Self::Section { heading, text } => format!("{heading}\n{}", indented(text)),
            Self::Facts(lines) => {
                let width = lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
                let lines: Vec<String> =
                    lines.iter().map(|(name, value)| format!(" {} {value}", padded(name, width))).collect();
                lines.join("\n")
            }
            Self::Steps { heading, steps, numbered } => {
                let mut text = heading.clone();
                for (index, step) in steps.iter().enumerate() {
                    let mark = if *numbered { format!("{}. ", index + 1) } else { "・".to_owned() };
                    let _ = write!(text, "\n {mark}{step}");
                }
                text
            }
            Self::Table { head, rows, more } => {
                let all = || std::iter::once(head).chain(rows);
                let width = |column: usize| all().map(|row| row[column].width()).max().unwrap_or(0);
                let widths = [width(0), width(1)];
                let line = |row: &[String; 3]| {
                    format!(" {} {} {}", padded(&row[0], widths[0]), padded(&row[1], widths[1]), row[2])
                };
                let mut lines: Vec<String> = all().map(line).collect();
                lines.extend(more.iter().map(|more| format!(" {more}")));
                lines.join("\n")
            }
        }
    }

    fn to_html(&self) -> String {
        match self {
            Self::Paragraph(text) => format!("<p>{}</p>\n", lines(text)),
            Self::Section { heading, text } => format!("<p><b>{}</b><br>{}</p>\n", escaped(heading), lines(text)),
            Self::Facts(facts) => {
                let rows: String = facts
                    .iter()
                    .map(|(name, value)| {
                        let name = escaped(name);
                        format!(
                            "<tr><td style=\"color:#666;padding-right:1em\">{name}</td><td>{}</td></tr>",
                            escaped(value)
                        )
                    })
                    .collect();
                format!("<table>{rows}</table>\n")
            }
            Self::Steps { heading, steps, numbered } => {
                let tag = if *numbered { "ol" } else { "ul" };
                let items: String = steps.iter().map(|step| format!("<li>{}</li>", escaped(step))).collect();
                format!("<p><b>{}</b></p><{tag}>{items}</{tag}>\n", escaped(heading))
            }
            Self::Table { head, rows, more } => {
                let cells = |row: &[String; 3], tag: &str| -> String {
                    row.iter()
                        .map(|cell| {
                            format!("<{tag} align=\"left\" style=\"padding-right:1em\">{}</{tag}>", escaped(cell))
                        })
                        .collect()
                };
                let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>", cells(row, "td"))).collect();
                let more = more.as_ref().map(|more| format!("<p>{}</p>", escaped(more))).unwrap_or_default();
                format!("<table><tr>{}</tr>{rows}</table>{more}\n", cells(head, "th"))
            }
            Self::Footer(text) => format!("<p style=\"color:#666\">{}</p>\n", escaped(text)),
        }
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!(" {line}")).collect::<Vec<_>>().join("\n")
}

fn lines(text: &str) -> String {
    escaped(text).replace('\n', "<br>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
