//! From the engine's message to the mail that carries it.

pub(super) mod facts;

use std::collections::BTreeMap;

use facts::{facts, occasion, speaks_as_attendee};
pub(super) use facts::{facts_of_message, shown};

use super::now_millis;
use crate::config::{AddedInstances, Imip, User};
use crate::imip::{ComposeError, ComposedMail, Language, Letter, Links, Mailbox, Origin, Wording, compose, limits};
use crate::itip::component::{ComponentExt, Party};
use crate::itip::{Address, CalendarObject, InstanceKey, Method, Outgoing};
use crate::ledger::{Debt, Thread};

/// Who brought a mail about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasioned {
    /// Somebody pressed a button.
    ByUser,
    /// A mail that came in.
    ByMail,
    /// The time that had passed.
    ByTime,
}

/// The links of a recipient, in a language; nothing for who has none.
pub type LinksFor<'a> = &'a dyn Fn(&Address, Language) -> Option<Links>;

/// What mails are written with.
#[derive(Clone, Copy)]
pub struct Pen<'a> {
    pub wording: &'a Wording,
    pub imip: &'a Imip,
    /// The links by which a recipient answers, in their language, where mails have such. Who has some gets a mail of their own.
    pub links: Option<LinksFor<'a>>,
}

/// The user for whom mails are written.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    pub name: Option<&'a str>,
    /// In which times in UTC are told.
    pub timezone: chrono_tz::Tz,
    /// In which those are written to of whom no language is known.
    pub language: Language,
    /// Whose mail it is where the one who speaks has not sent it themself; answers go to the one who speaks.
    pub via: Option<&'a Address>,
}

impl<'a> From<&'a User> for Author<'a> {
    fn from(user: &'a User) -> Self {
        Self { name: user.name.as_deref(), timezone: user.timezone, language: user.language, via: None }
    }
}

/// A mail with those it goes to.
#[derive(Clone, Debug)]
pub struct WrittenLetter {
    pub mail: ComposedMail,
    pub recipients: Vec<Address>,
    pub method: Method,
}

/// Writes the mails for a message, ready for the outbox: one for each language that its recipients read.
pub fn debts(
    outgoing: &Outgoing,
    user: &User,
    pen: Pen<'_>,
    thread: &Thread,
    occasioned: Occasioned,
) -> Result<Vec<Debt>, ComposeError> {
    let now = now_millis();
    let letters = letters(outgoing, user.into(), pen, thread, (occasioned, now / 1_000))?;
    let debts = letters.into_iter().map(|letter| {
        for broken in &letter.mail.broken {
            tracing::warn!(user = user.key(), %broken, "imip.templates: a mail is written in imipd's own words instead");
        }
        Debt {
            user: user.key().to_owned(),
            cal_uid: outgoing.object.uid().to_string(),
            message_id: letter.mail.message_id,
            sender: outgoing.from.to_string(),
            recipients: letter.recipients.iter().map(ToString::to_string).collect(),
            method: letter.method.to_string(),
            subject: letter.mail.subject,
            raw: letter.mail.raw,
            dtstamp: outgoing.object.principal().map_or(0, |component| component.revision().dtstamp),
            created_at: now,
        }
    });
    Ok(debts.collect())
}

/// Writes the mails for a message at a time, Unix seconds.
///
/// An attendee without a mail address (`invalid:nomail`, a room by its name) does not keep the others from theirs.
pub fn letters(
    outgoing: &Outgoing,
    author: Author<'_>,
    pen: Pen<'_>,
    thread: &Thread,
    (occasioned, date): (Occasioned, i64),
) -> Result<Vec<WrittenLetter>, ComposeError> {
    let mut object = outgoing.object.clone();
    let method = travelling_method(outgoing.method, pen.imip);
    object.set_method(method);
    object.define_used_zones(date, limits::ZONES_ADDED_MAX);
    let calendar = object.to_text();
    let names = names(&object);
    let deputy = deputy(outgoing);
    let instance = single_instance(&object);
    let sequence = object.principal().map_or(0, |component| component.sequence().0);
    let mailbox = |address: &Address, name: Option<&str>| Mailbox {
        address: address.clone(),
        name: names.get(address).cloned().or_else(|| name.map(str::to_owned)),
    };
    let mut letter = Letter {
        from: match author.via {
            None => mailbox(&outgoing.from, author.name),
            Some(via) => Mailbox { address: via.clone(), name: Some(via_name(&mailbox(&outgoing.from, author.name))) },
        },
        reply_to: author.via.map(|_| mailbox(&outgoing.from, author.name)),
        sender: deputy.clone().filter(|deputy| deputy.domain() == outgoing.from.domain()),
        to: Vec::new(),
        language: author.language,
        method,
        calendar: &calendar,
        component: object.kind().as_str(),
        occasion: occasion(outgoing),
        facts: facts(outgoing, author, deputy.as_ref()),
        uid: &object.uid().0,
        instance: instance.as_deref(),
        sequence: u64::try_from(sequence).unwrap_or(0),
        in_reply_to: answered(outgoing.method, thread),
        references: thread.message_ids.clone(),
        date,
        origin: match occasioned {
            Occasioned::ByUser => Origin::Human,
            Occasioned::ByMail => Origin::Replied,
            Occasioned::ByTime => Origin::Generated,
        },
    };
    let mut written = Vec::new();
    for (language, to, links) in audiences(outgoing, &object, author, pen) {
        letter.language = language;
        letter.to = to.iter().map(|to| mailbox(to, None)).collect();
        letter.facts.links = links;
        let mail = compose(&letter, pen.wording)?;
        written.push(WrittenLetter { mail, recipients: to, method });
    }
    // Whoever asks for a mail to nobody is told so, by the composer.
    if written.is_empty() { compose(&letter, pen.wording).map(|_| written) } else { Ok(written) }
}

