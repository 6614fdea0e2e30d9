//! Source files as they lie on real disks: found, refused or waited for, decoded, split strictly, watched to the end.

use crate::support::TOKYO;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use renkei::domain::failure::Code;
use renkei::domain::menu::CsvSourceForm;
use renkei::source::{OpenContext, SourceError, SourceInfo, locate, open_csv};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The instant of all tests here; files are written an hour before it unless a test says otherwise.
pub(crate) fn now() -> DateTime<Utc> {
    crate::support::at("2026-11-24 06:00:00")
}

pub(crate) fn context() -> OpenContext {
    OpenContext { now: now(), run_at: now(), zone: TOKYO }
}

/// A folder of source files, gone with the test.
pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file so many seconds before [`now`].
    pub(crate) fn write(&self, name: &str, age: i64, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        touch(&path, now() - TimeDelta::seconds(age));
        path
    }
}

fn touch(path: &Path, when: DateTime<Utc>) {
    let since = Duration::from_millis(u64::try_from(when.timestamp_millis()).unwrap());
    fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + since).unwrap();
}

/// A form with a path and further settings.
pub(crate) fn form(path: &Path, more: &str) -> CsvSourceForm {
    let text = format!("path: {:?}\n{more}", path.to_str().unwrap());
    serde_yaml::from_str(&text).unwrap()
}

/// Header, rows with their lines, charset and dialect.
type Table = (Vec<String>, Vec<(u64, Vec<String>)>, String);

pub(crate) fn read_form(form: &CsvSourceForm) -> Result<Table, SourceError> {
    let opened = open_csv(form, &context())?;
    let SourceInfo::File(about) = opened.about else { panic!("no file") };
    let mut rows = Vec::new();
    let mut blocks = opened.blocks;
    for block in blocks.by_ref() {
        let block = block?;
        rows.extend(block.rows().map(|row| (row.line(), row.fields().map(str::to_owned).collect())));
    }
    assert!(blocks.next().is_none());
    Ok((opened.header.names().to_vec(), rows, format!("{}, {}", about.charset, about.dialect.unwrap())))
}

fn read(bytes: impl AsRef<[u8]>, more: &str) -> Result<Table, SourceError> {
    let folder = Folder::new();
    let path = folder.write("list.csv", 3600, bytes);
    read_form(&form(&path, more))
}

fn rows(bytes: impl AsRef<[u8]>) -> Vec<Vec<String>> {
    read(bytes, "").unwrap().1.into_iter().map(|(_, row)| row).collect()
}

