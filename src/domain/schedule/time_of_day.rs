//! A time of the day, and a part of the day between two of them.

use std::fmt;

use chrono::{NaiveTime, Timelike};

use super::ScheduleFault;

/// A local time of the day in whole seconds, from 00:00 to 23:59:59; written `06:00`, or `06:00:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(NaiveTime);

impl TimeOfDay {
    /// The time as chrono has it, in whole seconds.
    pub fn local(self) -> NaiveTime {
        self.0
    }

    /// Reads `06:00`, `6:00` or `06:00:30`.
    pub fn parse(text: &str) -> Result<TimeOfDay, ScheduleFault> {
        let text = text.trim();
        if matches!(text, "24:00" | "24:00:00") {
            return Err(ScheduleFault::Midnight);
        }
        read_time(text).map(TimeOfDay).ok_or_else(|| ScheduleFault::Time(shown(text)))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(f, self.0)
    }
}

/// A part of the local day: `08:00-20:00`, both ends included; over midnight when it ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: TimeOfDay,
    /// `None` is midnight at the end of the day, written 24:00.
    end: Option<TimeOfDay>,
}

impl Window {
    /// Reads `08:00-20:00`; `20:00-06:00` goes over midnight, `08:00-24:00` up to it.
    pub fn parse(text: &str) -> Result<Window, ScheduleFault> {
        let (start, end) = text.split_once('-').ok_or_else(|| ScheduleFault::Window(shown(text)))?;
        let start = TimeOfDay::parse(start)?;
        let end = match TimeOfDay::parse(end) {
            Ok(end) => Some(end),
            Err(ScheduleFault::Midnight) => None,
            Err(fault) => return Err(fault),
        };
        if end == Some(start) {
            return Err(ScheduleFault::EmptyWindow(shown(text)));
        }
        Ok(Window { start, end })
    }

    /// Where it starts.
    pub fn start(self) -> TimeOfDay {
        self.start
    }

    /// Where it ends, this instant included; `None` is midnight at the end of the day.
    pub fn end(self) -> Option<TimeOfDay> {
        self.end
    }

    /// True when it ends on the day after it starts.
    pub fn goes_over_midnight(self) -> bool {
        self.end.is_none_or(|end| end < self.start)
    }

    /// Its length in seconds on a day without a clock change.
    pub fn seconds(self) -> u32 {
        let start = self.start.0.num_seconds_from_midnight();
        let end = self.end.map_or(0, |end| end.0.num_seconds_from_midnight());
        if self.goes_over_midnight() { 86_400 + end - start } else { end - start }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.start)?;
        match self.end {
            Some(end) => end.fmt(f),
            None => f.write_str("24:00"),
        }
    }
}

/// A text as an error may show it: its beginning.
pub(super) fn shown(text: &str) -> String {
    text.trim().chars().take(60).collect()
}

/// Reads a time of the day; one digit for the hour is enough, seconds may be left out.
pub(super) fn read_time(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let mut number = |least: usize| {
        let part = parts.next()?;
        let well_formed = (least..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        well_formed.then(|| part.parse::<u32>().ok())?
    };
    let (hour, minute) = (number(1)?, number(2)?);
    let second = if text.matches(':').count() == 2 { number(2)? } else { 0 };
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Writes a time of the day, with seconds only where there are some.
pub(super) fn write_time(f: &mut fmt::Formatter<'_>, time: NaiveTime) -> fmt::Result {
    write!(f, "{:02}:{:02}", time.hour(), time.minute())?;
    if time.second() > 0 {
        write!(f, ":{:02}", time.second())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_in_one_form() {
        for (text, canonical) in
            [("06:00", "06:00"), ("6:00", "06:00"), ("06:00:30", "06:00:30"), (" 23:59:00 ", "23:59")]
        {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "25:00",
            "6",
            "06:60",
            "06:00:60",
            "6:0",
            "-1:00",
            "06:00:00:00",
            "006:00",
            "６:00",
            "06:00 AM",
            "06：00",
        ] {
            assert_eq!(TimeOfDay::parse(text), Err(ScheduleFault::Time(text.to_owned())), "{text}");
        }
        assert_eq!(TimeOfDay::parse("24:00"), Err(ScheduleFault::Midnight));
    }

    #[test]
    fn windows_know_midnight() {
        let read = |text| Window::parse(text).unwrap();
        assert_eq!((read("08:00-20:00").goes_over_midnight(), read("08:00-20:00").seconds()), (false, 43_200));
        assert_eq!((read("20:00-06:00").goes_over_midnight(), read("20:00-06:00").seconds()), (true, 36_000));
        assert_eq!((read("08:00-24:00").goes_over_midnight(), read("08:00-24:00").seconds()), (true, 57_600));
        assert_eq!(read("0:00 - 24:00").seconds(), 86_400);
        assert_eq!(read("8:00 - 24:00").to_string(), "08:00-24:00");
        assert!(matches!(Window::parse("08:00-08:00"), Err(ScheduleFault::EmptyWindow(_))));
        assert!(matches!(Window::parse("08:00"), Err(ScheduleFault::Window(_))));
        assert!(matches!(Window::parse("08:00-20:00-22:00"), Err(ScheduleFault::Time(_))));
        assert!(matches!(Window::parse("24:00-08:00"), Err(ScheduleFault::Midnight)));
    }
}
