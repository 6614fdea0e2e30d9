//! Why a request came to nothing, in one English line for history and log. The chain of errors behind a failure is
//! read for the few causes that people can mend; nothing is repeated that could hold a header, a body or a login.

use super::spool::SpoolDamaged;
use rustls::{CertificateError, Error as TlsError};
use std::error::Error;
use std::io;

/// The cause of an error from the HTTP client or from a connection of our own.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut last = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(known) = known(error) {
            return known;
        }
        last = Some(error);
        next = error.source();
    }
    last.map(|error| one_line(&error.to_string(), 200)).unwrap_or_default()
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(damaged) = error.downcast_ref::<SpoolDamaged>() {
        return Some(damaged.to_string());
    }
    if let Some(error) = error.downcast_ref::<TlsError>() {
        return Some(tls(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // A wrapped error is not among its own sources.
        return match error.get_ref() {
            Some(inner) => known(inner).or_else(|| kind(error)),
            None => kind(error),
        };
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        if error.is_parse_too_large() {
            return Some("the answer's header is too large".to_owned());
        }
        if error.is_parse() {
            return Some("the answer is not HTTP".to_owned());
        }
        if error.is_incomplete_message() {
            return Some("the connection was closed before the answer was whole".to_owned());
        }
    }
    // The proxy's types are private to the client; their words are not.
    match error.to_string().strip_prefix("tunnel error: ")? {
        "unsuccessful" => Some("the proxy refused to connect to the receiver".to_owned()),
        "proxy authorization required" => {
            Some("the proxy asks for a user and password: set them in route.proxy".to_owned())
        }
        "unexpected end of file" => Some("the proxy closed the connection without an answer".to_owned()),
        _ => None,
    }
}

/// What the operating system said.
fn kind(error: &io::Error) -> Option<String> {
    use io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::ConnectionRefused => {
            "the connection was refused: nothing listens there, or a firewall says no".to_owned()
        }
        Kind::ConnectionReset | Kind::ConnectionAborted => "the connection was reset".to_owned(),
        Kind::BrokenPipe => "the connection was closed while it was written to".to_owned(),
        Kind::UnexpectedEof => "the connection was closed too early".to_owned(),
        Kind::TimedOut => "there was no answer to the connection attempt in time".to_owned(),
        Kind::HostUnreachable | Kind::NetworkUnreachable => "there is no route to the receiver".to_owned(),
        _ => {
            let text = error.to_string();
            if !text.contains("lookup address") {
                return None;
            }
            format!("the name does not resolve ({})", one_line(&text, 200))
        }
    })
}

/// What TLS said, with the fix where there is one.
pub(super) fn tls(error: &TlsError) -> String {
    let certificate = match error {
        TlsError::InvalidCertificate(certificate) => certificate,
        TlsError::AlertReceived(alert) => return format!("the receiver ended the TLS handshake: {alert:?}"),
        other => return format!("TLS failed: {}", one_line(&other.to_string(), 200)),
    };
    match certificate {
        CertificateError::UnknownIssuer => {
            "the certificate's issuer is not trusted: if a gateway of yours inspects TLS, \
             name its authority in route.ca_file"
                .to_owned()
        }
        CertificateError::Expired => "the certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired on {}", date(not_after.as_secs()))
        }
        CertificateError::NotValidYet => "the certificate is not valid yet: is this machine's clock right?".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is valid only from {}: is this machine's clock right?", date(not_before.as_secs()))
        }
        CertificateError::NotValidForName => "the certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is for another name ({})", one_line(&presented.join(", "), 200))
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate is not valid: {}", one_line(&other.to_string(), 200)),
    }
}

fn date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
        .map_or_else(|| "a date that is none".to_owned(), |date| date.format("%Y-%m-%d").to_string())
}

/// A text from outside, without control characters and no longer than `most` characters.
pub(super) fn one_line(text: &str, most: usize) -> String {
    text.chars().take(most).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
