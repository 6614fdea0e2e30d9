//! Every answer, and every way of not answering, has its verdict.

use super::receiver::*;
use renkei::domain::verdict::Verdict;
use renkei::push::Patience;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

#[tokio::test]
async fn each_answer_has_its_verdict() {
    let table = [
        ("200 OK", r#"{"status":"success"}"#, Verdict::Accepted, "taken"),
        ("200 OK", r#"{"status":"error","errors":{"code":17,"msg":"社員 0001"}}"#, Verdict::Rejected, "code is 17"),
        ("200 OK", "Status: 503 Maintenance mode\n<html></html>", Verdict::Maintenance, "maintenance"),
        ("200 OK", "<html>hello</html>", Verdict::Unknown, "does not say"),
        ("200 OK", "", Verdict::Unknown, "does not say"),
        ("401 Unauthorized", r#"{"status":"error"}"#, Verdict::DeniedToken, "token"),
        ("403 Forbidden", r#"{"status":"error"}"#, Verdict::DeniedToken, "token"),
        ("403 Forbidden", "<html>no</html>", Verdict::DeniedRoute, "IP restriction"),
        ("407 Proxy", "<html>no</html>", Verdict::DeniedRoute, "proxy"),
        ("413 Too Large", "<html>no</html>", Verdict::Rejected, "refused"),
        ("429 Too Many", "", Verdict::Throttled, "fewer"),
        ("500 Error", r#"{"status":"success"}"#, Verdict::Unknown, "HTTP 500"),
        ("502 Bad Gateway", "<html></html>", Verdict::Unknown, "HTTP 502"),
        ("503 Unavailable", "", Verdict::Unknown, "HTTP 503"),
    ];
    for (status, body, verdict, note) in table {
        let reply = Receiver::answering(answer(status, "", body)).await.push().await;
        assert_eq!(reply.verdict, verdict, "{status} {body}");
        assert_eq!(reply.http_status, Some(status[..3].parse().unwrap()));
        assert_eq!(reply.answer, body);
        assert!(reply.note.contains(note), "{}", reply.note);
        assert!(!reply.note.contains("0001"), "no record in the note: {}", reply.note);
    }
}

#[tokio::test]
async fn the_receiver_may_ask_to_be_left_alone_for_seconds_or_until_a_date() {
    for (headers, wait) in [
        ("", None),
        ("Retry-After: 90\r\n", Some(90)),
        ("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", Some(60)),
        ("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", Some(59)),
    ] {
        let reply = Receiver::answering(answer("429 Too Many", headers, "")).await.push().await;
        assert_eq!((reply.verdict, reply.retry_after), (Verdict::Throttled, wait.map(Duration::from_secs)));
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed_and_the_token_goes_nowhere_else() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let other = Receiver::answering(SUCCESS).await;
        let location = format!("Location: {}?token=x\r\n", other.url());
        let receiver = Receiver::answering(answer(status, &location, "")).await;
        let reply = receiver.push().await;
        assert_eq!(reply.verdict, Verdict::Unknown, "{status}");
        assert!(reply.note.contains("127.0.0.1") && !reply.note.contains("token=x"), "{}", reply.note);
        assert_eq!((receiver.connections(), other.connections()), (1, 0));
    }
}

#[tokio::test]
async fn an_answer_cut_anywhere_is_never_taken_for_success() {
    for at in 0..SUCCESS.len() {
        for with_reset in [false, true] {
            let receiver = Receiver::playing(move |mut stream| async move {
                let request = read_request(&mut stream).await;
                stream.write_all(&SUCCESS.as_bytes()[..at]).await.unwrap();
                if with_reset {
                    reset(stream);
                }
                request
            })
            .await;
            let reply = receiver.push().await;
            assert_eq!(reply.verdict, Verdict::Unknown, "cut at {at}: {reply:?}");
            assert_eq!(receiver.connections(), 1, "never sent twice by itself");
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_anywhere_is_unknown() {
    let bytes = vec![b'x'; 3_000_000];
    for at in [1, 10, 200, 500, 1_000, 100_000, 1_500_000, 2_999_000] {
        for with_reset in [false, true] {
            let receiver = Receiver::playing(move |mut stream: TcpStream| async move {
                let mut read = vec![0; at];
                stream.read_exact(&mut read).await.unwrap();
                if with_reset {
                    reset(stream);
                }
                read
            })
            .await;
            let reply = push_bytes(&integration(&receiver.url()), patient(), &bytes).await;
            assert_eq!((reply.verdict, reply.http_status), (Verdict::Unknown, None), "cut at {at}");
            assert!(reply.note.contains("not known"), "{}", reply.note);
            assert_eq!(receiver.connections(), 1);
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_upload_is_done_is_read() {
    let bytes = vec![b'x'; 5_000_000];
    for (early, verdict) in [
        (answer("401 Unauthorized", "", "{}"), Verdict::DeniedToken),
        (answer("413 Too Large", "", "<html>"), Verdict::Rejected),
        (answer("429 Too Many", "Retry-After: 7\r\n", ""), Verdict::Throttled),
        (SUCCESS.to_owned(), Verdict::Unknown),
    ] {
        let receiver = Receiver::playing(move |mut stream: TcpStream| {
            let early = early.clone();
            async move {
                let mut read = vec![0; 1_000];
                stream.read_exact(&mut read).await.unwrap();
                stream.write_all(early.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                // Open until the other side has read it and left.
                let _ = stream.read_to_end(&mut Vec::new()).await;
                read
            }
        })
        .await;
        let reply = push_bytes(&integration(&receiver.url()), patient(), &bytes).await;
        assert_eq!(reply.verdict, verdict, "{reply:?}");
        assert!(reply.http_status.is_some());
    }
}

#[tokio::test]
async fn what_is_no_http_is_unknown() {
    let huge = format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\n\r\n", "h".repeat(2_000_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{{\"status\":\"success\"}}", "X-Many: 1\r\n".repeat(5_000));
    let two = SUCCESS.replace("Content-Length: 20\r\n", "Content-Length: 20\r\nContent-Length: 21\r\n");
    for rubbish in
        ["", "\0\0\0\0", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 999999 x\r\n\r\n", huge.as_str(), many.as_str(), two.as_str()]
    {
        let reply = Receiver::answering(rubbish).await.push().await;
        assert_eq!(reply.verdict, Verdict::Unknown, "{:.40}", rubbish);
        assert!(!reply.note.is_empty());
    }
}

#[tokio::test]
async fn a_receiver_that_falls_silent_is_given_up() {
    let patience = Patience { idle: Duration::from_millis(50), ..patient() };
    // Silent before anything, and silent in the middle of an answer.
    for begin in ["", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"status\""] {
        let receiver = Receiver::playing(move |mut stream| async move {
            let request = read_request(&mut stream).await;
            stream.write_all(begin.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            request
        })
        .await;
        let reply = push(&integration(&receiver.url()), patience).await;
        assert_eq!(reply.verdict, Verdict::Unknown);
        assert!(reply.note.contains("timeouts.idle"), "{}", reply.note);
    }
    // Never reads: the upload stands still.
    let receiver = Receiver::playing(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
        Vec::new()
    })
    .await;
    let reply = push_bytes(&integration(&receiver.url()), patience, &vec![b'x'; 20_000_000]).await;
    assert_eq!((reply.verdict, reply.http_status), (Verdict::Unknown, None));
    assert!(reply.sent_bytes < 20_000_000 && reply.note.contains("timeouts.idle"), "{reply:?}");
}

#[tokio::test]
async fn an_answer_that_drips_for_ever_ends_with_the_whole_request_s_time() {
    let patience = Patience { request: Duration::from_millis(300), idle: Duration::from_secs(20), ..patient() };
    let receiver = Receiver::playing(|mut stream| async move {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"success\"").await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        while stream.write_all(b" ").await.is_ok() {
            tick.tick().await;
        }
        request
    })
    .await;
    let reply = push(&integration(&receiver.url()), patience).await;
    assert_eq!(reply.verdict, Verdict::Unknown);
    assert!(reply.note.contains("timeouts.request"), "{}", reply.note);
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_it_is_kept() {
    for (status, verdict) in [("200 OK", Verdict::Unknown), ("401 No", Verdict::DeniedToken)] {
        let receiver = Receiver::playing(move |mut stream| async move {
            let request = read_request(&mut stream).await;
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
            let mut written = 0_usize;
            while stream.write_all(&[b'e'; 65_536]).await.is_ok() {
                written += 65_536;
                assert!(written < 1 << 30, "it was still read");
            }
            request
        })
        .await;
        let reply = receiver.push().await;
        assert_eq!((reply.verdict, reply.answer.len()), (verdict, 16 * 1024));
        assert!(reply.note.contains("256 KiB"), "{}", reply.note);
    }
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_no_further_than_it_is_kept() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n";

    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(br#"{"status":"success"}"#).unwrap();
    let packed = packed.finish().unwrap();
    let mut whole = format!("{head}Content-Length: {}\r\n\r\n", packed.len()).into_bytes();
    whole.extend_from_slice(&packed);
    for cut in [1, 8, 12] {
        let reply = Receiver::answering(&whole[..whole.len() - cut]).await.push().await;
        assert_eq!(reply.verdict, Verdict::Unknown, "{cut} bytes are missing");
    }
    let reply = Receiver::answering(whole).await.push().await;
    assert_eq!((reply.verdict, reply.answer.as_str()), (Verdict::Accepted, r#"{"status":"success"}"#));

    let receiver = Receiver::playing(move |mut stream| async move {
        let mut read = read_request(&mut stream).await;
        let _ = stream.write_all(format!("{head}\r\n").as_bytes()).await;
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut unpacked = 0_u32;
        loop {
            bomb.write_all(&[b'b'; 1 << 20]).unwrap();
            bomb.flush().unwrap();
            unpacked += 1;
            let piece = std::mem::take(bomb.get_mut());
            if unpacked == 1_000 || stream.write_all(&piece).await.is_err() {
                read.clear();
                read.extend(unpacked.to_be_bytes());
                return read;
            }
        }
    })
    .await;
    let reply = receiver.push().await;
    assert_eq!((reply.verdict, reply.answer.len()), (Verdict::Unknown, 16 * 1024));
    assert!(reply.note.contains("256 KiB"), "{}", reply.note);
}

#[tokio::test]
async fn an_answer_in_shift_jis_is_read_where_it_says_so() {
    let body = b"{\"status\":\"error\",\"errors\":{\"code\":9,\"msg\":\"\x83\x81\x83\x93\x83\x65\"}}";
    for (charset, verdict) in [("; charset=Shift_JIS", Verdict::Rejected), ("", Verdict::Unknown)] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json{charset}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let reply = Receiver::answering([head.as_bytes(), body].concat()).await.push().await;
        assert_eq!(reply.verdict, verdict);
        assert!(reply.answer.contains("\"msg\":\"メンテ\""), "{}", reply.answer);
    }
}
