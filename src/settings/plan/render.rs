//! A plan as lines for people.

use super::{EntityChange, EntityKind, Plan};
use std::fmt::Write;

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

pub(super) fn render(plan: &Plan, color: bool) -> String {
    let paint = |text: &str, code: &str| if color { format!("{code}{text}{PLAIN}") } else { text.to_owned() };
    let mut out = String::new();
    if plan.is_empty() {
        out.push_str("Nothing changes.\n");
    }
    for (sign, code, changes) in [("+", GREEN, &plan.added), ("~", YELLOW, &plan.changed), ("-", RED, &plan.removed)] {
        for change in changes {
            line(&mut out, &paint(&format!("{sign} {}", title(change)), code));
            for field in &change.fields {
                let value = match (&field.old, &field.new) {
                    (Some(old), Some(new)) => format!("{} → {}", paint(old, RED), paint(new, GREEN)),
                    (None, Some(new)) => paint(new, GREEN),
                    (Some(old), None) => format!("{} → (nothing)", paint(old, RED)),
                    (None, None) => continue,
                };
                line(&mut out, &format!("    {}: {value}", field.path));
            }
        }
    }
    line(&mut out, &format!("{}.", plan.summary()));
    if plan.untouched > 0 {
        let line_end = "stored and not in the files: they stay (--prune removes them).";
        line(&mut out, &format!("{} more {line_end}", plan.untouched));
    }
    out
}

fn title(change: &EntityChange) -> String {
    let name: String = change.name.chars().filter(|c| !c.is_control()).collect();
    if change.kind == EntityKind::Calendar {
        name
    } else if change.name == change.id {
        format!("{} {name}", change.kind)
    } else {
        format!("{} {name} (id {})", change.kind, change.id)
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}
