//! The report mail: its facts, its words, its recipients, the outbox and the delivery; and a run as JSON. A mail can be late; it can
//! neither change a run's outcome nor be lost (it is written to the outbox in the transaction that ends the run).

mod body;
mod digest;
pub mod facts;
pub mod outbox;
pub mod postman;
mod recipients;
pub mod text;
pub mod view;

pub use digest::compose_digest;
pub use facts::RunFacts;
pub use postman::{DeliveryError, Postman, PostmanError};
pub use recipients::recipients;
pub use text::{Letter, compose, compose_brief, compose_test};
