//! The order of messages, kept outside the iCalendar text (RFC 5546 §2.1.5).

use std::collections::BTreeMap;

use super::address::Address;
use super::instance::InstanceKey;
use super::time::Moment;

/// SEQUENCE: how often the organizer has changed what matters (RFC 5545 §3.8.7.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub i64);

impl Sequence {
    /// The next one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Orders two messages about one instance; the greater replaces the lesser.
///
/// SEQUENCE decides, DTSTAMP (Unix seconds) breaks ties; equal means the same message twice, or a corrected text
/// within the same second.
///
/// RFC 5546 §2.1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    pub sequence: Sequence,
    pub dtstamp: i64,
}

impl Revision {
    /// The DTSTAMP of a message that has none.
    pub const UNDATED: i64 = i64::MIN;

    /// Whether this was sent before `other`, whatever instances the two speak of; SEQUENCE tells where a DTSTAMP is missing.
    pub fn was_sent_before(self, other: Revision) -> bool {
        match self.dtstamp == Self::UNDATED || other.dtstamp == Self::UNDATED {
            true => self.sequence < other.sequence,
            false => self.dtstamp < other.dtstamp,
        }
    }
}

/// What one user has taken so far about one UID.
///
/// It outlives the object: after a CANCEL or a deletion it is what keeps a late REQUEST from reviving it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revisions {
    /// The organizer whose messages these are; a tombstone binds nobody else.
    pub organizer: Option<Address>,
    /// The last REQUEST, ADD or CANCEL taken, by instance; on the organizer's side, the CANCELs sent.
    pub instances: BTreeMap<InstanceKey, Taken>,
    /// The last REPLY taken, by instance and attendee.
    pub replies: BTreeMap<(InstanceKey, Address), Revision>,
    /// The SEQUENCE at which the time of an instance last changed: answers to an earlier one are out of date.
    pub rescheduled: BTreeMap<InstanceKey, Sequence>,
    /// The DTSTAMP (Unix seconds) of the last REFRESH answered, by attendee.
    pub refreshed: BTreeMap<Address, i64>,
}

/// The last message of the organizer that was taken about one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub revision: Revision,
    /// Whether it cancelled the instance.
    pub cancelled: bool,
}

impl Revisions {
    /// Whether a message of the organizer about `key` comes too late.
    ///
    /// An instance is ordered by its own messages, because each override counts its own SEQUENCE. What speaks for
    /// several instances outdates what was sent before about each of them: a full message or a CANCEL of the whole for
    /// all, a CANCEL of an instance and all that follow for the later ones. Between those DTSTAMP decides alone: the
    /// SEQUENCE of a master and that of an override cannot be compared. Only after a CANCEL of the whole anything
    /// below its SEQUENCE is late, however new (RFC 5546 §4.2.9).
    pub fn is_stale(&self, key: InstanceKey, incoming: Revision) -> bool {
        if self.instances.get(&key).is_some_and(|own| incoming < own.revision) {
            return true;
        }
        let whole = self.instances.get(&InstanceKey::Master).filter(|_| key != InstanceKey::Master);
        let outdated_by_whole = whole.is_some_and(|taken| {
            let below = taken.cancelled && incoming < taken.revision;
            below || incoming.was_sent_before(taken.revision)
        });
        // In the order of the keys those of several instances come last.
        let mut futures = self.instances.range(InstanceKey::ThisAndFuture(Moment::Date(i64::MIN))..);
        outdated_by_whole
            || futures.any(|(other, taken)| {
                let covers = other.moment() <= key.moment() && key.moment().is_some() && *other != key;
                taken.cancelled && covers && incoming.was_sent_before(taken.revision)
            })
    }

    /// Whether exactly this revision of the instance was taken before.
    pub fn has_taken(&self, key: InstanceKey, incoming: Revision) -> bool {
        self.instances.get(&key).is_some_and(|own| own.revision == incoming)
    }

    /// Whether exactly this revision has cancelled the instance before.
    pub fn has_cancelled(&self, key: InstanceKey, incoming: Revision) -> bool {
        self.instances.get(&key).is_some_and(|own| own.cancelled && own.revision == incoming)
    }

    /// Whether an override survives a message about `whole` that does not hold it: only when it was sent later, and is
    /// not below the SEQUENCE of a CANCEL of everything. The converse of [`Revisions::is_stale`].
    pub fn survives(&self, key: InstanceKey, (whole, message): (InstanceKey, Taken)) -> bool {
        self.instances.get(&key).is_some_and(|own| {
            let below = message.cancelled && whole == InstanceKey::Master && own.revision < message.revision;
            message.revision.was_sent_before(own.revision) && !below
        })
    }

    /// Records a message of the organizer as taken.
    pub fn take(&mut self, key: InstanceKey, revision: Revision, cancelled: bool) {
        let taken = self.instances.entry(key).or_insert(Taken { revision, cancelled });
        if taken.revision <= revision {
            *taken = Taken { revision, cancelled };
        }
    }

