//! A pretend 楽楽精算 and mailbox.