/// The code and the message, the folder cut off.
fn refusal(bytes: impl AsRef<[u8]>, more: &str) -> (Code, String) {
    let folder = Folder::new();
    let path = folder.write("list.csv", 3600, bytes);
    let error = read_form(&form(&path, more)).unwrap_err();
    let failure = error.failure();
    (failure.code, failure.message.replace(&format!("{}/", folder.0.path().display()), ""))
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, more: &str, code: Code, words: &[&str]) {
    let (found, message) = refusal(bytes, more);
    assert_eq!(found, code, "{message}");
    for words in words {
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
}

// Finding

#[track_caller]
fn not_found(form: &CsvSourceForm, code: Code, words: &str) {
    let error = locate(form, &context()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn the_newest_file_of_a_pattern_counts_and_folders_do_not() {
    let folder = Folder::new();
    folder.write("emp_1.csv", 300, "a\n1");
    let newest = folder.write("emp_0.csv", 200, "a\n2");
    folder.write("other.csv", 100, "a\n3");
    folder.write(".emp_9.csv", 100, "a\n4");
    fs::create_dir(folder.path("emp_9.csv")).unwrap();
    let form = form(&folder.path("emp_*.csv"), "");
    assert_eq!(locate(&form, &context()).unwrap().path, newest);
    let later_name = folder.write("emp_7.csv", 200, "a\n2");
    assert_eq!(locate(&form, &context()).unwrap().path, later_name, "of two written in one instant, the later name");
}

#[test]
fn a_bracket_in_a_folders_name_is_no_pattern_if_the_file_is_there() {
    let folder = Folder::new();
    fs::create_dir(folder.path("[old]")).unwrap();
    let path = folder.write("[old]/list.csv", 60, "a\n1");
    assert_eq!(locate(&form(&path, ""), &context()).unwrap().path, path);
}

#[test]
fn the_run_date_is_the_local_date_of_the_run_even_if_it_waited_past_midnight() {
    let folder = Folder::new();
    let path = folder.write("emp_20261124.csv", 60, "a\n1");
    let form = form(&folder.path("emp_{run_date:%Y%m%d}.csv"), "");
    let mut context = context();
    context.run_at = crate::support::at("2026-11-24 00:30:00");
    assert_eq!(locate(&form, &context).unwrap().path, path, "in UTC it is still the 23rd");
    context.now = crate::support::at("2026-11-25 00:10:00");
    assert_eq!(locate(&form, &context).unwrap().path, path);
    context.run_at = context.now;
    assert_eq!(locate(&form, &context).unwrap_err().code(), Code::SourceMissing);
}

#[test]
fn yesterdays_file_is_not_sent_again() {
    let folder = Folder::new();
    let path = folder.write("list.csv", 26 * 3600 + 1, "a\n1");
    not_found(&form(&path, "max_age: 26h"), Code::SourceStale, "older than the 26h");
    assert!(locate(&form(&path, "max_age: 27h"), &context()).is_ok());
    folder.write("list_0.csv", 10 * 24 * 3600, "a\n1");
    not_found(&form(&folder.path("list*.csv"), "max_age: 26h"), Code::SourceStale, "2026-11-23 03:59");
}

#[test]
fn a_file_waits_for_its_completion_file() {
    let folder = Folder::new();
    let path = folder.write("list.csv", 60, "a\n1");
    let one = form(&path, "completion: '{path}.done'");
    not_found(&one, Code::SourceStale, "list.csv.done is not there");
    folder.write("list.csv.done", 61, "");
    not_found(&one, Code::SourceStale, "is older than the file itself");
    folder.write("list.csv.done", 60, "");
    assert!(locate(&one, &context()).is_ok());
    let named = form(&path, "completion: READY");
    not_found(&named, Code::SourceStale, "READY is not there");
    folder.write("READY", 10, "");
    assert!(locate(&named, &context()).is_ok(), "a plain name lies beside the file");
    let globbed = form(&folder.path("list*"), "completion: '{path}.done'");
    assert_eq!(locate(&globbed, &context()).unwrap().path, path, "the completion file is no candidate");
    folder.write("list2.csv", 30, "a\n1");
    not_found(&globbed, Code::SourceStale, "list2.csv.done is not there");
}

#[test]
fn a_file_written_a_moment_ago_is_left_to_its_writer_until_it_rests() {
    let folder = Folder::new();
    let path = folder.write("list.csv", 1, "a\n1");
    let form = form(&path, "");
    let SourceError::NotReady(growing) = locate(&form, &context()).unwrap_err() else { panic!() };
    assert_eq!(SourceError::from(growing.clone()).code(), Code::SourceGrowing);
    let again = growing.look_again(now(), now(), None).unwrap();
    assert_eq!(again, now() + TimeDelta::seconds(1));
    assert!(locate(&form, &OpenContext { now: again, ..context() }).is_ok());
    touch(&path, again);
    assert!(locate(&form, &OpenContext { now: again, ..context() }).is_err(), "it went on growing");
}

#[test]
fn what_is_not_there_or_no_file_is_refused_by_its_path() {
    let folder = Folder::new();
    not_found(&form(&folder.path("list.csv"), ""), Code::SourceMissing, "list.csv: there is no such file");
    not_found(&form(&folder.path("*.csv"), ""), Code::SourceMissing, "*.csv: no file matches");
    not_found(&form(folder.0.path(), ""), Code::SourceUnreadable, "it is a folder");
    not_found(&form(Path::new("/dev/null"), ""), Code::SourceUnreadable, "no regular file");
    not_found(&form(&folder.path("a***b"), ""), Code::SettingsInvalid, "no pattern");
    not_found(&form(&folder.path("{run_date:%Q}"), ""), Code::SettingsInvalid, "date format");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_who_may_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let path = folder.write("list.csv", 60, "a\n1");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        return; // root reads everything
    }
    let error = read_form(&form(&path, "")).unwrap_err();
    assert_eq!(error.code(), Code::SourceUnreadable);
    assert!(error.to_string().contains("the right to read it"), "{error}");
}

// Watching

/// Opens a file with some thousand rows and reads its first block.
fn half_read(folder: &Folder) -> (PathBuf, renkei::source::Blocks) {
    let text: String = std::iter::once("a,b\n".to_owned()).chain((0..40_000).map(|n| format!("{n},x\n"))).collect();
    let path = folder.write("list.csv", 60, text);
    let mut blocks = open_csv(&form(&path, ""), &context()).unwrap().blocks;
    assert!(blocks.next().unwrap().is_ok());
    (path, blocks)
}

#[track_caller]
pub(crate) fn ends_with(blocks: renkei::source::Blocks, code: Code, words: &str) {
    let mut blocks = blocks.skip_while(Result::is_ok);
    let error = blocks.next().unwrap().unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(blocks.next().is_none(), "after an error there is nothing more");
}

/// Asserts that a file which `half_read` has begun to read is not written to, cut, replaced or removed unseen.
pub(crate) fn is_watched(half_read: impl Fn(&Folder) -> (PathBuf, renkei::source::Blocks), more: &[u8]) {
    let folder = Folder::new();
    let (path, blocks) = half_read(&folder);
    let mut text = fs::read(&path).unwrap();
    text.extend_from_slice(more);
    fs::write(&path, text).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was written to");

    let (path, blocks) = half_read(&folder);
    fs::File::options().write(true).open(&path).unwrap().set_len(200_000).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was cut");

    let (path, blocks) = half_read(&folder);
    let other = folder.write("other", 60, fs::read(&path).unwrap());
    fs::rename(other, &path).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was replaced");

    let (path, blocks) = half_read(&folder);
    fs::remove_file(&path).unwrap();
    ends_with(blocks, Code::SourceUnreadable, "it was removed while it was being read");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    is_watched(half_read, b"1,2\n");
}

#[test]
fn a_file_that_goes_between_finding_and_opening_is_missing() {
    let folder = Folder::new();
    let path = folder.write("list.csv", 60, "a\n1");
    let form = form(&path, "");
    let found = locate(&form, &context()).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(renkei::source::CsvRows::open(found.clone(), &form).unwrap_err().code(), Code::SourceMissing);
    folder.write("list.csv", 30, "a\n1");
    assert_eq!(renkei::source::CsvRows::open(found, &form).unwrap_err().code(), Code::SourceGrowing);
}

// Splitting

#[test]
fn rows_come_with_the_lines_where_they_begin() {
    let (header, rows, about) = read("code , 氏名\r\n1,\"佐藤\r\n太郎\"\r\n\r\n2,\n3,\"a,\"\"b\"\"\"", "").unwrap();
    assert_eq!(header, ["code", "氏名"]);
    let row = |line: u64, fields: [&str; 2]| (line, fields.map(str::to_owned).to_vec());
    assert_eq!(rows, [row(2, ["1", "佐藤\r\n太郎"]), row(5, ["2", ""]), row(6, ["3", "a,\"b\""])]);
    assert_eq!(about, "UTF-8, commas");
}

#[test]
fn a_header_alone_is_a_list_without_rows() {
    assert_eq!(read("a,b\n", "").unwrap().1, []);
    assert_eq!(read("a,b", "").unwrap().1, []);
}

#[test]
fn without_a_header_line_the_columns_are_given() {
    let (header, rows, _) = read("1;2\n3;4\n", "columns: [x, y]").unwrap();
    assert_eq!((header, rows.len()), (vec!["x".to_owned(), "y".to_owned()], 2));
    refused("1;2;3\n", "columns: [x, y]", Code::SourceMalformed, &["list.csv, line 1: the row has 3 fields", "2"]);
}

#[test]
fn an_empty_column_at_the_end_of_every_line_is_left_out() {
    assert_eq!(rows("a,b,\n1,2,\n,,\n"), [["1", "2"], ["", ""]]);
    refused("a,b,\n1,2,\n1,2\n", "", Code::SourceMalformed, &["line 3", "2 fields", "2 and a delimiter at the end"]);
    refused("a,b,\n1,2,3\n", "", Code::SourceMalformed, &["line 2: a value in column 3"]);
}

#[test]
fn what_is_no_table_is_refused_with_its_line_and_without_a_value() {
    use Code::SourceMalformed as Malformed;
    refused("", "", Malformed, &["list.csv: the file is empty, not even a header line"]);
    refused("\n\r\n", "", Malformed, &["has no header line"]);
    refused("\u{feff}", "", Malformed, &["has no header line"]);
    refused("a,b\n1,2\n3\n", "", Malformed, &["line 3: the row has 1 fields where the header has 2"]);
    refused("a,b\n1,2\n\"x\ny\",2,3\n", "", Malformed, &["line 3: the row has 3 fields"]);
    refused("a,b\n1,\"2\n3,4\n5,6\n", "", Malformed, &["line 2: the quote that opens here is never closed"]);
    refused("a,b\n1,\"2\"3\n", "", Malformed, &["line 2: a quoted field goes on"]);
    refused("a,b\r1,2\r", "", Malformed, &["line 1: a carriage return stands without a line feed"]);
    refused("a,b\n1,2\0\n", "", Malformed, &["line 2", "(byte 7", "NUL"]);
    refused("a,b\n1,2\0\n", "charset: utf8", Malformed, &["line 2: a NUL"]);
    refused("a,,c\n1,2,3\n", "", Malformed, &["line 1: column 2 has no name"]);
    refused("a,b, a\n1,2,3\n", "", Malformed, &["line 1: the columns 1 and 3 are both called a"]);
    refused("a,b\n1,2\n\u{feff}a,b\n1,2\n", "", Malformed, &["line 3: a byte order mark"]);
    refused(b"PK\x03\x04\x14\0", "", Malformed, &["an Excel workbook"]);
    refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "charset: utf8", Code::SourceCharset, &["line 1", "(byte 0"]);
    let secret = "a,b\n秘密,1,2\n";
    assert!(!refusal(secret, "").1.contains("秘密"));
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused_after_its_beginning() {
    let folder = Folder::new();
    let path = folder.write("list.csv", 60, "a\nb");
    let file = fs::File::options().write(true).open(&path).unwrap();
    let piece = vec![b'x'; 1_000_000];
    let mut file = std::io::BufWriter::new(file);
    for _ in 0..100 {
        std::io::Write::write_all(&mut file, &piece).unwrap();
    }
    drop(file);
    touch(&path, now() - TimeDelta::seconds(60));
    let error = read_form(&form(&path, "")).unwrap_err();
    assert_eq!(error.code(), Code::SourceMalformed);
    assert!(error.to_string().contains("line 1: a field is longer than 1 MiB"), "{error}");
}

#[test]
fn delimiters_are_found_or_set() {
    assert_eq!(read("a\tb\n1,5\t2\n", "").unwrap().2, "UTF-8, tabs");
    assert_eq!(read("a;b\n1,5;2\n", "").unwrap().2, "UTF-8, semicolons");
    let (header, _, about) = read("a:b,c\n1:2,3\n", "delimiter: ':'").unwrap();
    assert_eq!((header.len(), about.as_str()), (2, "UTF-8, ':' between fields"));
    let (_, rows, about) = read("a\tb\n'1'\t\"2\n", "delimiter: \"\\\\t\"\nquote: ''").unwrap();
    assert_eq!((rows[0].1.join("/").as_str(), about.as_str()), ("'1'/\"2", "UTF-8, tabs, no quotes"));
    assert_eq!(read("a,b\n'1,2',3\n", "quote: \"'\"").unwrap().1[0].1, ["1,2", "3"]);
}

// Charsets

/// What `tests/data/source/make.py` has written with Python's codecs and iconv.
fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/source").join(name)).unwrap()
}

#[test]
fn every_charset_is_detected_and_read_as_other_programs_write_it() {
    for (name, charset, set) in [
        ("utf8.csv", "UTF-8", "utf8"),
        ("utf8-bom.csv", "UTF-8 (BOM)", "utf8"),
        ("utf16le.csv", "UTF-16LE", "utf16"),
        ("utf16be.csv", "UTF-16BE", "utf16"),
        ("sjis.csv", "Shift_JIS", "sjis"),
        ("sjis-iconv.csv", "Shift_JIS", "sjis"),
        ("euc-jp.csv", "EUC-JP", "euc-jp"),
        ("euc-jp-iconv.csv", "EUC-JP", "euc-jp"),
        ("iso-2022-jp.csv", "ISO-2022-JP", "iso-2022-jp"),
        ("iso-2022-jp-iconv.csv", "ISO-2022-JP", "iso-2022-jp"),
    ] {
        let (header, rows, about) = read(fixture(name), "").unwrap();
        assert_eq!(about, format!("{charset}, commas"), "{name}");
        assert_eq!(header.join("/"), "社員コード/氏名/フリガナ/備考", "{name}");
        let fields: Vec<String> = rows.iter().map(|(line, row)| format!("{line} {}", row.join("/"))).collect();
        assert_eq!(fields[0], "2 007/佐藤 太郎/サトウ タロウ/引用\"符\"と,区切り", "{name}");
        let second = match charset {
            "EUC-JP" => "3 8/崎山 高子/ヤマザキ タカコ/1ーﾊﾝｶｸ",
            "ISO-2022-JP" => "3 8/崎山 高子/ヤマザキ タカコ/1ーハンカク",
            "Shift_JIS" => "3 8/﨑山 髙子/ヤマザキ タカコ/①~ﾊﾝｶｸ",
            _ => "3 8/﨑山 髙子/ヤマザキ タカコ/①〜ﾊﾝｶｸ",
        };
        assert_eq!(fields[1], second, "{name}");
        if charset.starts_with("UTF") {
            assert_eq!(fields[2], "4 9/José 𠮷野😀/ヨシノ/", "{name}");
        }
        assert_eq!(read(fixture(name), &format!("charset: {set}")).unwrap().1, rows, "{name}, set");
    }
}

/// Encodes with encoding_rs; every letter must be in the charset.
pub(crate) fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
    let mut out = vec![0; text.len() * 4 + 16];
    let (result, _, length) = encoding.new_encoder().encode_from_utf8_without_replacement(text, &mut out, true);
    assert_eq!(result, encoding_rs::EncoderResult::InputEmpty);
    out.truncate(length);
    out
}

