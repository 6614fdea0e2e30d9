//! The command line: one file per command, and what they share: arguments, the session, output. A command only asks
//! the rooms and shows what they say; it holds no logic that another door would lack.

mod output;
mod session;

mod apply;
mod calendar;
mod check;
mod demo;
mod doctor;
mod integration;
mod mail;
mod menu;
mod records;
mod run;
mod sandbox;
mod serve;
mod settings;
mod stop;
mod timer;
mod today;
mod user;

pub use session::Session;

use crate::app::AppError;
use crate::engine::orders::OrderError;
use crate::settings::secrets::SecretError;
use crate::settings::{ApplyError, StopError, SwitchError};
use crate::store::{LockError, StoreError};
use crate::yaml::Findings;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Ended as wished.
const GOOD: u8 = 0;
/// Something failed, is held, was skipped or cancelled; or the command could not do its work.
const BAD: u8 = 1;
/// Wrong usage, settings or configuration, or another daemon has the database: the same call again would not help.
const WRONG: u8 = 2;

/// Wrong usage that only a command itself can see; the text says how to ask.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn usage(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

/// How a command ends that ends with an error: the one place that tells what is wrong with the call from what stood in
/// its way. A service manager starts a daemon again after 1 and leaves it alone after 2, so whatever may pass is 1.
fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(is_wrong) { WRONG } else { BAD }
}

/// Wrong usage, settings or configuration, or a database that another daemon has.
fn is_wrong(cause: &(dyn std::error::Error + 'static)) -> bool {
    let of_app = |error: &AppError| {
        // A variable belongs to the call, and a newer database to another binary; a secret's file may still come.
        matches!(
            error,
            AppError::Store(StoreError::Newer { .. })
                | AppError::Postman(_)
                | AppError::Secret(SecretError::Variable(_))
        )
    };
    cause.is::<Usage>()
        || cause.is::<Findings>()
        || cause.downcast_ref().is_some_and(of_app)
        || cause.downcast_ref().is_some_and(|error| matches!(error, LockError::Held { .. }))
        || cause.downcast_ref().is_some_and(|error| matches!(error, ApplyError::Refused(_)))
        || cause.downcast_ref().is_some_and(|error| matches!(error, SwitchError::Refused(_)))
        || cause.downcast_ref().is_some_and(|error| matches!(error, StopError::Refused(_)))
        || cause.downcast_ref().is_some_and(|error| matches!(error, OrderError::Usage(_)))
}

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
    /// Say whether the house is sound: database, ledger, disk, files, clock, mail; it only reads
    Doctor(doctor::Arguments),
    /// The morning page: what became of every slot, and what needs a person
    Today(today::Arguments),
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
    /// 連携停止期間: times in which nothing is sent
    #[command(subcommand)]
    Stop(stop::Command),
    /// Public holidays, and which days are worked
    #[command(subcommand)]
    Calendar(calendar::Command),
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

/// The command line as it is defined, for those who check what is written about it.
#[must_use]
pub fn definition() -> clap::Command {
    Arguments::command()
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
        Command::Doctor(arguments) => doctor::run(config, arguments).await,
        Command::Today(arguments) => today::run(config, arguments).await,
        Command::Apply(arguments) => apply::run(&Session::open(config).await?, arguments).await,
        Command::Settings(command) => settings::run(&Session::open(config).await?, command).await,
        Command::Integration(command) => integration::run(&Session::open(config).await?, command).await,
        Command::Menu(command) => menu::run(&Session::open(config).await?, command).await,
        // It opens no database that is not there.
        Command::Timer(timer::Command::Simulate(arguments)) => timer::simulate::run(config, arguments).await,
        Command::Timer(command) => timer::run(&Session::open(config).await?, command).await,
        Command::Stop(command) => stop::run(&Session::open(config).await?, command).await,
        Command::Calendar(command) => calendar::run(&Session::open(config).await?, command).await,
        Command::Records(command) => records::run(&Session::open(config).await?, command).await,
        Command::Run(command) => run::run(&Session::open(config).await?, command).await,
        Command::Mail(command) => mail::run(&Session::open(config).await?, command).await,
        Command::User(command) => user::run(&Session::open(config).await?, command).await,
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
    }
}
