//! The Cabinet Office's list of public holidays (`syukujitsu.csv`): what it says, once it has proven to be whole. It is
//! published in Shift_JIS, one holiday a line, and renewed each February with the holidays of the year after (Cabinet
//! Office, 「国民の祝日」について). A list that is cut, mixed up or of another kind is refused, with the line.

use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};

/// The first line of the file.
const HEADER: &str = "国民の祝日・休日月日,国民の祝日・休日名称";

/// No year since the list begins (1955) has had fewer holidays; one that has was cut.
const FEWEST: usize = 9;

/// Public holidays by an official list, with the years that it covers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfficialHolidays {
    days: BTreeMap<NaiveDate, String>,
    years: BTreeSet<i32>,
}

/// What is wrong with a line of the file; 0 for the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", if *line > 0 { format!("line {line}: ") } else { String::new() })]
pub struct LineFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and how to mend it.
    pub what: String,
}

impl OfficialHolidays {
    /// The list of these days; it covers the years in which they lie.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (NaiveDate, String)>) -> Self {
        let days: BTreeMap<NaiveDate, String> = days.into_iter().collect();
        let years = days.keys().map(|day| day.year()).collect();
        Self { days, years }
    }

    /// Reads the file's bytes: Shift_JIS as it is published, or UTF-8 as editors save it.
    ///
    /// # Errors
    /// Every line that is not a date and a name, a date that stands twice or goes back, and a list that is cut: with
    /// their lines, all at once.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<LineFault>> {
        let text = decode(bytes).map_err(|fault| vec![fault])?;
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
        let header = lines.next().map_or("", |(_, line)| line);
        if header.trim() != HEADER {
            let what = format!("this is not the Cabinet Office's list of holidays: its first line is `{HEADER}`");
            return Err(vec![LineFault { line: 1, what }]);
        }
        let (mut days, mut faults) = (BTreeMap::new(), Vec::new());
        let mut before: Option<NaiveDate> = None;
        for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            let mut refuse = |what: String| faults.push(LineFault { line, what });
            match row(text) {
                Ok((date, _)) if before.is_some_and(|before| before == date) => refuse(format!("{date} stands twice")),
                Ok((date, _)) if before.is_some_and(|before| before > date) => {
                    refuse(format!("{date} comes after a later date: the list goes by date"));
                }
                Ok((date, name)) => {
                    before = Some(date);
                    days.insert(date, name);
                }
                Err(what) => refuse(what),
            }
        }
        if faults.is_empty() {
            faults.extend(cut(&days));
        }
        if faults.is_empty() { Ok(Self::of(days)) } else { Err(faults) }
    }

    /// Whether the list speaks of a year.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// The first and the last year that it covers.
    #[must_use]
    pub fn years(&self) -> Option<(i32, i32)> {
        Some((*self.years.first()?, *self.years.last()?))
    }

    /// The name of the holiday on a date.
    #[must_use]
    pub fn name(&self, date: NaiveDate) -> Option<&str> {
        self.days.get(&date).map(String::as_str)
    }

    /// Every holiday, by date.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, &str)> {
        self.days.iter().map(|(date, name)| (*date, name.as_str()))
    }
}

fn decode(bytes: &[u8]) -> Result<String, LineFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let text = encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned).ok_or_else(|| {
        // The line before which everything can be read.
        let mut rows = bytes.split(|byte| *byte == b'\n');
        let readable =
            |row: &[u8]| encoding_rs::SHIFT_JIS.decode_without_bom_handling_and_without_replacement(row).is_some();
        let line = rows.position(|row| !readable(row)).map_or(0, |index| index + 1);
        LineFault { line, what: "this is neither Shift_JIS nor UTF-8: download the file again".to_owned() }
    })
}