#[test]
fn a_name_in_the_last_row_may_be_the_only_one_that_is_not_ascii() {
    let ascii: String = (0..60_000).map(|n| format!("{n},plain\n")).collect();
    for (encoding, charset) in [
        (encoding_rs::UTF_8, "UTF-8"),
        (encoding_rs::SHIFT_JIS, "Shift_JIS"),
        (encoding_rs::EUC_JP, "EUC-JP"),
        (encoding_rs::ISO_2022_JP, "ISO-2022-JP"),
    ] {
        let text = format!("code,name\n{ascii}x,渡辺さくら\n");
        let (_, rows, about) = read(encoded(&text, encoding), "").unwrap();
        assert_eq!(about, format!("{charset}, commas"));
        assert_eq!(rows.last().unwrap().1[1], "渡辺さくら");
    }
}

#[test]
fn characters_that_lie_across_two_readings_come_whole() {
    for shift in 0..4 {
        let row = "渡辺,😀é髙橋サクラ\n";
        let text = format!("{}a,b\n{}", "\n".repeat(shift), row.repeat(20_000));
        let (_, rows, _) = read(&text, "").unwrap();
        assert!(rows.len() == 20_000 && rows.iter().all(|(_, row)| row.join(",") == "渡辺,😀é髙橋サクラ"));
        let text = text.replace(['😀', 'é'], "");
        for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP, encoding_rs::ISO_2022_JP] {
            let (_, rows, _) = read(encoded(&text, encoding), "").unwrap();
            assert!(rows.len() == 20_000 && rows.iter().all(|(_, row)| row.join(",") == "渡辺,髙橋サクラ"));
        }
    }
}

