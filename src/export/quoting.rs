//! When a field stands in quotes, and how many lines a text takes. The rules are those of RFC 4180 as Python's csv module
//! writes it by default: quotes only where a reader would go wrong without them, and doubled inside.

/// Whether no field of the line wants quotes.
pub(super) fn is_plain_line(line: &[u8], columns: usize) -> bool {
    memchr::memchr_iter(b',', line).count() == columns - 1
        && memchr::memchr3(b'"', b'\r', b'\n', line).is_none()
        && (columns > 1 || !line.is_empty())
}

fn wants_quotes(field: &[u8]) -> bool {
    field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
}

/// Appends a field, in quotes where Python's csv module would quote: comma, quote, CR, LF, and an empty field that is
/// alone in its row (without them, the line would be empty and read as no record).
pub(super) fn push_field(field: &[u8], alone: bool, out: &mut Vec<u8>) {
    let bare = !wants_quotes(field) && (!alone || !field.is_empty());
    if bare {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for &byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// The same for text that is not encoded yet.
pub(super) fn push_text(field: &str, alone: bool, out: &mut String) {
    let bare = !wants_quotes(field.as_bytes()) && (!alone || !field.is_empty());
    if bare {
        out.push_str(field);
        return;
    }
    out.push('"');
    for (nth, part) in field.split('"').enumerate() {
        if nth > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    out.push('"');
}

/// How many lines a reader may count in a text: CRLF is one line's end, a lone CR or LF is one each.
pub(super) fn text_lines(text: &[u8]) -> u32 {
    let ends = memchr::memchr2_iter(b'\r', b'\n', text)
        .filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'))
        .count();
    u32::try_from(ends).unwrap_or(u32::MAX)
}
