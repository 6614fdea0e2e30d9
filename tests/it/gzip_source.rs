//! Source files packed by gzip, by the system's own gzip and by another packer: read as if they were not packed, or
//! refused with how far they were read.

use crate::csv_source::{Folder, context, encoded, ends_with, form, read_form};
use crate::support::{House, at, temp_store};
use flate2::Compression;
use flate2::write::GzEncoder;
use renkei::domain::failure::Code;
use renkei::domain::run::RunState;
use renkei::source::{self, Blocks, SourceInfo, open_csv, open_jsonl};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Packed by the gzip of the system.
fn by_system(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip");
    gzip.args(["-c", "-n"]);
    let mut child = gzip.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let packed = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    packed
}

fn by_library(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Table = (Vec<String>, Vec<(u64, Vec<String>)>, String);

fn read(bytes: &[u8], more: &str) -> Result<Table, String> {
    let folder = Folder::new();
    let path = folder.write("list.csv", 3600, bytes);
    read_form(&form(&path, more)).map_err(|error| {
        assert!(matches!(error.code(), Code::SourceMalformed | Code::SourceCharset | Code::SourceTooLarge), "{error}");
        format!("{} {error}", error.code()).replace(&format!("{}/", folder.0.path().display()), "")
    })
}

#[track_caller]
fn refused(bytes: &[u8], words: &[&str]) {
    let told = read(bytes, "").unwrap_err();
    for words in words {
        assert!(told.contains(words), "{words:?} is not in: {told}");
    }
}

#[test]
fn a_packed_file_is_read_as_if_it_were_not_whatever_its_name_and_charset() {
    let text = "code,氏名\r\n1,\"佐藤\r\n太郎\"\r\n\r\n2,髙橋\r\n";
    let sjis = encoded(text, encoding_rs::SHIFT_JIS);
    for bytes in [text.as_bytes(), format!("\u{feff}{text}").as_bytes(), &sjis] {
        let plain = read(bytes, "").unwrap();
        assert_eq!(plain.1.len(), 2);
        assert_eq!(read(&by_system(bytes), "").unwrap(), plain);
        assert_eq!(read(&by_library(bytes), "").unwrap(), plain);
        let (one, two) = bytes.split_at(9);
        let members = [by_system(one), by_library(b""), by_library(two)].concat();
        assert_eq!(read(&members, "").unwrap(), plain, "several members are one text");
    }
    refused(&by_system(b""), &["SOURCE-MALFORMED list.csv: the file is empty"]);
    refused(&by_system(&by_system(text.as_bytes())), &["it is a gzip archive, no CSV"]);
    refused(&by_system(b"a,b\n1\n"), &["list.csv, line 2: the row has 1 fields"]);
}

#[test]
fn a_packed_file_that_was_cut_anywhere_is_an_error_with_the_byte_that_was_reached() {
    let text: String =
        std::iter::once("a,b\n".to_owned()).chain((0..40).map(|n| format!("{n},{}\n", n * 7919))).collect();
    let packed = by_system(text.as_bytes());
    for end in 2..packed.len() {
        let reached = format!("the gzip data end in the middle, at byte {end} of {end} and after");
        refused(&packed[..end], &["SOURCE-MALFORMED list.csv: ", &reached, "transfer it anew"]);
    }
}

#[test]
fn a_packed_file_that_was_damaged_anywhere_is_an_error_or_the_same_list() {
    let text: String =
        std::iter::once("a,b\n".to_owned()).chain((0..40).map(|n| format!("{n},{}\n", n * 7919))).collect();
    let packed = by_system(text.as_bytes());
    let right = read(&packed, "").unwrap();
    let mut unnoticed = Vec::new();
    for at in 2..packed.len() {
        for bit in [1, 16, 128] {
            let mut damaged = packed.clone();
            damaged[at] ^= bit;
            match read(&damaged, "") {
                Ok(table) => {
                    assert_eq!(table, right, "byte {at}");
                    unnoticed.push(at);
                }
                Err(told) => assert!(told.contains("the gzip data "), "byte {at}: {told}"),
            }
        }
    }
    // The header's time and system tell nothing, nor do the bits that fill up the last byte of the data.
    let idle = |at: usize| at < 10 || at == packed.len() - 9;
    assert!(unnoticed.iter().all(|&at| idle(at)), "{unnoticed:?} of {}", packed.len());
    let mut wrong = packed.clone();
    let sum = wrong.len() - 8;
    wrong[sum] ^= 1;
    let words =
        format!("damaged before byte {} of {}, after {} unpacked bytes", packed.len(), packed.len(), text.len());
    refused(&wrong, &[&words]);
    refused(&[&packed[..], b"more, which is no member"].concat(), &["the gzip data are damaged"]);
}

#[test]
fn rows_before_the_damage_are_no_list() {
    let folder = Folder::new();
    let text: String = std::iter::once("a,b\n".to_owned()).chain((0..200_000).map(|n| format!("{n},x\n"))).collect();
    let packed = by_system(text.as_bytes());
    let path = folder.write("list.csv.gz", 60, &packed[..packed.len() / 2]);
    let mut blocks = open_csv(&form(&path, "charset: utf8"), &context()).unwrap().blocks;
    assert!(blocks.next().unwrap().is_ok(), "it is read piece by piece");
    ends_with(blocks, Code::SourceMalformed, "list.csv.gz: the gzip data end in the middle");
}

#[test]
fn a_bomb_is_refused_while_it_unpacks() {
    let row = format!("1,{}\n", "x".repeat(1021)).repeat(1 << 10);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"a,b\n").unwrap();
    for _ in 0..64 {
        encoder.write_all(row.as_bytes()).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    for more in ["", "charset: utf8"] {
        let told = read(&bomb, more).unwrap_err();
        for words in
            ["SOURCE-TOO-LARGE list.csv: its first ", "over 200 times as many", "name the unpacked file in path:"]
        {
            assert!(told.contains(words), "{words:?} is not in: {told}");
        }
    }
}

/// Opens a packed file with some thousand rows and reads its first block.
fn half_read(folder: &Folder) -> (PathBuf, Blocks) {
    let text: String = std::iter::once("a,b\n".to_owned()).chain((0..200_000).map(|n| format!("{n},x\n"))).collect();
    let path = folder.write("list.csv.gz", 60, by_library(text.as_bytes()));
    let mut blocks = open_csv(&form(&path, "charset: utf8"), &context()).unwrap().blocks;
    assert!(blocks.next().unwrap().is_ok());
    (path, blocks)
}

#[test]
fn a_packed_file_that_changes_while_it_is_read_is_an_error() {
    let folder = Folder::new();
    let (path, blocks) = half_read(&folder);
    let more = [fs::read(&path).unwrap(), by_system(b"1,2\n")].concat();
    fs::write(&path, more).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was written to");

    let (path, blocks) = half_read(&folder);
    let half = fs::metadata(&path).unwrap().len() / 2;
    fs::File::options().write(true).open(&path).unwrap().set_len(half).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was cut");

    let (path, blocks) = half_read(&folder);
    let other = folder.write("other", 60, fs::read(&path).unwrap());
    fs::rename(other, &path).unwrap();
    ends_with(blocks, Code::SourceGrowing, "it was replaced");
}

#[test]
fn the_log_says_that_it_was_packed() {
    let folder = Folder::new();
    let packed = by_system(b"{\"a\":1}\n");
    let path = folder.write("list", 60, &packed);
    let opened = open_jsonl(&serde_json::from_value(json!({ "path": path })).unwrap(), &context()).unwrap();
    let SourceInfo::File(about) = &opened.about else { panic!() };
    assert!(about.packed);
    let told = format!("({} bytes of gzip, written 2026-11-23T20:59:00Z, UTF-8, JSON lines)", packed.len());
    assert!(opened.about.to_string().ends_with(&told), "{}", opened.about);
}

#[tokio::test]
async fn a_packed_list_is_imported_in_the_form_its_name_says() {
    let store = temp_store().await;
    let folder = Folder::new();
    for (name, text, columns) in [
        ("a.csv.gz", "a,b\n1,2\n", 2),
        ("a.tsv.gz", "a,b\n1,2\n", 1),
        ("a.TAB.GZ", "a\tb\n1\t2,3\n", 2),
        ("a.jsonl.gz", "{\"a\":1,\"b\":2}\n", 2),
        ("a.gz", "{\"a\":1,\"b\":2}\n", 2),
        ("a", "a;b\n1;2\n", 2),
    ] {
        let path = folder.write(name, 60, by_system(text.as_bytes()));
        let imported = source::import(&store.store, "list", &path, at("2026-11-24 05:00:00")).await.unwrap();
        assert_eq!((imported.records, imported.columns), (1, columns), "{name}");
    }
}

#[tokio::test]
async fn a_run_sends_what_was_packed_and_nothing_of_what_was_cut() {
    let house = House::new().await;
    let packed = by_system("社員コード,社員名\n0045,髙橋\n".as_bytes());
    let path = house.file("list.csv.gz", &packed);
    house.settings(json!({}), json!({ "source": { "csv": { "path": path } } }), vec![]).await;
    assert_eq!(house.carried().await.run.state, RunState::Accepted);
    assert_eq!(house.received()[0].csv_lines(9), ["社員コード,社員名", "0045,髙橋"]);
    house.file("list.csv.gz", &packed[..packed.len() - 1]);
    let run = house.carried().await.run;
    assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::SourceMalformed));
    assert_eq!(house.received().len(), 1);
}
