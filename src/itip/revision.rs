//! The order of messages, kept outside the iCalendar text (RFC 5546 §2.1.5).

use std::collections::BTreeMap;

use super::address::Address;
use super::instance::InstanceKey;

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

/// What one user has taken so far about one UID.
///
/// It outlives the object: after a CANCEL or a deletion it is what keeps a late REQUEST from reviving it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revisions {
    /// The organizer whose messages these are; a tombstone binds nobody else.
    pub organizer: Option<Address>,
    /// The last REQUEST, ADD or CANCEL taken, by instance.
    pub instances: BTreeMap<InstanceKey, Taken>,
    /// The last REPLY taken, by instance and attendee.
    pub replies: BTreeMap<(InstanceKey, Address), Revision>,
    /// The SEQUENCE at which the time of an instance last changed: answers to an earlier one are out of date.
    pub rescheduled: BTreeMap<InstanceKey, Sequence>,
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
    /// An instance is ordered by its own messages, because each override counts its own SEQUENCE. A full message (one
    /// about the master) speaks for every instance, though, so what was sent before it is late as well; there the
    /// DTSTAMP has to agree with the SEQUENCE, which differs between master and overrides. After a CANCEL of the
    /// whole, anything below the CANCEL's SEQUENCE is late (RFC 5546 §4.2.9).
    pub fn is_stale(&self, key: InstanceKey, incoming: Revision) -> bool {
        if self.instances.get(&key).is_some_and(|own| incoming < own.revision) {
            return true;
        }
        let Some(master) = self.instances.get(&InstanceKey::Master).filter(|_| key != InstanceKey::Master) else {
            return false;
        };
        let older = incoming.dtstamp < master.revision.dtstamp;
        match master.cancelled {
            true => incoming < master.revision,
            false => older && incoming.sequence <= master.revision.sequence,
        }
    }

    /// Whether exactly this revision of the instance was taken before.
    pub fn has_taken(&self, key: InstanceKey, incoming: Revision) -> bool {
        self.instances.get(&key).is_some_and(|own| own.revision == incoming)
    }

    /// Whether exactly this revision has cancelled the instance before.
    pub fn has_cancelled(&self, key: InstanceKey, incoming: Revision) -> bool {
        self.has_taken(key, incoming) && self.instances.get(&key).is_some_and(|own| own.cancelled)
    }

    /// Whether an override survives a full message of the organizer that does not hold it: only when it is newer.
    pub fn survives(&self, key: InstanceKey, full: Revision) -> bool {
        self.instances.get(&key).is_some_and(|own| own.revision.dtstamp > full.dtstamp)
    }

    /// Records a message of the organizer as taken.
    pub fn take(&mut self, key: InstanceKey, revision: Revision, cancelled: bool) {
        let taken = self.instances.entry(key).or_insert(Taken { revision, cancelled });
        if taken.revision <= revision {
            *taken = Taken { revision, cancelled };
        }
    }

    /// Records that a full message without this override has replaced it: the override's own message is late from now on.
    pub fn supersede(&mut self, key: InstanceKey, full: Revision) {
        if let Some(taken) = self.instances.get_mut(&key) {
            taken.revision.dtstamp = taken.revision.dtstamp.max(full.dtstamp);
        }
    }

    /// Whether a REPLY of `attendee` about `key` is older than the last one taken.
    pub fn is_stale_reply(&self, key: InstanceKey, attendee: &Address, incoming: Revision) -> bool {
        self.replies.get(&(key, attendee.clone())).is_some_and(|last| incoming < *last)
    }

    /// Whether a REPLY answers a time that has changed since.
    pub fn answers_an_older_time(&self, key: InstanceKey, answered: Sequence) -> bool {
        self.rescheduled.get(&key).is_some_and(|since| answered < *since)
    }

    /// Records a REPLY as taken.
    pub fn take_reply(&mut self, key: InstanceKey, attendee: Address, revision: Revision) {
        let last = self.replies.entry((key, attendee)).or_insert(revision);
        *last = (*last).max(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::Moment;
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
        assert!(!taken.survives(OVERRIDE, revision(3, 20)));
        taken.supersede(OVERRIDE, revision(3, 20));
        assert!(taken.is_stale(OVERRIDE, revision(7, 10)));
    }
}
