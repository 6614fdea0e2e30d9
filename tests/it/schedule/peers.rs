//! Judges that others wrote: croniter for cron patterns, two packages for Japan's holidays. They are no part of a plain
//! machine: set RENKEI_SERVICES=1. What they say otherwise was decided case by case: docs/reliability.md.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::JAPAN;
use renkei::domain::calendar::holidays::holiday_name;
use renkei::domain::schedule::{CronRule, Kind, Schedule, ScheduleFault};

/// How many patterns are compared, and how many slots of each.
const PATTERNS: usize = 10_000;
const SLOTS: usize = 5;

/// Runs a program beside the tests over lines of text; `None` where nobody asked for services.
fn python(script: &str, args: &[&str], input: &str) -> Option<String> {
    std::env::var_os("RENKEI_SERVICES")?;
    let script = format!("{}/tests/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child =
        Command::new("python3").arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "is tests/peers/requirements.txt installed?");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.roll(most - least + 1)
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.roll(texts.len() as u64) as usize]
    }
}

/// One part of a list: a number, a range, a range with a step, or a step alone. A range from a number to itself is that
/// number to us and the whole circle to croniter: decided, and left out here.
fn part(dice: &mut Dice, least: u64, most: u64) -> String {
    let (a, b) = (dice.between(least, most), dice.between(least, most));
    let step = dice.between(1, most.min(20));
    match dice.roll(6) {
        3 | 4 if a == b => a.to_string(),
        0..=2 => a.to_string(),
        3 => format!("{}-{}", a.min(b), a.max(b)),
        4 => format!("{}-{}/{step}", a.min(b), a.max(b)),
        _ => format!("*/{step}"),
    }
}

fn field(dice: &mut Dice, least: u64, most: u64, names: &[&str]) -> String {
    match dice.roll(10) {
        0..=2 => "*".to_owned(),
        3 if !names.is_empty() => dice.one_of(names).to_owned(),
        4 if !names.is_empty() => {
            let from = dice.roll(names.len() as u64 - 1);
            let to = dice.between(from + 1, names.len() as u64 - 1);
            format!("{}-{}", names[from as usize], names[to as usize])
        }
        _ => {
            let parts: Vec<String> = (0..dice.between(1, 3)).map(|_| part(dice, least, most)).collect();
            parts.join(",")
        }
    }
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A field that is no `*` and names all of its numbers: to us a list like any other, to croniter a `*` (decided).
fn names_all(field: &str, least: u64, most: u64) -> bool {
    let mut named = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, 1), |(range, step)| (range, step.parse().unwrap()));
        let number = |text: &str| text.parse::<u64>().ok();
        let range = match range.split_once('-') {
            None if range == "*" => least..=most,
            None => number(range).map_or(0..=0, |n| n..=n),
            Some((from, to)) if number(from).is_some() => number(from).unwrap()..=number(to).unwrap(),
            Some((from, to)) => {
                if (from, to) == ("sun", "sat") {
                    0..=6
                } else {
                    0..=0
                }
            }
        };
        // Of the days of the week 7 is 0.
        named.extend(range.step_by(step).map(|n| if most == 6 { n % 7 } else { n }));
    }
    (least..=most).all(|n| named.contains(&n))
}

/// Days of the month (1 to 31) or of the week (0 to 6, and 7), but not all of them unless as `*`.
fn some_days(dice: &mut Dice, least: u64, most: u64, names: &[&str]) -> String {
    loop {
        let days = field(dice, least, if most == 6 { 7 } else { most }, names);
        if days == "*" || !names_all(&days, least, most) {
            return days;
        }
    }
}

