//! ユーザ and 権限, as the help page has them: 「DB設定」 and 「システム連携」 together let one configure; running needs an
//! account only; the administrator manages users.

use super::names::names;
use serde::{Deserialize, Serialize};
use std::fmt;

names! {
    /// A permission (権限).
    Permission {
        /// DB設定
        DbSettings = "db_settings",
        /// システム連携
        SystemIntegration = "system_integration",
        /// 管理者
        Administrator = "administrator",
    }
}

/// A person who may sign in or be named as an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The account's name.
    pub name: String,
    /// Where report mails go; without one they go to the administrators.
    pub address: Option<String>,
    /// What the person may do.
    pub permissions: Vec<Permission>,
}

impl User {
    /// Whether the person may change integrations, menus and timers.
    #[must_use]
    pub fn may_configure(&self) -> bool {
        self.has(Permission::DbSettings) && self.has(Permission::SystemIntegration)
    }

    /// Whether the permission was granted.
    #[must_use]
    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

/// What somebody who is listed may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The permissions that are missing.
    pub missing: Vec<Permission>,
    /// Whether nobody who is listed could grant them.
    pub for_good: bool,
}

impl Lack {
    /// What `name` could not do with these users; `None` where nothing is missing, or where the name is not listed: the
    /// host's user owns the database file, and may do everything until listed.
    #[must_use]
    pub fn of(name: &str, users: &[User]) -> Option<Self> {
        let listed = users.iter().find(|user| user.name == name)?;
        let missing: Vec<Permission> = Permission::ALL.iter().copied().filter(|one| !listed.has(*one)).collect();
        let for_good = !users.iter().any(|user| user.has(Permission::Administrator));
        (!missing.is_empty()).then_some(Self { missing, for_good })
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.missing.iter().map(|one| one.as_str()).collect();
        out.pad(&names.join(","))
    }
}

/// Who caused something (実行者).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(pub String);

impl Actor {
    /// A slot of that timer; `set_by` is who last saved it.
    #[must_use]
    pub fn timer(set_by: &str) -> Self {
        Self(set_by.to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// Whether a text can be a mail address at all: one `@` with something on both sides, no blank or control character.
/// The mail library has the last word.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    plain
        && text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !name.contains('@') && !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuring_needs_both_permissions_of_the_help_page() {
        let mut user = User { name: "佐藤".into(), address: None, permissions: vec![Permission::DbSettings] };
        assert!(!user.may_configure());
        user.permissions.push(Permission::SystemIntegration);
        assert!(user.may_configure());
    }

    #[test]
    fn who_is_not_listed_lacks_nothing_and_without_an_administrator_a_lack_is_for_good() {
        let user = |name: &str, permissions: &[Permission]| User {
            name: name.into(),
            address: None,
            permissions: permissions.to_vec(),
        };
        let sato = user("佐藤", &[Permission::DbSettings]);
        assert_eq!(Lack::of("髙橋", std::slice::from_ref(&sato)), None);
        let lack = Lack::of("佐藤", std::slice::from_ref(&sato)).unwrap();
        assert_eq!((lack.to_string().as_str(), lack.for_good), ("system_integration,administrator", true));
        let admin = user("it", &[Permission::Administrator]);
        assert!(!Lack::of("佐藤", &[sato, admin]).unwrap().for_good);
        assert_eq!(Lack::of("all", &[user("all", Permission::ALL)]), None);
    }

    #[test]
    fn addresses() {
        assert!(is_address("it@example.jp"));
        for wrong in ["", "it", "@x", "a@", "a b@x", "a@b@c", "a@x\r\nBcc: b@x", "<a@x>"] {
            assert!(!is_address(wrong), "{wrong:?}");
        }
    }
}
