//! The ledger: what goes in comes out, and what is entered twice is there once.

use imipd::calendar::{CalendarStore, DatabaseCalendars, StoredObject};
use imipd::itip::revision::Taken;
use imipd::itip::time::Moment;
use imipd::itip::{Address, CalUid, InstanceKey, Revision, Revisions, Sequence};
use imipd::ledger::{CursorRecord, Debt, Kept, Ledger, Link, OutboxRecipient, RecipientState};
use secrecy::ExposeSecret;

const USER: &str = "a@example.com";

async fn ledger(folder: &tempfile::TempDir) -> Ledger {
    Ledger::open(&folder.path().join("imipd.db")).await.expect("a database")
}

fn revision(sequence: i64, dtstamp: i64) -> Revision {
    Revision { sequence: Sequence(sequence), dtstamp }
}

/// Revisions in which every kind of row occurs.
fn revisions() -> Revisions {
    let instance = InstanceKey::This(Moment::Instant(867_790_800));
    let future = InstanceKey::ThisAndFuture(Moment::Date(10_000));
    let b = Address::parse("b@example.com");
    Revisions {
        organizer: Some(Address::parse(USER)),
        instances: [
            (InstanceKey::Master, Taken { revision: revision(3, 30), cancelled: false }),
            (instance, Taken { revision: revision(1, i64::MIN), cancelled: true }),
        ]
        .into(),
        replies: [((InstanceKey::Master, b.clone()), revision(3, 40)), ((instance, b.clone()), revision(2, 41))].into(),
        rescheduled: [(future, Sequence(2))].into(),
        refreshed: [(b, 50)].into(),
    }
}

#[tokio::test]
async fn revisions_of_every_kind_are_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, uid) = (ledger(&folder).await, CalUid("uid'; DROP TABLE revision; --".to_owned()));
    let wanted = revisions();
    let mut transaction = ledger.begin().await.expect("a transaction");
    transaction.set_revisions(USER, &uid, &Revisions::default(), &wanted).await.expect("written");
    assert_eq!(transaction.revisions(USER, &uid).await.expect("read"), wanted);
    assert_eq!(transaction.revisions("b@example.com", &uid).await.expect("read"), Revisions::default());
    // An instance that was called off is restored: one row takes the place of the other.
    let mut changed = wanted.clone();
    changed.instances.values_mut().for_each(|taken| taken.cancelled = !taken.cancelled);
    changed.refreshed.clear();
    transaction.set_revisions(USER, &uid, &wanted, &changed).await.expect("written");
    transaction.commit().await.expect("committed");
    let mut transaction = ledger.begin().await.expect("a transaction");
    assert_eq!(transaction.revisions(USER, &uid).await.expect("read"), changed);
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, uid) = (ledger(&folder).await, CalUid("1".to_owned()));
    let object = StoredObject { uid: uid.clone(), content: "BEGIN:VCALENDAR".to_owned() };
    let mut transaction = ledger.begin().await.expect("a transaction");
    DatabaseCalendars
        .put(transaction.connection().await.expect("a connection"), USER, &object, 1)
        .await
        .expect("written");
    let cursor = CursorRecord { uid_validity: 1, next_uid: 9, highest_modseq: 7, since_at: 0 };
    transaction.set_cursor(USER, "INBOX", cursor).await.expect("written");
    transaction.owe(&debt("<1@example.com>", &["b@example.com"])).await.expect("entered");
    drop(transaction);
    let mut connection = ledger.reader().await.expect("a connection");
    assert_eq!(DatabaseCalendars.get(&mut connection, USER, &uid).await.expect("read"), None);
    assert_eq!(ledger.cursor(USER, "INBOX").await.expect("read"), None);
    assert_eq!(ledger.due(i64::MAX, 10).await.expect("read"), Vec::new());
}

fn debt(message_id: &str, recipients: &[&str]) -> Debt {
    Debt {
        user: USER.to_owned(),
        cal_uid: "1".to_owned(),
        message_id: message_id.to_owned(),
        sender: USER.to_owned(),
        recipients: recipients.iter().map(|&address| address.to_owned()).collect(),
        method: "REQUEST".to_owned(),
        subject: "Invitation".to_owned(),
        raw: b"raw".to_vec(),
        dtstamp: 0,
        created_at: 5,
    }
}

fn outcome(address: &str, state: RecipientState) -> OutboxRecipient {
    OutboxRecipient { address: address.to_owned(), state, detail: String::new() }
}

