//! What is refused, with which status, and what the import does with what it takes.

use std::collections::BTreeMap;

use super::*;
use renkei::sandbox::Limits;

/// A sandbox without a limit on requests.
pub(super) async fn patient() -> Sandbox {
    let limits = Limits { requests: 10_000, ..Limits::default() };
    Sandbox::start(SandboxOptions { limits, ..SandboxOptions::default() }).await.unwrap()
}

/// The answer to a push that must be refused with 400.
pub(super) async fn refused(sandbox: &Sandbox, push: &Push) -> String {
    let seen = push.to(sandbox).await;
    let text = seen.text();
    assert_eq!(seen.status, 400, "{text}");
    assert_eq!(seen.json()["status"], "error");
    assert_eq!(seen.json()["errors"]["code"], "400");
    text
}

pub(super) fn changed(change: impl FnOnce(&mut Push)) -> Push {
    let mut push = Push::employees();
    change(&mut push);
    push
}

#[tokio::test]
async fn a_wrong_token_is_401_as_json_whatever_else_is_wrong() {
    let sandbox = patient().await;
    for token in [vec![], vec!["x".to_owned()], vec!["sandbox".to_owned(); 2], vec!["Sandbox".to_owned()]] {
        let seen = changed(|push| push.token = token.clone()).to(&sandbox).await;
        assert_eq!((seen.status, seen.json()["errors"]["code"].as_str()), (401, Some("401")), "{token:?}");
    }
    assert!(sandbox.master(0).records.is_empty());
}

#[tokio::test]
async fn only_a_post_to_the_path_of_the_import_is_the_import() {
    let sandbox = patient().await;
    assert_eq!(changed(|push| push.method = "GET").to(&sandbox).await.status, 405);
    for path in ["/", "/api/v1/csvimport", "//api/v1/csvimport", "/a/b/api/v1/csvimport", "/acme/api/v1/csvimport/"] {
        assert_eq!(changed(|push| push.path = path.to_owned()).to(&sandbox).await.status, 404, "{path}");
    }
    let only = SandboxOptions { account: Some("kaisha".to_owned()), ..SandboxOptions::default() };
    let only = Sandbox::start(only).await.unwrap();
    assert_eq!(Push::employees().to(&only).await.status, 404);
    assert!(only.url().ends_with("/kaisha/api/v1/csvimport"));
}

#[tokio::test]
async fn the_content_type_must_be_one_and_have_a_boundary() {
    let sandbox = patient().await;
    for kinds in [
        &[][..],
        &["multipart/form-data;"],
        &["multipart/form-data"],
        &["multipart/form-data; boundary="],
        &["multipart/form-data; boundary=a{b"],
        &["application/json; boundary=frontier"],
        &["multipart/form-data;", "multipart/form-data; boundary=frontier"],
    ] {
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        refused(&sandbox, &changed(|push| push.content_type = kinds)).await;
    }
    let quoted = vec!["Multipart/Form-Data; charset=x; Boundary=\"frontier\"".to_owned()];
    assert_eq!(changed(|push| push.content_type = quoted).to(&sandbox).await.status, 200);
}

#[tokio::test]
async fn the_body_must_be_whole_and_of_known_length() {
    let sandbox = patient().await;
    refused(&sandbox, &changed(|push| push.end = "\r\n--frontier")).await;
    refused(&sandbox, &changed(|push| push.end = "")).await;
    assert_eq!(changed(|push| push.length = false).to(&sandbox).await.status, 411);
    let chunked = SandboxOptions { require_content_length: false, ..SandboxOptions::default() };
    let chunked = Sandbox::start(chunked).await.unwrap();
    assert_eq!(changed(|push| push.length = false).to(&chunked).await.status, 200);
    let limits = Limits { body_bytes: 400, ..Limits::default() };
    let small = Sandbox::start(SandboxOptions { limits, ..SandboxOptions::default() }).await.unwrap();
    assert_eq!(changed(|push| push.csv = vec![b'x'; 1_000]).to(&small).await.status, 413);
}

#[tokio::test]
async fn the_json_part_is_a_field_and_the_upload_is_a_file() {
    let sandbox = patient().await;
    let head = "Content-Disposition: form-data; name=\"json\"; filename=\"json\"".to_owned();
    let text = refused(&sandbox, &changed(|push| push.json_head = head)).await;
    assert!(text.contains("read as empty"), "{text}");
    assert_eq!(sandbox.received()[0].json.as_deref(), Some(""));
    for head in [
        "Content-Disposition: form-data; name=\"uploadFile\"",
        "Content-Disposition: form-data; name=\"uploadFile\"; filename=\"\"",
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"",
        "Content-Disposition: form-data; name=\"json\"",
        "Content-Type: text/csv",
    ] {
        refused(&sandbox, &changed(|push| push.file_head = head.to_owned())).await;
    }
    let typed = "Content-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json".to_owned();
    assert_eq!(changed(|push| push.json_head = typed).to(&sandbox).await.status, 200);
}

