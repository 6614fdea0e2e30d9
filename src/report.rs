//! The report mail: its text, outbox, delivery.
