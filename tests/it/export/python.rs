//! Python's csv module and glibc's iconv as judges. They are no part of a plain machine: set RENKEI_SERVICES=1.

use super::*;
use std::io::Write as _;
use std::process::{Command, Stdio};

const WRITER: &str = "
import csv, json, sys
rows = json.load(sys.stdin)
csv.writer(open(sys.argv[1], 'w', encoding='utf-8', newline='')).writerows(rows)
";

#[test]
fn the_bytes_are_those_of_pythons_csv_and_iconv() {
    if std::env::var_os("RENKEI_SERVICES").is_none() {
        return;
    }
    let parts =
        ["", " ", "a", ",", "\"", "'", "\r", "\n", "\r\n", "\t", ";", "\\", "=1", "髙", "〜−‖", "ｶﾞ", "ソ表", "|", "#"];
    let mut pairs: Vec<Vec<String>> = Vec::new();
    let mut singles: Vec<Vec<String>> = Vec::new();
    for left in parts {
        for right in parts {
            pairs.push(vec![format!("{left}{right}"), right.to_owned(), left.to_owned()]);
            singles.push(vec![format!("{left}{right}")]);
        }
    }
    for rows in [pairs, singles] {
        let folder = tempfile::tempdir().unwrap();
        let written = folder.path().join("python.csv");
        let mut python =
            Command::new("python3").arg("-c").arg(WRITER).arg(&written).stdin(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(serde_json::to_string(&rows).unwrap().as_bytes()).unwrap();
        assert!(python.wait().unwrap().success());
        let iconv = Command::new("iconv").args(["-f", "UTF-8", "-t", "CP932"]).arg(&written).output().unwrap();
        assert!(iconv.status.success());
        let names = ["a", "b", "c"];
        let trial = Trial::new(&names[..rows[0].len()], json!({})).csv(json!({ "header": false }));
        let given: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        assert!(trial.file(&given) == iconv.stdout, "Shift_JIS");
        let trial = trial.csv(json!({ "header": false, "charset": "utf8" }));
        assert!(trial.file(&given) == std::fs::read(&written).unwrap(), "UTF-8");
    }
}
