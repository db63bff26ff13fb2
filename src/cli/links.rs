//! `imipd links`: the links by which people answer a user's invitations.

use std::sync::Arc;

use serde::Serialize;

use super::{output, user_of};
use crate::gateway::{Gateway, now_millis, rfc3339};
use crate::itip::{Address, CalUid};
use crate::ledger::Link;

/// Links that are looked at, the newest first.
const LISTED_MAX: u32 = 10_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the links of a user's invitations, newest first; the links themselves are kept nowhere.
    List {
        /// An address of the user.
        #[arg(long, value_name = "ADDR")]
        user: String,
        /// Only those of this event.
        uid: Option<String>,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Revoke the links of an event: nobody answers by them any more.
    Revoke {
        /// An address of the user.
        #[arg(long, value_name = "ADDR")]
        user: String,
        /// Only those of this attendee.
        #[arg(long, value_name = "ADDR")]
        attendee: Option<String>,
        /// The UID of the event.
        uid: String,
    },
}

/// A link as it is listed; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Row {
    uid: String,
    attendee: String,
    /// As RECURRENCE-ID is written; empty for all of it.
    instance: String,
    sequence: i64,
    created_at: String,
    expires_at: String,
    state: &'static str,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        match self.action {
            Action::List { user, uid, json } => list(&gateway, &user, uid.as_deref(), json).await,
            Action::Revoke { user, attendee, uid } => revoke(&gateway, &user, uid, attendee.as_deref()).await,
        }
    }
}

async fn list(gateway: &Arc<Gateway>, user: &str, uid: Option<&str>, json: bool) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let links = gateway.answer_links(&user, LISTED_MAX).await?;
    let wanted = links.into_iter().filter(|link| uid.is_none_or(|uid| link.cal_uid == uid));
    let rows: Vec<Row> = wanted.map(row).collect();
    if json {
        return output::json(&rows);
    }
    let cells = |row: Row| vec![row.uid, row.attendee, row.instance, row.expires_at, row.state.to_owned()];
    let rows: Vec<Vec<String>> = rows.into_iter().map(cells).collect();
    output::table(&["UID", "ATTENDEE", "INSTANCE", "EXPIRES", "STATE"], &rows)
}

fn row(link: Link) -> Row {
    let state = match link.revoked_at {
        0 if link.expires_at <= now_millis() => "expired",
        0 => "open",
        _ => "revoked",
    };
    Row {
        uid: link.cal_uid,
        attendee: link.attendee,
        instance: link.instance,
        sequence: link.sequence,
        created_at: rfc3339(link.created_at),
        expires_at: rfc3339(link.expires_at),
        state,
    }
}

async fn revoke(gateway: &Arc<Gateway>, user: &str, uid: String, attendee: Option<&str>) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let (uid, attendee) = (CalUid(uid), attendee.map(Address::in_mail));
    let revoked = gateway.revoke_answer_links(&user, &uid, attendee.as_ref()).await?;
    anyhow::ensure!(revoked > 0, "there was nothing to revoke: no such link of {} is open", user.key());
    println!("{revoked} revoked");
    Ok(())
}
