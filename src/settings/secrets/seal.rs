//! Which literals are secrets, and their sealing: a header whose name carries one, and the user part of a proxy.

use super::{Resolver, SecretError};
use crate::domain::integration::Integration;
use crate::domain::secret::{Part, SecretText, names_a_secret};
use crate::domain::timer::Timer;
use secrecy::{ExposeSecret, SecretString};

/// The same integration with its literal secrets sealed; nothing is sealed twice.
pub fn seal_integration(integration: Integration, resolver: &Resolver) -> Result<Integration, SecretError> {
    let form = integration.form();
    let headers = seal_headers(&form.headers, resolver)?;
    let confirm = form.confirm.as_ref().map_or(&[][..], |confirm| &confirm.headers);
    let confirm = seal_headers(confirm, resolver)?;
    let mut route = form.route.clone();
    if let Some(proxy) = &form.route.proxy {
        route.proxy = Some(seal_pieces(&proxy_pieces(proxy), resolver)?);
    }
    Ok(integration.with_headers(headers).with_confirm_headers(confirm).with_route(route))
}

fn seal_headers(
    headers: &[(String, SecretText)],
    resolver: &Resolver,
) -> Result<Vec<(String, SecretText)>, SecretError> {
    let sealed = headers.iter().map(|(name, value)| {
        let value = if names_a_secret(name) { seal_pieces(&header_pieces(value), resolver)? } else { value.clone() };
        Ok((name.clone(), value))
    });
    sealed.collect()
}

/// The same timer with a ping that is written out sealed.
pub fn seal_timer(timer: Timer, resolver: &Resolver) -> Result<Timer, SecretError> {
    let Some(ping) = &timer.form().ping else { return Ok(timer) };
    let pieces: Vec<Piece> = ping.parts().iter().map(|part| (part.clone(), true)).collect();
    let sealed = seal_pieces(&pieces, resolver)?;
    Ok(timer.with_ping(Some(sealed)))
}

/// Whether two texts mean the same: references by name, literals and sealed parts by what they hold. A sealed part
/// that cannot be opened equals only itself.
#[must_use]
pub fn expose_equal(left: &SecretText, right: &SecretText, resolver: &Resolver) -> bool {
    left == right
        || match (opened(left, resolver), opened(right, resolver)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        }
}

/// The text with its sealed parts opened and neighbouring literals joined. It never leaves this file.
fn opened(text: &SecretText, resolver: &Resolver) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for part in text.parts() {
        let part = match part {
            Part::Sealed(sealed) => Part::Literal(resolver.open(sealed).ok()?.expose_secret().to_owned()),
            other => other.clone(),
        };
        match (parts.last_mut(), part) {
            (Some(Part::Literal(before)), Part::Literal(more)) => before.push_str(&more),
            (_, part) => parts.push(part),
        }
    }
    Some(parts)
}

/// A piece of a text, and whether it has to be sealed.
type Piece = (Part, bool);

fn seal_pieces(pieces: &[Piece], resolver: &Resolver) -> Result<SecretText, SecretError> {
    let parts = pieces.iter().map(|(part, secret)| match part {
        Part::Literal(text) if *secret => resolver.seal(&SecretString::from(text.clone())),
        other => Ok(other.clone()),
    });
    Ok(SecretText::from_parts(parts.collect::<Result<_, _>>()?))
}

/// A literal in such a header is sealed; of `Bearer ${env:TOKEN}` the scheme stays readable.
pub(in crate::settings) fn header_pieces(value: &SecretText) -> Vec<Piece> {
    let parts = value.parts();
    let pieces = parts.iter().enumerate().map(|(index, part)| {
        let scheme = index == 0
            && parts.len() > 1
            && matches!(part, Part::Literal(text) if text
                .strip_suffix(' ')
                .is_some_and(|word| !word.is_empty() && word.len() <= 12 && word.bytes().all(|b| b.is_ascii_alphabetic())));
        (part.clone(), !scheme)
    });
    pieces.collect()
}

/// Of `http://user:password@host:port` the user part is secret: what stands between `//` and the last `@` before the
/// path. References in it stay references.
pub(in crate::settings) fn proxy_pieces(value: &SecretText) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let literal = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        _ => String::new(),
    };
    // Positions are counted over the literals alone: (index of the part, byte in it).
    let mut start = None;
    let mut end = None;
    for (index, part) in value.parts().iter().enumerate() {
        let text = literal(part);
        let mut from = 0;
        if start.is_none()
            && let Some(at) = text.find("//")
        {
            start = Some((index, at + 2));
            from = at + 2;
        }
        if start.is_none() {
            continue;
        }
        let authority = &text[from..];
        let stop = authority.find(['/', '?', '#']).unwrap_or(authority.len());
        if let Some(at) = authority[..stop].rfind('@') {
            end = Some((index, from + at));
        }
        if stop < authority.len() {
            break;
        }
    }
    // Without "//" everything before an @ counts, so that `user:password@host` is not stored in clear either.
    let (start, end) = match start {
        Some(start) => (start, end),
        None => ((0, 0), last_at(value)),
    };
    let Some(end) = end else {
        return value.parts().iter().map(|part| (part.clone(), false)).collect();
    };
    for (index, part) in value.parts().iter().enumerate() {
        let Part::Literal(text) = part else {
            pieces.push((part.clone(), false));
            continue;
        };
        let low = if index < start.0 {
            text.len()
        } else if index == start.0 {
            start.1
        } else {
            0
        };
        let high = if index < end.0 {
            text.len()
        } else if index == end.0 {
            end.1
        } else {
            0
        };
        let (low, high) = (low.min(text.len()), high.max(low.min(text.len())));
        for (piece, inside) in [(&text[..low], false), (&text[low..high], true), (&text[high..], false)] {
            if !piece.is_empty() {
                pieces.push((Part::Literal(piece.to_owned()), inside && piece != ":"));
            }
        }
    }
    pieces
}

fn last_at(value: &SecretText) -> Option<(usize, usize)> {
    let parts = value.parts().iter().enumerate().rev();
    let mut found = parts.filter_map(|(index, part)| match part {
        Part::Literal(text) => text.rfind('@').map(|at| (index, at)),
        _ => None,
    });
    found.next()
}
