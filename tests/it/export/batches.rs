//! Files within the limits, complete or not there.

use super::*;
use renkei::domain::failure::Code;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_list_becomes_shift_jis_with_crlf_and_quotes_only_where_needed() {
    let trial = Trial::new(&["社員コード", "社員名"], json!({}));
    let rows = [
        vec!["1045", "髙橋 﨑"],
        vec!["a,b", "say \"hi\""],
        vec!["line\nbreak", "cr\rhere"],
        vec![" blank ", "'"],
        vec!["", ""],
        vec!["tab\t", "〜−"],
    ];
    let mut expected = b"\x8E\xD0\x88\xF5\x83\x52\x81\x5B\x83\x68,\x8E\xD0\x88\xF5\x96\xBC\r\n".to_vec();
    expected.extend_from_slice(b"1045,\xFB\xFC\x8B\xB4 \xFA\xB1\r\n");
    expected.extend_from_slice(b"\"a,b\",\"say \"\"hi\"\"\"\r\n");
    expected.extend_from_slice(b"\"line\nbreak\",\"cr\rhere\"\r\n blank ,'\r\n,\r\ntab\t,\x81\x60\x81\x7C\r\n");
    assert_eq!(trial.file(&rows), expected);
}

#[test]
fn an_empty_field_that_is_alone_is_still_a_record() {
    let trial = Trial::new(&["x"], json!({}));
    assert_eq!(trial.file(&[vec!["a"], vec![""], vec!["b"]]), b"x\r\na\r\n\"\"\r\nb\r\n");
    let folded = Trial::new(&["x"], json!({})).csv(json!({ "replacements": { "-": "" } }));
    assert_eq!(folded.file(&[vec!["a"], vec!["-"]]), b"x\r\na\r\n\"\"\r\n");
}

#[test]
fn what_a_replacement_brings_in_is_quoted_too() {
    let trial = Trial::new(&["a", "b"], json!({})).csv(json!({ "replacements": { "、": ",", "〃": "\"" } }));
    assert_eq!(trial.file(&[vec!["x、y", "〃"]]), b"a,b\r\n\"x,y\",\"\"\"\"\r\n");
    // A rule that would match across two fields does not.
    let trial = Trial::new(&["a", "b"], json!({})).csv(json!({ "replacements": { "x,y": "z", "\r\n": "|" } }));
    assert_eq!(trial.file(&[vec!["x", "y"], vec!["x,y", "1\r\n2"]]), b"a,b\r\nx,y\r\nz,1|2\r\n");
}

#[test]
fn utf8_is_replaced_but_not_folded_and_the_mark_stands_in_each_file() {
    let rows = [vec!["〜㈱𠮷"], vec!["b"]];
    let csv = json!({ "charset": "utf8-bom", "replacements": { "㈱": "(株)" } });
    let (_, files) = Trial::new(&["x"], json!({})).csv(csv).limits(1_000, 2).try_write(&rows).unwrap();
    assert_eq!(files, ["\u{FEFF}x\r\n〜(株)𠮷\r\n".as_bytes(), "\u{FEFF}x\r\nb\r\n".as_bytes()]);
    let plain = Trial::new(&["x"], json!({})).csv(json!({ "charset": "utf8", "header": false }));
    assert_eq!(plain.file(&rows), "〜㈱𠮷\r\nb\r\n".as_bytes());
}

#[test]
fn a_file_ends_at_fifty_thousand_lines_and_not_a_line_sooner() {
    let trial = Trial::new(&["n"], json!({}));
    for (rows, records) in [(49_998, vec![49_998]), (49_999, vec![49_999]), (50_000, vec![49_999, 1])] {
        let (exported, files) = trial.try_write(&vec![vec!["7"]; rows]).unwrap();
        assert_eq!(exported.batches.iter().map(|batch| batch.records).collect::<Vec<_>>(), records);
        assert_eq!(files[0].iter().filter(|&&byte| byte == b'\n').count(), (rows + 1).min(50_000));
        assert!(files.iter().all(|file| file.starts_with(b"n\r\n7\r\n")), "each file has the header");
    }
    let bare = Trial::new(&["n"], json!({})).csv(json!({ "header": false }));
    for (rows, batches) in [(49_999, 1), (50_000, 1), (50_001, 2)] {
        assert_eq!(bare.try_write(&vec![vec!["7"]; rows]).unwrap().0.batches.len(), batches);
    }
}

