//! What must never be is refused by the database itself, whoever writes.

use crate::support::{TOKYO, TempStore, at, save, temp_store, timer};
use serde_json::json;
use sqlx::{AnyConnection, Connection, Executor};

/// Three queued runs and a slot, and a connection of somebody who does not know the rules.
async fn somebody() -> (TempStore, AnyConnection) {
    let db = temp_store().await;
    let timers = ["a", "b", "c"].map(|name| {
        timer(
            name,
            "list",
            "push",
            json!({ "schedule": { "daily": "06:00" }, "overlap": "queue-one", "misfire": "all" }),
        )
    });
    save(&db.store, timers.into(), at("2026-11-23 12:00:00")).await;
    assert_eq!(db.store.plan_due(TOKYO, at("2026-11-24 06:05:00")).await.unwrap(), 3);
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    connection.execute("PRAGMA foreign_keys = ON").await.unwrap();
    (db, connection)
}

#[tokio::test]
async fn the_database_refuses_what_must_never_be() {
    let (_db, mut connection) = somebody().await;
    let start = "UPDATE runs SET state = 'running', lane = 'all', started_at = 1 WHERE seq = 1";
    connection.execute(start).await.unwrap();
    let refused = [
        ("two runs in a lane", "UPDATE runs SET state = 'running', lane = 'all', started_at = 1 WHERE seq = 2"),
        ("a running run without a lane", "UPDATE runs SET lane = NULL WHERE seq = 1"),
        ("a lane without a running run", "UPDATE runs SET lane = 'all' WHERE seq = 2"),
        ("an end without its time", "UPDATE runs SET state = 'cancelled' WHERE seq = 2"),
        ("a failure without its reason", "UPDATE runs SET state = 'failed', finished_at = 1 WHERE seq = 2"),
        ("a wait without its time", "UPDATE runs SET state = 'waiting', failure = '{}' WHERE seq = 2"),
        ("a state that is none", "UPDATE runs SET state = 'done', finished_at = 1 WHERE seq = 2"),
        ("a priority out of range", "UPDATE runs SET priority = 1000 WHERE seq = 2"),
        ("one number twice", "UPDATE runs SET id = (SELECT id FROM runs WHERE seq = 1) WHERE seq = 2"),
        ("a second run of a slot", "UPDATE runs SET timer_id = 'a' WHERE seq IN (1, 2, 3)"),
        (
            "a second row of a slot",
            "INSERT INTO occurrences (timer_id, scheduled_at, state, first_at, noted_at) SELECT timer_id, scheduled_at, \
             'superseded', first_at, noted_at FROM occurrences",
        ),
        ("a run in two slots", "UPDATE occurrences SET run_seq = 1"),
        ("a planned slot without a run", "UPDATE occurrences SET run_seq = NULL"),
        ("a skipped slot without a reason", "UPDATE occurrences SET state = 'skipped', run_seq = NULL"),
        ("a slot of a run that is not there", "UPDATE occurrences SET run_seq = 99 WHERE timer_id = 'a'"),
        (
            "a file without its hash",
            "INSERT INTO batches (run_seq, number, file, records, bytes, sha256, state) VALUES (1, 1, 'x', 1, 1, '', 'ready')",
        ),
        ("a request for no batch", "INSERT INTO attempts (run_seq, batch, number, intended_at) VALUES (1, 9, 1, 1)"),
        (
            "a mail that is sent and due",
            "INSERT INTO outbox (number, message_id, recipients, subject, body_text, \
          body_html, created_at, next_at, sent_at) VALUES (1, 'm', '[]', 's', 't', 'h', 1, 1, 1)",
        ),
        (
            "a notice that is taken and due",
            "INSERT INTO notices (number, notice_id, run_seq, channel, target, event, content, created_at, next_at, sent_at) \
             VALUES (1, 'n', 1, 'ping', 't', 'good', '{}', 1, 1, 1)",
        ),
        (
            "a notice about no run",
            "INSERT INTO notices (number, notice_id, run_seq, channel, target, event, content, created_at) \
             VALUES (1, 'n', 99, 'ping', 't', 'good', '{}', 1)",
        ),
    ];
    for (what, statement) in refused {
        let error = connection.execute(statement).await.err().unwrap_or_else(|| panic!("{what} was let through"));
        assert!(error.to_string().contains("constraint failed"), "{what}: {error}");
    }
}

#[tokio::test]
async fn an_end_state_never_changes_whoever_writes() {
    let (_db, mut connection) = somebody().await;
    connection.execute("UPDATE runs SET state = 'cancelled', finished_at = 1 WHERE seq = 1").await.unwrap();
    for statement in [
        "UPDATE runs SET state = 'queued', finished_at = NULL WHERE seq = 1",
        "UPDATE runs SET state = 'accepted' WHERE seq = 1",
    ] {
        let error = connection.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains("an end state never changes"), "{error}");
    }
    connection.execute("UPDATE runs SET files_removed_at = 2 WHERE seq = 1").await.unwrap();
}

