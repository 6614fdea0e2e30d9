//! Tests of: push. The receivers here are bare sockets, so that each byte and each end of a connection is chosen.

mod certificates;
mod faults;
mod fuzz;
mod parsers;
mod proxies;
mod receiver;
mod secrets;
mod service;
mod slots;
mod status;
mod unreachable;
mod verdicts;
mod wire;
