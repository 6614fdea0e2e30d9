//! The text under the settings: broken YAML, bombs, duplicates, aliases.

use super::{EXAMPLE, error, errors, load, loaded};
use proptest::prelude::*;

#[test]
fn duplicate_keys_are_refused_with_both_places() {
    let yaml = "menus:\n  - name: a\n    source: { records: }\n    name: b\n    key: [x]\n    key: [y]\n";
    let errors = errors(yaml);
    assert_eq!(
        errors,
        [
            "4:5: error: the key \"name\" stands twice: first at 2:5, again here (keep one of them)",
            "6:5: error: the key \"key\" stands twice: first at 5:5, again here (keep one of them)",
        ]
    );
}

#[test]
fn of_very_many_duplicates_the_first_are_told() {
    assert_eq!(errors(&"x-a: 1\n".repeat(10_000)).len(), 100);
}

#[test]
fn a_bomb_of_aliases_is_an_error_and_not_memory() {
    let mut laughs = "x-0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs += &format!("x-{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
    }
    let found = error(&laughs);
    assert!(found.contains("200000 values"), "{found}");
    // Few nodes, much text.
    let long = format!("x-0: &a {}\nx-1: [{}*a]\n", "y".repeat(1_000_000), "*a, ".repeat(1000));
    assert!(error(&long).contains("32 MB"));
    assert!(error("x-0: &a [*a]\n").contains("inside what it names"));
}

#[test]
fn depth_is_bounded_in_every_form() {
    for yaml in [
        format!("x-0: {}", "[".repeat(100_000)),
        format!("x-0: {}", "{a: ".repeat(100_000)),
        "- ".repeat(100_000),
        (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
        (1..40).fold("x-0: &a0 [y]\n".to_owned(), |yaml, level| {
            yaml + &format!("x-{level}: &a{level} [[[*a{}]]]\n", level - 1)
        }),
    ] {
        let found = error(&yaml);
        assert!(found.contains("levels deep"), "{found}");
    }
}

#[test]
fn aliases_and_merge_keys_are_written_out() {
    let yaml = EXAMPLE.replace(
        "headers: { X-RS-apitoken: \"${env:SEISAN_TOKEN}\", Content-Type: \"multipart/form-data;\" }",
        "headers: { <<: *token, Content-Type: \"multipart/form-data;\", X-Own: mine }",
    );
    let yaml = format!("x-token: &token {{ X-RS-apitoken: \"${{env:SEISAN_TOKEN}}\", X-Own: theirs }}\n{yaml}");
    let entities = loaded(&yaml).entities;
    let headers: Vec<_> =
        entities.integrations[0].form().headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(headers, ["Content-Type=multipart/form-data;", "X-Own=mine", "X-RS-apitoken=${env:SEISAN_TOKEN}"]);
    assert!(error("x-0: { <<: 5 }\n").contains("only a map can be merged"));
}

#[test]
fn broken_yaml_is_told_at_its_place_in_words_that_help() {
    for (yaml, place, wanted) in [
        ("menus:\n\t- name: a\n", "2:", "tab"),
        ("menus:\n  - name: \"a\n", "", "close the quote"),
        ("menus: [ { name: a }\n", "", "is the file complete?"),
        ("menus:\n  - name: a: b\n", "2:12", "into quotes"),
        ("menus:\n  - name: *x\n", "2:11", "names no anchor"),
        ("menus:\n  - name: !secret a\n", "2:19", "the tag !secret is not known"),
        ("menus: []\n---\nmenus: []\n", "2:1", "a second document"),
        ("menus: []\n  timers: []\n", "2:", ""),
        ("menus：\n  - name: a\n", "", "full-width"),
        ("- a\n- b\n", "1:1", "a list, not a settings file"),
        ("just words", "1:1", "a text, not a settings file"),
        ("", "1:1", "the file holds nothing"),
        ("# nothing\n", "1:1", "the file holds nothing"),
        ("~", "1:1", "the file holds nothing"),
        ("menus: 5\n", "1:8", "not a list"),
        ("menus: [5]\n", "1:9", "not a menu"),
        ("menu: []\n", "1:1", "did you mean menus?"),
        ("? [a]\n: b\n", "1:3", "where a key is expected"),
    ] {
        let found = error(yaml);
        assert!(found.starts_with(place) && found.contains(wanted), "{yaml:?}: {found}");
    }
}

#[test]
fn every_cut_of_the_example_ends_in_words() {
    for end in EXAMPLE.char_indices().map(|(index, _)| index).step_by(7) {
        // Some cuts are settings of their own; none may panic or hang.
        let _ = load(&EXAMPLE[..end]);
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ \\n\\ta-c\\-:,\\[\\]{}&*!|>'\"#%@?<0-9あ~]{0,60}") {
        let _ = load(&text);
    }
}
