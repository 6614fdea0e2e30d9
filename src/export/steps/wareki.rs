//! 和暦: dates with the name of an era, as people and old systems write them: 令和6年4月1日, 令和元年5月1日, R6.4.1,
//! 平31/4/30, ㍼64年1月7日, H310430.
//!
//! A date before its era began is none (令和1年4月1日 was never written by anybody who knew); one after its era ended is
//! the day that is meant (平成32年3月31日 stands in contracts).

use crate::export::width;
use chrono::NaiveDate;

/// An era, the year before its first one, and the day on which it began. 明治 is read from the day on which Japan took
/// the Gregorian calendar.
struct Era {
    names: [&'static str; 4],
    before: i32,
    began: (i32, u32, u32),
}

const ERAS: [Era; 5] = [
    Era { names: ["令和", "令", "㋿", "R"], before: 2018, began: (2019, 5, 1) },
    Era { names: ["平成", "平", "㍻", "H"], before: 1988, began: (1989, 1, 8) },
    Era { names: ["昭和", "昭", "㍼", "S"], before: 1925, began: (1926, 12, 25) },
    Era { names: ["大正", "大", "㍽", "T"], before: 1911, began: (1912, 7, 30) },
    Era { names: ["明治", "明", "㍾", "M"], before: 1867, began: (1873, 1, 1) },
];

/// The day, if the whole text is such a date. Width, case and blanks do not matter.
pub(super) fn read(text: &str) -> Option<NaiveDate> {
    let text: String = width::to_half_width_ascii(text).chars().filter(|letter| !letter.is_whitespace()).collect();
    let text = text.to_ascii_uppercase();
    let rest = |era: &Era| era.names.iter().find_map(|name| text.strip_prefix(name));
    let (era, rest) = ERAS.iter().find_map(|era| Some((era, rest(era)?)))?;
    let (year, month, day) = year_month_day(rest)?;
    let date = NaiveDate::from_ymd_opt(era.before + i32::try_from(year).ok()?, month, day)?;
    let (year, month, day) = era.began;
    (date >= NaiveDate::from_ymd_opt(year, month, day)?).then_some(date)
}

fn year_month_day(text: &str) -> Option<(u32, u32, u32)> {
    if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((number(&text[..2])?, number(&text[2..4])?, number(&text[4..])?));
    }
    let (year, rest) = text.split_once(['年', '.', '/', '-'])?;
    let (month, day) = rest.split_once(['月', '.', '/', '-'])?;
    let year = if year == "元" { 1 } else { number(year)? };
    Some((year, number(month)?, number(day.strip_suffix('日').unwrap_or(day))?))
}

fn number(text: &str) -> Option<u32> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        read(text).map(|date| date.to_string())
    }

    #[test]
    fn an_era_is_read_as_people_write_it() {
        for (text, date) in [
            ("令和6年4月1日", "2024-04-01"),
            ("令和元年5月1日", "2019-05-01"),
            ("令和 ６年 ４月 １日", "2024-04-01"),
            ("R6.4.1", "2024-04-01"),
            ("r06/04/01", "2024-04-01"),
            ("R060401", "2024-04-01"),
            ("㋿6年4月1日", "2024-04-01"),
            ("Ｈ３１．４．３０", "2019-04-30"),
            ("平31-4-30", "2019-04-30"),
            ("平成32年3月31日", "2020-03-31"),
            ("昭和64年1月7日", "1989-01-07"),
            ("S1.12.25", "1926-12-25"),
            ("大正元年7月30日", "1912-07-30"),
            ("明治45年7月29日", "1912-07-29"),
        ] {
            assert_eq!(told(text).as_deref(), Some(date), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_of_the_era_is_none() {
        for text in [
            "令和1年4月30日",
            "令和0年5月1日",
            "令和元年",
            "令和6年2月30日",
            "R6.4",
            "R6.4.1.2",
            "R20240401",
            "R6.4.100",
            "R6年4月1日頃",
            "平成元年1月7日",
            "明治5年12月2日",
            "慶応3年1月1日",
            "6.4.1",
            "R+6.4.1",
            "2024/04/01",
            "R元.13.1",
            "R",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