/// How somebody is called in a mail that another has sent for them.
fn via_name(speaker: &Mailbox) -> String {
    format!("{} via imipd", speaker.name.as_deref().unwrap_or(speaker.address.as_str()))
}

/// The recipients who can share one mail: those who read the same language and are reached alike, or just one with their own links.
fn audiences(
    outgoing: &Outgoing,
    object: &CalendarObject,
    author: Author<'_>,
    pen: Pen<'_>,
) -> Vec<(Language, Vec<Address>, Option<Links>)> {
    let languages = languages(object);
    let mut alone = Vec::new();
    let mut shared: BTreeMap<(Language, Reach), Vec<Address>> = BTreeMap::new();
    for address in outgoing.to.iter().filter(|address| address.is_mailable()) {
        let language = languages.get(address).copied().unwrap_or(author.language);
        match pen.links.and_then(|links| links(address, language)) {
            Some(links) => alone.push((language, vec![address.clone()], Some(links))),
            None => shared.entry((language, Reach::of(address))).or_default().push(address.clone()),
        }
    }
    shared.into_iter().map(|((language, _), to)| (language, to, None)).chain(alone).collect()
}

/// Which servers can pass on a mail to somebody.
///
/// A mail that names an address outside of ASCII is one that many servers do not take at all (RFC 6531 §3.2); those whom every
/// server can write to do not lose their mail for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Everywhere,
    International,
}

impl Reach {
    fn of(address: &Address) -> Self {
        if address.as_str().is_ascii() { Reach::Everywhere } else { Reach::International }
    }
}

/// The languages that an object gives to addresses, as far as there are words in them (RFC 5545 §3.2.10).
pub(super) fn languages(object: &CalendarObject) -> BTreeMap<Address, Language> {
    parties(object).filter_map(|party| Some((party.address(), Language::of_tag(party.language()?)?))).collect()
}

/// What an answer refers to is the message as it came; the organizer's mails go on from the last one.
fn answered(method: Method, thread: &Thread) -> Option<String> {
    let newest = thread.message_ids.last();
    if speaks_as_attendee(method) { thread.last_received.as_ref().or(newest).cloned() } else { newest.cloned() }
}

fn single_instance(object: &CalendarObject) -> Option<String> {
    let keys: Vec<InstanceKey> = object.keys().collect();
    match keys.as_slice() {
        [single] if *single != InstanceKey::Master => Some(single.to_string()),
        _ => None,
    }
}

/// Whoever acts for the one who speaks (RFC 5546 §2.1.3, RFC 5545 §3.2.18).
fn deputy(outgoing: &Outgoing) -> Option<Address> {
    let component = outgoing.object.principal()?;
    let speaker = if speaks_as_attendee(outgoing.method) {
        component.attendees().find(|party| party.is(&outgoing.from))
    } else {
        component.organizer()
    };
    speaker?.sent_by().filter(|deputy| deputy.is_mailable() && *deputy != outgoing.from)
}

/// Hardly any client understands ADD; a REQUEST that holds just those instances is understood everywhere.
pub(super) fn travelling_method(method: Method, imip: &Imip) -> Method {
    match (method, imip.added_instances) {
        (Method::Add, AddedInstances::Request) => Method::Request,
        _ => method,
    }
}

/// The names that an object gives to addresses.
fn names(object: &CalendarObject) -> BTreeMap<Address, String> {
    parties(object).filter_map(|party| Some((party.address(), party.name()?.to_owned()))).collect()
}

fn parties(object: &CalendarObject) -> impl Iterator<Item = Party<'_>> {
    object.components().flat_map(|(_, component)| component.organizer().into_iter().chain(component.attendees()))
}
