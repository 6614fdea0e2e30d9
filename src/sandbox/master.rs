//! The masters in memory, keyed by the first column: what an import creates, updates, skips.
//!
//! All or nothing: a file with one bad row changes nothing. That, the category rule and the mails are assumptions about
//! an import that RAKUS does not describe: they are the plainest reading of the parameters' names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::answer::{Fault, Imported, Refusal, RefusedRow};
use super::misbehaviour::Fate;
use super::params::{Params, takes_categories};
use super::sheet::Sheet;

/// More records than this in one master are refused, so that a long-lived sandbox cannot fill the machine.
const RECORDS_MAX: usize = 2_000_000;
/// Columns of one master, over all files.
const COLUMNS_MAX: usize = 300;
/// At most this many faults are listed in an answer.
const FAULTS_MAX: usize = 100;

/// The contents of one master.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Master {
    /// The column names seen so far; the first is the key.
    pub columns: Vec<String>,
    /// The records by their key; a record's values stand in the order of `columns` and may be fewer.
    pub records: BTreeMap<String, Vec<String>>,
    /// The categories known.
    pub categories: BTreeSet<String>,
    /// The keys to which the service would have sent a password mail, once for each time.
    pub mailed: Vec<String>,
}

impl Master {
    /// One value of one record; an empty string for a column that the record does not have.
    #[must_use]
    pub fn value(&self, key: &str, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|name| name == column)?;
        Some(self.records.get(key)?.get(index).map_or("", String::as_str))
    }

    /// Takes a file in. The first rows are left out by order of a misbehaviour, or all of them.
    fn import(&mut self, params: Params, sheet: Sheet, fate: Fate) -> Result<Imported, Refusal> {
        let Some(key_name) = sheet.header.first() else {
            return Err(Refusal::Header(vec!["a header line is required".to_owned()]));
        };
        if let Some(known) = self.columns.first()
            && known != key_name
        {
            return Err(Refusal::Header(vec![format!("the first column is {key_name}; this master's key is {known}")]));
        }
        let new_categories = self.check(params, &sheet)?;
        let mut done = Imported {
            master: params.master,
            total: sheet.rows.len(),
            categories_created: new_categories.len(),
            ..Imported::default()
        };
        self.categories.extend(new_categories);

        let mut places = Vec::with_capacity(sheet.header.len());
        for name in &sheet.header {
            let place = self.columns.iter().position(|known| known == name).unwrap_or_else(|| {
                self.columns.push(name.clone());
                self.columns.len() - 1
            });
            places.push(place);
        }
        for (index, row) in sheet.rows.into_iter().enumerate() {
            let key = row.fields.first().cloned().unwrap_or_default();
            if index < fate.refuse {
                let column = sheet.header[0].clone();
                done.refused.push(RefusedRow { line: row.line, key, column });
                continue;
            }
            if fate.whole {
                continue;
            }
            let known = self.records.contains_key(&key);
            if known && !params.update_existing {
                done.skipped += 1;
                continue;
            }
            let record = self.records.entry(key.clone()).or_default();
            for (place, value) in places.iter().zip(row.fields) {
                if record.len() <= *place {
                    record.resize(place + 1, String::new());
                }
                record[*place] = value;
            }
            if known {
                done.updated += 1;
            } else {
                done.created += 1;
            }
            if params.send_password_email {
                // The worst case on purpose: whoever is written gets a mail, every time.
                done.mails += 1;
                if self.mailed.len() < RECORDS_MAX {
                    self.mailed.push(key);
                }
            }
        }
        Ok(done)
    }

    /// Looks at every row before anything is changed; returns the categories to create.
    fn check(&self, params: Params, sheet: &Sheet) -> Result<BTreeSet<String>, Refusal> {
        let key_name = &sheet.header[0];
        let categories: Vec<usize> = if takes_categories(params.master) {
            (0..sheet.header.len()).filter(|index| sheet.header[*index].contains("カテゴリ")).collect()
        } else {
            Vec::new()
        };
        let (mut faults, mut create) = (Vec::new(), BTreeSet::new());
        for row in &sheet.rows {
            if faults.len() >= FAULTS_MAX {
                break;
            }
            if row.fields[0].is_empty() {
                faults.push(Fault::new(key_name, "", format!("line {}: the key is empty", row.line)));
            }
            for &index in &categories {
                let value = &row.fields[index];
                if value.is_empty() || self.categories.contains(value) {
                    continue;
                }
                if params.create_category {
                    create.insert(value.clone());
                } else {
                    let msg = format!("line {}: no such category (createCategory is 0)", row.line);
                    faults.push(Fault::new(&sheet.header[index], value, msg));
                }
            }
        }
        if self.records.len() + sheet.rows.len() > RECORDS_MAX {
            faults.push(Fault::new("uploadFile", "", format!("this sandbox keeps at most {RECORDS_MAX} records")));
        }
        if self.categories.len() + create.len() > RECORDS_MAX {
            faults.push(Fault::new("createCategory", "1", "this sandbox keeps no more categories"));
        }
        let new_columns = sheet.header.iter().filter(|name| !self.columns.contains(*name)).count();
        if self.columns.len() + new_columns > COLUMNS_MAX {
            faults.push(Fault::new(
                "uploadFile",
                "",
                format!("this sandbox keeps at most {COLUMNS_MAX} columns a master"),
            ));
        }
        if faults.is_empty() { Ok(create) } else { Err(Refusal::Faults(faults)) }
    }
}

/// Every account's masters.
#[derive(Debug, Default)]
pub(super) struct Masters(HashMap<(String, u32), Master>);

impl Masters {
    pub(super) fn get(&self, account: &str, id: u32) -> Master {
        self.0.get(&(account.to_owned(), id)).cloned().unwrap_or_default()
    }

    pub(super) fn add_categories(&mut self, account: &str, id: u32, names: impl IntoIterator<Item = String>) {
        self.0.entry((account.to_owned(), id)).or_default().categories.extend(names);
    }

    pub(super) fn import(
        &mut self,
        account: &str,
        params: Params,
        sheet: Sheet,
        fate: Fate,
    ) -> Result<Imported, Refusal> {
        self.0.entry((account.to_owned(), params.master)).or_default().import(params, sheet, fate)
    }
}
