//! Misbehaviours below HTTP: resets, silence, drips.

use super::*;
use renkei::sandbox::{Misbehaviour, Plan};

async fn told(how: Misbehaviour) -> Sandbox {
    let sandbox = start().await;
    sandbox.misbehave(Plan::once(how));
    sandbox
}

async fn fault(sandbox: &Sandbox) -> (Option<String>, bool) {
    let received = sandbox.wait_for(1, SOON).await.unwrap().remove(0);
    (received.answer.fault, received.imported)
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_upload_arrives_before_the_upload_has_ended() {
    let sandbox = told(Misbehaviour::ResetDuringBody { after_bytes: 1_000 }).await;
    // The head announces more than is ever sent: only a reset can end this.
    let mut push = Push::employees();
    push.csv = vec![b'x'; 20_000];
    let mut bytes = push.head(1_000_000).into_bytes();
    bytes.extend_from_slice(&push.body());
    let (answer, error) = exchange_raw(sandbox.address(), &bytes).await;
    assert_eq!((answer.len(), error), (0, Some(io::ErrorKind::ConnectionReset)));
    assert_eq!(fault(&sandbox).await, (Some("reset during the body".to_owned()), false));
    let read = sandbox.received()[0].body_bytes;
    assert!((1_000..=21_000).contains(&read), "{read}");
}

#[tokio::test]
async fn a_reset_before_the_answer_may_hide_an_import() {
    for imported in [false, true] {
        let sandbox = told(Misbehaviour::ResetBeforeAnswer { imported }).await;
        let (answer, error) = exchange_raw(sandbox.address(), &Push::employees().bytes()).await;
        assert_eq!((answer.len(), error), (0, Some(io::ErrorKind::ConnectionReset)));
        assert_eq!(fault(&sandbox).await, (Some("reset before the answer".to_owned()), imported));
        assert_eq!(sandbox.master(0).records.is_empty(), !imported);
    }
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_answer_comes_after_exactly_so_many_bytes() {
    for after_bytes in [0, 1, 30, 200] {
        let sandbox = told(Misbehaviour::ResetMidAnswer { after_bytes }).await;
        let (answer, error) = exchange_raw(sandbox.address(), &Push::employees().bytes()).await;
        assert_eq!((answer.len() as u64, error), (after_bytes, Some(io::ErrorKind::ConnectionReset)));
        assert_eq!(sandbox.master(0).records.len(), 2);
    }
}

#[tokio::test]
async fn a_silent_server_imports_and_keeps_the_connection_open() {
    let sandbox = told(Misbehaviour::AcceptThenSilent).await;
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(&Push::employees().bytes()).await.unwrap();
    assert_eq!(fault(&sandbox).await, (Some("silent".to_owned()), true));
    let mut byte = [0];
    assert_eq!(stream.try_read(&mut byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    sandbox.shutdown().await;
    assert!(matches!(stream.read(&mut byte).await, Ok(0) | Err(_)), "only the end of the sandbox ends it");
}

#[tokio::test]
async fn a_held_request_is_answered_when_it_is_released() {
    let sandbox = told(Misbehaviour::Hold).await;
    let push = Push::employees();
    let (seen, ()) = tokio::join!(push.to(&sandbox), async {
        assert_eq!(fault(&sandbox).await, (Some("held".to_owned()), true));
        sandbox.release();
    });
    assert_eq!((seen.status, &seen.json()["status"]), (200, &"success".into()));
}

#[tokio::test]
async fn a_slow_answer_and_a_dripping_one_are_right_in_the_end() {
    for how in [Misbehaviour::Slow { delay_ms: 60 }, Misbehaviour::DripAnswer { bytes: 7, every_ms: 1 }] {
        let sandbox = told(how).await;
        let begun = tokio::time::Instant::now();
        let seen = Push::employees().to(&sandbox).await;
        assert_eq!((seen.status, &seen.json()["items"]["created"]), (200, &2.into()));
        assert!(begun.elapsed() >= Duration::from_millis(40), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn what_is_not_http_is_not_http() {
    let sandbox = told(Misbehaviour::NotHttp).await;
    let (answer, _) = exchange_raw(sandbox.address(), &Push::employees().bytes()).await;
    assert!(!answer.is_empty() && !answer.starts_with(b"HTTP"));
    assert_eq!(fault(&sandbox).await, (Some("not HTTP".to_owned()), true));
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_is_remembered() {
    let sandbox = start().await;
    let push = Push::employees();
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(push.head(1_000_000).as_bytes()).await.unwrap();
    sandbox.wait_arrived(1, SOON).await.unwrap();
    drop(stream);
    assert_eq!(fault(&sandbox).await, (Some("client went away".to_owned()), false));
    assert_eq!(push.to(&sandbox).await.status, 200);
}

#[tokio::test]
async fn an_endless_answer_ends_when_the_reader_has_had_enough() {
    for (how, gzip) in [(Misbehaviour::EndlessBody, false), (Misbehaviour::GzipBomb, true)] {
        let sandbox = told(how).await;
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(&Push::employees().bytes()).await.unwrap();
        let mut buffer = vec![0; 1_000_000];
        stream.read_exact(&mut buffer).await.unwrap();
        let head = String::from_utf8_lossy(&buffer[..400]).to_lowercase();
        assert_eq!(head.contains("content-encoding: gzip"), gzip, "{head}");
        drop(stream);
        assert_eq!(Push::employees().to(&sandbox).await.status, 200, "and the next request is served");
    }
}
