//! The fault server: what networks, gateways and hostile receivers do to a request, many places and many answers of
//! each kind. What single answers mean stands in `verdicts`, certificates in `certificates`.

use super::receiver::*;
use crate::support::tell;
use renkei::domain::verdict::Verdict;
use renkei::push::{Patience, Reply, Upload};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// In how many places an upload is cut.
const PLACES: usize = 1_000;
/// Pushes under way at the same time.
const AT_ONCE: usize = 16;

/// Pushes one file again and again over one client, some at a time, until every push has had its reply.
async fn push_often(receiver: &Receiver, patience: Patience, times: usize, bytes: &[u8]) -> Vec<Reply> {
    let client = Arc::new(client(&integration(&receiver.url()), patience));
    let (_folder, upload) = upload(bytes);
    let (mut pushing, mut replies) = (JoinSet::new(), Vec::new());
    for _ in 0..times {
        if pushing.len() == AT_ONCE {
            replies.push(pushing.join_next().await.unwrap().unwrap());
        }
        let (client, upload): (_, Upload) = (Arc::clone(&client), upload.clone());
        pushing.spawn(async move { client.push(&upload, &clock()).await.unwrap() });
    }
    while let Some(reply) = pushing.join_next().await {
        replies.push(reply.unwrap());
    }
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_reset_at_any_of_a_thousand_places_is_unknown_and_sent_once() {
    let bytes = vec![b'x'; 1_000_000];
    let next = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::playing(move |mut stream: TcpStream| {
        // The first hundred places are the first hundred bytes; the others are spread over the rest.
        let place = next.fetch_add(1, Ordering::SeqCst);
        let at = if place < 100 { place + 1 } else { (place - 99) * 1_100 };
        async move {
            let mut read = vec![0; at];
            stream.read_exact(&mut read).await.unwrap();
            reset(stream);
            read
        }
    })
    .await;
    let replies = push_often(&receiver, patient(), PLACES, &bytes).await;
    assert_eq!((replies.len(), receiver.connections()), (PLACES, PLACES), "no push is repeated by itself");
    for reply in replies {
        assert_eq!((reply.verdict, reply.http_status), (Verdict::Unknown, None), "{reply:?}");
        assert!(reply.note.contains("whether the file was taken is not known"), "{}", reply.note);
    }
}

#[tokio::test]
async fn an_answer_in_pieces_is_success_only_with_its_last_piece() {
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                 9\r\n{\"status\"\r\nb\r\n:\"success\"}\r\n0\r\n\r\n";
    for at in 0..whole.len() {
        let reply = Receiver::answering(&whole[..at]).await.push().await;
        assert_eq!(reply.verdict, Verdict::Unknown, "cut at {at}: {reply:?}");
    }
    assert_eq!(Receiver::answering(whole).await.push().await.verdict, Verdict::Accepted);
}

#[tokio::test]
async fn a_gateway_s_page_is_unknown_whatever_it_says_and_its_retry_after_is_kept() {
    let page = "<html><body><h1>Gateway</h1>{\"status\":\"success\"}</body></html>";
    for status in [500, 501, 502, 503, 504, 507, 520, 524, 599] {
        for (header, wait) in [("", None), ("Retry-After: 3\r\n", Some(Duration::from_secs(3)))] {
            let answer = format!(
                "HTTP/1.1 {status} Trouble\r\nContent-Type: text/html\r\n{header}Content-Length: {}\r\n\r\n{page}",
                page.len()
            );
            let reply = Receiver::answering(answer).await.push().await;
            assert_eq!((reply.verdict, reply.http_status), (Verdict::Unknown, Some(status)));
            assert_eq!((reply.answer.as_str(), reply.retry_after), (page, wait));
        }
    }
}

/// Answers success: so many bytes at once, the others one by one.
async fn drip(mut stream: TcpStream, every: Duration, at_once: usize) -> Vec<u8> {
    let request = read_request(&mut stream).await;
    stream.write_all(&SUCCESS.as_bytes()[..at_once]).await.unwrap();
    let mut tick = tokio::time::interval(every);
    for byte in &SUCCESS.as_bytes()[at_once..] {
        tick.tick().await;
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    request
}

#[tokio::test]
async fn an_answer_of_a_byte_at_a_time_ends_by_the_silence_between_two_or_by_the_whole_request_s_time() {
    let long = Duration::from_secs(30);
    let short = Duration::from_millis(40);
    let body = SUCCESS.find("\r\n\r\n").unwrap() + 4;
    for (begin, every, idle, request, told) in [
        (0, long, short, long, "timeouts.idle"),
        (body, long, short, long, "timeouts.idle"),
        (0, Duration::from_millis(4), long, short, "timeouts.request"),
        (body, Duration::from_millis(4), long, short, "timeouts.request"),
    ] {
        let receiver = Receiver::playing(move |stream| drip(stream, every, begin)).await;
        let reply = push(&integration(&receiver.url()), Patience { request, idle, ..patient() }).await;
        assert_eq!(reply.verdict, Verdict::Unknown, "{reply:?}");
        assert!(reply.note.contains(told), "{}", reply.note);
    }
    // With time enough a slow answer is an answer.
    let receiver = Receiver::playing(|stream| drip(stream, Duration::from_millis(1), 0)).await;
    let reply = push(&integration(&receiver.url()), Patience { idle: Duration::from_secs(5), ..patient() }).await;
    assert_eq!(reply.verdict, Verdict::Accepted);
}

#[tokio::test]
async fn a_receiver_that_takes_a_byte_at_a_time_is_given_up() {
    let receiver = Receiver::playing(|mut stream: TcpStream| async move {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() {
            tick.tick().await;
        }
        Vec::new()
    })
    .await;
    let patience = Patience { idle: Duration::from_millis(100), request: Duration::from_secs(2), ..patient() };
    let reply = push_bytes(&integration(&receiver.url()), patience, &vec![b'x'; 20_000_000]).await;
    assert_eq!((reply.verdict, reply.http_status), (Verdict::Unknown, None));
    assert!(reply.sent_bytes < 20_000_000 && reply.note.contains("timeouts."), "{reply:?}");
}

/// Says that this process is the one whose memory is measured.
const MEASURED: &str = "RENKEI_TEST_MEASURED";

/// A figure of this process in KiB.
fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap()
}

/// Writes the same piece until the other side has had enough; a gigabyte is more than anybody may read.
async fn without_end(mut stream: TcpStream, head: &'static str, piece: Arc<[u8]>) -> Vec<u8> {
    read_request(&mut stream).await;
    let _ = stream.write_all(head.as_bytes()).await;
    let mut written = 0;
    while written < 1 << 30 && stream.write_all(&piece).await.is_ok() {
        written += piece.len();
    }
    assert!(written < 1 << 30, "it was still read");
    Vec::new()
}

/// 16 MiB of one letter in 16 KiB, as a gzip member of its own; members may follow each other.
fn packed() -> Arc<[u8]> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..256 {
        packed.write_all(&[b'b'; 65_536]).unwrap();
    }
    packed.finish().unwrap().into()
}

/// The pushes that must leave memory flat: endless in the body, with and without a length, in the head, and packed.
async fn hostile(rounds: usize) {
    let plain: Arc<[u8]> = vec![b'e'; 65_536].into();
    let bomb = packed();
    for (head, piece) in [
        ("HTTP/1.1 200 OK\r\n\r\n", &plain),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", &plain),
        ("HTTP/1.1 200 OK\r\nX-Endless: ", &plain),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", &bomb),
    ] {
        let piece = Arc::clone(piece);
        let receiver = Receiver::playing(move |stream| without_end(stream, head, Arc::clone(&piece))).await;
        for reply in push_often(&receiver, patient(), rounds, CSV).await {
            assert_eq!(reply.verdict, Verdict::Unknown, "{reply:?}");
            assert!(reply.answer.len() <= 16 * 1024);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_end_and_bombs_leave_memory_flat() {
    if std::env::var_os(MEASURED).is_some() {
        hostile(2 * AT_ONCE).await;
        let before = kib("VmHWM:");
        hostile(10 * AT_ONCE).await;
        let grown = kib("VmHWM:") - before;
        tell(format_args!(
            "peak {before} KiB after {} of each, {grown} KiB more after {} more",
            2 * AT_ONCE,
            10 * AT_ONCE
        ));
        assert!(grown < 16 * 1024, "{grown} KiB more");
        return;
    }
    // In a process of its own, so that no other test's memory is measured.
    let name = "push::faults::answers_without_end_and_bombs_leave_memory_flat";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(MEASURED, "1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let measured = told.lines().find(|line| line.contains("KiB more"));
    tell(measured.expect("the measurement was not made"));
}
