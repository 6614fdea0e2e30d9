//! The command line: one file per command, and what they share: arguments, the session, output. A command only asks
//! the rooms and shows what they say; it holds no logic that another door would lack.

mod output;
mod session;

mod apply;
mod check;
mod demo;
mod integration;
mod mail;
mod menu;
mod records;
mod run;
mod sandbox;
mod serve;
mod settings;
mod timer;
mod user;

pub use session::Session;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Ended as wished.
const GOOD: u8 = 0;
/// Something failed, is held, was skipped or cancelled.
const BAD: u8 = 1;
/// Wrong usage or settings.
const WRONG: u8 = 2;

/// Carries record lists into 楽楽精算, on time, in order, right to the byte, and tells people what happened.
#[derive(Debug, Parser)]
#[command(name = "renkei", version, max_term_width = 100)]
struct Arguments {
    /// config.yaml; without one the defaults serve, with data under ./data
    #[arg(long, global = true, env = "RENKEI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: fire timers, push, write history, send mail
    Serve(serve::Arguments),
    /// Watch three lists arrive at a pretend 楽楽精算, with nothing set up
    Demo(demo::Arguments),
    /// Say whether configuration, settings and database are right
    Check(check::Arguments),
    /// Save settings files as a new version
    Apply(apply::Arguments),
    /// Settings as a whole
    #[command(subcommand)]
    Settings(settings::Command),
    /// システム連携設定: how to push
    #[command(subcommand)]
    Integration(integration::Command),
    /// メニュー: record lists
    #[command(subcommand)]
    Menu(menu::Command),
    /// タイマー
    #[command(subcommand)]
    Timer(timer::Command),
    /// Records kept in renkei's database
    #[command(subcommand)]
    Records(records::Command),
    /// 実行: start, list, look into, repeat, decide
    #[command(subcommand)]
    Run(run::Command),
    /// Report mail
    #[command(subcommand)]
    Mail(mail::Command),
    /// ユーザ and their permissions
    #[command(subcommand)]
    User(user::Command),
    /// A pretend 楽楽精算 to try settings against
    Sandbox(sandbox::Arguments),
}

/// Reads the arguments, runs the command and says how the process should end.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap prints each to its own stream.
            let code = if error.use_stderr() { WRONG } else { GOOD };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    crate::push::install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&anyhow::Error::new(error).context("the runtime does not start")),
    };
    runtime.block_on(async {
        match dispatch(arguments).await {
            Ok(_) if !output::was_written() => output::fail(&anyhow::anyhow!("standard output took not all of it")),
            Ok(code) => ExitCode::from(code),
            Err(error) => output::fail(&error),
        }
    })
}

async fn dispatch(arguments: Arguments) -> anyhow::Result<u8> {
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Serve(arguments) => serve::run(config, arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Check(arguments) => check::run(config, arguments).await,
        Command::Apply(arguments) => apply::run(&Session::open(config).await?, arguments).await,
        Command::Settings(command) => settings::run(&Session::open(config).await?, command).await,
        Command::Integration(command) => integration::run(&Session::open(config).await?, command).await,
        Command::Menu(command) => menu::run(&Session::open(config).await?, command).await,
        Command::Timer(command) => timer::run(&Session::open(config).await?, command).await,
        Command::Records(command) => records::run(&Session::open(config).await?, command).await,
        Command::Run(command) => run::run(&Session::open(config).await?, command).await,
        Command::Mail(command) => mail::run(&Session::open(config).await?, command).await,
        Command::User(command) => user::run(&Session::open(config).await?, command).await,
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
    }
}
