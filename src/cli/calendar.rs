//! `imipd calendar list|get|put|delete|publish`.

use std::io::Read;
use std::sync::Arc;

use anyhow::Context;
use calcard::common::IanaString;
use calcard::icalendar::{ICalendarProperty, ICalendarStatus};
use clap::Subcommand;
use serde::Serialize;

use super::{output, user_of, wake};
use crate::calendar::StoredObject;
use crate::gateway::{Change, Changed, Gateway, Saying};
use crate::itip::component::{ComponentExt, Party};
use crate::itip::limits::CALENDAR_BYTES_MAX;
use crate::itip::time::{Moment, basic_format};
use crate::itip::{Address, CalUid, CalendarObject, Refusal};

/// The most people to whom one command publishes.
const PUBLISHED_TO_MAX: usize = 1_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the objects of a user.
    List {
        /// An address of the user.
        #[arg(long, value_name = "ADDR")]
        user: String,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Print one object as iCalendar text.
    Get {
        #[arg(long, value_name = "ADDR")]
        user: String,
        uid: String,
    },
    /// Store an object as the user would; those who have to know are told by mail.
    Put {
        #[arg(long, value_name = "ADDR")]
        user: String,
        /// An iCalendar file, or - for standard input.
        file: String,
        /// A calendar client stored it, which may write to the others itself: mail waits for `smtp.grace`, and stays when the
        /// client's own is found in the Sent folder.
        #[arg(long)]
        from_client: bool,
        #[arg(long)]
        json: bool,
    },
    /// Delete an object as the user would: an organizer cancels, an attendee declines.
    Delete {
        #[arg(long, value_name = "ADDR")]
        user: String,
        uid: String,
        /// A calendar client deleted it; as for put.
        #[arg(long)]
        from_client: bool,
        #[arg(long)]
        json: bool,
    },
    /// Send an event that the user organizes to people who are not asked to come; who takes part is not told them.
    Publish {
        #[arg(long, value_name = "ADDR")]
        user: String,
        uid: String,
        /// Who gets it.
        #[arg(long, value_name = "ADDR", required = true, num_args = 1..=PUBLISHED_TO_MAX)]
        to: Vec<String>,
        #[arg(long)]
        json: bool,
    },
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        match self.command {
            Command::List { user, json } => list(&gateway, &user, json).await,
            Command::Get { user, uid } => get(&gateway, &user, uid).await,
            Command::Put { user, file, from_client, json } => {
                let object = CalendarObject::parse(&read(&file)?)
                    .map_err(|refusal| anyhow::anyhow!("{file} was not stored: {} ({refusal})", refusal.sentence()))?;
                change(&gateway, (&user, author(from_client)), Change::Put(Box::new(object)), json).await
            }
            Command::Publish { user, uid, to, json } => {
                let people = recipients(&to)?;
                let say = Change::Say(CalUid(uid), Saying::Publish(people));
                change(&gateway, (&user, Author::User), say, json).await
            }
            Command::Delete { user, uid, from_client, json } => {
                change(&gateway, (&user, author(from_client)), Change::Delete(CalUid(uid)), json).await
            }
        }
    }
}

/// The addresses on a command line; a mistyped one is told before anybody gets mail.
fn recipients(written: &[String]) -> anyhow::Result<Vec<Address>> {
    let address = |text: &String| {
        let address = Address::in_mail(text);
        anyhow::ensure!(address.is_mailable(), "{text:?} is no mail address; nothing was sent");
        Ok(address)
    };
    written.iter().map(address).collect()
}

/// Who has made a change.
#[derive(Clone, Copy, Debug)]
enum Author {
    User,
    Client,
}

fn author(from_client: bool) -> Author {
    if from_client { Author::Client } else { Author::User }
}

/// Makes a change, wakes the daemon and tells what it led to.
async fn change(
    gateway: &Arc<Gateway>,
    (user, author): (&str, Author),
    change: Change,
    json: bool,
) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let changed = match author {
        Author::User => gateway.change(&user, change).await?,
        Author::Client => gateway.change_by_client(&user, change).await?,
    };
    wake(gateway).await;
    report(&changed, json)
}

