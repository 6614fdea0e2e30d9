//! English.

mod digest;

use super::{Catalogue, Code, Explanation, Labels};

pub(super) static CATALOGUE: Catalogue = Catalogue {
    subject_good: "[OK] {name}: {records} records sent ({at})",
    subject_recovered: "[recovered] {name}: {records} records sent ({at})",
    subject_partial: "[Partly failed] {name}: {left} records were not sent ({at})",
    subject_cut: "[Partly failed] {name}: some files were not taken ({at})",
    subject_held: "[Please decide] {name} is on hold ({reason})",
    subject_failed: "[Error] {name} could not be sent ({at})",
    subject_unknown: "[Please check] {name}: not known whether it arrived ({at})",
    subject_cancelled: "[Cancelled] {name} was cancelled ({at})",
    subject_refused: "[Partly failed] {name}: {missing} records were not imported ({at})",
    subject_not_imported: "[Error] {name} was not imported ({at})",
    subject_unconfirmed: "[Please check] {name}: nobody knows whether it was imported ({at})",
    subject_test: "[Test] a mail from renkei",
    lead_good: "{menu} was sent to {target} and taken.",
    lead_imported: "{menu} was sent to {target} and imported.",
    lead_refused: "{imported} of {total} records were imported.\nThe other {missing} were not: please mend them and send them again.",
    lead_unconfirmed: "{menu} was sent to {target} and taken, but what became of the import could not be found out.\nIt may have been imported, and it may not.",
    no_need_to_repeat: "The {imported} records that were imported need not be sent again.",
    lead_partial: "{sent} of {total} records were sent and taken.\nThe other {left} were not sent: please mend them and send them again.",
    lead_cut: "{taken} of {batches} CSV files were taken.\nThe others were not.",
    lead_held: "Nothing has been sent yet. The data in {target} has not changed.",
    lead_failed: "{menu} was not taken by {target}. The data there has not changed.",
    lead_unknown: "{menu} was sent to {target}, but no readable answer came back.\nIt may have arrived, and it may not.",
    lead_cancelled: "{menu} was cancelled. Nothing was sent to {target}.",
    test: "If you can read this, renkei's mail settings work.\nNothing needs to be done.",
    recovered: "All is well again: the errors since {since} are over.",
    untold: "Since the last mail the same error came {untold} more times.",
    taken_is_done: "Nothing needs to be done about the {sent} that were taken.",
    nothing_to_do: "Nothing needs to be done.",
    heading_why: "Why:",
    heading_held: "Why it is on hold:",
    heading_steps: "Please do this",
    heading_choice: "Please choose one",
    choices: &[
        "It is wrong: do not send it (renkei run refuse {run}), mend the source, and run it again",
        "It is right: look it over, then send it (renkei run approve {run})",
    ],
    more_rows: "and {more} more",
    label: Labels {
        records: "Records",
        time: "Time",
        actor: "Run by",
        result: "Result",
        next: "Next",
        source: "Source",
        memo: "Memo",
        row: "Row",
        column: "Column",
        reason: "Reason",
    },
    records: "{records} (CSV files: {files})",
    result_accepted: "taken (whether it was imported is not known)",
    result_imported: "imported: {imported}",
    unconfirmed: "Please look in {target} whether the import succeeded.",
    by_timer: "timer \"{timer}\" (set by {user})",
    seisan: "楽楽精算",
    receiver: "the receiver",
    run_number: "Run: {run}",
    http_status: "HTTP status: {status}",
    error_code: "Error code: {code}",
    reason_code: "Reason code: {code}",
    detail: "Detail (for the engineer):",
    held_because,
    row_line: "line {line}",
    row_reason: ToString::to_string,
    explain,
    digest: &digest::WORDS,
};

fn held_because(code: Code) -> &'static str {
    match code {
        Code::Empty => "0 records",
        Code::DuplicateKeys => "duplicate keys",
        _ => "a check before sending",
    }
}

const RUN_AGAIN: &str = "Run it again afterwards, or wait for the next timer";