#[test]
fn a_file_ends_at_its_last_byte_and_not_a_byte_sooner() {
    // The header takes 3 bytes, a record 4.
    let rows = vec![vec!["77"]; 4];
    for (limit, batches) in [(19, 1), (18, 2), (11, 2), (10, 4), (7, 4)] {
        let (exported, files) = Trial::new(&["n"], json!({})).limits(limit, 100).try_write(&rows).unwrap();
        assert_eq!(exported.batches.len(), batches, "{limit} bytes");
        assert!(files.iter().all(|file| file.len() as u64 <= limit));
    }
}

#[test]
fn a_line_break_inside_a_field_counts_as_a_line() {
    let rows = [vec!["a\r\nb"], vec!["c\nd\re"], vec!["f"]];
    let records = |lines| {
        let (exported, _) = Trial::new(&["n"], json!({})).limits(1_000, lines).try_write(&rows).unwrap();
        exported.batches.iter().map(|batch| batch.records).collect::<Vec<_>>()
    };
    assert_eq!(records(7), [3]);
    assert_eq!(records(6), [2, 1]);
    assert_eq!(records(5), [1, 2]);
    assert_eq!(records(4), [1, 1, 1]);
    let failure = Trial::new(&["n"], json!({})).limits(1_000, 3).refusal(&rows);
    assert_eq!(failure.code, Code::RowTooLarge);
    assert!(failure.message.starts_with("line 3 takes 3 lines, and a file has room for 2"), "{failure}");
}

#[test]
fn a_record_that_no_file_has_room_for_is_named() {
    let trial = Trial::new(&["code", "memo"], json!({ "key": ["code"] })).limits(20, 100);
    let failure = trial.refusal(&[vec!["1", "short"], vec!["2", "much too long for it"]]);
    assert_eq!((failure.code, failure.rows_total, failure.rows[0].line), (Code::RowTooLarge, 1, 3));
    assert!(failure.message.starts_with("code 2 takes 24 bytes, and a file has room for 9"), "{failure}");
    assert!(!failure.message.contains("much"));
}

#[test]
fn files_are_numbered_hashed_and_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run-7");
    let trial = Trial::new(&["n"], json!({})).limits(1_000, 3);
    let exported = trial.write_to(&run, &vec![vec!["77"]; 3]).unwrap();
    assert_eq!((exported.read, exported.records, exported.bytes), (3, 3, 18));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&run), 0o700);
    for (batch, name) in exported.batches.iter().zip(["batch-001.csv", "batch-002.csv"]) {
        assert_eq!(batch.path, run.join(name));
        assert_eq!(mode(&batch.path), 0o600);
        export::verify(&batch.path, &batch.sha256, batch.bytes).unwrap();
    }
    assert_eq!(exported.batches[1].sha256, "a9c0d74c1be3d48c9a7f25111389fa305b7bee91c6af34a2dda45ed6cf16a797");
    assert_eq!(std::fs::read_dir(&run).unwrap().count(), 2);
}

#[test]
fn a_file_that_has_changed_is_not_taken_for_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let exported = Trial::new(&["n"], json!({})).write_to(folder.path(), &[vec!["77"]]).unwrap();
    let batch = &exported.batches[0];
    let complaint = || export::verify(&batch.path, &batch.sha256, batch.bytes).unwrap_err();
    std::fs::write(&batch.path, "n\r\n78\r\n").unwrap();
    assert_eq!(complaint().code, Code::SpoolDamaged);
    assert!(complaint().message.contains("other bytes"), "{}", complaint());
    std::fs::write(&batch.path, "n\r\n").unwrap();
    assert!(complaint().message.contains("has 3 bytes instead of 7"), "{}", complaint());
    std::fs::remove_file(&batch.path).unwrap();
    assert!(complaint().message.contains("is gone"), "{}", complaint());
}

#[test]
fn a_source_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let trial = Trial::new(&["n"], json!({ "key": ["n"], "order_by": [{ "header": "n" }] })).limits(1_000, 2);
    let mut rows: Vec<Result<Block, &str>> = Vec::new();
    rows.extend(blocks(&[vec!["1"], vec!["2"], vec!["3"]]).into_iter().map(|block| Ok(block.unwrap())));
    rows.push(Err("the line is down"));
    let plan = trial.plan().unwrap();
    let error = export::write(&plan, rows, &run, |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, ExportError::Source("the line is down")));
    assert!(!run.exists(), "the folder was made for it");
}

