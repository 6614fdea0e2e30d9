//! Japan's public holidays by the rules of the law (国民の祝日に関する法律) as it has stood since 2019, with the moves of
//! the Olympic years 2020 and 2021 and the accession of 2019.
//!
//! The equinoxes are computed; the government announces them each February for the year after, and the formula has met
//! every announcement so far. Years outside [`YEARS`] have no holidays here: before it other laws held, after it the
//! formula ends.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, Weekday};

/// The years for which holidays are told.
pub const YEARS: RangeInclusive<i32> = 2019..=2099;

/// The name of the public holiday on a date, 振替休日 (in place of a Sunday) and 国民の休日 (between two) included.
pub fn holiday_name(date: NaiveDate) -> Option<&'static str> {
    if !YEARS.contains(&date.year()) {
        return None;
    }
    if let Some(name) = named(date) {
        return Some(name);
    }
    // Article 3 (2): of a holiday on a Sunday, the next day that is no holiday itself.
    let run = std::iter::successors(date.pred_opt(), |date| date.pred_opt()).take_while(|date| named(*date).is_some());
    if run.into_iter().any(|date| date.weekday() == Weekday::Sun) {
        return Some("振替休日");
    }
    // Article 3 (3): a day whose neighbours are both holidays.
    let between = [date.pred_opt(), date.succ_opt()].into_iter().all(|neighbour| neighbour.is_some_and(is_named));
    between.then_some("国民の休日")
}

fn is_named(date: NaiveDate) -> bool {
    named(date).is_some()
}

/// The holidays that the law names (国民の祝日).
fn named(date: NaiveDate) -> Option<&'static str> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match (year, month, day) {
        (2019, 5, 1) => return Some("休日(祝日扱い)"),
        (2019, 10, 22) => return Some("休日(祝日扱い)"),
        (2020, 7, 23) | (2021, 7, 22) => return Some("海の日"),
        (2020, 7, 24) | (2021, 7, 23) => return Some("スポーツの日"),
        (2020, 8, 10) | (2021, 8, 8) => return Some("山の日"),
        _ => {}
    }
    let olympic = matches!(year, 2020 | 2021);
    let monday = |week: u32| date.weekday() == Weekday::Mon && (day - 1) / 7 + 1 == week;
    match (month, day) {
        (1, 1) => Some("元日"),
        (1, _) if monday(2) => Some("成人の日"),
        (2, 11) => Some("建国記念の日"),
        (2, 23) if year >= 2020 => Some("天皇誕生日"),
        (3, _) if day == equinox(year, 20.8431) => Some("春分の日"),
        (4, 29) => Some("昭和の日"),
        (5, 3) => Some("憲法記念日"),
        (5, 4) => Some("みどりの日"),
        (5, 5) => Some("こどもの日"),
        (7, _) if monday(3) && !olympic => Some("海の日"),
        (8, 11) if !olympic => Some("山の日"),
        (9, _) if monday(3) => Some("敬老の日"),
        (9, _) if day == equinox(year, 23.2488) => Some("秋分の日"),
        (10, _) if monday(2) && !olympic => Some(if year == 2019 { "体育の日" } else { "スポーツの日" }),
        (11, 3) => Some("文化の日"),
        (11, 23) => Some("勤労感謝の日"),
        _ => None,
    }
}

/// The day of an equinox in its month, by the approximation in common use for 1980 to 2099.
fn equinox(year: i32, at_1980: f64) -> u32 {
    let years = year - 1980;
    let day = at_1980 + 0.242_194 * f64::from(years) - f64::from(years / 4);
    // Between 19 and 24 for the years that are asked for.
    day as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(year: i32) -> String {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let days = first.iter_days().take_while(|date| date.year() == year);
        let days = days.filter(|date| holiday_name(*date).is_some());
        days.map(|date| format!("{}/{}", date.month(), date.day())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_holidays_are_those_of_the_official_and_the_computed_lists() {
        // To 2027 as announced by the Cabinet Office; from 2028 on as other calendars compute them.
        for (year, days) in [
            (
                2019,
                "1/1 1/14 2/11 3/21 4/29 4/30 5/1 5/2 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/23 10/14 10/22 11/3 11/4 11/23",
            ),
            (2020, "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/23 7/24 8/10 9/21 9/22 11/3 11/23"),
            (2021, "1/1 1/11 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/22 7/23 8/8 8/9 9/20 9/23 11/3 11/23"),
            (2022, "1/1 1/10 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/18 8/11 9/19 9/23 10/10 11/3 11/23"),
            (2023, "1/1 1/2 1/9 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/23 10/9 11/3 11/23"),
            (
                2024,
                "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23",
            ),
            (2025, "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24"),
            (2026, "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23"),
            (2027, "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23"),
            (2028, "1/1 1/10 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/22 10/9 11/3 11/23"),
            (2029, "1/1 1/8 2/11 2/12 2/23 3/20 4/29 4/30 5/3 5/4 5/5 7/16 8/11 9/17 9/23 9/24 10/8 11/3 11/23"),
            (2030, "1/1 1/14 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/23 10/14 11/3 11/4 11/23"),
        ] {
            assert_eq!(listed(year), days, "{year}");
        }
    }

    #[test]
    fn days_in_place_of_others_have_their_own_names() {
        let name = |text: &str| holiday_name(text.parse().unwrap());
        assert_eq!(name("2026-05-06"), Some("振替休日"));
        assert_eq!(name("2026-09-22"), Some("国民の休日"));
        assert_eq!(name("2032-09-21"), Some("国民の休日"));
        assert_eq!(name("2019-04-30"), Some("国民の休日"));
        assert_eq!(name("2019-10-14"), Some("体育の日"));
        assert_eq!(name("2021-10-11"), None);
        assert_eq!(name("2018-12-23"), None);
        assert_eq!(name("2100-01-01"), None);
    }
}