#[tokio::test]
async fn the_same_debt_is_entered_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(&folder).await;
    let mut transaction = ledger.begin().await.expect("a transaction");
    assert!(transaction.owe(&debt("<1@example.com>", &["b@example.com"])).await.expect("entered"));
    assert!(!transaction.owe(&debt("<1@example.com>", &["b@example.com"])).await.expect("known"));
    transaction.commit().await.expect("committed");
    assert_eq!(ledger.due(10, 10).await.expect("read").len(), 1);
    assert_eq!(ledger.recipients_in(RecipientState::Waiting).await.expect("counted"), 1);
}

#[tokio::test]
async fn an_update_never_overtakes_its_invitation() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(&folder).await;
    let mut transaction = ledger.begin().await.expect("a transaction");
    transaction.owe(&debt("<1@example.com>", &["b@example.com", "c@example.com"])).await.expect("entered");
    transaction.owe(&debt("<2@example.com>", &["b@example.com"])).await.expect("entered");
    transaction.commit().await.expect("committed");
    let due = |at| {
        let ledger = ledger.clone();
        async move {
            ledger
                .due(at, 10)
                .await
                .expect("read")
                .iter()
                .map(|due| due.entry.debt.message_id.clone())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(due(10).await, ["<1@example.com>"]);
    let mut transaction = ledger.begin().await.expect("a transaction");
    // C's server is down: the invitation waits for C alone, and B's update may go.
    transaction.settle(1, &[outcome("b@example.com", RecipientState::Sent)], 9).await.expect("settled");
    transaction.postpone(1, 1_000, "greylisted").await.expect("put off");
    transaction.commit().await.expect("committed");
    assert_eq!(due(10).await, ["<2@example.com>"]);
    assert_eq!(due(1_000).await, ["<1@example.com>", "<2@example.com>"]);
    assert_eq!(ledger.next_due_at(10).await.expect("read"), Some(1_000));
}

fn link(digest: &str, cal_uid: &str, expires_at: i64) -> Link {
    Link {
        digest: digest.to_owned(),
        purpose: "answer".to_owned(),
        user: USER.to_owned(),
        cal_uid: cal_uid.to_owned(),
        attendee: "b@example.com".to_owned(),
        instance: String::new(),
        sequence: 2,
        created_at: 1,
        expires_at,
        revoked_at: 0,
    }
}

#[tokio::test]
async fn a_revoked_link_stays_revoked_when_its_mail_is_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(&folder).await;
    let mut transaction = ledger.begin().await.expect("a transaction");
    assert!(transaction.add_link(&link("1", "u", 100)).await.expect("entered"), "it holds");
    transaction.add_link(&link("2", "v", 100)).await.expect("entered");
    assert_eq!(
        transaction.revoke_links((USER, "answer"), (Some("u"), Some("b@example.com")), 50).await.expect("revoked"),
        1
    );
    assert_eq!(transaction.revoke_links((USER, "feed"), (None, None), 50).await.expect("revoked"), 0);
    assert_eq!(
        transaction.revoke_links((USER, "answer"), (Some("v"), Some("c@example.com")), 50).await.expect("none"),
        0
    );
    assert!(!transaction.add_link(&link("1", "u", 200)).await.expect("entered"), "it stays revoked");
    transaction.commit().await.expect("committed");
    let again = ledger.link("1").await.expect("looked up").expect("a link");
    assert_eq!((again.revoked_at, again.expires_at), (50, 200));
    assert_eq!(ledger.link("2").await.expect("looked up"), Some(link("2", "v", 100)));
    assert_eq!(ledger.link("3").await.expect("looked up"), None);
    assert_eq!(ledger.forget(Kept { texts_since: 0, records_since: 150 }, 10).await.expect("forgotten"), 1);
    let left = ledger.links(USER, "answer", 10).await.expect("listed");
    assert_eq!(left.into_iter().map(|link| link.digest).collect::<Vec<_>>(), ["1"]);
}

#[tokio::test]
async fn a_key_is_made_once_however_many_ask() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(&folder).await;
    let (one, other) = tokio::join!(ledger.secret("links"), ledger.secret("links"));
    let (one, other) = (one.expect("a key"), other.expect("a key"));
    assert_eq!(one.expose_secret().len(), 32);
    assert_eq!(one.expose_secret(), other.expose_secret());
    let another = ledger.secret("hashes").await.expect("a key");
    assert_ne!(one.expose_secret(), another.expose_secret());
    ledger.close().await;
    let again = Ledger::open(&folder.path().join("imipd.db")).await.expect("a database").secret("links").await;
    assert_eq!(again.expect("a key").expose_secret(), one.expose_secret(), "it outlives the daemon");
}
