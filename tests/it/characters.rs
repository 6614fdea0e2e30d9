//! The promise about characters: what is written equals glibc's `iconv -t CP932` on every Unicode scalar value outside
//! the private use area, and what cannot be written is told, never guessed.
//!
//! The oracle is `tests/data/cp932/table.txt`, written by `generate.py` beside it. With `RENKEI_SERVICES=1` the script
//! runs again here and must write the same table (it needs Linux with glibc, and python3).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use renkei::export::characters::{Encoder, Mark, Reason, Replacements, Unmappable, encode_plainly};

const PRIVATE_USE: [std::ops::RangeInclusive<char>; 2] = ['\u{E000}'..='\u{F8FF}', '\u{F0000}'..='\u{10FFFF}'];

fn oracle_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cp932")
}

/// Scalar value → the bytes that iconv writes; absent where it refuses.
fn oracle() -> BTreeMap<char, Vec<u8>> {
    let table = std::fs::read_to_string(oracle_folder().join("table.txt")).unwrap();
    let mut oracle = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split(' ');
        let first = u32::from_str_radix(cells.next().unwrap(), 16).unwrap();
        for (code, cell) in (first..).zip(cells).filter(|(_, cell)| *cell != ".") {
            let hex = cell.trim_start_matches('-').as_bytes();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            oracle.insert(char::from_u32(code).unwrap(), hex.chunks(2).map(byte).collect());
        }
    }
    oracle
}

fn is_private_use(character: char) -> bool {
    PRIVATE_USE.iter().any(|range| range.contains(&character))
}

/// The control characters that the encoding knows and a field may not hold.
fn is_refused_in_fields(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{7F}')
}

fn encoder(rules: &[(&str, &str)]) -> Encoder {
    let rules = rules.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
    Encoder::new(Replacements::new(rules).unwrap())
}

fn field(encoder: &Encoder, text: &str) -> Result<Vec<u8>, Vec<Unmappable>> {
    let mut out = Vec::new();
    encoder.encode_field(text, &mut out).map(|()| out)
}

#[test]
fn every_scalar_value_is_written_as_iconv_writes_it() {
    let oracle = oracle();
    assert!(oracle.len() > 9_000, "the oracle is cut short");
    let encoder = Encoder::default();
    let mut text = [0; 4];
    let (mut plain, mut as_field) = (Vec::new(), Vec::new());
    let mut compared = 0;
    for character in ('\0'..=char::MAX).filter(|&character| !is_private_use(character)) {
        let text = &*character.encode_utf8(&mut text);
        plain.clear();
        let ours = encode_plainly(text, &mut plain).is_ok().then_some(&plain);
        let theirs = oracle.get(&character);
        assert_eq!(ours, theirs, "U+{:04X} {character:?}", u32::from(character));

        as_field.clear();
        let ours = encoder.encode_field(text, &mut as_field).is_ok().then_some(&as_field);
        let theirs = theirs.filter(|_| !is_refused_in_fields(character));
        assert_eq!(ours, theirs, "U+{:04X} {character:?} in a field", u32::from(character));
        compared += 1;
    }
    assert_eq!(compared, 0x11_0000 - 0x800 - 6_400 - 2 * 0x1_0000);
}

#[test]
fn every_private_use_character_is_refused_as_gaiji() {
    let encoder = Encoder::default();
    for character in PRIVATE_USE.into_iter().flatten() {
        let found = field(&encoder, &format!("山{character}")).unwrap_err();
        assert_eq!((found[0].character, found[0].index, found[0].reason), (character, 2, Reason::PrivateUse));
    }
    let told = field(&encoder, "\u{E000}").unwrap_err()[0].to_string();
    assert!(told.contains("外字"), "{told}");
    let iconv: Vec<char> = oracle().into_keys().filter(|&character| is_private_use(character)).collect();
    assert_eq!(iconv, ('\u{E000}'..='\u{E757}').collect::<Vec<_>>(), "what iconv makes of them has changed");
}

#[test]
fn the_decisions_beside_the_plain_table_are_these() {
    let oracle = oracle();
    for (read, written) in [('〜', '～'), ('−', '－'), ('‖', '∥'), ('—', '―'), ('¢', '￠'), ('£', '￡'), ('¬', '￢')]
    {
        assert_eq!(oracle[&read], oracle[&written], "{read} is {written} to iconv as well");
        assert_eq!(field(&Encoder::default(), &read.to_string()), Ok(oracle[&written].clone()));
    }
    assert_eq!(oracle.get(&'\u{80}'), None, "encoding_rs would write 80");
    assert_eq!((oracle[&'¥'].as_slice(), oracle[&'‾'].as_slice()), (&b"\x5C"[..], &b"\x7E"[..]));
    assert_eq!(oracle[&'\u{E0041}'], b"", "a language tag writes nothing");
    assert_eq!(oracle[&'髙'], b"\xFB\xFC", "not the NEC-selected EE E0");
}

#[test]
fn a_letter_that_shift_jis_lacks_stops_the_field_and_is_told() {
    let mut row = b"1001,".to_vec();
    let found = Encoder::default().encode_field("𠮷田", &mut row).unwrap_err();
    assert_eq!(row, b"1001,", "nothing of the refused field is left behind");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_string(), "U+20BB7 𠮷 (suggestion: 吉)");
    assert_eq!((found[0].index, found[0].times, found[0].reason), (1, 1, Reason::NotInShiftJis));
}