#[test]
fn damaged_or_mixed_text_is_refused_with_its_place_and_never_read_as_another_charset() {
    let mut cut = "code,name\n1,佐藤\n2,鈴木".as_bytes().to_vec();
    cut.pop();
    refused(&cut, "", Code::SourceCharset, &["line 3 (byte 24", "no UTF-8 in a text that otherwise is"]);
    refused(&cut, "charset: utf8", Code::SourceCharset, &["line 3 (byte 24", "no UTF-8 text"]);
    let mut mixed = "code,name\n1,佐藤\n2,鈴木\n3,".as_bytes().to_vec();
    mixed.extend(encoded("高橋\n", encoding_rs::SHIFT_JIS));
    refused(&mixed, "", Code::SourceCharset, &["line 4", "joined from files in different charsets"]);
    let mut broken = encoded("code,name\n1,佐藤さくら\n2,", encoding_rs::SHIFT_JIS);
    broken.extend(b"\x82\n");
    refused(&broken, "", Code::SourceCharset, &["line 3", "Shift_JIS"]);
    refused(&broken, "charset: sjis", Code::SourceCharset, &["line 3", "no Shift_JIS text"]);
    let mut cut = encoded("code,name\n1,佐藤さくら\n2,渡", encoding_rs::EUC_JP);
    cut.pop();
    refused(&cut, "charset: euc-jp", Code::SourceCharset, &["line 3 (byte 25", "no EUC-JP text"]);
    let mut odd = fixture("utf16le.csv");
    odd.pop();
    refused(&odd, "", Code::SourceCharset, &["line 4", "no UTF-16LE text"]);
    let long: String = (0..30_000).map(|n| format!("{n},佐藤\n")).collect();
    let mut late = encoded(&format!("code,name\n{long}x,"), encoding_rs::SHIFT_JIS);
    late.extend(b"\xff\n");
    refused(&late, "", Code::SourceCharset, &["line 30002", "no Shift_JIS text"]);
}

