//! The columns and conditions of a menu: what cannot work is refused at its place, with the way to mend it.

use super::{errors, loaded};

/// The faults of one column, without the entity's name.
fn faults(column: &str) -> Vec<String> {
    let yaml = format!("menus:\n  - name: M\n    source: {{ records: {{}} }}\n    columns:\n      - {column}\n");
    errors(&yaml).iter().map(|error| error.replace("error: menu M: ", "")).collect()
}

#[test]
fn a_default_that_is_empty_and_a_padding_that_fills_nothing_are_refused() {
    assert_eq!(
        faults("{ header: a, default: \"\", pad: { to: 0, with: \"00\" } }"),
        [
            "5:31: the default of a is empty (write the text that is sent for an empty value, or remove it)",
            "5:46: a text cannot be filled up to 0 characters (write how many digits the code has, from 1 to 1000)",
            "5:55: \"00\" is not one character (write with: \"0\", say)",
        ]
    );
    assert_eq!(
        faults("{ header: a, pad: { to: 6 }, max_chars: 5 }"),
        ["5:33: a is filled up to 6 characters, and 5 are allowed (write max_chars at least as large)"]
    );
    assert_eq!(faults("{ header: a, pad: { with: x } }"), ["5:27: to is missing (write to: 6)"]);
    assert_eq!(
        faults("{ header: a, case: title, pad: { to: 3, side: middle } }"),
        [
            "5:28: \"title\" is not known here (write upper or lower)",
            "5:55: \"middle\" is not known here (write left or right)",
        ]
    );
    assert!(faults("{ header: a, colapse_spaces: true }")[0].contains("did you mean collapse_spaces?"));
}

#[test]
fn a_code_of_digits_is_a_text() {
    let yaml = "menus:\n  - name: M\n    source: { records: {} }\n    key: [a]\n    columns:\n      - { header: a, default: 007, pad: { to: 6, with: 0 } }\n";
    let entities = loaded(yaml).entities;
    let column = &entities.menus[0].form().columns[0];
    assert_eq!(column.default.as_deref(), Some("007"));
    assert_eq!(column.pad.as_ref().map(|pad| pad.with.as_str()), Some("0"));
}

#[test]
fn a_replacement_needs_a_map_and_a_text_of_its_own_is_written_as_one() {
    assert_eq!(
        faults("{ header: a, replace: { otherwise: keep } }")[0].split(" (").next(),
        Some("5:31: map is missing")
    );
    assert!(faults("{ header: a, replace: { map: {} } }")[0].contains("the map of a is empty"));
    let typo = &faults("{ header: a, replace: { map: { 1: x }, otherwise: kepp } }")[0];
    assert!(typo.contains("\"kepp\" is not known here (write keep, reject or { text: その他 })"), "{typo}");
    let list = faults("{ header: a, replace: { map: { 1: [x], 2: y } } }");
    assert!(list[0].starts_with("5:43: here stands a list, not a text"), "{list:?}");
}

#[test]
fn a_pattern_that_is_none_is_refused_with_the_reason() {
    assert_eq!(
        faults("{ header: a, pattern: \"[0-9\" }"),
        ["5:31: \"[0-9\" is no regular expression: unclosed character class (write [0-9]{6}, say)"]
    );
}

#[test]
fn a_concat_stands_alone_and_names_columns() {
    let told = |column: &str| {
        faults(column).iter().map(|fault| fault.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("{ header: a, field: b, concat: [c] }"), ["a has both a field and a concat (keep one of them)"]);
    assert_eq!(
        told("{ header: a, constant: b, concat: [c] }"),
        ["a has both a constant and a concat (keep one of them)"]
    );
    for nothing in ["[]", "[b, \"\"]"] {
        let what = "the concat of a names no column of the source, or an empty one (write concat: [sei, mei], say)";
        assert_eq!(told(&format!("{{ header: a, concat: {nothing} }}")), [what]);
    }
    assert_eq!(
        told("{ header: a, between: \" \" }"),
        ["a has nothing to stand between (add concat: [sei, mei], or remove it)"]
    );
}

#[test]
fn an_era_is_read_and_not_written() {
    let fault = &faults("{ header: a, date: { from: wareki, to: wareki } }")[0];
    assert!(fault.ends_with("wareki is read and not written (write %Y/%m/%d, say)"), "{fault}");
}

#[test]
fn a_condition_asks_one_thing_of_one_column() {
    let told = |condition: &str| {
        let yaml = format!("menus:\n  - name: M\n    source: {{ records: {{}} }}\n    where:\n      - {condition}\n");
        errors(&yaml).iter().map(|error| error.split_once("menu M: ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let one_of_four = "(write is: TEXT, is_not: TEXT, in: [TEXT, TEXT] or empty: true)";
    assert_eq!(told("{ field: a }"), [format!("nothing is asked of a {one_of_four}")]);
    assert_eq!(
        told("{ field: a, is: b, empty: false }"),
        ["several things are asked of a at once (write one condition for each: a row has to meet them all)"]
    );
    assert_eq!(told("{ field: a, in: [] }"), ["no value is in an empty list (write in: [\"1\", \"2\"], say)"]);
    assert_eq!(told("{ is: a }"), ["field is missing (write field: 在籍)"]);
    assert!(told("{ field: a, ist: b }").iter().any(|fault| fault.contains("did you mean is?")));
}