#[tokio::test]
async fn parameters_outside_the_table_are_refused_by_name() {
    let sandbox = patient().await;
    for (json, name) in [
        ("", "json"),
        ("{", "json"),
        ("[0]", "json"),
        ("{}", "masterId"),
        (r#"{"masterId":5}"#, "masterId"),
        (r#"{"masterId":-1}"#, "masterId"),
        (r#"{"masterId":4294967296}"#, "masterId"),
        (r#"{"masterId":true}"#, "masterId"),
        (r#"{"masterId":0.5}"#, "masterId"),
        (r#"{"masterId":"社員"}"#, "masterId"),
        (r#"{"masterId":0,"duplicateKey":2}"#, "duplicateKey"),
        (r#"{"masterId":0,"duplicateKey":null}"#, "duplicateKey"),
        (r#"{"masterId":18,"duplicateKey":0}"#, "duplicateKey"),
        (r#"{"masterId":1,"sendPasswordEmail":1}"#, "sendPasswordEmail"),
        (r#"{"masterId":0,"createCategory":1}"#, "createCategory"),
        (r#"{"masterId":0,"dryRun":1}"#, "dryRun"),
    ] {
        let text = refused(&sandbox, &changed(|push| push.json = json.to_owned())).await;
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["errors"]["description"][0]["name"], name, "{json}: {text}");
    }
    let long = format!("{{\"masterId\":0{}}}", " ".repeat(70_000));
    assert!(refused(&sandbox, &changed(|push| push.json = long)).await.contains("65536"));
    let part = "Content-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--frontier\r\n".repeat(100_000);
    let crowd = changed(|push| push.json_head = format!("{part}{}", push.json_head));
    assert!(refused(&sandbox, &crowd).await.contains("more than 16 parts"));
    for json in [
        r#"{"masterId":"0","duplicateKey":"1"}"#,
        r#"{"masterId":1,"sendPasswordEmail":0,"createCategory":0}"#,
        r#"{"masterId":18}"#,
        r#"{"masterId":85,"createCategory":1}"#,
    ] {
        assert_eq!(changed(|push| push.json = json.to_owned()).to(&sandbox).await.status, 200, "{json}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_clean_shift_jis_csv_is_refused_with_the_line() {
    let sandbox = patient().await;
    for (csv, hint) in [
        (b"".to_vec(), "empty"),
        (b"\r\n1\r\n".to_vec(), "no name"),
        (sjis("社員コード,社員名\r\n"), "header line only"),
        (sjis("1045,山田\r\n1046,鈴木\r\n"), "not a header line"),
        (sjis("コード,コード\r\n1,2\r\n"), "repeats"),
        (",".repeat(4_999_990).into_bytes(), "4999991 columns"),
        (sjis("コード,名\r\n1,2\r\n3\r\n"), "line 3: 1 fields"),
        (sjis("コード,名\r\n1,\"a\r\nb\"\r\n3,4,5\r\n"), "line 4: 3 fields"),
        (sjis("コード,名\r\n1,2\n3,4\r\n"), "line 2: ends in LF alone"),
        (sjis("コード,名\n1,2\n"), "line 1: ends in LF alone"),
        (sjis("コード,名\r\n1,2\r3,4\r\n"), "line 2: a CR"),
        (sjis("コード,名\r\n1,\"2\r\n3,4\r\n"), "line 2: a quote is opened"),
        (sjis("コード,名\r\n1,a\"b\r\n"), "line 2: a quote inside"),
        (sjis("コード,名\r\n1,\"a\"b\r\n"), "line 2: text after"),
        ("コード,名\r\n1,山田\r\n".as_bytes().to_vec(), "UTF-8"),
        ("\u{FEFF}id,name\r\n1,2\r\n".as_bytes().to_vec(), "byte order mark"),
        (b"id,name\r\n1,2\r\n3,\x82\r\n".to_vec(), "line 3: not Shift_JIS"),
        (b"id,name\r\n1,\xFF\r\n".to_vec(), "line 2: not Shift_JIS"),
        (b"id,name\r\n1,\xF0\x40\r\n".to_vec(), "外字"),
        (b"id,name\r\n1,\x80\r\n".to_vec(), "control character"),
        (b"id,name\r\n1,\0\r\n".to_vec(), "line 2: a control character, U+0000"),
    ] {
        let text = refused(&sandbox, &changed(|push| push.csv.clone_from(&csv))).await;
        assert!(text.contains(hint), "{hint}: {text}");
    }
    assert!(sandbox.master(0).records.is_empty());
    let quoted = sjis("コード,名\r\n1,\"a\"\"b,\r\nc\"\r\n2,\"\"\r\n3,ｶﾅ①〜".replace('〜', "～").as_str());
    assert_eq!(changed(|push| push.csv = quoted).to(&sandbox).await.status, 200);
    assert_eq!(sandbox.master(0).value("1", "名"), Some("a\"b,\r\nc"));
    assert_eq!(sandbox.master(0).value("2", "名"), Some(""));
    assert_eq!(sandbox.master(0).value("3", "名"), Some("ｶﾅ①～"));
}

#[tokio::test]
async fn duplicate_key_0_skips_and_1_updates_what_is_there() {
    let sandbox = patient().await;
    let send = async |json: &str, csv: &str| {
        let seen = Push::new(json, &sjis(csv)).to(&sandbox).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        let items = seen.json()["items"].clone();
        ["created", "updated", "skipped", "mails"].map(|name| items[name].as_u64().unwrap())
    };
    assert_eq!(send(r#"{"masterId":0}"#, "コード,名\r\n1,a\r\n2,b\r\n").await, [2, 0, 0, 0]);
    assert_eq!(send(r#"{"masterId":0,"duplicateKey":0}"#, "コード,名\r\n1,x\r\n3,c\r\n").await, [1, 0, 1, 0]);
    assert_eq!(sandbox.master(0).value("1", "名"), Some("a"));
    // Columns are matched by name: another order, a new one, a missing one.
    let json = r#"{"masterId":0,"duplicateKey":1,"sendPasswordEmail":1}"#;
    assert_eq!(send(json, "コード,部門\r\n1,D\r\n4,E\r\n").await, [1, 1, 0, 2]);
    let master = sandbox.master(0);
    assert_eq!((master.value("1", "名"), master.value("1", "部門")), (Some("a"), Some("D")));
    assert_eq!((master.value("2", "部門"), master.value("9", "名")), (Some(""), None));
    assert_eq!(master.mailed, ["1", "4"]);
    // Another key column is another file.
    let text = refused(&sandbox, &Push::new(json, &sjis("名,コード\r\na,1\r\n"))).await;
    assert!(text.contains("key is コード"), "{text}");
}

#[tokio::test]
async fn an_unknown_category_is_an_error_or_is_created_and_an_error_changes_nothing() {
    let categories = BTreeMap::from([(4, vec!["既存".to_owned()])]);
    let sandbox = Sandbox::start(SandboxOptions { categories, ..SandboxOptions::default() }).await.unwrap();
    let csv = sjis("コード,カテゴリ1\r\n1,既存\r\n2,\r\n3,新規\r\n");
    let text = refused(&sandbox, &Push::new(r#"{"masterId":4,"createCategory":0}"#, &csv)).await;
    assert!(text.contains("新規") && text.contains("line 4") && !text.contains("既存"), "{text}");
    assert!(sandbox.master(4).records.is_empty());
    let seen = Push::new(r#"{"masterId":4,"createCategory":1}"#, &csv).to(&sandbox).await;
    assert_eq!(seen.json()["items"]["categoriesCreated"], 1, "{}", seen.text());
    assert!(sandbox.master(4).categories.contains("新規"));
    let seen = Push::new(r#"{"masterId":4,"duplicateKey":1}"#, &csv).to(&sandbox).await;
    assert_eq!(seen.json()["items"]["updated"], 3, "{}", seen.text());
}

#[tokio::test]
async fn a_row_without_a_key_and_a_column_that_the_master_does_not_know_are_refused() {
    let columns = BTreeMap::from([(0, vec!["コード".to_owned(), "名".to_owned()])]);
    let sandbox = Sandbox::start(SandboxOptions { columns, ..SandboxOptions::default() }).await.unwrap();
    let text = refused(&sandbox, &changed(|push| push.csv = sjis("コード,名\r\n1,a\r\n,b\r\n"))).await;
    assert!(text.contains("line 3: the key is empty"), "{text}");
    let seen = changed(|push| push.csv = sjis("コード,名前\r\n1,a\r\n")).to(&sandbox).await;
    assert_eq!(seen.json()["errors"]["description"]["header"][0], "名前", "{}", seen.text());
}
