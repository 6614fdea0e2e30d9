//! What commands print: text and JSON on standard output, errors on standard error. The only place that prints.

use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use unicode_width::UnicodeWidthStr;

/// Prints a line; a reader that went away (`| head`) is no error, an output that is full is remembered for
/// [`was_written`].
pub(super) fn line(text: impl AsRef<str>) {
    note(writeln!(std::io::stdout(), "{}", text.as_ref()));
}

/// Whether something could not be written to standard output.
static LOST: AtomicBool = AtomicBool::new(false);

fn note(written: std::io::Result<()>) {
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether all that was printed has arrived: a backup that was cut must not look like a whole one.
pub(super) fn was_written() -> bool {
    note(std::io::stdout().flush());
    !LOST.load(Ordering::Relaxed)
}

/// Prints a line for a person on standard error, so that standard output stays clean for machines.
pub(super) fn aside(text: impl AsRef<str>) {
    // Names and headers come from files: what they hold does nothing to a terminal.
    let plain = |c: char| if c.is_control() && c != '\n' && c != '\t' { '␤' } else { c };
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref().chars().map(plain).collect::<String>());
}

/// Prints a value as JSON, indented for people, one document.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints an error with its causes; the code says whether the call was wrong or something stood in its way.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    aside(format!("error: {error:#}"));
    ExitCode::from(super::exit_code(error))
}

/// Whether standard output is a terminal that wants colour.
pub(super) fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Prints rows under a header, columns aligned by display width; nothing but the header where there are no rows.
pub(super) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) {
    let header = header.map(str::to_owned);
    grid(&header, rows.iter().map(|row| row.as_slice()));
}

/// The same for rows whose width is not known beforehand. Line breaks and other controls inside a cell are shown as
/// a mark, so that a row stays a line.
pub(super) fn grid<'r>(header: &'r [String], rows: impl Iterator<Item = &'r [String]> + Clone) {
    let plain = |cell: &str| cell.chars().map(|c| if c.is_control() { '␤' } else { c }).collect::<String>();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.clone().filter_map(|row| row.get(column)).chain([&header[column]]);
            cells.map(|cell| plain(cell).width()).max().unwrap_or(0)
        })
        .collect();
    for row in std::iter::once(header).chain(rows) {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let cell = plain(cell);
            text.push_str(&cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        line(text.trim_end());
    }
}
