//! The mailbox catches what a mail program hands over, and fails as told.

use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use renkei::sandbox::mailbox::{MailTrouble, Mailbox, MailboxOptions, Stage};
use renkei::sandbox::{Missed, Plan};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::SOON;

async fn start() -> Mailbox {
    Mailbox::start(MailboxOptions::default()).await.unwrap()
}

fn sender(mailbox: &Mailbox) -> lettre::transport::smtp::AsyncSmtpTransportBuilder {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(mailbox.address().port())
}

fn letter() -> Message {
    let text = "件数:1,203件\n.\n..点で始まる行\n";
    Message::builder()
        .from("連携 <renkei@example.jp>".parse().unwrap())
        .to("管理者 <admin@example.jp>".parse().unwrap())
        .cc("second@example.jp".parse().unwrap())
        .subject("[エラー] 社員マスタ連携 1,203件のうち3件が取り込まれませんでした(R-20251124-0007)")
        .multipart(
            MultiPart::mixed()
                .multipart(MultiPart::alternative_plain_html(text.to_owned(), "<p>件数</p>".to_owned()))
                .singlepart(Attachment::new("rows.csv".to_owned()).body("a,b\r\n".to_owned(), ContentType::TEXT_PLAIN)),
        )
        .unwrap()
}

#[tokio::test]
async fn a_mail_of_a_mail_library_is_caught_and_can_be_read() {
    let mailbox = start().await;
    sender(&mailbox).build().send(letter()).await.unwrap();
    let mail = mailbox.wait_for(1, SOON).await.unwrap().remove(0);
    assert_eq!(mail.from, "renkei@example.jp");
    assert_eq!(mail.to, ["admin@example.jp", "second@example.jp"]);
    assert_eq!(mail.subject(), "[エラー] 社員マスタ連携 1,203件のうち3件が取り込まれませんでした(R-20251124-0007)");
    assert_eq!(mail.text().trim_end(), "件数:1,203件\n.\n..点で始まる行");
    assert_eq!(mail.part("text/html").unwrap().trim_end(), "<p>件数</p>");
    assert_eq!(mail.part("image/png"), None);
    assert!(mail.header("from").unwrap().contains("連携"));
}

#[tokio::test]
async fn failures_come_as_planned_and_then_stop() {
    let mailbox = start().await;
    let later = MailTrouble::Reply { at: Stage::EndOfData, text: "451 4.3.0 later".to_owned() };
    let gone = MailTrouble::Reply { at: Stage::Sender, text: "550 5.7.1 no".to_owned() };
    for trouble in [
        MailTrouble::temporary(),
        MailTrouble::permanent(),
        later,
        gone,
        MailTrouble::Refuse,
        MailTrouble::DropAfterData { kept: false },
        MailTrouble::DropAfterData { kept: true },
    ] {
        mailbox.misbehave(Plan::once(trouble));
    }
    let mut seen = Vec::new();
    for _ in 0..8 {
        let answer = sender(&mailbox).build().send(letter()).await;
        seen.push(match &answer {
            Ok(_) => "sent",
            Err(error) if error.is_transient() => "transient",
            Err(error) if error.is_permanent() => "permanent",
            Err(_) => "broken",
        });
    }
    let expected = ["transient", "permanent", "transient", "permanent", "broken", "broken", "broken", "sent"];
    assert_eq!(seen, expected);
    mailbox.wait_sessions(8, SOON).await.unwrap();
    assert_eq!(mailbox.messages().len(), 2, "the one that was sent, and the one that was kept without a reply");
}

#[tokio::test]
async fn a_closed_mailbox_refuses_and_a_reopened_one_still_has_its_mails() {
    let mailbox = start().await;
    sender(&mailbox).build().send(letter()).await.unwrap();
    mailbox.close().await;
    assert!(sender(&mailbox).build().send(letter()).await.is_err());
    mailbox.reopen().await.unwrap();
    sender(&mailbox).build().send(letter()).await.unwrap();
    assert_eq!(mailbox.messages().len(), 2);
}

#[tokio::test]
async fn a_mailbox_with_a_password_takes_mail_only_after_it() {
    let auth = Some(("renkei".to_owned(), "合言葉".to_owned()));
    let mailbox = Mailbox::start(MailboxOptions { auth, ..MailboxOptions::default() }).await.unwrap();
    assert!(sender(&mailbox).build().send(letter()).await.unwrap_err().is_permanent());
    let with = |password: &str| {
        let credentials = Credentials::new("renkei".to_owned(), password.to_owned());
        sender(&mailbox).credentials(credentials).build()
    };
    assert!(with("wrong").send(letter()).await.unwrap_err().is_permanent());
    with("合言葉").send(letter()).await.unwrap();
    assert_eq!(mailbox.messages().len(), 1);
}

