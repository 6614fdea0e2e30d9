//! Records that the store keeps itself: whatever letters they hold, and never a part of them for all.

use crate::support::{TempStore, at, temp_store};
use chrono::TimeDelta;
use renkei::domain::record::{BLOCK_ROWS, Block, Header};
use renkei::store::StoreError;
use renkei::store::records::Generation;

/// Imports rows of two columns and makes them the menu's records.
async fn import(db: &TempStore, rows: &[[String; 2]], hour: i64) -> Generation {
    let now = at("2026-11-24 00:00:00") + TimeDelta::hours(hour);
    let header = Header::new(vec!["code".into(), "name".into()]);
    let number = db.store.begin_generation("list", &header, now).await.unwrap();
    let blocks: Vec<Block> = rows
        .chunks(BLOCK_ROWS)
        .map(|rows| {
            let mut block = Block::with_room(2);
            for row in rows {
                block.push_row(1, row.iter().map(String::as_str));
            }
            block
        })
        .collect();
    db.store.append_blocks(number, &blocks).await.unwrap();
    db.store.switch_generation("list", number, now).await.unwrap();
    db.store.generation("list").await.unwrap().unwrap()
}

fn plain(count: usize) -> Vec<[String; 2]> {
    (0..count).map(|number| [number.to_string(), format!("社員{number}")]).collect()
}

#[tokio::test]
async fn ten_thousand_records_come_back_as_they_were_whatever_letters_they_hold() {
    let odd =
        ["", "\u{1f}", "\u{1b}", "\u{1b}f", "\u{1e}", "a\u{1f}\u{1b}b", "改\r\n行", "\"quoted\", comma", "𠮷", "\0"];
    let rows: Vec<[String; 2]> = (0..10_000)
        .map(|number| {
            // Blocks with an odd letter and blocks without one are read in two ways.
            let odd = if (number / BLOCK_ROWS).is_multiple_of(2) { odd[number % odd.len()] } else { "佐藤" };
            [number.to_string(), odd.to_owned()]
        })
        .collect();
    let db = temp_store().await;
    let generation = import(&db, &rows, 0).await;
    assert_eq!(generation.records, 10_000);
    let mut reader = db.store.read_generation(&generation);
    let mut back = Vec::new();
    while let Some(block) = reader.next().await.unwrap() {
        for row in block.rows() {
            assert_eq!(row.line(), back.len() as u64 + 1);
            back.push([row.field(0).to_owned(), row.field(1).to_owned()]);
        }
    }
    assert_eq!(back, rows);
}

#[tokio::test]
async fn a_replaced_generation_is_stale_from_its_replacement_on_not_from_its_import() {
    let db = temp_store().await;
    let old = import(&db, &plain(1), 0).await;
    import(&db, &plain(2), 48).await;
    let day = at("2026-11-24 00:00:00");
    assert_eq!(db.store.stale_generations(day + TimeDelta::hours(48)).await.unwrap(), Vec::<i64>::new());
    assert_eq!(db.store.stale_generations(day + TimeDelta::hours(49)).await.unwrap(), [old.number]);
}

#[tokio::test]
async fn an_import_that_died_is_never_the_menus_records() {
    let db = temp_store().await;
    let now = at("2026-11-24 00:00:00");
    let header = Header::new(vec!["code".into(), "name".into()]);
    let dead = db.store.begin_generation("list", &header, now).await.unwrap();
    assert_eq!(db.store.generation("list").await.unwrap(), None);
    assert_eq!(db.store.stale_generations(now + TimeDelta::hours(1)).await.unwrap(), [dead]);
    let error = db.store.switch_generation("another", dead, now).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert_eq!(db.store.generation("another").await.unwrap(), None);
    db.store.drop_generation(dead).await.unwrap();
    let block = Block::new(2);
    let mut full = block.clone();
    full.push_row(1, ["1", "x"]);
    assert!(db.store.append_blocks(dead, &[full]).await.is_err(), "it is gone");
}