#[test]
fn what_could_be_two_charsets_must_be_set() {
    // Half-width katakana in Shift_JIS, the same bytes as kanji in EUC-JP.
    let kana = encoded("a,b\n1,ｻﾄｳﾀﾛｳ\n", encoding_rs::SHIFT_JIS);
    refused(&kana, "", Code::SourceCharset, &["Shift_JIS and as EUC-JP alike", "set charset:"]);
    assert_eq!(read(&kana, "charset: sjis").unwrap().1[0].1[1], "ｻﾄｳﾀﾛｳ");
    // The same bytes as Greek or Latin letters in UTF-8.
    let kana = encoded("a,b\n1,ﾃｽ\n", encoding_rs::SHIFT_JIS);
    assert_eq!(std::str::from_utf8(&kana).unwrap(), "a,b\n1,ý\n");
    refused(&kana, "", Code::SourceCharset, &["as UTF-8 and as Shift_JIS"]);
    assert_eq!(read("a,b\n1,Müller\n", "").unwrap().1[0].1[1], "Müller", "a letter within a word is no katakana");
}

#[test]
fn a_small_list_is_read_right_or_not_at_all() {
    let table = |text: &str| text.lines().map(|line| line.replace(',', "|")).collect::<Vec<_>>();
    let found = |bytes: &[u8]| match read(bytes, "") {
        Ok((header, rows, _)) => {
            let rows = rows.iter().map(|(_, row)| row.join("|"));
            Some(std::iter::once(header.join("|")).chain(rows).collect::<Vec<_>>())
        }
        Err(error) => {
            assert_eq!(error.code(), Code::SourceCharset, "{error}");
            None
        }
    };
    for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP] {
        for text in [
            "氏名\n佐藤\n",
            "社員番号\n1\n",
            "code,name\n1,田中\n",
            "部門コード,部門名\n1,営業部\n",
            "a,b\n1,東京\n",
            "a,b\n1,カナ\n",
            "a,b\n1,株式会社\n",
        ] {
            assert_eq!(found(&encoded(text, encoding)), Some(table(text)), "{text:?} in {}", encoding.name());
        }
        for text in [
            "a,b\n1,ﾃｽﾄ\n",
            "コード,カナ,ｶﾅ\n1,山田,ﾔﾏﾀﾞｼｮｳﾃﾝ\n",
            "a,b\n1,ﾔﾏﾀﾞﾊﾅｺ\n",
            "a,b\n1,社\n",
            "a,b\n1,ｱ\n",
            "a,b\n1,車社\n",
            "a,b\n1,唖\n",
        ] {
            let found = found(&encoded(text, encoding));
            assert!(found.is_none_or(|found| found == table(text)), "{text:?} in {}", encoding.name());
        }
    }
}

