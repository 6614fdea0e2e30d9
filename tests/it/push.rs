//! Tests of: push. The receivers here are bare sockets, so that each byte and each end of a connection is chosen.

mod receiver;
mod verdicts;
mod wire;