/// Says lines one by one; the result is the code of each reply's last line.
async fn say(mailbox: &Mailbox, lines: &[&[u8]]) -> Vec<u16> {
    let mut stream = BufReader::new(TcpStream::connect(mailbox.address()).await.unwrap());
    let mut codes = Vec::new();
    let mut todo = lines.iter();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return codes;
        }
        if line.as_bytes()[3] == b'-' {
            continue;
        }
        codes.push(line[..3].parse().unwrap());
        let Some(next) = todo.next() else { return codes };
        stream.write_all(next).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_by_hand_keeps_the_order_of_the_protocol() {
    let mailbox = start().await;
    let codes = say(
        &mailbox,
        &[
            b"NOOP\r\n",
            b"MAIL FROM:<a@x>\r\n",
            b"helo me\r\n",
            b"RCPT TO:<b@x>\r\n",
            b"MAIL FROM: <a@x> BODY=8BITMIME\r\n",
            b"MAIL FROM:<c@x>\r\n",
            b"DATA\r\n",
            b"RCPT TO:<>\r\n",
            b"rcpt to:<b@x>\r\n",
            b"VRFY b\r\n",
            b"AUTH PLAIN AA==\r\n",
            b"RSET\r\n",
            b"DATA\r\n",
            b"MAIL FROM:<>\r\n",
            b"RCPT TO:<b@x>\r\n",
            b"DATA\r\n",
            b"Subject: =?utf-8?q?=E4=BB=B6_=E5=90=8D?= =?ISO-2022-JP?B?GyRCN28bKEI=?=\r\n and more\r\n\r\n..dot\r\n.\r\n",
            b"QUIT\r\n",
        ],
    )
    .await;
    let expected = [220, 250, 503, 250, 503, 250, 503, 503, 501, 250, 502, 502, 250, 503, 250, 250, 354, 250, 221];
    assert_eq!(codes, expected);
    let mail = mailbox.messages().remove(0);
    assert_eq!((mail.from.as_str(), mail.subject().as_str(), mail.text().as_str()), ("", "件 名件 and more", ".dot\n"));
}

#[tokio::test]
async fn what_a_strict_server_refuses_is_refused() {
    let mailbox = start().await;
    let long = format!("{}\r\n.\r\n", "x".repeat(999));
    let longest = format!("{}\r\n.\r\n", "x".repeat(998));
    let endless = format!("{}\r\n.\r\n", "x".repeat(200_000));
    for (data, code) in [
        ("a\nb\r\n.\r\n".as_bytes(), 554),
        ("a\rb\r\n.\r\n".as_bytes(), 554),
        ("a\n.\nb\r\n.\r\n".as_bytes(), 554),
        (long.as_bytes(), 554),
        (endless.as_bytes(), 554),
        ("件\r\n.\r\n".as_bytes(), 554),
        (longest.as_bytes(), 250),
    ] {
        let lines: [&[u8]; 6] =
            [b"EHLO me\r\n", b"MAIL FROM:<a@x>\r\n", b"RCPT TO:<b@x>\r\n", b"DATA\r\n", data, b"QUIT\r\n"];
        assert_eq!(say(&mailbox, &lines).await[5..], [code, 221], "{:?}", &data[..data.len().min(20)]);
    }
    assert_eq!(mailbox.messages().len(), 1);
    let codes = say(&mailbox, &[b"EHLO me\r\n", "MAIL FROM:<件@x>\r\n".as_bytes(), b"NOOP\n"]).await;
    assert_eq!(codes, [220, 250, 553, 500], "and the session ends");
}

#[tokio::test]
async fn a_silent_server_says_nothing_and_a_busy_one_says_421() {
    let mailbox = start().await;
    mailbox.misbehave(Plan::once(MailTrouble::Silent));
    mailbox.misbehave(Plan::once(MailTrouble::Reply { at: Stage::Greeting, text: "421 4.3.2 busy".to_owned() }));
    let mut stream = TcpStream::connect(mailbox.address()).await.unwrap();
    stream.write_all(b"EHLO me\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all.is_empty());
    assert_eq!(say(&mailbox, &[]).await, [421]);
    assert_eq!(mailbox.wait_for(1, std::time::Duration::ZERO).await, Err(Missed { wanted: 1, seen: 0 }));
}
