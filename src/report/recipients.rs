//! Who gets a report mail: by the integration's policy, plus its `to:`, and the administrators where nobody else can
//! be reached.

use crate::domain::integration::ReportPolicy;

/// The addresses of the mail after a run, each once; empty when no mail is due.
///
/// `good` says whether the run ended well; `actor` is the actor's address, if he has one.
#[must_use]
pub fn recipients(
    policy: ReportPolicy,
    good: bool,
    actor: Option<&str>,
    administrators: &[String],
    to: &[String],
) -> Vec<String> {
    if !policy.is_due(good) {
        return Vec::new();
    }
    let mut addresses: Vec<String> = Vec::new();
    match actor.filter(|_| policy.is_to_actor()) {
        Some(actor) => addresses.push(actor.to_owned()),
        None => addresses.extend(administrators.iter().cloned()),
    }
    addresses.extend(to.iter().cloned());
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(address.to_ascii_lowercase()));
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(policy: ReportPolicy, good: bool, actor: Option<&str>) -> Vec<String> {
        recipients(policy, good, actor, &["it@x".into()], &["cc@x".into(), "IT@x".into()])
    }

    #[test]
    fn the_policy_decides_when_and_to_whom() {
        assert!(to(ReportPolicy::None, false, Some("a@x")).is_empty());
        assert_eq!(to(ReportPolicy::Actor, true, Some("a@x")), ["a@x", "cc@x", "IT@x"]);
        assert_eq!(to(ReportPolicy::Administrator, true, Some("a@x")), ["it@x", "cc@x"]);
        assert!(to(ReportPolicy::ActorOnError, true, Some("a@x")).is_empty());
        assert_eq!(to(ReportPolicy::AdministratorOnError, false, None), ["it@x", "cc@x"]);
    }

    #[test]
    fn an_actor_without_an_address_falls_back_to_the_administrators() {
        assert_eq!(to(ReportPolicy::ActorOnError, false, None), ["it@x", "cc@x"]);
    }
}
