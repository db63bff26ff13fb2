//! Whom the user has written to, and which mails matter that have no calendar.
//!
//! | folder | asked for beside the structure | what for |
//! |---|---|---|
//! | of sent mail | From, To, Cc, In-Reply-To | whom the user has written to is no stranger (`policy.auto_add`); answers in words |
//! | of answers | From, In-Reply-To | nothing: all that the user puts there matters |
//! | any other, once something was sent for the user | From, Subject, In-Reply-To | reports of mail systems in plain words, answers to mails of ours and by their links |

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Utc};

use super::{WatchError, Watcher};
use crate::gateway::{GatewayError, now_millis};
use crate::imip::Heading;
use crate::itip::Address;
use crate::ledger::RECIPIENTS_MAX;
use crate::mailbox::{Fields, FolderRole, ImapUid, MailStructure, MailboxError, Session, limits};

/// How far back sent mails tell whom a user knows.
const ACQUAINTED_DAYS: u64 = 365;

/// How often it is tried to read them.
const ACQUAINTING_MAX: u32 = 3;

impl Watcher {
    /// Which fields are asked for in a folder.
    pub(super) fn fields_of(&self, at: usize) -> Fields {
        match self.folders.get(at).map(|folder| folder.chosen.role) {
            Some(FolderRole::Sent) => Fields::People,
            Some(FolderRole::Inbox | FolderRole::Answers(_) | FolderRole::Other) => Fields::Sender,
            None => Fields::None,
        }
    }

    /// Which fields are asked for in a folder now: to a user who has sent nothing, nobody answers and nothing comes back.
    pub(super) async fn fields_now(&self, at: usize) -> Result<Fields, GatewayError> {
        Ok(match self.fields_of(at) {
            Fields::Sender if !self.common.gateway.ledger.has_sent(self.user.key()).await? => Fields::None,
            fields => fields,
        })
    }

    /// Those of some mails that have to be fetched; what the others tell is taken in.
    pub(super) async fn of_interest(
        &self,
        at: usize,
        mails: Vec<MailStructure>,
    ) -> Result<Vec<MailStructure>, GatewayError> {
        let asked = self.fields_of(at);
        let read: Vec<(MailStructure, Heading)> = mails.into_iter().map(with_heading).collect();
        if asked == Fields::People {
            self.add_correspondents(&read).await?;
        }
        let answered: BTreeSet<String> =
            read.iter().flat_map(|(_, heading)| heading.in_reply_to.iter().cloned()).collect();
        let (user, ledger) = (self.user.key(), &self.common.gateway.ledger);
        let ours = match asked {
            // The user answers somebody.
            Fields::People => {
                let mut asked = ledger.invitations_among(user, &answered).await?;
                asked.extend(ledger.questions_among(user, &answered).await?);
                asked
            }
            // Somebody answers the user.
            Fields::Sender => ledger.sent_among(user, &answered).await?,
            Fields::None => BTreeSet::new(),
        };
        let role = self.folders.get(at).map(|folder| folder.chosen.role);
        // Whatever the user puts there is meant as an answer.
        let is_answer = matches!(role, Some(FolderRole::Answers(_)));
        let matters = |mail: &MailStructure, heading: &Heading| {
            is_answer
                || mail.is_of_interest()
                || heading.in_reply_to.iter().any(|id| ours.contains(id))
                || (asked == Fields::Sender && (heading.is_from_mail_system || heading.is_tagged))
        };
        let wanted = read.into_iter().filter(|(mail, heading)| matters(mail, heading));
        Ok(wanted.map(|(mail, _)| mail).collect())
    }

    /// Remembers the people to whom the user has written these mails.
    async fn add_correspondents(&self, mails: &[(MailStructure, Heading)]) -> Result<(), GatewayError> {
        let mut people: BTreeMap<Address, i64> = BTreeMap::new();
        for (mail, heading) in mails {
            // What others have written lies there only by mistake.
            let is_own = heading.from.len() == 1 && heading.from.iter().all(|from| self.user.addresses.contains(from));
            let now = now_millis();
            let at = mail.internal_date.map_or(now, |date| date.timestamp_millis().min(now));
            for address in heading.to.iter().filter(|_| is_own).take(RECIPIENTS_MAX) {
                let latest = people.entry(address.clone()).or_insert(at);
                *latest = at.max(*latest);
            }
        }
        if people.is_empty() {
            return Ok(());
        }
        let mut transaction = self.common.gateway.ledger.begin().await?;
        transaction.add_correspondents(self.user.key(), &people).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Learns from the sent mails of the last year whom the user knows, when a folder of sent mail is seen for the first time.
    ///
    /// Further back than calendars are read, for nothing changes by it but who is a stranger. It comes before the folder has a
    /// cursor, so it is done again when it was cut short; what always fails is left alone.
    pub(super) async fn get_acquainted(&mut self, session: &mut Session, at: usize) -> Result<(), WatchError> {
        let is_sent = self.fields_of(at) == Fields::People;
        let Some(folder) = self.folders.get_mut(at).filter(|folder| is_sent && folder.acquainting < ACQUAINTING_MAX)
        else {
            return Ok(());
        };
        folder.acquainting += 1;
        let name = folder.chosen.name.clone();
        if session.open_folder() != Some(name.as_str()) {
            session.examine(&name).await?;
        }
        let uids = sent_lately(session).await?;
        for some in uids.chunks(limits::STRUCTURES_WANTED as usize) {
            let mails = session.people_of(some).await?;
            self.add_correspondents(&mails.into_iter().map(with_heading).collect::<Vec<_>>()).await?;
            if self.is_stopped() {
                return Ok(());
            }
        }
        if let Some(folder) = self.folders.get_mut(at) {
            folder.acquainting = ACQUAINTING_MAX;
        }
        tracing::debug!(user = self.user.key(), mails = uids.len(), "learnt from sent mails whom the user knows");
        Ok(())
    }
}

/// A mail with what its fields tell; they are not needed any more.
fn with_heading(mut mail: MailStructure) -> (MailStructure, Heading) {
    let fields = std::mem::take(&mut mail.fields);
    let heading = if fields.is_empty() { Heading::default() } else { Heading::read(&fields) };
    (mail, heading)
}

/// The sent mails that are looked at, ascending: of the last year, and of those the newest.
async fn sent_lately(session: &mut Session) -> Result<Vec<ImapUid>, MailboxError> {
    let today = Utc::now().date_naive();
    let day = today.checked_sub_days(Days::new(ACQUAINTED_DAYS)).unwrap_or(today);
    let mut uids = session.search_since(day).await?;
    let surplus = uids.len().saturating_sub(limits::SENT_MAILS_MAX);
    Ok(uids.split_off(surplus))
}
