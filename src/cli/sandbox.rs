//! `renkei sandbox`: a pretend 楽楽精算 to try settings against. What it enforces is documented; the form of its answers
//! is an assumption, and it says so.

use super::session::on_signal;
use super::{GOOD, output};
use crate::sandbox::{Limits, Sandbox, SandboxOptions};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The value that X-RS-apitoken must have
    #[arg(long, value_name = "T", default_value = "sandbox")]
    token: String,
    /// Write every received CSV, and a log of requests, into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Requests that an account may make in any 60 s; 20 is the documented limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    requests_per_minute: usize,
}

/// Serves until interrupted.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let listen = arguments.listen;
    let limits = Limits { requests: arguments.requests_per_minute, ..Limits::default() };
    let options =
        SandboxOptions { listen, token: arguments.token, out_dir: arguments.out, limits, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.with_context(|| format!("the sandbox cannot listen on {listen}"))?;
    output::line(format!(
        "A pretend 楽楽精算 listens. Its limits are the documented ones; the form of its answers is an assumption.\n\n  url: {}\n",
        sandbox.url()
    ));
    output::line("Settings reach it with allow_http: true. To make it misbehave:");
    output::line(format!(
        "  curl -d '{{\"how\":{{\"kind\":\"maintenance\"}},\"times\":2}}' http://{}/_sandbox/misbehave",
        sandbox.address()
    ));
    on_signal().cancelled().await;
    sandbox.shutdown().await;
    Ok(GOOD)
}