    /// Records that a full message without this override has replaced it.
    ///
    /// From now on the full message speaks for the instance, which may count its SEQUENCE from the start again.
    pub fn supersede(&mut self, key: InstanceKey) {
        self.instances.remove(&key);
    }

    /// Whether a REPLY of `attendee` about `key` is older than the last one taken.
    pub fn is_stale_reply(&self, key: InstanceKey, attendee: &Address, incoming: Revision) -> bool {
        self.replies.get(&(key, attendee.clone())).is_some_and(|last| incoming < *last)
    }

    /// Whether a REPLY answers a time that has changed since; an instance without override has the time of the master.
    pub fn answers_an_older_time(&self, key: InstanceKey, answered: Sequence) -> bool {
        self.rescheduled.get(&key).is_some_and(|since| answered < *since)
    }

    /// Records that an instance has a component of its own from now on, at the time that it has in the series: what
    /// answers an older time of the series answers an older time of the instance.
    pub fn split_off(&mut self, key: InstanceKey) {
        if let Some(&since) = self.rescheduled.get(&InstanceKey::Master) {
            let own = self.rescheduled.entry(key).or_insert(since);
            *own = since.max(*own);
        }
    }

    /// Records a REPLY as taken.
    pub fn take_reply(&mut self, key: InstanceKey, attendee: Address, revision: Revision) {
        let last = self.replies.entry((key, attendee)).or_insert(revision);
        *last = (*last).max(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(sequence: i64, dtstamp: i64) -> Revision {
        Revision { sequence: Sequence(sequence), dtstamp }
    }

    const OVERRIDE: InstanceKey = InstanceKey::This(Moment::Instant(5));

    #[test]
    fn sequence_decides_and_dtstamp_breaks_ties() {
        assert!(revision(2, 1) > revision(1, 9));
        assert!(revision(1, 9) > revision(1, 8));
        let mut taken = Revisions::default();
        taken.take(InstanceKey::Master, revision(1, 10), false);
        assert!(taken.is_stale(InstanceKey::Master, revision(0, 99)));
        assert!(taken.is_stale(InstanceKey::Master, revision(1, 9)));
        assert!(!taken.is_stale(InstanceKey::Master, revision(1, 10)));
    }

    #[test]
    fn an_override_sent_before_a_full_request_is_late_after_it() {
        let mut taken = Revisions::default();
        taken.take(InstanceKey::Master, revision(3, 20), false);
        assert!(taken.is_stale(OVERRIDE, revision(2, 10)));
        // Overrides count their own SEQUENCE: lower than the master's, but sent later.
        assert!(!taken.is_stale(OVERRIDE, revision(1, 30)));
    }

    #[test]
    fn after_a_cancel_of_the_whole_lower_sequences_are_late_however_new() {
        let mut taken = Revisions::default();
        taken.take(InstanceKey::Master, revision(5, 20), true);
        assert!(taken.is_stale(OVERRIDE, revision(4, 99)));
        assert!(!taken.is_stale(OVERRIDE, revision(6, 99)));
    }

    #[test]
    fn a_superseded_override_stays_superseded_when_its_message_comes_again() {
        let mut taken = Revisions::default();
        taken.take(OVERRIDE, revision(7, 10), false);
        taken.take(InstanceKey::Master, revision(3, 20), false);
        let full = (InstanceKey::Master, Taken { revision: revision(3, 20), cancelled: false });
        assert!(!taken.survives(OVERRIDE, full));
        taken.supersede(OVERRIDE);
        assert!(taken.is_stale(OVERRIDE, revision(7, 10)));
        assert!(!taken.is_stale(OVERRIDE, revision(1, 30)));
    }

    #[test]
    fn staleness_and_survival_agree_whichever_comes_first() {
        for (sequence, dtstamp, cancelled) in [
            (1, 10, false),
            (7, 10, false),
            (1, 30, false),
            (7, 30, false),
            (1, 30, true),
            (7, 10, true),
            (7, 30, true),
        ] {
            let (own, whole) = (revision(sequence, dtstamp), Taken { revision: revision(3, 20), cancelled });
            let (mut override_first, mut whole_first) = (Revisions::default(), Revisions::default());
            override_first.take(OVERRIDE, own, false);
            whole_first.take(InstanceKey::Master, whole.revision, cancelled);
            let stays = override_first.survives(OVERRIDE, (InstanceKey::Master, whole));
            assert_eq!(stays, !whole_first.is_stale(OVERRIDE, own), "{own:?} {cancelled}");
        }
    }

    #[test]
    fn a_message_without_dtstamp_is_ordered_by_its_sequence() {
        let mut taken = Revisions::default();
        taken.take(InstanceKey::Master, revision(3, 20), false);
        assert!(taken.is_stale(OVERRIDE, revision(2, Revision::UNDATED)));
        assert!(!taken.is_stale(OVERRIDE, revision(3, Revision::UNDATED)));
    }
}
