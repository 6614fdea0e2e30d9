//! Tests of the export: rows in, files out, right to the byte.

mod batches;
mod columns;
mod conditions;
mod duplicates;
mod example;
mod order;
mod property;
mod python;
mod refusals;
mod unique;

use renkei::domain::failure::Failure;
use renkei::domain::integration::{CsvForm, Limits};
use renkei::domain::menu::Menu;
use renkei::domain::record::{Block, Header};
use renkei::export::{self, ExportError, Exported, Plan};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;

/// A menu of a `records` source, with whatever else is given.
pub(crate) fn menu(settings: Value) -> Menu {
    let mut form = json!({ "name": "社員一覧", "source": { "records": {} } });
    form.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    serde_json::from_value(form).unwrap()
}

fn csv_form(settings: Value) -> CsvForm {
    serde_json::from_value(settings).unwrap()
}

fn header(names: &[&str]) -> Header {
    Header::new(names.iter().map(|&name| name.to_owned()).collect())
}

/// Rows in blocks of three; the header is line 1 of the source.
fn blocks(rows: &[Vec<&str>]) -> Vec<Result<Block, Infallible>> {
    let width = rows.first().map_or(0, Vec::len);
    let mut line = 1;
    rows.chunks(3)
        .map(|rows| {
            let mut block = Block::new(width);
            for row in rows {
                line += 1;
                block.push_row(line, row.iter().copied());
            }
            Ok(block)
        })
        .collect()
}

/// A menu, a CSV form, limits and a source's header, and what comes of rows.
struct Trial {
    menu: Menu,
    csv: CsvForm,
    limits: Limits,
    header: Header,
    keys: Option<Vec<String>>,
    tuning: export::Tuning,
}

impl Trial {
    fn new(names: &[&str], settings: Value) -> Self {
        Self {
            menu: menu(settings),
            csv: CsvForm::default(),
            limits: Limits::default(),
            header: header(names),
            keys: None,
            tuning: export::Tuning::default(),
        }
    }

    fn csv(mut self, settings: Value) -> Self {
        self.csv = csv_form(settings);
        self
    }

    fn limits(mut self, bytes: u64, lines: u64) -> Self {
        (self.limits.file_bytes, self.limits.file_lines) = (bytes, lines);
        self
    }

    fn keys(mut self, keys: &[&str]) -> Self {
        self.keys = Some(keys.iter().map(|&key| key.to_owned()).collect());
        self
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let plan = Plan::new(&self.menu, &self.csv, &self.limits, &self.header, self.keys.as_deref())?;
        Ok(plan.tuned(self.tuning))
    }

    fn write_to(&self, folder: &Path, rows: &[Vec<&str>]) -> Result<Exported, Failure> {
        let exported = export::write(&self.plan()?, blocks(rows), folder, |_| ControlFlow::Continue(()));
        exported.map_err(|error| match error {
            ExportError::Failed(failure) => failure,
            other => panic!("{other}"),
        })
    }

    /// What was exported, and each file's bytes.
    fn try_write(&self, rows: &[Vec<&str>]) -> Result<(Exported, Vec<Vec<u8>>), Failure> {
        let folder = tempfile::tempdir().unwrap();
        let exported = self.write_to(folder.path(), rows)?;
        let files = exported.batches.iter().map(|batch| std::fs::read(&batch.path).unwrap()).collect();
        Ok((exported, files))
    }

    /// The bytes of the one file that is expected.
    fn file(&self, rows: &[Vec<&str>]) -> Vec<u8> {
        let (_, mut files) = self.try_write(rows).unwrap();
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    fn refusal(&self, rows: &[Vec<&str>]) -> Failure {
        let folder = tempfile::tempdir().unwrap();
        let failure = self.write_to(folder.path(), rows).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something is left of {failure}");
        failure
    }

    /// The text of the one file, decoded.
    fn text(&self, rows: &[Vec<&str>]) -> String {
        sjis(&self.file(rows))
    }
}

fn sjis(bytes: &[u8]) -> String {
    let (text, _, broken) = encoding_rs::SHIFT_JIS.decode(bytes);
    assert!(!broken);
    text.into_owned()
}
