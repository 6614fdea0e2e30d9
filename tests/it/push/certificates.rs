//! Which certificates are believed, and which are shown.

use super::receiver::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use renkei::domain::verdict::Verdict;
use renkei::push::{Client, probe};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// An authority made for one test.
pub(super) struct Authority {
    folder: TempDir,
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, certificate, issuer: Issuer::new(params, key) }
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn issue(&self, name: &str, until_year: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until_year, 1, 31);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Certificate and key in one PEM file.
    fn client_certificate(&self) -> PathBuf {
        let (certificate, key) = self.issue("client.acme.jp", 2090);
        let path = self.folder.path().join("client.pem");
        std::fs::write(&path, certificate.pem() + &key.serialize_pem()).unwrap();
        path
    }

    /// What a server needs to show a certificate for `name`, and to ask for one of its clients.
    pub(super) fn server(&self, name: &str, until_year: i32, asks: bool) -> TlsAcceptor {
        let (certificate, key) = self.issue(name, until_year);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.unwrap().with_client_cert_verifier(verifier)
        } else {
            builder.unwrap().with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A receiver behind TLS.
pub(super) async fn secured(acceptor: TlsAcceptor) -> Receiver {
    Receiver::playing(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return b"no handshake".to_vec() };
            let request = read_request(&mut stream).await;
            let _ = stream.write_all(SUCCESS.as_bytes()).await;
            let _ = stream.shutdown().await;
            request
        }
    })
    .await
}

pub(super) fn url(receiver: &Receiver) -> String {
    format!("https://localhost:{}/acme/api/v1/csvimport", receiver.address.port())
}

#[tokio::test]
async fn a_private_authority_is_believed_once_it_is_named() {
    let authority = Authority::new();
    let receiver = secured(authority.server("localhost", 2090, false)).await;
    let plain = integration(&url(&receiver));
    let reply = push(&plain, patient()).await;
    assert_eq!((reply.verdict, reply.sent_bytes), (Verdict::Unreachable, 0));
    assert!(reply.note.contains("issuer is not trusted") && reply.note.contains("route.ca_file"), "{}", reply.note);
    let report = probe(&plain, None).await.unwrap();
    assert!(!report.is_reachable());
    assert_eq!(report.failed.as_ref().unwrap().what, "tls");
    assert!(report.failed.unwrap().found.contains("route.ca_file"));

    let named = integration_with(&url(&receiver), &json!({"route": {"ca_file": authority.ca_file()}}));
    assert_eq!(push(&named, patient()).await.verdict, Verdict::Accepted);
    let report = probe(&named, None).await.unwrap();
    assert!(report.is_reachable(), "{report:?}");
    assert_eq!(report.steps.iter().map(|step| step.what).collect::<Vec<_>>(), ["name", "connect", "tls"]);
}

#[tokio::test]
async fn a_wrong_certificate_is_explained_and_nothing_is_sent() {
    let authority = Authority::new();
    for (name, year, why) in [
        ("other.acme.jp", 2090, "another name (DnsName(\"other.acme.jp\"))"),
        ("localhost", 2020, "expired on 2020-01-31"),
    ] {
        let receiver = secured(authority.server(name, year, false)).await;
        let integration = integration_with(&url(&receiver), &json!({"route": {"ca_file": authority.ca_file()}}));
        let reply = push(&integration, patient()).await;
        assert_eq!((reply.verdict, reply.sent_bytes), (Verdict::Unreachable, 0));
        assert!(reply.note.contains(why), "{}", reply.note);
        let report = probe(&integration, None).await.unwrap();
        assert!(report.failed.unwrap().found.contains(why));
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_asked_for() {
    let authority = Authority::new();
    let receiver = secured(authority.server("localhost", 2090, true)).await;
    let without = json!({"route": {"ca_file": authority.ca_file()}});
    let reply = push(&integration_with(&url(&receiver), &without), patient()).await;
    // Under TLS 1.3 the refusal comes after the first bytes have been written.
    assert!(matches!(reply.verdict, Verdict::Unknown | Verdict::Unreachable), "{reply:?}");
    assert_eq!(receiver.requests(), [b"no handshake"]);

    let with = json!({"route": {"ca_file": authority.ca_file(), "client_certificate": authority.client_certificate()}});
    let reply = push(&integration_with(&url(&receiver), &with), patient()).await;
    assert_eq!(reply.verdict, Verdict::Accepted, "{reply:?}");
}

#[tokio::test]
async fn a_certificate_file_of_no_use_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let file = |name: &str, content: &str| {
        std::fs::write(folder.path().join(name), content).unwrap();
        name.to_owned()
    };
    let certificate = std::fs::read_to_string(authority.ca_file()).unwrap();
    let cut = &certificate[..certificate.len() / 2];
    let other_key = certificate.clone() + &KeyPair::generate().unwrap().serialize_pem();
    for (field, name, why) in [
        ("ca_file", "gone.pem".to_owned(), "cannot be read"),
        ("ca_file", ".".to_owned(), "cannot be read"),
        ("ca_file", file("empty.pem", ""), "no certificate in it"),
        ("ca_file", file("text.pem", "hello"), "no certificate in it"),
        ("ca_file", file("cut.pem", cut), "not a whole PEM file"),
        ("client_certificate", file("no-key.pem", &certificate), "no private key in it"),
        ("client_certificate", file("other-key.pem", &other_key), "do not go together"),
    ] {
        let path = folder.path().join(&name);
        let integration = integration_with("https://localhost/acme/api/v1/csvimport", &json!({"route": {field: path}}));
        let error = Client::build(&integration, headers(), None).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(field) && error.contains(&name), "{error}");
    }
}
