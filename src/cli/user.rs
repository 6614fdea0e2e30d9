//! `renkei user`: who may do what (権限), and where report mails to an actor go.

use super::session::Session;
use super::{GOOD, output, usage};
use crate::domain::user::{Lack, Permission, User, is_address};
use anyhow::{Context as _, bail};

/// What can be done with users.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a user; running needs no permission
    Add {
        /// The account's name; on the command line it is the host's user
        name: String,
        /// Where report mails to this actor go
        #[arg(long, value_name = "ADDRESS")]
        mail: Option<String>,
        /// Permissions to grant at once: db_settings, system_integration, administrator
        #[arg(long, value_name = "PERMISSION", value_delimiter = ',')]
        grant: Vec<Permission>,
    },
    /// List users
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Grant or take back permissions
    Grant {
        /// The account's name
        name: String,
        /// db_settings, system_integration, administrator
        #[arg(required = true, value_delimiter = ',')]
        permissions: Vec<Permission>,
        /// Take them back instead
        #[arg(long)]
        revoke: bool,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    let (store, now) = (&session.app.store, session.app.clock.now());
    match command {
        Command::Add { name, mail, grant } => {
            may_manage(session).await?;
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(usage("the name is empty or holds a control character"));
            }
            if let Some(address) = mail.as_ref().filter(|address| !is_address(address)) {
                return Err(usage(format!("{address:?} is no mail address: write name@example.jp")));
            }
            let user = User { name: name.clone(), address: mail, permissions: grant };
            stay_in(session, &user).await?;
            store.add_user(&user, &session.actor, now).await?;
            output::line(format!("{name} was added"));
        }
        Command::List { json } => {
            let users = store.users().await?;
            if json {
                output::json(&users)?;
                return Ok(GOOD);
            }
            let rows: Vec<_> = users
                .iter()
                .map(|user| {
                    let permissions: Vec<&str> = user.permissions.iter().map(|one| one.as_str()).collect();
                    [user.name.clone(), user.address.clone().unwrap_or_else(|| "-".to_owned()), permissions.join(", ")]
                })
                .collect();
            output::table(["USER", "MAIL", "PERMISSIONS"], &rows);
        }
        Command::Grant { name, permissions, revoke } => {
            may_manage(session).await?;
            let found = store.user(&name).await?;
            let mut user = found.with_context(|| format!("there is no user {name:?}: `renkei user add` adds one"))?;
            user.permissions.retain(|one| !permissions.contains(one));
            if !revoke {
                user.permissions.extend(permissions);
            }
            stay_in(session, &user).await?;
            store.change_user(&user, &session.actor, now).await?;
            output::line(format!("{name} was changed"));
        }
    }
    Ok(GOOD)
}

/// Who changes their own entry is told what they lose by it, and kept from what nobody listed could give back.
async fn stay_in(session: &Session, changed: &User) -> anyhow::Result<()> {
    if changed.name != session.actor {
        return Ok(());
    }
    let mut users = session.app.store.users().await?;
    users.retain(|user| user.name != changed.name);
    users.push(changed.clone());
    let Some(lack) = Lack::of(&changed.name, &users) else { return Ok(()) };
    let name = &changed.name;
    if lack.for_good {
        bail!(
            "{name} is you, and who is listed may only do what is granted: without {lack} you could not take this back, \
             and no listed user could. Grant {} as well, or list an administrator first",
            Permission::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(",")
        );
    }
    if !changed.may_configure() {
        output::aside(format!(
            "warning: {name} is you, and can no longer change settings: an administrator mends it with `renkei user grant {name} {lack}`"
        ));
    }
    Ok(())
}

/// An administrator manages users; so does a host's user who is not listed, since the database file is theirs.
async fn may_manage(session: &Session) -> anyhow::Result<()> {
    let users = session.app.store.users().await?;
    let listed = users.iter().find(|user| user.name == session.actor);
    if listed.is_some_and(|user| !user.has(Permission::Administrator)) {
        bail!("{} may not manage users: it takes administrator", session.actor);
    }
    Ok(())
}
