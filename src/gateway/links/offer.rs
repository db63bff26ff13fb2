//! The links that an invitation offers: who gets some, and how long they answer.
//!
//! | recipient | links |
//! |---|---|
//! | an attendee of what the user organizes, in a REQUEST about all of it or one date | their own, in a mail of their own |
//! | a user of this gateway | none: an answer at a link would not reach their own calendar, and they have other ways |
//! | anybody, when there are very many | none: nobody is to get a thousand mails into the outbox by one |
//! | whose links have been revoked | none until the time changes |
//!
//! A token is derived from what it is bound to, so a mail that is written again is the same mail.

use std::collections::BTreeMap;

use calcard::icalendar::ICalendarProperty;
use secrecy::ExposeSecret;

use super::super::in_words::instance_in;
use super::super::letter::{Occasioned, debts, travelling_method};
use super::super::limits::LINKED_RECIPIENTS_MAX;
use super::super::{Gateway, GatewayError, letter, now_millis};
use super::ANSWER_PATH;
use crate::config::{Rsvp, User};
use crate::imip::{ComposeError, Language, Links, MailLink, Purpose, Token};
use crate::itip::change;
use crate::itip::component::ComponentExt;
use crate::itip::recurrence::RecurrenceSet;
use crate::itip::time::Moment;
use crate::itip::{Address, CalendarObject, InstanceKey, Kind, Method, Outgoing};
use crate::ledger::{Debt, Link, Transaction};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// How long after the end a link still answers, milliseconds: somebody may be late to say that they were
/// there.
const AFTERWARDS: i64 = 14 * DAY_MILLIS;

/// How long a link lives where the series has no end, milliseconds.
const WITHOUT_END: i64 = 400 * DAY_MILLIS;

impl Gateway {
    /// Writes the mails for a message, ready for the outbox, and enters the links that stand in them.
    pub(in crate::gateway) async fn write(
        &self,
        transaction: &mut Transaction,
        user: &User,
        outgoing: &Outgoing,
        occasioned: Occasioned,
    ) -> Result<Result<Vec<Debt>, ComposeError>, GatewayError> {
        let thread = transaction.thread(user.key(), &outgoing.object.uid().0).await?;
        let mut tokens: BTreeMap<Address, Token> = BTreeMap::new();
        for link in self.links_of(user, outgoing) {
            let token = self.token_of(&link);
            if transaction.add_link(&Link { digest: token.digest(), ..link.clone() }).await? {
                tokens.insert(Address::in_mail(&link.attendee), token);
            }
        }
        let title = outgoing
            .object
            .principal()
            .and_then(|component| component.text(&ICalendarProperty::Summary))
            .map(str::to_owned);
        let links = |to: &Address, language: Language| {
            let token = tokens.get(to)?;
            self.links_with(token, MailLink { to: &outgoing.from, token, title: title.as_deref() }, language)
        };
        let pen = letter::Pen { links: Some(&links), ..self.pen() };
        Ok(debts(outgoing, user, pen, &thread, occasioned))
    }

    /// The links of all who get some, not yet entered and without their digests.
    fn links_of(&self, user: &User, outgoing: &Outgoing) -> Vec<Link> {
        let object = &outgoing.object;
        let is_asked = travelling_method(outgoing.method, &self.config.imip) == Method::Request
            && matches!(object.kind(), Kind::Event | Kind::Todo)
            && user.addresses.contains(&outgoing.from);
        let is_organized = object.organizer().ok().flatten().as_ref() == Some(&outgoing.from);
        let (Ok(instance), Some(component)) = (instance_in(object), object.principal()) else { return Vec::new() };
        let is_single = !matches!(instance, Some(InstanceKey::ThisAndFuture(_)));
        if self.config.rsvp == Rsvp::Off || !is_asked || !is_organized || !is_single {
            return Vec::new();
        }
        let is_invited = |to: &Address| component.attendees().any(|party| party.is(to));
        let gets_some = |to: &&Address| to.is_mailable() && is_invited(to) && self.user(to).is_none();
        let attendees: Vec<&Address> = outgoing.to.iter().filter(gets_some).collect();
        if attendees.len() > LINKED_RECIPIENTS_MAX {
            return Vec::new();
        }
        let now = now_millis();
        let link = |attendee: &Address| Link {
            digest: String::new(),
            purpose: Purpose::Answer.name().to_owned(),
            user: user.key().to_owned(),
            cal_uid: object.uid().to_string(),
            attendee: attendee.to_string(),
            instance: instance.map(|key| key.to_string()).unwrap_or_default(),
            sequence: component.sequence().0,
            created_at: now,
            expires_at: expiry(object, instance, now),
            revoked_at: 0,
        };
        attendees.into_iter().map(link).collect()
    }

    fn links_with(&self, token: &Token, mail: MailLink<'_>, language: Language) -> Option<Links> {
        match &self.config.rsvp {
            Rsvp::Links { public_url } => {
                let url = |answer: &str| format!("{public_url}{ANSWER_PATH}{}?answer={answer}", token.expose());
                Some(Links { yes: url("yes"), no: url("no"), maybe: url("maybe") })
            }
            Rsvp::Mailto => Some(mail.links(&self.wording, language)),
            Rsvp::Off => None,
        }
    }

    /// The token of a link, bound to all that it stands for.
    pub(super) fn token_of(&self, link: &Link) -> Token {
        let sequence = link.sequence.to_string();
        let fields = [&link.user, &link.cal_uid, &link.attendee, &link.instance, &sequence].map(String::as_str);
        Token::mint(self.link_key.expose_secret(), Purpose::Answer, &fields)
    }
}

/// Until when a link answers, Unix milliseconds.
fn expiry(object: &CalendarObject, instance: Option<InstanceKey>, now: i64) -> i64 {
    let zones = object.zones();
    let last = match object.master().filter(|_| instance.is_none()) {
        Some(master) => RecurrenceSet::of(master, zones).and_then(|set| set.last()),
        None => instance.and_then(InstanceKey::moment),
    };
    let Some(last) = last else { return now.saturating_add(WITHOUT_END) };
    // An override may lie behind the last date of the rule, and anything may take long.
    let ends = object.components().filter_map(|(_, component)| change::end(component, zones));
    let latest = ends.chain([last]).map(Moment::as_seconds).max().and_then(|seconds| seconds.checked_mul(1_000));
    latest.unwrap_or(now).max(now).saturating_add(AFTERWARDS)
}
