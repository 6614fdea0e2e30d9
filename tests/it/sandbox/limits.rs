//! The limits of files and of requests, to the last one.

use super::rules::{changed, patient, refused};
use super::*;
use renkei::sandbox::Limits;

#[tokio::test]
async fn fifty_thousand_lines_and_five_million_bytes_pass_and_not_one_more() {
    let sandbox = patient().await;
    let lines = |count: usize| {
        let mut csv = b"id\r\n".to_vec();
        for number in 1..count {
            csv.extend_from_slice(format!("{number}\r\n").as_bytes());
        }
        csv
    };
    assert_eq!(changed(|push| push.csv = lines(50_000)).to(&sandbox).await.status, 200);
    assert_eq!(sandbox.master(0).records.len(), 49_999);
    let text = refused(&sandbox, &changed(|push| push.csv = lines(50_001))).await;
    assert!(text.contains("50001 lines"), "{text}");
    let mut inside = b"id,note\r\n1,\"".to_vec();
    inside.extend("\r\n".repeat(49_999).as_bytes());
    inside.extend(b"\"\r\n");
    let text = refused(&sandbox, &changed(|push| push.csv = inside)).await;
    assert!(text.contains("50001 lines"), "a line inside quotes counts: {text}");

    let bytes = |count: usize| {
        let mut csv = b"id,note\r\n1,".to_vec();
        csv.resize(count, b'x');
        csv
    };
    let push = |count| changed(|push| (push.csv, push.json) = (bytes(count), r#"{"masterId":1}"#.to_owned()));
    assert_eq!(push(5_000_000).to(&sandbox).await.status, 200);
    let text = refused(&sandbox, &push(5_000_001)).await;
    assert!(text.contains("5000001 bytes"), "{text}");
}

#[tokio::test]
async fn twenty_requests_pass_in_any_sixty_seconds_of_one_account() {
    let limits = Limits { retry_after: Some("7".to_owned()), ..Limits::default() };
    let sandbox = Sandbox::start(SandboxOptions { limits, ..SandboxOptions::default() }).await.unwrap();
    let push = Push::employees();
    let second = Duration::from_secs(1);
    for _ in 0..10 {
        assert_eq!(push.to(&sandbox).await.status, 200);
    }
    sandbox.forward(30 * second);
    // A request that is refused counts as well.
    let wrong = changed(|push| push.token = vec!["x".to_owned()]);
    for _ in 0..10 {
        assert_eq!(wrong.to(&sandbox).await.status, 401);
    }
    let seen = push.to(&sandbox).await;
    assert_eq!(seen.status, 429);
    assert!(seen.head.to_lowercase().contains("retry-after: 7"), "{}", seen.head);
    assert_eq!(seen.json()["status"], "fail");
    // Another account has a window of its own.
    assert_eq!(changed(|push| push.path = "/other/api/v1/csvimport".to_owned()).to(&sandbox).await.status, 200);
    // The first ten leave the window; the throttled one was not counted.
    sandbox.forward(30 * second);
    for _ in 0..10 {
        assert_eq!(push.to(&sandbox).await.status, 200);
    }
    assert_eq!(push.to(&sandbox).await.status, 429);
    let offsets: Vec<u64> = sandbox.received().iter().map(|received| received.at.as_secs()).collect();
    assert_eq!((offsets[0], offsets[10], offsets[32]), (0, 30, 60));
}