fn explain(code: Code) -> Explanation {
    let (what, steps): (&'static str, &'static [&'static str]) = match code {
        Code::SettingsInvalid => (
            "The settings that this run needs are gone or not valid.",
            &["Find and mend the fault with `renkei check`", RUN_AGAIN],
        ),
        Code::SecretMissing => (
            "A secret such as the API token could not be read.",
            &["Make sure that the environment variable or file holds it", RUN_AGAIN],
        ),
        Code::SourceMissing => {
            ("The source file is not there.", &["Make sure that the source system writes it", RUN_AGAIN])
        }
        Code::SourceUnreadable => {
            ("The source could not be read.", &["Check its place and its permissions", RUN_AGAIN])
        }
        Code::SourceStale => (
            "The source file is not new. It was not sent again.",
            &["Make sure that the source system has written today's file", RUN_AGAIN],
        ),
        Code::SourceGrowing => (
            "The source file was still being written.",
            &["Wait until it is complete", "Move the timer behind its writing, or set wait_until", RUN_AGAIN],
        ),
        Code::SourceCharset => (
            "The source file's charset could not be read.",
            &["Make sure that the file is whole and that `charset` fits", RUN_AGAIN],
        ),
        Code::SourceMalformed => (
            "The source file is not a table (a row with another number of columns, a cut line).",
            &["Mend the line named below in the source", RUN_AGAIN],
        ),
        Code::SourceTooLarge => (
            "The source is larger than its limit. It may be another list than the one that is meant.",
            &[
                "Make sure that it is the right one",
                "If it is, raise `most_rows`, or name the unpacked file",
                RUN_AGAIN,
            ],
        ),
        Code::SourceNeverImported => (
            "The records of this menu have never been imported.",
            &["Import them with `renkei records import`", RUN_AGAIN],
        ),
        Code::MissingColumn => (
            "A column that the menu needs is not in the source. It may have been renamed.",
            &["Give the column its old name, or change the menu", RUN_AGAIN],
        ),
        Code::Empty => ("There are 0 records. The source may have been emptied.", &["Check the source"]),
        Code::DuplicateKeys => (
            "Two or more records have the same key; the later would overwrite the earlier.",
            &["Check the records listed above in the source"],
        ),
        Code::KeyNotFound => ("No record has the key that was asked for.", &["Check the key and run it again"]),
        Code::Unmappable => (
            "There are characters that Shift_JIS does not have. They are never silently lost, so they are not sent like this.",
            &["Mend the characters listed above in the source, or add them to `replacements`", RUN_AGAIN],
        ),
        Code::RowRule => (
            "Rows break a rule of their column (required, length, date).",
            &["Mend the rows listed above in the source", RUN_AGAIN],
        ),
        Code::RowTooLarge => {
            ("One record alone is larger than a file may be.", &["Check the record in the source", RUN_AGAIN])
        }
        Code::SpoolUnwritable => (
            "The files to send could not be written on this server.",
            &["Check free disk space and permissions", RUN_AGAIN],
        ),
        Code::SpoolDamaged => ("A stored file is gone or was changed.", &["Start a new run instead of a retry"]),
        Code::Rejected => (
            "The receiver refused the file.",
            &["Read its answer below", "Make columns and parameters fit the receiver's import settings", RUN_AGAIN],
        ),
        Code::DeniedToken => (
            "The API token was refused. It may have been issued anew.",
            &["Ask the receiver's admin user for the token in force", "Set the new token", RUN_AGAIN],
        ),
        Code::DeniedRoute => (
            "A proxy or an IP restriction stood in the way.",
            &["Check the receiver's IP restriction and your proxy", RUN_AGAIN],
        ),
        Code::Maintenance => (
            "The receiver was under maintenance, and it did not end while we tried.",
            &["Run it again after the maintenance, or wait for the next timer"],
        ),
        Code::Throttled => (
            "The receiver's request limit was reached, and nothing was let through while we tried.",
            &["Check whether another system uses the same account", "Run it again"],
        ),
        Code::Unreachable => (
            "The receiver could not be reached, so it could not be sent.",
            &["Check the network and the URL (renkei check --connect)", RUN_AGAIN],
        ),
        Code::Unknown => (
            "No readable answer came after sending.",
            &["Look in the receiver whether the records arrived", "If they did not, run it again"],
        ),
        Code::ImportRefused => (
            "The receiver took the file, and refused it when it imported it.",
            &[
                "Look at the rows above, or else at the result of the import in the receiver",
                "Mend the data, or columns and parameters",
                RUN_AGAIN,
            ],
        ),
        Code::RowRefused => (
            "The receiver refused rows when it imported the file.",
            &[
                "Mend the rows listed above in the source (a new department goes first, through its own master)",
                "Send the mended rows alone (renkei run start MENU --key KEY), or wait for the next timer",
            ],
        ),
        Code::ConfirmLimit => (
            "The file was taken, but in the time allowed nobody said whether it was imported.",
            &["Look in the receiver whether the records arrived", "If they did not, run it again"],
        ),
        Code::ConfirmDenied => (
            "The file was taken, but the question what became of it was refused.",
            &[
                "Look in the receiver whether the records arrived",
                "Check the token (`headers` of `confirm`) and the receiver's IP restriction",
            ],
        ),
        Code::ConfirmUnnamed => (
            "The file was taken, but the answer named no import, so that nobody could be asked what became of it.",
            &[
                "Look in the receiver whether the records arrived",
                "Check that `id` of `confirm` fits the receiver's answer",
            ],
        ),
        Code::Overtaken => (
            "Newer data has been sent meanwhile. Older data was not sent over it.",
            &["Nothing needs to be done; only --force sends the older data"],
        ),
        Code::Cancelled => ("A person cancelled the run.", &["Run it again if needed"]),
        Code::Refused => ("A person decided not to send it.", &["Mend the source and run it again"]),
        Code::Overlap => ("An earlier run of the same menu was still open.", &["Look at it with `renkei run list`"]),
        Code::Leader => (
            "A timer that this one follows did not end well, so it was skipped.",
            &[
                "Find and mend the cause in that timer's mail or history",
                "Repeat both with `renkei run retry NUMBER --with-followers`, or wait for the next timer",
            ],
        ),
        Code::TooLate => {
            ("It could not start in time.", &["Check whether an earlier run took long", "Run it again if needed"])
        }
        Code::TimeLimit => {
            ("It took longer than its time limit.", &["Check whether the receiver answers slowly", RUN_AGAIN])
        }
        Code::Interrupted => (
            "renkei ended while a file was being sent; it may have arrived, and it may not.",
            &["Look in the receiver whether the records arrived", "If they did not, run it again"],
        ),
        Code::Internal => ("Something unforeseen happened inside renkei.", &["Tell your engineer the run's number"]),
    };
    Explanation { what, steps }
}