/// `1955/1/1,元日`
fn row(text: &str) -> Result<(NaiveDate, String), String> {
    let shown: String = text.chars().take(40).collect();
    let form = || format!("`{shown}` is no holiday: a line is `1955/1/1,元日`");
    let (date, name) = text.split_once(',').ok_or_else(form)?;
    let parts: Vec<&str> = date.trim().split('/').collect();
    let [year, month, day] = parts.as_slice() else { return Err(form()) };
    let number = |part: &str, most: usize| {
        let good = (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| good).ok_or_else(form)
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let date = i32::try_from(year).ok().filter(|year| *year >= 1948);
    let date = date.and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let date = date.ok_or_else(|| format!("`{shown}`: the date does not exist, or lies before the law of 1948"))?;
    let name = name.trim();
    if name.is_empty() || name.contains([',', '"']) || name.chars().any(char::is_control) {
        return Err(form());
    }
    Ok((date, name.to_owned()))
}

/// What is missing in a list whose lines are right.
fn cut(days: &BTreeMap<NaiveDate, String>) -> Option<LineFault> {
    let fault = |what: String| Some(LineFault { line: 0, what });
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return fault("the list holds no holiday".to_owned());
    };
    (first.year()..=last.year()).find_map(|year| {
        let count = days.keys().filter(|day| day.year() == year).count();
        let what =
            || format!("{year} has {count} holidays, and no year has fewer than {FEWEST}: the list is not whole");
        if count < FEWEST { fault(what()) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::holidays::holiday_name;

    /// A list as the Cabinet Office writes it, of some years, by our rules.
    fn list(years: std::ops::RangeInclusive<i32>) -> String {
        let mut text = format!("{HEADER}\r\n");
        let first = NaiveDate::from_ymd_opt(*years.start(), 1, 1).unwrap();
        for date in first.iter_days().take_while(|date| years.contains(&date.year())) {
            if let Some(name) = holiday_name(date) {
                text += &format!("{}/{}/{},{name}\r\n", date.year(), date.month(), date.day());
            }
        }
        text
    }

    fn sjis(text: &str) -> Vec<u8> {
        let mut encoder = encoding_rs::SHIFT_JIS.new_encoder();
        let mut bytes = Vec::with_capacity(text.len() * 2);
        let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true);
        assert_eq!(result, encoding_rs::EncoderResult::InputEmpty);
        bytes
    }

    fn faults(text: &str) -> Vec<String> {
        OfficialHolidays::read(&sjis(text)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_published_form_is_read_in_shift_jis_and_in_utf_8() {
        let text = list(2024..=2027);
        let read = OfficialHolidays::read(&sjis(&text)).unwrap();
        assert_eq!(read.years(), Some((2024, 2027)));
        assert_eq!(read.name("2027-03-22".parse().unwrap()), Some("振替休日"));
        assert_eq!(read.days().count(), text.lines().count() - 1);
        for utf8 in [text.clone(), format!("\u{feff}{text}"), text.replace('\r', "")] {
            assert_eq!(OfficialHolidays::read(utf8.as_bytes()).as_ref(), Ok(&read));
        }
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let good = list(2026..=2026);
        let with = |old: &str, new: &str| {
            assert!(good.contains(old), "{old}");
            faults(&good.replacen(old, new, 1))
        };
        for (old, new, words) in [
            ("2026/1/1,", "2026-1-1,", "line 2: `2026-1-1,元日` is no holiday"),
            ("2026/1/1,元日", "2026/1/1", "line 2: "),
            ("2026/1/1,元日", "2026/1/1,", "line 2: "),
            ("2026/1/12,", "2026/1/32,", "line 3: `2026/1/32,成人の日`: the date does not exist"),
            ("2026/1/12,", "2026/1/1,", "line 3: 2026-01-01 stands twice"),
            ("2026/2/11,", "2026/1/2,", "line 4: 2026-01-02 comes after a later date"),
            ("2026/2/11,", "１９５５/2/11,", "line 4: "),
        ] {
            let told = with(old, new);
            assert!(told.len() == 1 && told[0].starts_with(words), "{new}: {told:?}");
        }
        let two = good.replace("2026/5/3", "2026/5").replace("2026/11/3", "x");
        assert_eq!(faults(&two).len(), 2);
    }

    #[test]
    fn a_list_that_was_cut_or_is_another_one_is_refused_as_a_whole() {
        let whole = list(2025..=2027);
        let cut: String = whole.lines().take(45).map(|line| format!("{line}\r\n")).collect();
        assert_eq!(faults(&cut), ["2027 has 7 holidays, and no year has fewer than 9: the list is not whole"]);
        let gap = list(2025..=2025) + list(2027..=2027).split_once('\n').unwrap().1;
        assert!(faults(&gap)[0].starts_with("2026 has 0 holidays"));
        assert!(faults(&format!("{HEADER}\r\n"))[0].contains("holds no holiday"));
        assert!(faults("日付,名称\r\n2026/1/1,元日\r\n")[0].starts_with("line 1: this is not"));
        assert!(faults("")[0].starts_with("line 1: "));
        let mut broken = sjis(&whole);
        broken.truncate(sjis(HEADER).len() + 2 + "2025/1/1,".len() + 1);
        let told = OfficialHolidays::read(&broken).unwrap_err();
        assert_eq!((told[0].line, told.len()), (2, 1));
    }
}
