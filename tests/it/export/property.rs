//! What must hold for any rows: nothing is lost, nothing is changed but by rule, no limit is passed.

use super::*;
use proptest::prelude::*;
use renkei::domain::failure::Code;

/// Letters that Windows-31J has one of, and everything that a CSV stumbles over.
fn field() -> impl Strategy<Value = String> {
    let letter = prop::sample::select(vec![
        'a', 'Z', '0', ' ', ',', '"', '\'', '\r', '\n', '\t', ';', '\\', '漢', '髙', '﨑', '①', 'ｶ', 'ﾞ', 'ー', 'ソ',
        '表', '～',
    ]);
    prop::collection::vec(letter, 0..6).prop_map(|letters| letters.into_iter().collect())
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1..4_usize).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(field(), width), 0..30))
}

proptest! {
    #[test]
    fn the_files_read_back_are_the_rows_and_within_the_limits(
        rows in table(),
        header in any::<bool>(),
        bytes in 90..300_u64,
        lines in 22..40_u64,
        charset in prop::sample::select(vec!["sjis", "utf8", "utf8-bom"]),
    ) {
        let width = rows.first().map_or(1, Vec::len);
        let trial = Trial::new(&["項目", "b", "c,d"][..width], json!({}))
            .csv(json!({ "header": header, "charset": charset }))
            .limits(bytes, lines);
        let given: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let (exported, files) = trial.try_write(&given).unwrap();
        let mut read = Vec::new();
        for (file, batch) in files.iter().zip(&exported.batches) {
            prop_assert!(file.len() as u64 <= bytes && file.len() as u64 == batch.bytes);
            let ends = file.iter().enumerate().filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && file.get(at + 1) != Some(&b'\n')));
            prop_assert!(ends.count() as u64 <= lines);
            let text = if charset == "sjis" { sjis(file) } else { String::from_utf8(file.clone()).unwrap() };
            let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
            let mut reader = csv::ReaderBuilder::new().has_headers(header).from_reader(text.as_bytes());
            let records: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(records.len() as u64, batch.records);
            read.extend(records);
        }
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn each_row_whose_key_an_earlier_one_has_is_counted(
        keys in prop::collection::vec(0..40_u8, 0..120),
        held in 1..200_usize,
        sorted in any::<bool>(),
    ) {
        let mut settings = json!({ "key": ["k"] });
        if sorted {
            settings["order_by"] = json!([{ "header": "k" }]);
        }
        let mut trial = Trial::new(&["k"], settings).limits(1_000, 7);
        (trial.tuning.key_entries, trial.tuning.sort_bytes) = (held, held * 10);
        let texts: Vec<String> = keys.iter().map(|key| format!("社{key}")).collect();
        let rows: Vec<Vec<&str>> = texts.iter().map(|text| vec![text.as_str()]).collect();
        let (exported, files) = trial.try_write(&rows).unwrap();
        let distinct = keys.iter().collect::<std::collections::BTreeSet<_>>().len();
        let told = exported.tripped.iter().find(|failure| failure.code == Code::DuplicateKeys);
        prop_assert_eq!(told.map_or(0, |failure| failure.rows_total), (keys.len() - distinct) as u64);
        for row in told.iter().flat_map(|failure| &failure.rows) {
            prop_assert_eq!(&row.key, &texts[row.line as usize - 2]);
        }
        if sorted {
            let mut expected = texts.clone();
            expected.sort();
            let got: Vec<String> =
                files.iter().flat_map(|file| sjis(file).lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
