//! Mails of ours that came back: the recipient is marked, and the user will be told.
//!
//! | the report names | believed about |
//! |---|---|
//! | our token, in the envelope or as ENVID | that mail, whoever's it is |
//! | the Message-ID of the mail that came back | a mail of the user in whose mailbox the report lies |
//! | neither | nothing: it is left alone |
//!
//! Reports are as easily forged as any mail (RFC 3464 §4.1). A stranger cannot make a token and does not know the Message-ID. A
//! recipient of the mail, or their server, knows both, and can claim of another recipient of the same mail that it did not arrive. The harm is
//! bounded: one SCHEDULE-STATUS and one note. No answer, attendee or message changes for it, and the next delivery corrects it.

use std::collections::BTreeMap;

use ring::hmac;

use super::delivered::Delivered;
use super::notice::{GATHERING_MILLIS, NOTE};
use super::receive::{Place, ignored};
use super::{Gateway, GatewayError, now_millis};
use crate::digest::hexadecimal;
use crate::imip::{Bounce, Failure};
use crate::itip::Address;
use crate::ledger::{DecisionRecord, LedgerError, OutboxEntry, SentMail, Transaction, Untold};
use crate::outbox::status::NOT_DELIVERED;

/// Octets of the code in a token: 80 bits cannot be guessed by mail.
const CODE_OCTETS: usize = 10;

/// Makes and knows the tokens under which mails leave.
#[derive(Clone, Debug)]
pub(super) struct Tokens(hmac::Key);

impl Tokens {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token of a mail: its number in the outbox, and a code that only this database can make.
    ///
    /// Shape: letters in lower case, digits and a hyphen, so that it survives in any address.
    pub fn of(&self, id: i64, message_id: &str) -> String {
        let code = hmac::sign(&self.0, format!("bounce {id} {message_id}").as_bytes());
        let code = hexadecimal(code.as_ref().iter().take(CODE_OCTETS));
        format!("{id:x}-{code}")
    }

    /// The number in the outbox that a token claims.
    fn claimed_id(token: &str) -> Option<i64> {
        let (id, _) = token.split_once('-')?;
        i64::from_str_radix(id, 16).ok().filter(|id| *id > 0)
    }
}

impl Gateway {
    /// Takes a report about a mail of ours; nothing when it is about something else.
    pub(super) async fn take_bounce(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (bounce, blank): (&Bounce, DecisionRecord),
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let Some(mail) = self.mail_of(transaction, place, bounce).await? else { return Ok(None) };
        let recipients: Vec<Address> = mail.recipients.iter().map(|one| Address::in_mail(&one.address)).collect();
        let failures = bounce.failures(&recipients);
        let (method, cal_uid) = (mail.method.clone(), mail.cal_uid.clone());
        let blank = DecisionRecord { user: mail.user.clone(), method, cal_uid, ..blank };
        if failures.is_empty() {
            let text = "A report about a mail of ours; it says of none of its recipients that they will not get it.";
            return Ok(Some(ignored(blank, "delivery-report", text)));
        }
        let mut fresh = Vec::new();
        for failure in failures {
            if transaction.mark_bounced(mail.id, failure.recipient.as_str(), &failure.why).await? {
                fresh.push(failure);
            }
        }
        if fresh.is_empty() {
            let text = "A mail of ours that came back; that was known already.";
            return Ok(Some(ignored(blank, "bounced-before", text)));
        }
        self.mark_failures(transaction, &mail, &fresh).await?;
        let names: Vec<String> = fresh.iter().take(5).map(|one| format!("{} ({})", one.recipient, one.why)).collect();
        let text =
            format!("A mail of ours came back. {} recipients did not get it: {}.", fresh.len(), names.join("; "));
        Ok(Some(DecisionRecord { verdict: "bounced".to_owned(), reason: "not-delivered".to_owned(), text, ..blank }))
    }

    /// The envelope sender of a mail, and the token in it or beside it.
    ///
    /// A note comes back to nobody but its user, so that there is never a report about a report.
    pub(super) fn envelope(&self, entry: &OutboxEntry) -> (Address, String) {
        let token = self.tokens.of(entry.id, &entry.debt.message_id);
        let user = Address::in_mail(&entry.debt.sender);
        let sender = if entry.debt.method == NOTE { user } else { self.config.smtp.envelope_from.of(&user, &token) };
        (sender, token)
    }

    /// The mail of ours that a report is about, if it proves to know it.
    async fn mail_of(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        bounce: &Bounce,
    ) -> Result<Option<SentMail>, LedgerError> {
        let envelope_from = &self.config.smtp.envelope_from;
        let in_envelope = bounce.sent_to.iter().filter_map(|address| envelope_from.token_in(address));
        for token in in_envelope.chain(bounce.envelope_id.as_deref()) {
            let Some(id) = Tokens::claimed_id(token) else { continue };
            let claimed = transaction.sent_mail(id).await?;
            if let Some(mail) = claimed.filter(|mail| self.tokens.of(mail.id, &mail.message_id) == token) {
                return Ok(Some(mail));
            }
        }
        match &bounce.message_id {
            Some(message_id) => transaction.sent_mail_by(place.user.key(), message_id).await,
            None => Ok(None),
        }
    }

    /// Writes down who did not get a mail: in the calendar of its user, and for the note to them.
    async fn mark_failures(
        &self,
        transaction: &mut Transaction,
        mail: &SentMail,
        failures: &[Failure],
    ) -> Result<(), GatewayError> {
        if mail.method == NOTE {
            return Ok(());
        }
        let now = now_millis();
        for failure in failures {
            let untold = Untold {
                user: mail.user.clone(),
                cal_uid: mail.cal_uid.clone(),
                address: failure.recipient.to_string(),
                outbox_id: mail.id,
                method: mail.method.clone(),
                detail: failure.why.clone(),
                failed_at: now,
            };
            transaction.note_undelivered(&untold, now + GATHERING_MILLIS).await?;
        }
        let fate = Delivered { status: NOT_DELIVERED, owed_at: now };
        let statuses: BTreeMap<&str, Delivered> =
            failures.iter().map(|failure| (failure.recipient.as_str(), fate)).collect();
        self.note_delivery(transaction, (&mail.user, &mail.cal_uid), &statuses).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_mail_and_one_database() {
        let (tokens, others) = (Tokens::new(b"secret"), Tokens::new(b"another"));
        let token = tokens.of(77, "<1@choir.example>");
        assert_eq!(Tokens::claimed_id(&token), Some(77));
        assert_ne!(token, others.of(77, "<1@choir.example>"));
        assert_ne!(
            token.split_once('-').map(|(_, code)| code),
            tokens.of(78, "<1@choir.example>").split_once('-').map(|(_, code)| code)
        );
        assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') && token.len() <= 32);
        for forged in ["", "-", "x-1", "-1-ff", "0-ff", "ffffffffffffffffff-1"] {
            assert_eq!(Tokens::claimed_id(forged), None, "{forged}");
        }
    }
}
