//! Clients not written here talk to the sandbox. They need Python, so they run only where services are asked for.

use std::process::Command;

use super::*;
use renkei::sandbox::mailbox::{Mailbox, MailboxOptions};

/// Runs a Python program; `None` where nobody asked for services.
async fn python(program: &'static str, args: Vec<String>) -> Option<String> {
    std::env::var_os("RENKEI_SERVICES")?;
    let output =
        tokio::task::spawn_blocking(move || Command::new("python3").arg("-c").arg(program).args(args).output());
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_standard_library_of_python_can_push() {
    let sandbox = start().await;
    let program = r#"
import http.client, json, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
csv = "社員コード,社員名\r\n1,髙橋\r\n".encode("cp932")
body = b"".join([
    b'--B\r\nContent-Disposition: form-data; name="json"\r\n\r\n', json.dumps({"masterId": 0}).encode(), b"\r\n",
    b'--B\r\nContent-Disposition: form-data; name="uploadFile"; filename="a.csv"\r\n\r\n', csv, b"\r\n--B--\r\n"])
connection = http.client.HTTPConnection(url.hostname, url.port)
for token in ("wrong", "sandbox"):
    headers = {"X-RS-apitoken": token, "Content-Type": "multipart/form-data; boundary=B"}
    connection.request("POST", url.path, body, headers)
    answer = connection.getresponse()
    print(answer.status, json.loads(answer.read())["status"])
"#;
    let Some(said) = python(program, vec![sandbox.url()]).await else {
        return;
    };
    assert_eq!(said.lines().collect::<Vec<_>>(), ["401 fail", "200 success"]);
    assert_eq!(sandbox.master(0).value("1", "社員名"), Some("髙橋"));
}

#[tokio::test]
async fn the_standard_library_of_python_can_send_mail() {
    let mailbox = Mailbox::start(MailboxOptions::default()).await.unwrap();
    let program = r#"
import email.message, smtplib, sys
for charset in ("utf-8", "iso-2022-jp"):
    mail = email.message.EmailMessage()
    mail["Subject"] = "社員マスタ連携を止めています"
    mail["From"], mail["To"] = "a@example.jp", "b@example.jp"
    mail.set_content("まだ何も送信していません。\n", charset=charset)
    with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as smtp:
        smtp.send_message(mail, mail_options=["BODY=8BITMIME"])
"#;
    let Some(_) = python(program, vec![mailbox.address().port().to_string()]).await else {
        return;
    };
    for mail in mailbox.wait_for(2, SOON).await.unwrap() {
        assert_eq!(mail.subject(), "社員マスタ連携を止めています");
        assert_eq!(mail.text(), "まだ何も送信していません。\n");
    }
}
