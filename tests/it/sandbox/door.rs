//! The control door, as another process uses it.

use super::*;

async fn knock(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Seen {
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    exchange(sandbox.address(), request.as_bytes()).await.unwrap()
}

#[tokio::test]
async fn another_process_can_plan_look_and_read() {
    let sandbox = start().await;
    let wish = r#"{"how":{"kind":"server_error","status":502},"times":1}"#;
    assert_eq!(knock(&sandbox, "POST", "/_sandbox/misbehave", wish).await.status, 200);
    let push = Push::employees();
    assert_eq!(push.to(&sandbox).await.status, 502);
    assert_eq!(push.to(&sandbox).await.status, 200);
    knock(&sandbox, "POST", "/_sandbox/misbehave", r#"{"how":{"kind":"maintenance"}}"#).await;
    assert!(push.to(&sandbox).await.text().starts_with("Status: 503"));
    knock(&sandbox, "POST", "/_sandbox/misbehave", "{}").await;
    assert_eq!(push.to(&sandbox).await.json()["status"], "success");

    let seen = knock(&sandbox, "GET", "/_sandbox/received", "").await;
    let list = seen.json()["received"].clone();
    assert_eq!(list.as_array().unwrap().len(), 4, "the door itself is not counted");
    assert_eq!(list[0]["misbehaviour"]["kind"], "server_error");
    assert_eq!(list[1]["csv_head"][1], "1,山田");
    assert!(seen.text().contains("••••"), "the token is masked");
    assert_eq!(knock(&sandbox, "GET", "/_sandbox/received/2/csv", "").await.body, push.csv);
    let master = knock(&sandbox, "GET", "/_sandbox/master/0", "").await.json();
    assert_eq!(master["records"]["2"], serde_json::json!(["2", "髙﨑"]));
    let empty = knock(&sandbox, "GET", "/_sandbox/master/0?account=other", "").await.json();
    assert_eq!(empty["records"], serde_json::json!({}));
}

#[tokio::test]
async fn a_wish_that_is_not_understood_is_refused_and_changes_nothing() {
    let sandbox = start().await;
    for wish in
        ["", "[]", r#"{"how":"maintenance"}"#, r#"{"how":{"kind":"explode"}}"#, r#"{"time":1}"#, r#"{"times":-1}"#]
    {
        let seen = knock(&sandbox, "POST", "/_sandbox/misbehave", wish).await;
        assert_eq!(seen.status, 400, "{wish}: {}", seen.text());
    }
    for path in ["/_sandbox", "/_sandbox/master/7", "/_sandbox/master/x", "/_sandbox/received/9/csv", "/_sandbox/x"] {
        assert_eq!(knock(&sandbox, "GET", path, "").await.status, 404, "{path}");
    }
    assert_eq!(Push::employees().to(&sandbox).await.status, 200);
}