/// What a change led to, for people or scripts.
pub fn report(changed: &Changed, json: bool) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        uid: &'a str,
        mails: Vec<Mail<'a>>,
        unmailable: &'a [String],
        /// The name of the refusal when nobody is told.
        refusal: Option<String>,
    }
    #[derive(Serialize)]
    struct Mail<'a> {
        method: &'a str,
        to: &'a [String],
    }
    if json {
        let mails = changed.mails.iter().map(|(method, to)| Mail { method, to }).collect();
        let refusal = changed.refusal.as_ref().map(Refusal::to_string);
        let report = Report { uid: &changed.uid.0, mails, unmailable: &changed.unmailable, refusal };
        return output::json(&report);
    }
    for (method, to) in &changed.mails {
        output::text(&format!("{method} to {}\n", to.join(", ")))?;
    }
    for address in &changed.unmailable {
        output::text(&format!("not told: {} is no mail address\n", output::printable(address)))?;
    }
    match &changed.refusal {
        // The change itself was made: the calendar is the user's own.
        Some(refusal) => output::text(&format!("done, and nobody is told: {} ({refusal})\n", refusal.sentence())),
        None => Ok(()),
    }
}

async fn get(gateway: &Arc<Gateway>, user: &str, uid: String) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let stored = gateway.object(&user, &CalUid(uid.clone())).await?;
    let stored = stored.with_context(|| format!("{} has nothing with the UID {uid}", user.key()))?;
    output::verbatim(&stored.content)
}

async fn list(gateway: &Arc<Gateway>, user: &str, json: bool) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let objects = gateway.objects(&user).await?;
    let rows: Vec<Row> = objects.iter().filter_map(|stored| Row::of(stored, &user.addresses)).collect();
    if json {
        return output::json(&rows);
    }
    let cells = rows.iter().map(|row| {
        let status = row.status.clone().unwrap_or_default();
        vec![row.start.clone(), row.role.to_owned(), row.partstat.clone(), status, row.summary.clone(), row.uid.clone()]
    });
    output::table(&["START", "ROLE", "PARTSTAT", "STATUS", "SUMMARY", "UID"], &cells.collect::<Vec<_>>())
}

/// One object of a list; the names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct Row {
    pub uid: String,
    pub summary: String,
    pub start: String,
    pub role: &'static str,
    pub partstat: String,
    pub status: Option<String>,
    pub sequence: i64,
}

impl Row {
    /// What a list shows of an object; nothing when it cannot be read.
    pub fn of(stored: &StoredObject, addresses: &[Address]) -> Option<Self> {
        let object = CalendarObject::parse(&stored.content).ok()?;
        let component = object.principal()?;
        let is_organizer = component.organizer().is_some_and(|organizer| organizer.is_among(addresses));
        let own = component.attendee_among(addresses);
        Some(Self {
            uid: stored.uid.to_string(),
            summary: component.text(&ICalendarProperty::Summary).unwrap_or_default().to_owned(),
            start: component.moment(&ICalendarProperty::Dtstart, object.zones()).map(readable).unwrap_or_default(),
            role: if is_organizer { "organizer" } else { "attendee" },
            partstat: own.map(partstat).unwrap_or_default(),
            status: component.status().map(|status: &ICalendarStatus| status.as_str().to_owned()),
            sequence: component.sequence().0,
        })
    }
}

fn partstat(own: Party<'_>) -> String {
    own.partstat().map_or_else(|| "NEEDS-ACTION".to_owned(), |partstat| partstat.as_str().to_owned())
}

/// A start as RFC 3339 writes it; a day without time for a DATE, without offset where it floats.
fn readable(moment: Moment) -> String {
    let Some(at) = chrono::DateTime::from_timestamp(moment.as_seconds(), 0) else { return basic_format(moment) };
    match moment {
        Moment::Date(_) => at.format("%Y-%m-%d").to_string(),
        Moment::Floating(_) => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
        Moment::Instant(_) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    }
}

/// Reads a file or standard input, up to what the engine takes.
fn read(file: &str) -> anyhow::Result<String> {
    let most = CALENDAR_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    match file {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    }
    .with_context(|| format!("cannot read {file}"))?;
    String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8, as RFC 5545 §3.1.4 wants it"))
}