/// A pattern as renkei reads it, as croniter does, and whether both days have to match. `L`, `W` and `#` stand beside a
/// free field: together with another day croniter asks for both, we for either (decided).
fn pattern(dice: &mut Dice) -> (String, String, bool) {
    let mut fields: Vec<String> = Vec::new();
    if dice.roll(4) == 0 {
        fields.push(field(dice, 0, 59, &[]));
    }
    fields.push(field(dice, 0, 59, &[]));
    fields.push(field(dice, 0, 23, &[]));
    let special = dice.roll(8);
    fields.push(match special {
        0 | 1 => "*".to_owned(),
        2 => format!("{}W", dice.between(1, 28)),
        3 => "L".to_owned(),
        4 => "?".to_owned(),
        _ => some_days(dice, 1, 31, &[]),
    });
    fields.push(field(dice, 1, 12, MONTHS));
    let day = dice.roll(7);
    let (ours, theirs) = match special {
        0 => (format!("{day}L"), format!("L{day}")),
        1 => {
            let nth = format!("{day}#{}", dice.between(1, 5));
            (nth.clone(), nth)
        }
        2 => ("*".to_owned(), "*".to_owned()),
        5 => ("?".to_owned(), "?".to_owned()),
        _ => {
            let one = some_days(dice, 0, 6, DAYS);
            (one.clone(), one)
        }
    };
    let both = dice.roll(6) == 0;
    let front = fields.join(" ");
    (format!("{front} {}{ours}", if both { "+" } else { "" }), format!("{front} {theirs}"), both)
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed replays the run")]
fn ten_thousand_random_patterns_run_when_croniter_says() {
    if std::env::var_os("RENKEI_SERVICES").is_none() {
        return;
    }
    let seed = std::env::var("RENKEI_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        since.as_nanos() as u64
    });
    println!("RENKEI_SEED={seed}");
    let mut dice = Dice(seed);
    let mut asked = Vec::new();
    let mut input = String::new();
    while asked.len() < PATTERNS {
        let (ours, theirs, both) = pattern(&mut dice);
        // 2000 to 2040.
        let start = dice.between(946_684_800, 2_208_988_800);
        input += &json!({ "pattern": theirs, "start": start, "count": SLOTS, "both": both }).to_string();
        input.push('\n');
        asked.push((ours, start));
    }
    let answers = python("cron_croniter.py", &[], &input).unwrap();
    let mut disagreements = Vec::new();
    let mut compared = 0;
    for ((ours, start), answer) in asked.iter().zip(answers.lines()) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let theirs: Vec<i64> = answer["slots"].as_array().unwrap().iter().map(|slot| slot.as_i64().unwrap()).collect();
        let found = match CronRule::parse(ours) {
            Ok(rule) => {
                let schedule = Schedule::from(Kind::Cron(rule));
                let mut at = DateTime::from_timestamp(*start as i64, 0).unwrap();
                let slots = std::iter::from_fn(|| {
                    at = schedule.next_after(Tz::UTC, &JAPAN, at)?;
                    Some(at.timestamp())
                });
                Ok(slots.take(SLOTS).collect::<Vec<i64>>())
            }
            Err(fault) => Err(fault),
        };
        compared += usize::from(found.is_ok());
        let agree = match &found {
            Ok(slots) => *slots == theirs,
            Err(ScheduleFault::CronNever(_)) => answer["ended"] == "never" && theirs.is_empty(),
            Err(_) => false,
        };
        if !agree {
            disagreements.push(format!("{ours} from {start}: ours {found:?}, croniter's {answer}"));
        }
    }
    assert!(compared > PATTERNS * 9 / 10, "only {compared} of the patterns were read");
    assert!(
        disagreements.is_empty(),
        "RENKEI_SEED={seed}: {} disagreements\n{}",
        disagreements.len(),
        disagreements[..disagreements.len().min(40)].join("\n")
    );
}

#[test]
fn where_croniter_reads_a_pattern_otherwise_the_decision_stands() {
    let next = |pattern: &str| {
        let schedule = Schedule::from(Kind::Cron(CronRule::parse(pattern).unwrap()));
        let after = "2026-11-24T00:00:00Z".parse::<DateTime<chrono::Utc>>().unwrap();
        let slots = schedule.slots_between(Tz::UTC, &JAPAN, after, after + TimeDelta::days(60)).take(3);
        slots.map(|slot| slot.format("%m-%d %H:%M").to_string()).collect::<Vec<_>>().join(" ")
    };
    // A range from a number to itself is that number, as in crontab.
    assert_eq!(next("0 6 5-5 * *"), "12-05 06:00 01-05 06:00");
    // L, W and # are days like others: with the other day either matches.
    assert_eq!(next("0 6 5 * 1#2"), "12-05 06:00 12-14 06:00 01-05 06:00");
    assert_eq!(next("0 6 L * 1"), "11-30 06:00 12-07 06:00 12-14 06:00");
    // All days of the week are a list of days, not the free field: either matches, so every day does.
    assert_eq!(next("0 6 5 * sun-sat"), "11-24 06:00 11-25 06:00 11-26 06:00");
    // So is */2, to croniter too; Vixie's cron takes any field that begins with * for free, and asks for both.
    assert_eq!(next("0 6 */2 * 1"), "11-25 06:00 11-27 06:00 11-29 06:00");
}

/// The dates of a package, and ours.
fn holidays(package: &str) -> Option<(BTreeSet<NaiveDate>, BTreeSet<NaiveDate>)> {
    let theirs = python("holidays_japan.py", &[package], "")?;
    let first = NaiveDate::from_ymd_opt(1955, 1, 1).unwrap();
    let ours = first.iter_days().take_while(|date| date.year() <= 2050).filter(|date| holiday_name(*date).is_some());
    Some((theirs.lines().map(|line| line.parse().unwrap()).collect(), ours.collect()))
}

#[test]
fn holidays_since_1955_are_those_of_an_independent_list() {
    let Some((theirs, ours)) = holidays("holidays") else { return };
    assert!(ours.len() > 1_400);
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&NaiveDate>::new());
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&NaiveDate>::new());
}

#[test]
fn another_list_differs_only_where_it_reads_a_law_before_its_time() {
    let Some((theirs, ours)) = holidays("jpholiday") else { return };
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&NaiveDate>::new());
    // It knows 4 May as a day between two holidays before the law of the end of 1985, and a Monday in place of a Sunday
    // before 12 April 1973.
    let early = |date: &NaiveDate| (date.month(), date.day()) == (5, 4) && date.year() < 1986;
    let first = NaiveDate::from_ymd_opt(1973, 2, 12).unwrap();
    let others: Vec<_> = theirs.difference(&ours).filter(|date| !early(date) && **date != first).collect();
    assert_eq!(others, Vec::<&NaiveDate>::new());
}
