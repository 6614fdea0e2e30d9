//! One test binary: every file is a room or a promise of the house.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod chains;
mod characters;
mod cli;
mod csv_source;
mod demo;
mod docs;
mod export;
mod house;
mod mail_server;
mod main_job;
mod push;
mod records;
mod regression;
mod report;
mod sandbox;
mod schedule;
mod secrets;
mod settings;
mod simulator;
mod stops;
mod store;
mod support;
mod timers;
