//! A batch → 楽楽精算: the client, the answer and its verdict, the account's request slots, the question what became
//! of an import, the probe that tries the route without sending anything, and the small messages of `notify`.
//!
//! One [`Client::push`] is at most one request: nothing is retried here, no redirect is followed, no connection is used
//! twice, and the environment's proxy is not looked at. What it cannot tell it calls unknown.

mod body;
mod cause;
mod client;
mod exchange;
mod post;
mod probe;
mod proxy;
mod reply;
mod slots;
mod spool;
mod status;
mod tls;

pub use client::{Client, Patience};
pub use post::{Message, Way, post};
pub use probe::{ProbeReport, Step, probe};
pub use reply::Reply;
pub use slots::{Permit, acquire};
pub use spool::{SpoolDamaged, Upload};
pub use status::{StatusClient, StatusReply, headers_of};

use crate::domain::failure::Code;

/// Why a client could not be made. Nothing has been sent, and no message repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A header cannot be sent as it is.
    #[error("the header {name} {why}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong, without the value.
        why: String,
    },
    /// `route.proxy` is of no use.
    #[error("route.proxy: {0}; write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
    Proxy(String),
    /// A certificate file is of no use.
    #[error("{field} {path}: {why}")]
    Pem {
        /// Which setting names it.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(String),
}

impl ClientError {
    /// The failure that a run ends with.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Header { .. } => Code::SecretMissing,
            Self::Proxy(_) | Self::Pem { .. } | Self::Tls(_) | Self::Http(_) => Code::SettingsInvalid,
        }
    }
}

/// Chooses ring as the process's cryptography, once; a second call changes nothing. Clients of this room bring their
/// own, so that they work without it; other rooms' may not.
pub fn install_crypto() {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