#[test]
fn a_charset_that_the_mark_contradicts_is_refused() {
    refused("\u{feff}a,b\n", "charset: sjis", Code::SourceCharset, &["begins with the byte order mark of UTF-8"]);
    refused(fixture("utf16le.csv"), "charset: utf8", Code::SourceCharset, &["byte order mark of UTF-16LE"]);
    let without_mark = &fixture("utf16le.csv")[2..];
    refused(without_mark, "", Code::SourceMalformed, &["line 1", "NUL", "set charset: utf16"]);
    assert_eq!(read(without_mark, "charset: utf16").unwrap().1.len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_table_that_another_writer_writes_is_read_back(
        table in (1_usize..5).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[a1,;\t\"\n\r |佐髙\u{3000}é😀]{0,6}", width), 0..20)
        })
    ) {
        let width = table.first().map_or(1, Vec::len);
        let header: Vec<String> = (0..width).map(|n| format!("列{n}")).collect();
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let (found, rows, _) = read(writer.into_inner().unwrap(), "delimiter: ','").unwrap();
        prop_assert_eq!(found, header);
        prop_assert_eq!(rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), table);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(bytes, "");
    }

    #[test]
    fn bytes_that_look_like_text_are_read_or_refused(
        bytes in prop::collection::vec(prop::sample::select(b"a1,\"\r\n\x1b$B(\x82\xa0\xe3\x81\x82\xc3\xbf\xfe".to_vec()), 0..60),
        charset in prop::sample::select(vec!["auto", "utf8", "sjis", "euc-jp", "iso-2022-jp", "utf16"]),
    ) {
        let _ = read(bytes, &format!("charset: {charset}"));
    }
}
