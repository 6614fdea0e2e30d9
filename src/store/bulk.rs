//! Many rows in one statement: what makes ten thousand slots planned in half a second instead of five.
//!
//! The placeholders have no numbers, unlike everywhere else: SQLite seeks the name of each `$n` among all that came before
//! it, and sqlx once more when it binds, so that a statement of ten thousand of them costs a quarter of a second.

/// How many rows one statement takes: far below what a database allows of placeholders.
pub(super) const ROWS: usize = 500;

/// `?, ?, ?`: a list of so many placeholders.
pub(super) fn list(length: usize) -> String {
    vec!["?"; length].join(", ")
}

/// `(?, ?), (?, ?)`: placeholders for so many rows of so many columns.
pub(super) fn values(rows: usize, columns: usize) -> String {
    vec![format!("({})", list(columns)); rows].join(", ")
}

/// The same where nothing else tells the columns' types.
pub(super) fn typed_values(rows: usize, types: &[&str]) -> String {
    let row: Vec<String> = types.iter().map(|kind| format!("CAST(? AS {kind})")).collect();
    vec![format!("({})", row.join(", ")); rows].join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_has_its_placeholders() {
        assert_eq!(super::list(3), "?, ?, ?");
        assert_eq!(super::values(2, 3), "(?, ?, ?), (?, ?, ?)");
        assert_eq!(super::typed_values(2, &["TEXT"]), "(CAST(? AS TEXT)), (CAST(? AS TEXT))");
    }
}
