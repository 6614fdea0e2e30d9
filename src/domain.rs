//! Facts, rules and the pure decisions. No I/O, no clock, no sqlx, reqwest or tokio: time arrives as an argument.
//!
//! The facts are [`integration`], [`menu`], [`timer`], [`schedule`], [`user`] and [`record`]; the life of a run is
//! [`run`], and what can go wrong with it [`failure`]. The decisions are functions over snapshots: [`plan`] (slots
//! due), [`gate`] and [`order`] (which run now), [`admit`] (may this request go now), [`verdict`] (answer → verdict),
//! [`forecast`] (what timers would do), [`statement`] (does the ledger of slots add up); [`morning`] is what people are
//! shown of it. Which days are worked is the [`calendar`]'s to say.

pub mod admit;
pub mod calendar;
pub mod confirm;
pub mod delivery;
pub mod duration;
pub mod ending;
pub mod failure;
pub mod fault;
pub mod forecast;
pub mod gate;
pub mod integration;
pub mod label;
pub mod menu;
pub mod morning;
pub mod names;
pub mod order;
pub mod pattern;
pub mod plan;
pub mod record;
mod row_fault;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod statement;
pub mod stop;
pub mod timer;
pub mod trouble;
pub mod user;
pub mod verdict;
