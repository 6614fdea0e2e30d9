//! One SMTP session: commands in, replies out, a message at the end.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{CaughtMail, MESSAGE_BYTES, MailTrouble, Shared, Stage};

/// Bytes of one command line, its end included; RFC 5321 asks for 512, extensions for more.
const COMMAND_BYTES: u64 = 4_096;
/// Bytes of one line of a message, without its end (RFC 5321).
const LINE_BYTES: usize = 998;
/// Recipients of one message.
const RECIPIENTS_MAX: usize = 100;

/// Serves one connection to its end.
pub(super) async fn session(stream: TcpStream, shared: &Shared, trouble: Option<MailTrouble>) -> io::Result<()> {
    if trouble == Some(MailTrouble::Refuse) {
        return stream.set_zero_linger();
    }
    let mut session = Session { stream: BufReader::new(stream), shared, trouble, envelope: Envelope::default() };
    if session.trouble == Some(MailTrouble::Silent) {
        // Until the other side gives up; what it says meanwhile is thrown away.
        tokio::io::copy(&mut session.stream, &mut tokio::io::sink()).await?;
        return Ok(());
    }
    if session.troubled(Stage::Greeting).await? {
        return Ok(());
    }
    session.say("220 mailbox.sandbox.invalid ESMTP").await?;
    session.talk().await
}

struct Session<'a> {
    stream: BufReader<TcpStream>,
    shared: &'a Shared,
    trouble: Option<MailTrouble>,
    envelope: Envelope,
}

#[derive(Default)]
struct Envelope {
    greeted: bool,
    logged_in: bool,
    from: Option<String>,
    to: Vec<String>,
    eight_bit: bool,
    utf8: bool,
}