#[test]
fn an_export_can_be_stopped_and_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let trial = Trial::new(&["n"], json!({}));
    let rows = vec![vec!["1"]; 9];
    let mut seen = Vec::new();
    let error = export::write(&trial.plan().unwrap(), blocks(&rows), folder.path(), |progress| {
        seen.push(progress.read);
        if progress.read == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(error, Err(ExportError::Stopped)));
    assert_eq!(seen, [3, 6]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // What a crash left behind is not taken for a part of the new export.
    std::fs::write(folder.path().join("batch-001.csv.part"), "half").unwrap();
    std::fs::write(folder.path().join("batch-002.csv"), "old").unwrap();
    trial.write_to(folder.path(), &rows).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_empty_list_trips_and_is_still_a_file() {
    let (exported, files) = Trial::new(&["n"], json!({})).try_write(&[]).unwrap();
    assert_eq!((exported.records, files), (0, vec![b"n\r\n".to_vec()]));
    assert_eq!(exported.tripped[0].code, Code::Empty);
    let left_out =
        Trial::new(&["n"], json!({ "bad_rows": "skip-row", "columns": [{ "header": "n", "required": true }] }));
    let (exported, _) = left_out.try_write(&[vec![""], vec![""]]).unwrap();
    assert_eq!((exported.left_out_total, exported.tripped[0].rows_total), (2, 2));
    assert!(exported.tripped[0].message.contains("none of the source's 2 rows"), "{}", exported.tripped[0]);
}

#[test]
fn one_file_without_limits_is_what_the_batches_say_together() {
    let trial = Trial::new(&["n"], json!({ "order_by": [{ "header": "n", "descending": true }] })).limits(10, 2);
    let folder = tempfile::tempdir().unwrap();
    let rows = [vec!["1"], vec!["3"], vec!["much longer than a file may be"]];
    let mut written = Vec::new();
    let plan = trial.plan().unwrap();
    let exported =
        export::write_single(&plan, blocks(&rows), &mut written, folder.path(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(written, b"n\r\nmuch longer than a file may be\r\n3\r\n1\r\n");
    assert_eq!((exported.records, exported.bytes, exported.batches), (3, written.len() as u64, vec![]));
}

#[test]
fn a_full_disk_and_a_closed_pipe_are_told_apart() {
    let plan = Trial::new(&["n"], json!({})).plan().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let go = |_| ControlFlow::Continue(());
    match export::write_single(&plan, blocks(&[vec!["1"]]), &mut full, scratch.path(), go) {
        Err(ExportError::Failed(failure)) => {
            assert_eq!(failure.code, Code::SpoolUnwritable);
            assert!(
                failure.message.contains("No space left") && failure.message.contains("Free some space"),
                "{failure}"
            );
        }
        other => panic!("{other:?}"),
    }
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = export::write_single(&plan, blocks(&[vec!["1"]]), &mut writer, scratch.path(), go);
    assert!(matches!(closed, Err(ExportError::OutputClosed)), "{closed:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let failure = Trial::new(&["n"], json!({})).write_to(&file.join("run"), &[]).unwrap_err();
    assert_eq!(failure.code, Code::SpoolUnwritable);
    assert!(failure.message.contains("a-file/run"), "{failure}");
}

/// A disk of a megabyte; only root can have one, and not in every container, so set RENKEI_SERVICES=1 as root.
#[test]
fn a_spool_whose_disk_is_full_is_left_as_it_was() {
    if std::env::var_os("RENKEI_SERVICES").is_none() {
        return;
    }
    let disk = tempfile::tempdir().unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        std::process::Command::new(program).args(arguments).arg(disk.path()).status().unwrap().success()
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        return;
    }
    let memo = "x".repeat(1_000);
    let trial = Trial::new(&["n"], json!({})).limits(300_000, 1_000);
    let refused = trial.write_to(disk.path(), &vec![vec![memo.as_str()]; 2_000]);
    let sorted = Trial::new(&["n"], json!({ "order_by": [{ "header": "n" }] }));
    let mut sorted = sorted.limits(300_000, 1_000);
    sorted.tuning.sort_bytes = 100_000;
    let refused_too = sorted.write_to(disk.path(), &vec![vec![memo.as_str()]; 2_000]);
    let left = std::fs::read_dir(disk.path()).unwrap().count();
    assert!(mount("umount", &[]), "{} is still mounted", disk.path().display());
    for failure in [refused.unwrap_err(), refused_too.unwrap_err()] {
        assert_eq!(failure.code, Code::SpoolUnwritable);
        let place = disk.path().display().to_string();
        assert!(failure.message.contains(&place) && failure.message.contains("move data_dir"), "{failure}");
    }
    assert_eq!(left, 0);
}
