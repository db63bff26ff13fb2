//! The order of messages, kept per user and UID (RFC 5546 §2.1.5).

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{LedgerError, Transaction};
use crate::itip::revision::Taken;
use crate::itip::{Address, CalUid, InstanceKey, Revision, Revisions, Sequence};

/// What a row of the table says.
const TAKEN: &str = "taken";
const CANCELLED: &str = "cancelled";
const REPLY: &str = "reply";
const RESCHEDULED: &str = "rescheduled";
const REFRESHED: &str = "refreshed";
/// A row of the other table: who owns the UID.
const ORGANIZER: &str = "organizer";

/// Where a row of the table stands among those of one user and UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RowPlace {
    kind: &'static str,
    instance: String,
    attendee: String,
}

impl Transaction {
    /// What a user has taken so far about a UID.
    pub async fn revisions(&mut self, user: &str, uid: &CalUid) -> Result<Revisions, LedgerError> {
        let rows = sqlx::query(
            "SELECT kind, instance, attendee, sequence, dtstamp FROM revision WHERE user = ?1 AND cal_uid = ?2
             UNION ALL SELECT 'organizer', '', organizer, 0, 0 FROM standing WHERE user = ?1 AND cal_uid = ?2",
        )
        .bind(user)
        .bind(&uid.0)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("read revisions"))?;
        let mut revisions = Revisions::default();
        rows.iter().try_for_each(|row| add(&mut revisions, row))?;
        Ok(revisions)
    }

    /// Writes what has changed between two states; rows are never removed but for an organizer who lost the UID.
    pub async fn set_revisions(
        &mut self,
        user: &str,
        uid: &CalUid,
        before: &Revisions,
        after: &Revisions,
    ) -> Result<(), LedgerError> {
        let known = rows(before);
        let wanted = rows(after);
        for (place, _) in known.iter().filter(|(place, _)| !wanted.contains_key(*place)) {
            self.delete_revision(user, uid, place).await?;
        }
        for (place, revision) in wanted.iter().filter(|(place, revision)| known.get(*place) != Some(*revision)) {
            self.write_revision(user, uid, place, *revision).await?;
        }
        if let Some(organizer) = after.organizer.as_ref().filter(|_| before.organizer != after.organizer) {
            self.later(
                "INSERT INTO standing (user, cal_uid, organizer) VALUES (?, ?, ?)
                 ON CONFLICT (user, cal_uid) DO UPDATE SET organizer = excluded.organizer",
            )
            .bind(user)
            .bind(&uid.0)
            .bind(organizer.as_str())
            .enter()
            .await?;
        }
        Ok(())
    }

    async fn write_revision(
        &mut self,
        user: &str,
        uid: &CalUid,
        place: &RowPlace,
        revision: Revision,
    ) -> Result<(), LedgerError> {
        self.later(
            "INSERT INTO revision (user, cal_uid, kind, instance, attendee, sequence, dtstamp)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (user, cal_uid, kind, instance, attendee) DO UPDATE
             SET sequence = excluded.sequence, dtstamp = excluded.dtstamp",
        )
        .bind(user)
        .bind(&uid.0)
        .bind(place.kind)
        .bind(&place.instance)
        .bind(&place.attendee)
        .bind(revision.sequence.0)
        .bind(revision.dtstamp)
        .enter()
        .await
    }

    async fn delete_revision(&mut self, user: &str, uid: &CalUid, place: &RowPlace) -> Result<(), LedgerError> {
        self.later("DELETE FROM revision WHERE user = ? AND cal_uid = ? AND kind = ? AND instance = ? AND attendee = ?")
            .bind(user)
            .bind(&uid.0)
            .bind(place.kind)
            .bind(&place.instance)
            .bind(&place.attendee)
            .enter()
            .await
    }
}

fn rows(revisions: &Revisions) -> BTreeMap<RowPlace, Revision> {
    let place = |kind, key: InstanceKey, attendee: Option<&Address>| RowPlace {
        kind,
        instance: key.to_string(),
        attendee: attendee.map(ToString::to_string).unwrap_or_default(),
    };
    let instances = revisions
        .instances
        .iter()
        .map(|(key, taken)| (place(if taken.cancelled { CANCELLED } else { TAKEN }, *key, None), taken.revision));
    let replies =
        revisions.replies.iter().map(|((key, attendee), revision)| (place(REPLY, *key, Some(attendee)), *revision));
    let rescheduled = revisions
        .rescheduled
        .iter()
        .map(|(key, sequence)| (place(RESCHEDULED, *key, None), Revision { sequence: *sequence, dtstamp: 0 }));
    let refreshed = revisions.refreshed.iter().map(|(attendee, dtstamp)| {
        let revision = Revision { sequence: Sequence(0), dtstamp: *dtstamp };
        (place(REFRESHED, InstanceKey::Master, Some(attendee)), revision)
    });
    instances.chain(replies).chain(rescheduled).chain(refreshed).collect()
}

fn add(revisions: &mut Revisions, row: &SqliteRow) -> Result<(), LedgerError> {
    let (kind, instance, attendee): (String, String, String) = (row.get(0), row.get(1), row.get(2));
    let revision = Revision { sequence: Sequence(row.get(3)), dtstamp: row.get(4) };
    if kind == ORGANIZER {
        revisions.organizer = Some(Address::parse(&attendee));
        return Ok(());
    }
    let key = InstanceKey::parse(&instance)
        .ok_or(LedgerError::Unreadable { what: "the instance of a revision", value: instance })?;
    match kind.as_str() {
        TAKEN | CANCELLED => {
            revisions.instances.insert(key, Taken { revision, cancelled: kind == CANCELLED });
        }
        REPLY => {
            revisions.replies.insert((key, Address::parse(&attendee)), revision);
        }
        RESCHEDULED => {
            revisions.rescheduled.insert(key, revision.sequence);
        }
        REFRESHED => {
            revisions.refreshed.insert(Address::in_mail(&attendee), revision.dtstamp);
        }
        _ => return Err(LedgerError::Unreadable { what: "the kind of a revision", value: kind }),
    }
    Ok(())
}
