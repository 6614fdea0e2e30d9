//! The letters that are written as they stand, in a table: the quick way for whole CSV lines. The table is asked once
//! from the encoder underneath, letter by letter, so that the two cannot differ; it takes 128 KiB and two milliseconds.

use super::{encode_whole, refusal_by_policy};
use std::sync::LazyLock;

/// For each letter below U+10000 its bytes, the first in the upper half where there are two; 0 for one that is folded,
/// refused or not known.
static TABLE: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut written = Vec::with_capacity(4);
    let entry = |code: u32| {
        let letter = char::from_u32(code).filter(|&letter| refusal_by_policy(letter).is_none())?;
        written.clear();
        encode_whole(letter.encode_utf8(&mut [0; 4]), &mut written).then_some(())?;
        match written[..] {
            [only] => Some(u16::from(only)),
            [first, second] => Some(u16::from_be_bytes([first, second])),
            _ => None,
        }
    };
    (0..0x1_0000).map(entry).map(Option::unwrap_or_default).collect()
});

/// Appends `text` if every letter of it has its place in the table; `false`, and `out` as it was, if not. ASCII is not
/// looked at: control characters are the caller's to find.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) -> bool {
    let table = &**TABLE;
    let start = out.len();
    // No letter takes more bytes here than in UTF-8.
    out.resize(start + text.len(), 0);
    match fill(table, text.as_bytes(), &mut out[start..]) {
        Some(written) => {
            out.truncate(start + written);
            true
        }
        None => {
            out.truncate(start);
            false
        }
    }
}

/// How many bytes were written; `None` at the first letter that has no place. `text` is UTF-8.
fn fill(table: &[u16], text: &[u8], out: &mut [u8]) -> Option<usize> {
    const STRIDE: usize = 8;
    let mut at = 0;
    let mut end = 0;
    while let Some(&lead) = text.get(at) {
        if lead < 0x80 {
            if let (Some(some), Some(room)) =
                (text[at..].first_chunk::<STRIDE>(), out[end..].first_chunk_mut::<STRIDE>())
                && u64::from_le_bytes(*some) & 0x8080_8080_8080_8080 == 0
            {
                *room = *some;
                at += STRIDE;
                end += STRIDE;
            } else {
                out[end] = lead;
                at += 1;
                end += 1;
            }
            continue;
        }
        let low = |byte: u8| usize::from(byte & 0x3F);
        let code = match *text.get(at..)? {
            [lead, second, third, ..] if (0xE0..0xF0).contains(&lead) => {
                at += 3;
                usize::from(lead & 0x0F) << 12 | low(second) << 6 | low(third)
            }
            [lead, second, ..] if lead < 0xE0 => {
                at += 2;
                usize::from(lead & 0x1F) << 6 | low(second)
            }
            _ => return None,
        };
        match table[code].to_be_bytes() {
            [0, 0] => return None,
            [0, only] => {
                out[end] = only;
                end += 1;
            }
            both => {
                out[end..end + 2].copy_from_slice(&both);
                end += 2;
            }
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_written_as_the_encoder_underneath_writes_it_or_not_at_all() {
        for letter in ('\u{20}'..=char::MAX).filter(|letter| !letter.is_control()) {
            // Between others, so that its end and that of a run of ASCII are looked at as well.
            let text = format!("abcdefgh{letter}漢12345678{letter}");
            let (mut quick, mut slow) = (b"x".to_vec(), b"x".to_vec());
            assert_eq!(encode(&text, &mut quick), encode_whole(&text, &mut slow), "{letter:?}");
            assert_eq!(quick, slow, "{letter:?}");
        }
        assert!(!encode("\u{80}", &mut Vec::new()));
    }
}