impl Session<'_> {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// Says the planned wrong reply, if one is planned for this stage.
    async fn troubled(&mut self, stage: Stage) -> io::Result<bool> {
        if let Some(MailTrouble::Reply { at, text }) = &self.trouble
            && *at == stage
        {
            let text = text.clone();
            self.say(&text).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// One line without its end; `None` at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.stream).take(COMMAND_BYTES).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\r\n") else {
            self.say("500 5.5.2 The line is too long or does not end in CRLF").await?;
            return Ok(None);
        };
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }

    async fn talk(&mut self) -> io::Result<()> {
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.start_over();
                    self.envelope.greeted = true;
                    self.say("250-mailbox.sandbox.invalid").await?;
                    if self.shared.options.auth.is_some() {
                        self.say("250-AUTH PLAIN LOGIN").await?;
                    }
                    self.say(&format!("250-SIZE {MESSAGE_BYTES}\r\n250-8BITMIME\r\n250 SMTPUTF8")).await?;
                }
                "HELO" => {
                    self.start_over();
                    self.envelope.greeted = true;
                    self.say("250 mailbox.sandbox.invalid").await?;
                }
                "AUTH" => self.auth(rest).await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" => {
                    if !self.data().await? {
                        return Ok(());
                    }
                }
                "RSET" => {
                    self.start_over();
                    self.say("250 2.0.0 OK").await?;
                }
                "NOOP" => self.say("250 2.0.0 OK").await?,
                "QUIT" => return self.say("221 2.0.0 Bye").await,
                _ => self.say("502 5.5.1 No such command").await?,
            }
        }
        Ok(())
    }

    fn start_over(&mut self) {
        let Envelope { greeted, logged_in, .. } = self.envelope;
        self.envelope = Envelope { greeted, logged_in, ..Envelope::default() };
    }

    async fn auth(&mut self, rest: &str) -> io::Result<()> {
        let Some((name, password)) = self.shared.options.auth.clone() else {
            return self.say("502 5.5.1 Nobody need log in").await;
        };
        let (method, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let right = match method.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let Some(given) = self.secret(initial, "").await? else {
                    return Ok(());
                };
                let given: Vec<&[u8]> = given.split(|byte| *byte == 0).collect();
                matches!(given.as_slice(), [_, n, p] if *n == name.as_bytes() && *p == password.as_bytes())
            }
            "LOGIN" => {
                let Some(n) = self.secret(initial, "VXNlcm5hbWU6").await? else {
                    return Ok(());
                };
                let Some(p) = self.secret("", "UGFzc3dvcmQ6").await? else {
                    return Ok(());
                };
                n == name.as_bytes() && p == password.as_bytes()
            }
            _ => return self.say("504 5.5.4 PLAIN and LOGIN are known").await,
        };
        self.envelope.logged_in = right;
        self.say(if right { "235 2.7.0 Welcome" } else { "535 5.7.8 Wrong name or password" }).await
    }

    /// What stands in `initial`, or the answer to a challenge, decoded.
    async fn secret(&mut self, initial: &str, challenge: &str) -> io::Result<Option<Vec<u8>>> {
        let line = if initial.is_empty() {
            self.say(&format!("334 {challenge}")).await?;
            let Some(line) = self.line().await? else {
                return Ok(None);
            };
            line
        } else {
            initial.to_owned()
        };
        let secret = STANDARD.decode(line.trim()).ok();
        if secret.is_none() {
            self.say("501 5.5.2 Not base64").await?;
        }
        Ok(secret)
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some((from, params)) = address(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address> is expected").await;
        };
        if !self.envelope.greeted || self.envelope.from.is_some() {
            return self.say("503 5.5.1 Not now").await;
        }
        if self.shared.options.auth.is_some() && !self.envelope.logged_in {
            return self.say("530 5.7.0 Log in first").await;
        }
        let params = params.to_ascii_uppercase();
        let has = |name: &str| params.split_whitespace().any(|param| param == name);
        if !from.is_ascii() && !has("SMTPUTF8") {
            return self.say("553 5.6.7 An address that is not ASCII needs SMTPUTF8").await;
        }
        if self.troubled(Stage::Sender).await? {
            return Ok(());
        }
        self.envelope.eight_bit = has("BODY=8BITMIME");
        self.envelope.utf8 = has("SMTPUTF8");
        self.envelope.from = Some(from);
        self.say("250 2.1.0 OK").await
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        let Some((to, _)) = address(rest, "TO:").filter(|(to, _)| !to.is_empty()) else {
            return self.say("501 5.5.4 RCPT TO:<address> is expected").await;
        };
        if self.envelope.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        if self.envelope.to.len() >= RECIPIENTS_MAX {
            return self.say("452 4.5.3 Too many recipients").await;
        }
        if !to.is_ascii() && !self.envelope.utf8 {
            return self.say("553 5.6.7 An address that is not ASCII needs SMTPUTF8").await;
        }
        if self.troubled(Stage::Recipient).await? {
            return Ok(());
        }
        self.envelope.to.push(to);
        self.say("250 2.1.5 OK").await
    }

    /// Takes a message; false ends the session.
    async fn data(&mut self) -> io::Result<bool> {
        if self.envelope.to.is_empty() {
            self.say("503 5.5.1 RCPT first").await?;
            return Ok(true);
        }
        if self.troubled(Stage::Data).await? {
            return Ok(true);
        }
        self.say("354 End with a dot on a line of its own").await?;
        let (raw, fault) = self.message().await?;
        let mail = CaughtMail {
            from: self.envelope.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.envelope.to),
            raw,
        };
        self.start_over();
        if let Some(MailTrouble::DropAfterData { kept }) = self.trouble {
            if kept && fault.is_none() {
                self.shared.keep(mail);
            }
            return Ok(false);
        }
        if self.troubled(Stage::EndOfData).await? {
            return Ok(true);
        }
        if let Some(fault) = fault {
            self.say(fault).await?;
        } else {
            self.shared.keep(mail);
            self.say("250 2.0.0 Caught").await?;
        }
        Ok(true)
    }

    /// Reads up to the dot, without the dots that were stuffed, and names the first fault.
    async fn message(&mut self) -> io::Result<(Vec<u8>, Option<&'static str>)> {
        let (mut raw, mut fault) = (Vec::new(), None);
        let (mut line, mut at_start) = (Vec::new(), true);
        loop {
            let before = line.len();
            (&mut self.stream).take(64 * 1024).read_until(b'\n', &mut line).await?;
            if line.len() == before {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if at_start && line == b".\r\n" {
                return Ok((raw, fault));
            }
            let ended = line.ends_with(b"\n");
            let body = line.strip_suffix(b"\r\n").unwrap_or(&line);
            let wrong = if body.contains(&b'\r') || body.contains(&b'\n') {
                Some("554 5.6.0 A CR or LF alone")
            } else if body.len() > LINE_BYTES {
                Some("554 5.6.0 A line of more than 998 bytes")
            } else if !body.is_ascii() && !self.envelope.eight_bit {
                Some("554 5.6.1 8-bit text without BODY=8BITMIME")
            } else {
                None
            };
            // Half a line may yet get its LF; a line that never ends is cut off here, since it is refused anyway.
            if ended || line.len() > 2 * LINE_BYTES {
                fault = fault.or(wrong);
                let stuffed = at_start && line.starts_with(b".");
                raw.extend_from_slice(&line[usize::from(stuffed)..]);
                line.clear();
                at_start = ended;
            }
            if raw.len() > MESSAGE_BYTES {
                fault = Some("552 5.3.4 The message is too large");
                raw.clear();
            }
        }
    }
}

/// The address between angle brackets after a keyword, and what follows it.
fn address<'a>(rest: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let given = rest.get(..keyword.len()).filter(|given| given.eq_ignore_ascii_case(keyword))?;
    let (address, params) = rest[given.len()..].trim_start().strip_prefix('<')?.split_once('>')?;
    Some((address.to_owned(), params))
}
