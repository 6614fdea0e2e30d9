//! The YAML that people write, for config.yaml and the settings files alike: read with a limit, taken apart into a tree
//! in which every node knows its place, and decoded at a desk that collects every fault at once, each with file, line,
//! column and fix. It knows no key of either file; what a value means is the reader's to say.

mod desk;
mod finding;
mod near;
mod text;
mod tree;

pub use finding::{Finding, Findings, Place};
pub use text::{MOST_BYTES, Text, read};

pub(crate) use desk::{Desk, Fields, Placed, short};
pub(crate) use near::nearest;
pub(crate) use tree::{Entry, Node, Scalar, Value, parse};
