//! What else is told beside mail, over real sockets: webhooks in each form, dead-man's switches, and that neither a
//! receiver in trouble nor a secret can do harm.

mod listener;
mod pings;
mod webhooks;
