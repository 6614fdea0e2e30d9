//! Which certificates are believed: the machine's own authorities, one more from `route.ca_file`, and the client
//! certificate that is shown. Client and probe share this one configuration, so that a probe cannot trust what a push
//! would refuse. There is no way to switch verification off.

use super::ClientError;
use crate::domain::integration::Route;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// The configuration for one route. For a plain `http:` URL (`https` false) no authority is loaded, so that the
/// sandbox works on a machine without any.
pub(super) fn config(route: &Route, https: bool) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    let builder = if https {
        let extra = match &route.ca_file {
            Some(path) => certificates("route.ca_file", path)?,
            None => Vec::new(),
        };
        let verifier = Verifier::new_with_extra_roots(extra, provider).map_err(|error| {
            ClientError::Tls(format!(
                "no certificate authority could be loaded ({error}): install the system's ca-certificates, or set route.ca_file"
            ))
        })?;
        // The word is rustls' own; this verifier is the system's.
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = match &route.client_certificate {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let field = "route.client_certificate";
            let chain = certificates(field, path)?;
            let key =
                PrivateKeyDer::from_pem_file(path).map_err(|error| refused(field, path, &error, "private key"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| ClientError::Pem {
                field,
                path: path.clone(),
                why: format!("certificate and key do not go together: {error}"),
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(field: &'static str, path: &str) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let read = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(field, path, &error, "certificate"))?;
    if read.is_empty() {
        return Err(refused(field, path, &pem::Error::NoItemsFound, "certificate"));
    }
    Ok(read)
}

/// Says what is wrong with a PEM file without repeating anything of its content.
fn refused(field: &'static str, path: &str, error: &pem::Error, wanted: &str) -> ClientError {
    let why = match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("there is no {wanted} in it: it must be a PEM file"),
        _ => "it is not a whole PEM file".to_owned(),
    };
    ClientError::Pem { field, path: path.to_owned(), why }
}
