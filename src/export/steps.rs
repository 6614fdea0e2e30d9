//! A column's steps, in their one order (see [`super`]). Each takes a text and gives a text or the reason why the row
//! breaks a rule. A reason never holds the value.

mod date;
mod longest;
mod replacing;
mod spelling;
mod wareki;

use super::characters::{Encoder, Mark};
use super::width;
use crate::domain::failure::{Code, Failure, RowReason};
use crate::domain::integration::Charset;
use crate::domain::menu::{Case, Column, Pad, Width};
use crate::domain::pattern::Pattern;
use date::Date;
use longest::Longest;
use replacing::Replacing;
use std::borrow::Cow;

/// The steps of one column.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    trim: bool,
    collapse_spaces: bool,
    default: Option<String>,
    replacing: Option<Replacing>,
    case: Option<Case>,
    width: Option<Width>,
    kana: Option<Width>,
    date: Option<Date>,
    pad: Option<Pad>,
    longest: Option<Longest>,
    required: bool,
    pattern: Option<Pattern>,
}

impl Steps {
    /// The steps that a column asks for; `None` if it is sent as the source has it.
    pub(super) fn of(column: &Column, charset: Charset) -> Result<Option<Self>, Failure> {
        let bare = Column { field: column.field.clone(), unique: column.unique, ..Column::plain(&column.header) };
        if *column == bare {
            return Ok(None);
        }
        let date = column.date.as_ref().map(Date::new).transpose().map_err(|pattern| {
            let message = format!("column {}: {pattern:?} is no date format. Write %Y/%m/%d, say", column.header);
            Failure::new(Code::SettingsInvalid, message)
        })?;
        let pattern = column.pattern.as_deref().map(Pattern::new).transpose().map_err(|why| {
            let message = format!("column {}: the pattern is no regular expression: {why}", column.header);
            Failure::new(Code::SettingsInvalid, message)
        })?;
        Ok(Some(Self {
            trim: column.trim,
            collapse_spaces: column.collapse_spaces,
            default: column.default.clone(),
            replacing: column.replace.as_ref().map(Replacing::new),
            case: column.case,
            width: column.width,
            kana: column.kana,
            date,
            pad: column.pad.clone(),
            longest: Longest::of(column, charset),
            required: column.required,
            pattern,
        }))
    }

    /// Whether blanks at both ends are removed.
    pub(super) fn trims(&self) -> bool {
        self.trim
    }

    /// Whether what they give has been through the integration's replacement table, as a length is that of the value as
    /// it is sent.
    pub(super) fn measure(&self) -> bool {
        self.longest.is_some()
    }

    /// Writes `value`, step by step, to the empty `out`.
    ///
    /// # Errors
    ///
    /// The first reason why the row breaks a rule; `out` then holds the value as far as it came.
    pub(super) fn apply(&self, value: &str, encoder: &Encoder, mark: &Mark, out: &mut String) -> Result<(), RowReason> {
        let mut text = Cow::Borrowed(if self.trim { value.trim() } else { value });
        if self.collapse_spaces {
            change(&mut text, spelling::collapse_spaces);
        }
        if let Some(default) = &self.default
            && text.is_empty()
        {
            text = Cow::Borrowed(default);
        }
        let mut result = Ok(());
        if let Some(replacing) = &self.replacing {
            match replacing.other(&text) {
                Ok(None) => {}
                Ok(Some(other)) => text = Cow::Borrowed(other),
                Err(reason) => result = Err(reason),
            }
        }
        match self.case {
            None => {}
            Some(Case::Upper) => change(&mut text, spelling::to_upper),
            Some(Case::Lower) => change(&mut text, spelling::to_lower),
        }
        match self.width {
            None => {}
            Some(Width::Full) => change(&mut text, width::to_full_width_ascii),
            Some(Width::Half) => change(&mut text, width::to_half_width_ascii),
        }
        match self.kana {
            None => {}
            Some(Width::Full) => change(&mut text, width::kana_to_full),
            Some(Width::Half) => change(&mut text, width::kana_to_half),
        }
        if let Some(date) = &self.date
            && !text.is_empty()
        {
            match date.rewrite(&text) {
                Ok(rewritten) => text = Cow::Owned(rewritten),
                Err(reason) => result = result.and(Err(reason)),
            }
        }
        if let Some(pad) = &self.pad {
            change(&mut text, |text| spelling::pad(text, pad));
        }
        if let Some(longest) = &self.longest {
            change(&mut text, |text| encoder.replace(text));
            match longest.fit(&text, mark) {
                Ok(kept) => out.push_str(kept),
                Err(reason) => {
                    out.push_str(&text);
                    result = result.and(Err(reason));
                }
            }
        } else {
            out.push_str(&text);
        }
        result.and_then(|()| self.demand(out))
    }

    /// The rules about the value as it came out of the other steps.
    fn demand(&self, value: &str) -> Result<(), RowReason> {
        if self.required && value.is_empty() {
            return Err(RowReason::Required);
        }
        match &self.pattern {
            Some(pattern) if !value.is_empty() && !pattern.is_match(value) => {
                Err(RowReason::NoMatch { pattern: pattern.as_str().to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn change<'t>(text: &mut Cow<'t, str>, with: impl for<'a> Fn(&'a str) -> Cow<'a, str>) {
    *text = match text {
        Cow::Borrowed(borrowed) => with(borrowed),
        Cow::Owned(owned) => match with(owned) {
            Cow::Borrowed(same) if same.len() == owned.len() => return,
            changed => Cow::Owned(changed.into_owned()),
        },
    };
}
