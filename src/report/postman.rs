//! Delivery over SMTP: one letter to its recipients, and whether a refusal is for good. Nothing here knows a run; the
//! outbox decides when to try again.

use super::text::Letter;
use crate::config::{Mail, Tls};
use lettre::message::{Mailbox, MultiPart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long one command of a mail server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Carries letters to a mail server.
#[derive(Clone)]
pub struct Postman {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a postman could not be hired.
#[derive(Debug, thiserror::Error)]
pub enum PostmanError {
    /// The sender is no address.
    #[error("mail.from: {0}")]
    From(String),
    /// The TLS parameters or the extra authority are wrong.
    #[error("mail.ca_file or the TLS set-up: {0}")]
    Tls(String),
}

/// Why a letter was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Trying again may help.
    #[error("the mail server did not take the mail yet: {0}")]
    Later(String),
    /// It will never be taken in this form.
    #[error("the mail server refused the mail: {0}")]
    Never(String),
}

impl Postman {
    /// Prepares delivery; connects only when a letter is carried.
    pub fn hire(mail: &Mail, password: Option<&SecretString>) -> Result<Self, PostmanError> {
        let address: Address = mail.from.parse().map_err(|error| PostmanError::From(format!("{error}")))?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
            .port(mail.port)
            .timeout(Some(TIMEOUT))
            .tls(tls(mail)?);
        if let (Some(user), Some(password)) = (&mail.user, password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from: Mailbox::new(Some("renkei".to_owned()), address) })
    }

    /// Delivers a letter under a stable Message-ID (without angle brackets).
    pub async fn carry(&self, letter: &Letter, to: &[String], message_id: &str) -> Result<(), DeliveryError> {
        let never = |error: &dyn std::fmt::Display| DeliveryError::Never(error.to_string());
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{message_id}>")))
            .subject(letter.subject.clone())
            .header(header::MIME_VERSION_1_0)
            .raw_header(header::HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
        for address in to {
            let address: Address = address.parse().map_err(|error| never(&error))?;
            message = message.to(Mailbox::new(None, address));
        }
        let body = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        let message = message.multipart(body).map_err(|error| never(&error))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(DeliveryError::Never(sentence(&error))),
            Err(error) => Err(DeliveryError::Later(sentence(&error))),
        }
    }
}

/// Keeps out-of-office robots from answering (RFC 3834).
const AUTO_SUBMITTED: header::HeaderName = header::HeaderName::new_from_ascii_str("Auto-Submitted");

fn tls(mail: &Mail) -> Result<SmtpTls, PostmanError> {
    if mail.tls == Tls::None {
        return Ok(SmtpTls::None);
    }
    let fail = |error: &dyn std::fmt::Display| PostmanError::Tls(error.to_string());
    let mut parameters = TlsParameters::builder(mail.host.clone());
    if let Some(file) = &mail.ca_file {
        let pem = std::fs::read(file).map_err(|error| fail(&format!("{}: {error}", file.display())))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| fail(&error))?);
    }
    let parameters = parameters.build_rustls().map_err(|error| fail(&error))?;
    Ok(if mail.tls == Tls::Wrapped { SmtpTls::Wrapper(parameters) } else { SmtpTls::Required(parameters) })
}

/// The error with its causes in one line.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.replace(['\r', '\n'], " ")
}