#[test]
fn a_letter_can_be_substituted_and_is_told_all_the_same() {
    let mark = Mark::new("〓").unwrap();
    let mut out = b"1001,".to_vec();
    let found = Encoder::default().encode_substituting("𠮷田か\u{3099}𠮷", &mark, &mut out);
    assert_eq!(out, [b"1001,".to_vec(), field(&Encoder::default(), "〓田が〓").unwrap()].concat());
    assert_eq!((found.len(), found[0].character, found[0].times), (1, '𠮷', 2));
    let mut out = Vec::new();
    assert_eq!(Encoder::default().encode_substituting("吉田", &mark, &mut out), []);
    assert_eq!(out, field(&Encoder::default(), "吉田").unwrap());
}

#[test]
fn the_companys_table_comes_first() {
    let plain = Encoder::default();
    let table = encoder(&[
        ("𠮷", "吉"),
        ("髙", "高"),
        ("〜", "-"),
        ("\u{E000}", "外"),
        ("葛\u{E0100}", "葛"),
        ("㈱", "\"株\""),
    ]);
    for (read, written) in
        [("𠮷田", "吉田"), ("髙橋", "高橋"), ("9〜5", "9-5"), ("～", "～"), ("\u{E000}", "外"), ("㈱", "\"株\"")]
    {
        assert_eq!(field(&table, read), field(&plain, written), "{read}");
    }
    let found = field(&table, "㈱😀").unwrap_err();
    assert_eq!(found[0].index, 2, "a place is that in the field as it was given");
}

#[test]
fn this_is_not_a_normalisation_over_everything() {
    for letter in ["\u{FA10}", "\u{FA11}", "\u{212B}", "㈱", "①", "ｱ", "Ａ", "℡", "Ⅳ", "㍻"] {
        let bytes = field(&Encoder::default(), letter).unwrap();
        let (back, _, faulty) = encoding_rs::SHIFT_JIS.decode(&bytes);
        assert!(!faulty);
        assert_eq!(back, letter);
    }
    assert!(field(&Encoder::default(), "\u{C5}").is_err(), "Windows-31J has Å at U+212B alone");
}

#[test]
fn the_table_is_what_iconv_says_on_this_machine() {
    if std::env::var_os("RENKEI_SERVICES").is_none() {
        return;
    }
    let run = Command::new("python3").arg(oracle_folder().join("generate.py")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let committed = std::fs::read(oracle_folder().join("table.txt")).unwrap();
    assert!(run.stdout == committed, "iconv on this machine differs from the committed table");
}

proptest! {
    /// The ways that are quick and the way that looks at each letter must not differ.
    #[test]
    fn a_text_is_written_as_its_letters_are(text in "[ -~〜−—¢㈱髙①ｱｶﾊか-はァ-ヴ一-七𠮷😀\u{80}\u{7f}\u{e000}]{0,12}") {
        let encoder = encoder(&[("一", "壱"), ("㈱", "(株)"), ("~", "～")]);
        let letters: Vec<_> = text.chars().map(|letter| field(&encoder, &letter.to_string())).collect();
        match field(&encoder, &text) {
            Ok(bytes) => {
                let letters: Vec<u8> = letters.into_iter().flat_map(Result::unwrap).collect();
                prop_assert_eq!(bytes, letters);
            }
            Err(found) => {
                let refused = letters.iter().filter(|letter| letter.is_err()).count();
                prop_assert_eq!(found.iter().map(|one| one.times).sum::<usize>(), refused);
                for one in found {
                    prop_assert_eq!(text.chars().nth(one.index - 1), Some(one.character));
                }
            }
        }
    }

    /// Substituting with a mark equals encoding the text with the mark in the place of each refused letter.
    #[test]
    fn a_substituted_text_is_the_text_with_marks(text in "[a-c〜髙か\u{3099}\u{fe00}𠮷😀]{0,12}") {
        let encoder = Encoder::default();
        let mut out = Vec::new();
        let found = encoder.encode_substituting(&text, &Mark::new("?").unwrap(), &mut out);
        prop_assert_eq!(found.is_empty(), field(&encoder, &text).is_ok());
        let marks = out.iter().filter(|byte| **byte == b'?').count();
        prop_assert_eq!(marks, found.iter().map(|one| one.times).sum::<usize>());
        let (back, _, faulty) = encoding_rs::SHIFT_JIS.decode(&out);
        prop_assert!(!faulty, "{}", back);
    }

    #[test]
    fn a_beginning_fits_and_is_cut_only_where_it_must(text in "[a-c髙か〜ｶﾞ\u{3099}\u{fe00}]{0,12}", most in 0_usize..20) {
        let encoder = Encoder::default();
        let Ok(kept) = encoder.beginning_within(&text, most) else { return Ok(()) };
        prop_assert!(text.starts_with(kept));
        prop_assert!(encoder.sjis_len(kept).unwrap() <= most);
        for (at, next) in text.char_indices().filter(|(at, _)| *at > kept.len()) {
            let fits = encoder.sjis_len(&text[..at]).is_ok_and(|length| length <= most);
            prop_assert!(!fits || matches!(next, 'ﾞ' | '\u{3099}' | '\u{fe00}'), "cut without need");
        }
        prop_assert!(kept == text || !encoder.sjis_len(&text).is_ok_and(|length| length <= most), "cut without need");
    }
}
