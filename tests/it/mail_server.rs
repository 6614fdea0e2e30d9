//! Report mail through a real mail server with STARTTLS and a password (aiosmtpd), read by Python's email. The server is
//! not written here, so this runs only with RENKEI_SERVICES=1.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use renkei::config::{Config, Locale, Mail};
use renkei::report::{DeliveryError, Postman, compose_test};
use renkei::yaml::Text;
use secrecy::SecretString;
use serde_json::Value;

const PASSWORD: &str = "pässwört 連携";

/// A running mail server; dropped, it sees the end of its input and ends.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
    port: u64,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        std::env::var_os("RENKEI_SERVICES")?;
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/mail_server.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = said.next().expect("the server ended at once: is aiosmtpd installed?").unwrap();
        let port = serde_json::from_str::<Value>(&first).unwrap()["port"].as_u64().unwrap();
        Some(Self { child, input, said, port, folder })
    }

    /// The settings with which a client reaches it.
    fn mail(&self, more: &str) -> Mail {
        let ca = self.folder.path().join("ca.pem");
        let text = format!(
            "mail: {{ url: 'smtp://renkei%40example.jp@127.0.0.1:{}?tls=required', password: '${{env:X}}', \
             from: renkei@example.jp, {more} }}",
            self.port
        )
        .replace("CA", &ca.display().to_string());
        Config::parse(&Text { path: self.folder.path().join("config.yaml"), text }).unwrap().mail.unwrap()
    }

    fn next_mail(&mut self) -> Value {
        serde_json::from_str(&self.said.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

async fn carry(mail: &Mail, password: &str) -> Result<(), DeliveryError> {
    let password = SecretString::from(password.to_owned());
    let postman = Postman::hire(mail, Some(&password)).unwrap();
    let to = ["it@example.jp".to_owned(), "soumu@example.jp".to_owned()];
    postman.carry(&compose_test(Locale::Ja), &to, "R-1.test@renkei").await
}

#[tokio::test]
async fn a_mail_passes_starttls_and_a_password_and_python_reads_it() {
    renkei_provider();
    let Some(mut server) = Server::start() else { return };
    carry(&server.mail("ca_file: 'CA'"), PASSWORD).await.unwrap();
    let mail = server.next_mail();
    let letter = compose_test(Locale::Ja);
    assert_eq!(mail["tls"], true, "{mail}");
    assert_eq!(mail["authenticated"], true);
    assert_eq!(mail["subject"], letter.subject);
    assert_eq!(mail["text"].as_str().unwrap().trim().replace("\r\n", "\n"), letter.text.trim());
    assert!(mail["html"].as_str().unwrap().contains("<"));
    assert_eq!(mail["message_id"], "<R-1.test@renkei>");
    assert_eq!(mail["auto_submitted"], "auto-generated");
    assert_eq!(mail["to"], serde_json::json!(["it@example.jp", "soumu@example.jp"]));
    assert_eq!(mail["defects"], serde_json::json!([]));
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_repeated_in_the_error() {
    renkei_provider();
    let Some(server) = Server::start() else { return };
    let error = carry(&server.mail("ca_file: 'CA'"), "wrong-one").await.unwrap_err().to_string();
    assert!(error.contains("535") && !error.contains("wrong-one"), "{error}");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_password() {
    renkei_provider();
    let Some(server) = Server::start() else { return };
    let error = carry(&server.mail("administrators: []"), PASSWORD).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Later(_)), "{error}");
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
}

/// The TLS provider is installed once in a process; main does it for the program.
fn renkei_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
