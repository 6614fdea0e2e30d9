//! The account's request slots, waited for.

use super::receiver::clock;
use crate::support::temp_store;
use renkei::domain::integration::Account;
use renkei::push::{Permit, acquire};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn account(name: &str) -> Account {
    Account::from_stored(name.to_owned())
}

/// Lets others go on until they wait for the clock: each look at the database is a few of its own turns.
async fn settled<T>(task: &tokio::task::JoinHandle<T>) -> bool {
    for _ in 0..200 {
        if task.is_finished() {
            return true;
        }
        tokio::task::spawn_blocking(|| {}).await.unwrap();
    }
    false
}

#[tokio::test]
async fn a_slot_is_waited_for_a_minute_after_the_answer_before_it() {
    let (db, clock, never) = (temp_store().await, clock(), CancellationToken::new());
    let acme = account("example.jp/acme");
    let take = |account: Account| {
        let (store, clock, never) = (db.store.clone(), clock.clone(), never.clone());
        async move { acquire(&store, &clock, &account, 2, "test", &never).await.unwrap().unwrap() }
    };
    let first = take(acme.clone()).await;
    let second = take(acme.clone()).await;
    assert_eq!((first.number(), second.number()), (0, 1));
    assert_eq!(take(account("example.jp/other")).await.number(), 0, "another account has its own");

    clock.advance(Duration::from_secs(10));
    first.release().await.unwrap();
    let third = tokio::spawn(take(acme.clone()));
    assert!(!settled(&third).await, "both are in use or rest");
    clock.advance(Duration::from_millis(59_999));
    assert!(!settled(&third).await, "it still rests");
    clock.advance(Duration::from_millis(1));
    let third: Permit = third.await.unwrap();
    assert_eq!(third.number(), 0);

    // The second was never given back: it stays taken, however long one waits.
    drop(second);
    third.release().await.unwrap();
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(take(acme).await.number(), 0);
}

#[tokio::test]
async fn a_wait_ends_when_it_is_cancelled() {
    let (db, clock, cancel) = (temp_store().await, clock(), CancellationToken::new());
    let acme = account("example.jp/acme");
    let _held = acquire(&db.store, &clock, &acme, 1, "test", &cancel).await.unwrap().unwrap();
    let waiting = tokio::spawn({
        let (store, clock, cancel) = (db.store.clone(), clock.clone(), cancel.clone());
        async move { acquire(&store, &clock, &account("example.jp/acme"), 1, "test", &cancel).await.unwrap().is_none() }
    });
    assert!(!settled(&waiting).await);
    cancel.cancel();
    assert!(waiting.await.unwrap());
    assert!(acquire(&db.store, &clock, &account("example.jp/b"), 1, "test", &cancel).await.unwrap().is_none());
}
