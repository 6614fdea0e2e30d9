//! The order of rows, made comparable byte by byte: what `order_by` asks for becomes one string of bytes a row.
//!
//! Text is compared by code point, which UTF-8 keeps. Numbers (an optional sign, ASCII digits, an optional fraction, of
//! any length) are compared by value; texts that are no number come after all numbers, in either direction.

/// One key of the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderKey {
    column: usize,
    numeric: bool,
    descending: bool,
}

const BELOW_ZERO: u8 = 1;
const ZERO_OR_MORE: u8 = 2;
const NO_NUMBER: u8 = 3;

impl OrderKey {
    pub(super) fn new(column: usize, numeric: bool, descending: bool) -> Self {
        Self { column, numeric, descending }
    }

    /// The column's place in the CSV.
    pub(super) fn column(self) -> usize {
        self.column
    }

    /// Appends what this key says of a row. A NUL ends it, which no field holds.
    pub(super) fn write(self, value: &str, out: &mut Vec<u8>) {
        let start = out.len();
        let number = if self.numeric { Number::read(value) } else { None };
        let turned = match &number {
            Some(number) => {
                number.write(out);
                start
            }
            None => {
                let no_number = usize::from(self.numeric);
                out.extend(self.numeric.then_some(NO_NUMBER));
                out.extend_from_slice(value.as_bytes());
                out.push(0);
                start + no_number
            }
        };
        if self.descending {
            for byte in &mut out[turned..] {
                *byte = !*byte;
            }
            // Turned numbers start with 253 or 254: what is no number still comes after them.
            if self.numeric && number.is_none() {
                out[start] = u8::MAX;
            }
        }
    }
}

/// A number's digits without the zeros that do not count.
struct Number<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
}

impl<'t> Number<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        // −0 is 0.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let sign = out.len();
        out.push(ZERO_OR_MORE);
        let digits = u32::try_from(self.whole.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&digits.to_be_bytes());
        out.extend_from_slice(self.whole.as_bytes());
        out.extend_from_slice(self.fraction.as_bytes());
        out.push(0);
        if self.negative {
            for byte in &mut out[sign..] {
                *byte = !*byte;
            }
            out[sign] = BELOW_ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut texts: Vec<&str>, numeric: bool, descending: bool) -> Vec<&str> {
        let key = OrderKey::new(0, numeric, descending);
        texts.sort_by_key(|text| {
            let mut bytes = Vec::new();
            key.write(text, &mut bytes);
            bytes
        });
        texts
    }

    #[test]
    fn text_goes_by_code_point_and_a_beginning_before_the_whole() {
        assert_eq!(
            sorted(vec!["10", "2", "", "1", "あ", "𠮷", "Ａ"], false, false),
            ["", "1", "10", "2", "あ", "Ａ", "𠮷"]
        );
        assert_eq!(sorted(vec!["10", "2", "", "1"], false, true), ["2", "10", "1", ""]);
    }

    #[test]
    fn numbers_go_by_value_and_what_is_none_comes_last_in_either_direction() {
        let texts =
            vec!["x", "10", "2", "-3", "", "2.50", "2.5", "-0.5", "007", "0", "-0", "-12", "123456789012345678901"];
        assert_eq!(
            sorted(texts.clone(), true, false),
            ["-12", "-3", "-0.5", "0", "-0", "2", "2.50", "2.5", "007", "10", "123456789012345678901", "", "x"]
        );
        assert_eq!(
            sorted(texts, true, true),
            ["123456789012345678901", "10", "007", "2.50", "2.5", "2", "0", "-0", "-0.5", "-3", "-12", "x", ""]
        );
    }
}