#[tokio::test]
async fn the_database_refuses_a_confirmation_that_contradicts_itself() {
    let (_db, mut connection) = somebody().await;
    let batch = "INSERT INTO batches (run_seq, number, file, records, bytes, sha256, state) \
                 SELECT 1, n, 'f', 1, 1, printf('%064d', 0), 'accepted' FROM (SELECT 1 AS n UNION SELECT 2)";
    connection.execute(batch).await.unwrap();
    let insert = |values: &str| {
        let columns = "run_seq, batch, reference, next_at, until_at, concluded_at, outcome, imported, code";
        sqlx::AssertSqlSafe(format!("INSERT INTO confirmations ({columns}) VALUES ({values})"))
    };
    let refused = [
        ("neither open nor concluded", "1, 1, '7', NULL, 9, NULL, NULL, NULL, NULL"),
        ("open and concluded", "1, 1, '7', 5, 9, 6, 'imported', 1, NULL"),
        ("concluded without an outcome", "1, 1, '7', NULL, 9, 6, NULL, NULL, NULL"),
        ("an outcome without a count", "1, 1, '7', NULL, 9, 6, 'imported', NULL, NULL"),
        ("imported, though nobody could be asked", "1, 1, NULL, NULL, 9, 6, 'imported', 1, NULL"),
        ("nobody to ask, and still open", "1, 1, NULL, 5, 9, NULL, NULL, NULL, NULL"),
        ("unknown without a reason", "1, 1, '7', NULL, 9, 6, 'unknown', 0, NULL"),
        ("an outcome that is none", "1, 1, '7', NULL, 9, 6, 'perhaps', 0, NULL"),
        ("a batch that is none", "1, 9, '7', 5, 9, NULL, NULL, NULL, NULL"),
    ];
    for (what, values) in refused {
        assert!(connection.execute(insert(values)).await.is_err(), "{what} was taken");
    }
    connection.execute(insert("1, 1, '7', 5, 9, NULL, NULL, NULL, NULL")).await.unwrap();
    connection.execute(insert("1, 2, '7', NULL, 9, 6, 'failed', 0, NULL")).await.unwrap();
    let ended = "UPDATE confirmations SET outcome = 'imported' WHERE batch = 2";
    assert!(connection.execute(ended).await.is_err(), "a conclusion is an end");
}

/// How SQLite goes about each question that is asked while people or slots wait.
#[tokio::test]
async fn no_question_of_the_loops_reads_the_whole_history() {
    let (_db, mut connection) = somebody().await;
    let questions = [
        "SELECT seq FROM runs WHERE state = 'running' ORDER BY seq",
        "SELECT seq FROM runs WHERE state = 'queued' AND finished_at IS NULL",
        "SELECT MIN(resume_at) FROM runs WHERE state = 'waiting' AND finished_at IS NULL",
        "SELECT COUNT(*) FROM runs WHERE menu_id = 'x' AND integration_id = 'y' AND finished_at IS NULL \
         AND state IN ('queued', 'running', 'waiting', 'confirming')",
        "SELECT id FROM runs WHERE id >= 'R-20261124-' AND id < 'R-20261124.'",
        "SELECT seq FROM runs WHERE state = 'held' ORDER BY seq DESC LIMIT 30",
        "SELECT seq FROM runs WHERE menu_id = 'x' ORDER BY seq DESC LIMIT 30",
        "SELECT seq FROM runs WHERE menu = 'x' ORDER BY seq DESC LIMIT 30",
        "SELECT seq FROM runs WHERE finished_at < 1 AND files_removed_at IS NULL AND finished_at IS NOT NULL",
        "SELECT 1 FROM runs WHERE retry_of = 'x' AND finished_at IS NULL",
        "SELECT number FROM outbox WHERE next_at <= 1",
        "SELECT number FROM outbox WHERE run_seq = 1",
        "SELECT DISTINCT r.account FROM confirmations c JOIN runs r ON r.seq = c.run_seq WHERE c.next_at <= 1",
        "SELECT MIN(next_at) FROM confirmations WHERE next_at > 1",
        "SELECT seq FROM runs WHERE state = 'confirming' AND finished_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM confirmations c WHERE c.run_seq = runs.seq AND c.next_at IS NOT NULL) ORDER BY seq",
        "SELECT id FROM timers WHERE next_at <= 1 ORDER BY next_at LIMIT 200",
    ];
    for question in questions {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        let plan = steps.join("; ");
        assert!(!plan.contains("SCAN") && plan.contains("INDEX"), "{question}: {plan}");
    }
}
