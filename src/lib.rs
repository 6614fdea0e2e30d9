//! # renkei (連携): the map of the house
//!
//! renkei is a courier that never sleeps: it knows which record lists (メニュー) have to reach which
//! 楽楽精算 master, at which times and in which order; it reads the records, writes Shift_JIS CSV
//! that is right to the byte, pushes it within the API's limits, and tells people what happened.
//!
//! > **Every time slot of every timer is accounted for, every byte sent is known, and somebody is told.**
//!
//! ## The rooms
//!
//! A layer imports only what stands left of it; siblings (between the dots) never import each other:
//!
//! `domain → clock → yaml → config → store · messages → settings · source · export · push · report → notify → engine → app → cli`
//!
//! | room | is for |
//! |---|---|
//! | [`domain`] | facts, rules and the pure decisions; no I/O, no clock, no sqlx, reqwest or tokio |
//! | [`clock`] | the only reader of time |
//! | [`yaml`] | the YAML that people write, as a tree with places; every fault at once |
//! | [`config`] | `config.yaml` as written, then a checked [`config::Config`] |
//! | [`store`] | renkei's own tables: the only SQL on them |
//! | [`settings`] | settings files: parse, plan, apply, export; sealing of secrets |
//! | [`source`] | where a menu's records come from |
//! | [`export`] | records → columns → characters → CSV batches in the spool |
//! | [`push`] | a batch → 楽楽精算: client, answer → verdict, what became of its import, the account's request slots |
//! | [`report`] | the mail: its text, outbox, delivery; and a run as the JSON that others read |
//! | [`notify`] | webhooks and dead-man's switches: their forms, signature, delivery; a request leaves through `push` |
//! | [`messages`] | one catalogue per language |
//! | [`engine`] | planner, dispatcher, executor, confirmation, recovery, reconciling, alarm: thin loops around the pure decisions |
//! | [`app`] | the one place where everything is put together |
//! | [`cli`] | one file per command |
//! | [`sandbox`] | a pretend 楽楽精算 and mailbox; imports nothing of ours, so it cannot share our mistakes |
//!
//! A record's way is straight: source → export → spool → push → verdict → store → report.
//! A slot's way is straight: timer → planner → occurrence + run → dispatcher → executor.
//!
//! ## Invariants
//!
//! 1. [`domain`] is pure; time arrives as an argument.
//! 2. SQL on renkei's tables lives under [`store`] alone; a pool never leaves it.
//! 3. No transaction is held across a network call: claim commits, the work runs, finish commits.
//! 4. One slot, at most one run: `UNIQUE (timer_id, scheduled_at)`; the run is inserted in the
//!    transaction that moves the timer's cursor. Saving a timer first accounts for the slots up to
//!    now under the old definition, in the same transaction.
//! 5. Before a byte is sent, the fsynced file, its hash and the intent stand in spool and database;
//!    after the answer, the verdict (first to a file preallocated with the intent, so that a full
//!    disk cannot lose it). A crash between the two is `unknown`, repeated only where harmless.
//! 6. A source error is never an empty source. An export is complete or it does not exist.
//! 7. A character that cannot be written in Shift_JIS is never silently replaced.
//! 8. A secret is never in a log, an error, a mail, an export, a process's arguments, or the
//!    database in clear; a record's values are not in logs or mails unless a setting says so.
//! 9. Report mail and notices can be late; they can neither change a run's outcome nor be lost.
//! 10. Older bytes never overtake newer: once a newer run of the same menu and integration has
//!     sent, older held or failed ones are not sent without `--force`.
//! 11. One active daemon per database: an OS lock; the second names the holder and ends with 2.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod export;
pub mod messages;
pub mod notify;
pub mod push;
pub mod report;
pub mod sandbox;
pub mod settings;
pub mod source;
pub mod store;
pub mod yaml;
