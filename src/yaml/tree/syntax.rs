//! What the parser says about broken YAML, in words that help whoever wrote it.

use super::TreeFault;
use crate::yaml::Place;
use saphyr_parser::ScanError;

/// The parser's words, and ours: what is wrong, how to mend it.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "block scalar content cannot start with a tab",
        "a tab stands where blanks indent",
        "indent with blanks; YAML takes no tabs there",
    ),
    ("tab", "a tab stands where blanks indent", "indent with blanks; YAML takes no tabs there"),
    (
        "unknown anchor",
        "the alias names no anchor above it",
        "write &NAME at what is meant, above; a text that starts with * needs quotes",
    ),
    ("unexpected end of stream", "the file ends inside a quoted text", "close the quote; is the file complete?"),
    (
        "did not find expected node content",
        "a value is missing: the file ends here, or a sign stands where a value is expected",
        "close brackets; a text that starts with a sign needs quotes",
    ),
    ("unexpected eof", "the file ends in the middle", "is the file complete? close brackets and quotes"),
    (
        "',' or '}'",
        "a { is not closed, or a comma is missing",
        "write { key: value, key: value }; is the file complete?",
    ),
    ("',' or ']'", "a [ is not closed, or a comma is missing", "write [one, two]; is the file complete?"),
    (
        "mapping values are not allowed",
        "a second \": \" stands in this line, or the line is indented too far",
        "put a text that holds \": \" into quotes, and check the indentation",
    ),
    (
        "simple key expect",
        "this line is no \"key: value\"",
        "write a colon and a blank after the key, and check the indentation",
    ),
    ("recursion limit", "lists and maps stand too many levels deep", "check the brackets"),
    (
        "unknown escape",
        "a backslash in double quotes starts an escape that is not known",
        "write it twice (\\\\), or use single quotes",
    ),
    (
        "did not find expected key",
        "this line belongs to no map or list above it",
        "check the indentation: entries of one map start in the same column",
    ),
    (
        "expected '-' indicator",
        "this line belongs to no list above it",
        "check the indentation: entries of one list start in the same column",
    ),
    ("must be followed by a valid YAML whitespace", "a blank is missing after - or :", "write a blank after it"),
];

/// An error of the parser with its place.
pub(super) fn explain(error: &ScanError, text: &str) -> TreeFault {
    let place = Place { line: error.marker().line().max(1), column: error.marker().col() + 1 };
    let info = error.info();
    let (what, mut fix) = match KNOWN.iter().find(|(mark, ..)| info.contains(mark)) {
        Some((_, what, fix)) => ((*what).to_owned(), (*fix).to_owned()),
        None => (
            format!("this is not YAML: {info}"),
            "check indentation, quotes and brackets here and in the line above".to_owned(),
        ),
    };
    let near = text.lines().skip(place.line.saturating_sub(2)).take(2);
    if let Some(letter) = near.flat_map(str::chars).find(|c| matches!(c, '　' | '：' | '［' | '｛' | '”')) {
        fix = format!("{fix}; there is a full-width {letter:?} nearby: YAML's signs and blanks are half-width");
    }
    TreeFault::new(place, what, fix)
}
