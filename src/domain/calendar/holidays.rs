//! Japan's public holidays by the rules of the law (国民の祝日に関する法律), as it stood in each year since 1955, where
//! the Cabinet Office's list begins: with the laws for single days (weddings, funeral, enthronements) and the moves of
//! the Olympic years 2020 and 2021.
//!
//! The equinoxes are computed; the government announces them each February for the year after, and the formula has met
//! every announcement so far. Years outside [`YEARS`] have no holidays here: the formula ends with 2099.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, Weekday};

/// The years for which holidays are told.
pub const YEARS: RangeInclusive<i32> = 1955..=2099;

/// The name of the public holiday on a date, 振替休日 (in place of a Sunday) and 国民の休日 (between two) included. The
/// official list calls both of these 休日.
pub fn holiday_name(date: NaiveDate) -> Option<&'static str> {
    if !YEARS.contains(&date.year()) {
        return None;
    }
    if let Some(name) = named(date) {
        return Some(name);
    }
    if is_in_place(date) {
        return Some("振替休日");
    }
    // Article 3 (3), since the end of 1985: a day whose neighbours are both holidays; until 2006 no Sunday.
    let law = date.year() >= 2007 || (date.year() >= 1986 && date.weekday() != Weekday::Sun);
    let between = [date.pred_opt(), date.succ_opt()].into_iter().all(|neighbour| neighbour.is_some_and(is_named));
    (law && between).then_some("国民の休日")
}

/// Article 3 (2), since 12 April 1973: of a holiday on a Sunday, the Monday; since 2007 the next day that is no holiday
/// itself.
fn is_in_place(date: NaiveDate) -> bool {
    let mut run =
        std::iter::successors(date.pred_opt(), |date| date.pred_opt()).take_while(|date| named(*date).is_some());
    match date.year() {
        2007.. => run.any(|date| date.weekday() == Weekday::Sun),
        1974.. => run.next().is_some_and(|date| date.weekday() == Weekday::Sun),
        1973 => date.month() >= 4 && run.next().is_some_and(|date| date.weekday() == Weekday::Sun),
        _ => false,
    }
}

fn is_named(date: NaiveDate) -> bool {
    named(date).is_some()
}

/// The holidays that the law names (国民の祝日), and those of laws of their own.
fn named(date: NaiveDate) -> Option<&'static str> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match (year, month, day) {
        (1959, 4, 10) | (1993, 6, 9) => return Some("結婚の儀"),
        (1989, 2, 24) => return Some("大喪の礼"),
        (1990, 11, 12) => return Some("即位礼正殿の儀"),
        (2019, 5, 1) | (2019, 10, 22) => return Some("休日(祝日扱い)"),
        (2020, 7, 23) | (2021, 7, 22) => return Some("海の日"),
        (2020, 7, 24) | (2021, 7, 23) => return Some("スポーツの日"),
        (2020, 8, 10) | (2021, 8, 8) => return Some("山の日"),
        _ => {}
    }
    let olympic = matches!(year, 2020 | 2021);
    let monday = |week: u32| date.weekday() == Weekday::Mon && (day - 1) / 7 + 1 == week;
    match (month, day) {
        (1, 1) => Some("元日"),
        (1, 15) if year < 2000 => Some("成人の日"),
        (1, _) if year >= 2000 && monday(2) => Some("成人の日"),
        (2, 11) if year >= 1967 => Some("建国記念の日"),
        (2, 23) if year >= 2020 => Some("天皇誕生日"),
        (3, _) if day == equinox(year, Equinox::Spring) => Some("春分の日"),
        (4, 29) => Some(match year {
            ..1989 => "天皇誕生日",
            1989..2007 => "みどりの日",
            2007.. => "昭和の日",
        }),
        (5, 3) => Some("憲法記念日"),
        (5, 4) if year >= 2007 => Some("みどりの日"),
        (5, 5) => Some("こどもの日"),
        (7, 20) if (1996..2003).contains(&year) => Some("海の日"),
        (7, _) if year >= 2003 && monday(3) && !olympic => Some("海の日"),
        (8, 11) if year >= 2016 && !olympic => Some("山の日"),
        (9, 15) if (1966..2003).contains(&year) => Some("敬老の日"),
        (9, _) if year >= 2003 && monday(3) => Some("敬老の日"),
        (9, _) if day == equinox(year, Equinox::Autumn) => Some("秋分の日"),
        (10, 10) if (1966..2000).contains(&year) => Some("体育の日"),
        (10, _) if year >= 2000 && monday(2) && !olympic => {
            Some(if year < 2020 { "体育の日" } else { "スポーツの日" })
        }
        (11, 3) => Some("文化の日"),
        (11, 23) => Some("勤労感謝の日"),
        (12, 23) if (1989..2019).contains(&year) => Some("天皇誕生日"),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Equinox {
    Spring,
    Autumn,
}

/// The day of an equinox in its month, by the approximation in common use: one for 1900 to 1979, one for 1980 to 2099.
fn equinox(year: i32, which: Equinox) -> u32 {
    let at_1980 = match (which, year) {
        (Equinox::Spring, ..1980) => 20.8357,
        (Equinox::Spring, 1980..) => 20.8431,
        (Equinox::Autumn, ..1980) => 23.2588,
        (Equinox::Autumn, 1980..) => 23.2488,
    };
    let leap_days = if year < 1980 { (year - 1983) / 4 } else { (year - 1980) / 4 };
    let day = at_1980 + 0.242_194 * f64::from(year - 1980) - f64::from(leap_days);
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
        assert_eq!(name("2018-12-23"), Some("天皇誕生日"));
        assert_eq!(name("2018-12-24"), Some("振替休日"));
        assert_eq!(name("1954-01-01"), None);
        assert_eq!(name("2100-01-01"), None);
    }

    #[test]
    fn each_change_of_the_law_holds_from_its_year_on() {
        let name = |text: &str| holiday_name(text.parse().unwrap());
        assert_eq!((name("1966-02-11"), name("1967-02-11")), (None, Some("建国記念の日")));
        // The first day in place of a Sunday; 11 February 1973 had been one without.
        assert_eq!((name("1973-02-12"), name("1973-04-30")), (None, Some("振替休日")));
        // 4 May: between two holidays from 1986 on, which in 1986 was a Sunday.
        assert_eq!((name("1985-05-04"), name("1986-05-04"), name("1988-05-04")), (None, None, Some("国民の休日")));
        assert_eq!((name("1988-12-23"), name("1989-12-23"), name("2019-12-23")), (None, Some("天皇誕生日"), None));
        assert_eq!(
            (name("1999-01-15"), name("2000-01-15"), name("2000-01-10")),
            (Some("成人の日"), None, Some("成人の日"))
        );
        assert_eq!(
            (name("2002-07-20"), name("2003-07-20"), name("2003-07-21")),
            (Some("海の日"), None, Some("海の日"))
        );
        assert_eq!(
            (name("2003-05-04"), name("2008-05-04"), name("2008-05-06")),
            (None, Some("みどりの日"), Some("振替休日"))
        );
    }
}
