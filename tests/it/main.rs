//! One test binary: every file is a room or a promise of the house.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod chains;
mod characters;
mod cli;
mod confirming;
mod csv_source;
mod database_trouble;
mod demo;
mod digest;
mod docs;
mod export;
mod full_disk;
mod fuzz;
mod house;
mod keeping;
mod kill_storm;
mod killed;
mod ledger;
mod mail_server;
mod main_job;
mod notify;
mod push;
mod records;
mod regression;
mod report;
mod sandbox;
mod schedule;
mod secrets;
mod service_manager;
mod settings;
mod stops;
mod store;
mod support;
mod timers;
mod tripped;
mod trouble;
