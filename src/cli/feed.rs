//! `imipd feed`: links by which calendar applications read a user's stored calendar.

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::{output, user_of};
use crate::gateway::{FEEDS_MAX, Gateway, rfc3339};
use crate::imip::{Purpose, Token};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a new link and print it; it is shown this once.
    Create(OfUser),
    /// List the links of a user, without the links themselves.
    List {
        #[command(flatten)]
        of: OfUser,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a link, or all links of a user.
    Revoke {
        #[command(flatten)]
        of: OfUser,
        /// The link, or the token in it; without it all links of the user.
        link: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct OfUser {
    /// An address of the user.
    #[arg(long, value_name = "ADDR")]
    user: String,
}

/// A link as it is listed; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Row {
    created_at: String,
    state: &'static str,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        match self.action {
            Action::Create(of) => create(&gateway, &of.user).await,
            Action::List { of, json } => list(&gateway, &of.user, json).await,
            Action::Revoke { of, link } => revoke(&gateway, &of.user, link.as_deref()).await,
        }
    }
}

async fn create(gateway: &Arc<Gateway>, user: &str) -> anyhow::Result<()> {
    let url = gateway.config.web.public_url.as_deref();
    let url = url.context("set web.public_url, under which others reach the web server; the link begins with it")?;
    let user = user_of(gateway, user).await?;
    let token = gateway.create_feed(&user).await?;
    println!("{url}/calendar/{}.ics", token.expose());
    Ok(())
}

async fn list(gateway: &Arc<Gateway>, user: &str, json: bool) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    // Some that were revoked are shown as well.
    let links = gateway.ledger.links(user.key(), Purpose::Feed.name(), FEEDS_MAX.saturating_mul(2)).await?;
    let rows: Vec<Row> = links
        .iter()
        .map(|link| Row {
            created_at: rfc3339(link.created_at),
            state: if link.revoked_at == 0 { "open" } else { "revoked" },
        })
        .collect();
    if json {
        return output::json(&rows);
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| vec![row.created_at, row.state.to_owned()]).collect();
    output::table(&["CREATED", "STATE"], &rows)
}

async fn revoke(gateway: &Arc<Gateway>, user: &str, link: Option<&str>) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let token = link
        .map(|link| {
            let last = link.rsplit('/').next().unwrap_or(link);
            let token = Token::parse(last.trim_end_matches(".ics"));
            token.context("that is no link of a feed; give the whole link as `imipd feed create` printed it")
        })
        .transpose()?;
    let revoked = gateway.revoke_feeds(&user, token.as_ref()).await?;
    anyhow::ensure!(revoked > 0, "there was nothing to revoke: {} has no such link", user.key());
    println!("{revoked} revoked");
    Ok(())
}
