//! Answers of any bytes: each has a verdict, none is taken for success that does not say so, and what a receiver asks
//! for never leads to an instant that does not exist.

use super::receiver::*;
use crate::fuzz::{damaged, fuzz};
use renkei::clock::Clock;
use renkei::domain::verdict::{Verdict, api_error, try_again_at};
use renkei::push::Patience;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const WORDS: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "HTTP/1.1 ",
    "200",
    "429",
    "503",
    "100 Continue\r\n\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "Content-Encoding: gzip\r\n",
    "Retry-After: ",
    "Date: ",
    "Sun, 06 Nov 1994 08:50:37 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sun, 06 Nov 262142 08:50:37 GMT",
    "Sunday, 06-Nov-94 08:50:37 GMT",
    "9999999999999999",
    "18446744073709551615",
    "-1",
    "0x10",
    "Content-Type: text/html; charset=Shift_JIS\r\n",
    "charset=utf-16",
    "Location: https://x/\r\n",
    "{\"status\":\"success\"}",
    "{\"status\":\"error\",\"errors\":{\"code\":",
    "null",
    "\"",
    "[[[[[[[[[[",
    "Status: 503 Maintenance mode\n",
    "\0",
    "\u{feff}",
    "あ",
    "\\ud800",
];

fn answers() -> Vec<Vec<u8>> {
    let answer = |status: &str, headers: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    vec![
        SUCCESS.as_bytes().to_vec(),
        answer("200 OK", "", "Status: 503 Maintenance mode\n<html></html>"),
        answer("200 OK", "Content-Type: application/json; charset=\"UTF-8\"\r\n", r#"{"status":"error","errors":{"code":17,"msg":"x","description":[{"name":"a","value":"b"}]}}"#),
        answer("429 Too Many", "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", "{}"),
        answer("429 Too Many", "Retry-After: 120\r\n", ""),
        answer("403 No", "", "<html>"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{\"status\":\"success\"}\r\n0\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff\xabV*.I,)-V\xb2R*.MNN-.V\xaa\x05\0\0\0\0\0".to_vec(),
    ]
}

/// Bodies of this kind say success, whatever stands around it.
fn says_success(answer: &str) -> bool {
    // A carriage return is shown as its picture.
    let json: Result<serde_json::Value, _> = serde_json::from_str(&answer.replace('␍', "\r"));
    let status = json.ok().and_then(|json| json.get("status")?.as_str().map(str::to_ascii_lowercase));
    status.is_some_and(|status| ["success", "ok"].contains(&status.as_str()))
}

#[test]
fn an_answer_of_any_bytes_has_a_verdict_and_success_is_never_guessed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let next = Arc::new(Mutex::new(Vec::new()));
    let receiver = runtime.block_on(Receiver::playing({
        let next = Arc::clone(&next);
        move |mut stream: TcpStream| {
            let answer: Vec<u8> = next.lock().unwrap().clone();
            async move {
                read_request(&mut stream).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
                Vec::new()
            }
        }
    }));
    let patience = Patience { idle: Duration::from_secs(10), request: Duration::from_secs(20), ..patient() };
    let client = client(&integration(&receiver.url()), patience);
    let (folder, upload) = upload(CSV);
    fuzz("answers", 300, damaged(answers(), WORDS), move |bytes| {
        let _folder = &folder;
        next.lock().unwrap().clone_from(&bytes);
        let reply = runtime.block_on(client.push(&upload, &clock())).unwrap();
        assert!(!reply.note.is_empty() && reply.answer.len() <= 16 * 1024);
        if reply.verdict == Verdict::Accepted {
            assert!(reply.http_status.is_some_and(|status| (200..300).contains(&status)), "{reply:?}");
            assert!(says_success(&reply.answer), "{reply:?}");
        }
        let _ = api_error(reply.answer.as_bytes());
        let now = Clock::system().now();
        for limit in [Duration::from_secs(3600), Duration::MAX] {
            let again = try_again_at(now, now, limit, 1, 0.5, reply.retry_after);
            assert!(again.is_none_or(|at| at > now), "{again:?}");
        }
    });
}
