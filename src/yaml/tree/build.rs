//! From the parser's events to the tree. The stack is our own, so that depth costs no stack frames; aliases are
//! written out against a budget, so that a file that doubles itself thirty times is an error and not memory.

use super::syntax::explain;
use super::{Entry, MOST_DEPTH, MOST_NODES, MOST_TEXT, Node, Scalar, TreeFault, Value};
use crate::yaml::Place;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::collections::HashMap;

/// The most duplicate keys that are told.
const MOST_FAULTS: usize = 100;

/// A list or map that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: HashMap<String, Place>,
        /// The key whose value comes next, and whether it stood without quotes.
        key: Option<(String, Place, bool)>,
    },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    text: usize,
    faults: Vec<TreeFault>,
}

/// Reads a text. The tree is absent when the text is empty or cannot be read to its end; duplicate keys are found
/// all at once.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<TreeFault>) {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let done = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(explain(&error, text)),
        };
        if let Err(fault) = done {
            builder.faults.push(fault);
            return (None, builder.faults);
        }
    }
    (builder.root, builder.faults)
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), TreeFault> {
        let place = place(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let fix = "keep one document in a file; apply several files together";
                    return Err(TreeFault::new(place, "a second document starts here (---)", fix));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_string(tag.as_deref(), place)?;
                // The parser gives "~" for a value that is not written at all.
                let text = if plain && span.is_empty() { String::new() } else { text.into_owned() };
                let value = Value::Scalar(Scalar { text, plain });
                self.spend(1, value_bytes(&value), place)?;
                self.close(Node { place, value }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                is_string(tag.as_deref(), place)?;
                self.push(place, anchor, Holds::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                is_string(tag.as_deref(), place)?;
                let holds = Holds::Map { entries: Vec::new(), seen: HashMap::new(), key: None };
                self.push(place, anchor, holds)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.holds {
                        Holds::List(items) => Value::List(items),
                        Holds::Map { entries, .. } => Value::Map(self.merge(entries)?),
                    };
                    let node = Node { place: open.place, value };
                    self.close(node, open.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    let fix = "an alias can only name what is complete above it";
                    return Err(TreeFault::new(place, "the alias stands inside what it names", fix));
                };
                let (nodes, text) = node.weight();
                let depth = node.depth();
                self.spend(nodes, text, place)?;
                if self.open.len() + depth > MOST_DEPTH {
                    return Err(too_deep(place));
                }
                // Checked before the copy is made.
                let copy = self.anchors.get(&anchor).cloned();
                if let Some(copy) = copy {
                    self.close(copy, 0)?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn spend(&mut self, nodes: usize, text: usize, place: Place) -> Result<(), TreeFault> {
        self.nodes += nodes;
        self.text += text;
        if self.nodes > MOST_NODES || self.text > MOST_TEXT {
            let what = format!(
                "with its aliases written out the file has more than {MOST_NODES} values or {} MB",
                MOST_TEXT >> 20
            );
            return Err(TreeFault::new(place, what, "write out fewer aliases, or split the file"));
        }
        Ok(())
    }

    fn push(&mut self, place: Place, anchor: usize, holds: Holds) -> Result<(), TreeFault> {
        self.spend(1, 0, place)?;
        if self.open.len() + 1 >= MOST_DEPTH {
            return Err(too_deep(place));
        }
        self.open.push(Open { place, anchor, holds });
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), TreeFault> {
        if anchor > 0 {
            let (nodes, text) = node.weight();
            self.spend(nodes, text, node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.holds {
            Holds::List(items) => items.push(node),
            Holds::Map { entries, seen, key } => match key.take() {
                None => {
                    let place = node.place;
                    let Value::Scalar(scalar) = node.value else {
                        return Err(TreeFault::new(
                            place,
                            "a list or map stands where a key is expected",
                            "write key: value; a text that starts with [ or { needs quotes",
                        ));
                    };
                    *key = Some((scalar.text, place, scalar.plain));
                }
                Some((key, place, plain)) => {
                    if let Some(first) = seen.get(&key) {
                        // Who wrote that many did not write them by hand; the first ones tell enough.
                        if self.faults.len() >= MOST_FAULTS {
                            return Ok(());
                        }
                        let what = format!("the key {key:?} stands twice: first at {first}, again here");
                        self.faults.push(TreeFault::new(place, what, "keep one of them"));
                        return Ok(());
                    }
                    seen.insert(key.clone(), place);
                    let mut value = node;
                    // A value that is not written has no place of its own worth showing.
                    if value.is_null() && matches!(&value.value, Value::Scalar(scalar) if scalar.text.is_empty()) {
                        value.place = place;
                    }
                    entries.push(Entry { key, place, value, plain });
                }
            },
        }
        Ok(())
    }

    /// Writes out merge keys: `<<: *base`, or `<<: [*one, *two]`. What is written in the map itself wins, then the
    /// earlier base.
    fn merge(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, TreeFault> {
        let is_merge = |entry: &Entry| entry.key == "<<" && entry.plain;
        if !entries.iter().any(is_merge) {
            return Ok(entries);
        }
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
        for merge in merges {
            let bases = match merge.value.value {
                Value::List(items) => items,
                _ => vec![merge.value],
            };
            for base in bases {
                let Value::Map(more) = base.value else {
                    let fix = "write <<: *NAME, where &NAME marks a map above";
                    return Err(TreeFault::new(base.place, "only a map can be merged", fix));
                };
                for entry in more {
                    if !own.iter().any(|known| known.key == entry.key) {
                        own.push(entry);
                    }
                }
            }
        }
        Ok(own)
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Scalar(scalar) => scalar.text.len(),
        _ => 0,
    }
}

fn too_deep(place: Place) -> TreeFault {
    TreeFault::new(
        place,
        format!("lists and maps stand more than {MOST_DEPTH} levels deep"),
        "six are enough; check the brackets",
    )
}

/// Whether a tag says that the scalar is a text; tags beyond YAML's core are refused.
fn is_string(tag: Option<&Tag>, place: Place) -> Result<bool, TreeFault> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(true),
            "int" | "float" | "bool" | "null" | "seq" | "map" => Ok(false),
            other => Err(unknown_tag(&format!("!!{other}"), place)),
        },
        Some(tag) => Err(unknown_tag(&tag.to_string(), place)),
    }
}

fn unknown_tag(tag: &str, place: Place) -> TreeFault {
    let fix = "remove it; a text that starts with ! needs quotes";
    TreeFault::new(place, format!("the tag {tag} is not known here"), fix)
}
