//! Secrets that cannot be had here, and places in which a secret would be stored in clear.

use crate::domain::fault::Fault;
use crate::domain::integration::IntegrationForm;
use crate::domain::secret::{SecretText, names_a_secret};
use crate::domain::timer::TimerForm;
use crate::settings::secrets::{Resolver, SecretError};
use serde_json::Value;
use url::Url;

/// What is to be said about an integration's secrets.
pub(super) fn of(form: &IntegrationForm, resolver: &Resolver) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in &form.headers {
        trouble(&["headers", name], value, resolver, &mut faults);
    }
    for (name, value) in form.confirm.iter().flat_map(|confirm| &confirm.headers) {
        trouble(&["confirm", "headers", name], value, resolver, &mut faults);
    }
    if let Some(proxy) = &form.route.proxy {
        trouble(&["route", "proxy"], proxy, resolver, &mut faults);
    }
    for (name, value) in &form.params {
        if names_a_secret(name) && matches!(value, Value::String(text) if text.parse::<i64>().is_err()) {
            let what =
                format!("the parameter {name} looks like a secret, and parameters are stored and shown in clear");
            faults.push(Fault::error(
                &["params", name],
                what,
                "send it in a header: headers are kept as references or sealed",
            ));
        }
    }
    let url = Url::parse(&form.url).ok();
    let query = url.iter().flat_map(Url::query_pairs);
    if let Some((name, _)) = query.into_iter().find(|(name, _)| names_a_secret(name)) {
        let what = format!("the URL's {name} looks like a secret, and URLs are stored and shown in clear");
        faults.push(Fault::error(&["url"], what, "send it in a header: headers are kept as references or sealed"));
    }
    faults
}

/// What is to be said about a timer's secrets.
pub(super) fn of_timer(form: &TimerForm, resolver: &Resolver) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(ping) = &form.ping {
        trouble(&["ping"], ping, resolver, &mut faults);
    }
    faults
}

/// A reference that is not visible here is only a warning: the daemon may run as somebody else. What is sealed and
/// cannot be opened will not be opened by the daemon either.
fn trouble(path: &[&str], text: &SecretText, resolver: &Resolver, faults: &mut Vec<Fault>) {
    for error in resolver.trouble(text) {
        let fault = match &error {
            SecretError::Variable(_) | SecretError::File { .. } | SecretError::FileContent { .. } => {
                Fault::warning(path, error.to_string(), "or is it there for the daemon only? then all is well")
            }
            _ => Fault::error(path, error.to_string(), ""),
        };
        faults.push(fault);
    }
}
