//! The shell that knows all the others: what comes in by IMAP goes through the engine into the ledger, what is owed
//! goes out by SMTP.
//!
//! | file | what it does |
//! |---|---|
//! | `bounce` | a mail of ours that came back |
//! | `own_copy` | what the user's own client has sent, and is not sent again |
//! | `notice` | what was not delivered, told to the user |
//! | `receive` | one mail: extract, decide, store, all in one transaction |
//! | `reading` | mails that fail: how often they are tried, and the dead letters that they become |
//! | `retry` | dead letters that are taken up again |
//! | `marking` | keywords in the mailboxes, where they are asked for |
//! | `trust` | whom to believe, and whose invitations are added |
//! | `quota` | how much is taken of one sender, for one event, for one user |
//! | `explain` | what would happen with a mail, without doing it |
//! | `believe` | what a user does with messages of unproven senders |
//! | `change` | what a user does to their own calendar |
//! | `sharing` | who has answered, told to the others when the time for it has come |
//! | `feeds` | a user's calendar to be read at a link |
//! | `in_words` | a mail that says "yes" |
//! | `by_hand` | a mail that is put into a folder of answers, or gets a keyword that is one |
//! | `answering` | what follows from a user's answer, however it was given |
//! | `asking` | notices that ask the user, and with what an invitation collides |
//! | `moving` | mails that are moved out of the folders of answers |
//! | `letter` | from the engine's message to the mail in the outbox |
//! | `visit` | what somebody sees who follows such a link |
//! | `links` | what a link in an invitation opens, and the answer that is given there |
//! | `watch` | one mailbox: its folders, what is new in them, and waiting for more |
//! | `mailboxes` | which mailboxes are watched: a task for each |
//! | `users` | who the users are: the configuration and its sources, put together |
//! | `login`, `gate` | with what a user's mailbox is opened, and when that may be tried |
//! | `courier` | the outbox, until it is empty |
//! | `delivered` | what became of a mail, noted in the calendar of who wrote it |
//! | `save_sent` | copies of what was sent, for the Sent folder |
//! | `retention` | what is old, forgotten |
//! | `office` | what an operator does to the outbox |
//! | `control` | the socket by which the command line wakes and asks the daemon |
//! | `token` | access tokens, when they are needed |
//! | `wording` | the words of the mails, with the administrator's files in place of ours |
//! | `counters` | what has happened, for the metrics |
//! | `supervisor` | start, signals, stop |

mod answering;
mod asking;
mod believe;
mod bounce;
mod by_hand;
mod change;
mod chore;
mod control;
mod counters;
mod courier;
mod delivered;
mod explain;
mod feeds;
mod gate;
mod in_words;
pub mod letter;
mod limits;
mod links;
mod login;
mod mailboxes;
mod marking;
mod moving;
mod notice;
mod office;
mod own_copy;
mod quota;
mod reading;
mod receive;
mod retention;
mod retry;
mod save_sent;
mod sharing;
mod status;
mod supervisor;
mod token;
mod trust;
mod users;
mod visit;
mod watch;
mod wording;

use std::sync::Arc;

pub use believe::Waiting;
pub use change::{Change, ChangeError, Changed, Respond, Saying, Settlement};
pub use control::{ControlError, ask, socket_path};
pub use counters::Counters;
pub use courier::run as deliver_outbox;
pub use explain::{ExplainedPart, Explanation};
pub use feeds::{FEEDS_MAX, Feed, FeedError};
pub use links::{ANSWER_PATH, AnswerLink, Answered, LinkAnswer, LinkState};
pub use login::credentials;
pub use mailboxes::{Doorbells, Mailboxes};
pub use office::OfficeError;
pub use reading::Trouble;
pub use receive::{Attempt, Place, Taken};
pub use retry::{Retried, RetryError, RetryOutcome};
pub use status::{MailboxStatus, Phase, Status, StatusBoard, rfc3339};
pub use supervisor::run;
pub use users::{Reloaded, Roster};
pub use visit::{ClosedLink, Visited};
pub use wording::load_wording;

use crate::calendar::{CalendarError, CalendarStore, DatabaseCalendars, StoredObject};
use crate::config::{Config, SecretError, Submission, SubmissionProof, User};
use crate::imip::Wording;
use crate::itip::{Author, CalUid, CalendarObject};
use crate::ledger::{Ledger, LedgerError, News, Transaction, is_unusable};
use crate::mailbox::{Choice, Folder, ImapServer, Security as ImapSecurity, Timing, answer_folders, choose_with};
use crate::outbox::smtp::{self, SmtpServer};
use crate::tls::{self, TlsError};
use secrecy::{ExposeSecret, SecretSlice};

/// Why the gateway could not do something; never the fault of a mail.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

impl GatewayError {
    /// Whether the trouble is with the database as a whole: no mail is to blame for it.
    pub fn is_about_the_database(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_about_the_database(),
            Self::Calendar(error) => is_unusable(error.cause()),
        }
    }
}

/// Why a server cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("smtp.password_file: {0}")]
    Password(#[from] SecretError),
}

/// The gateway: the configuration and what it needs to act.
#[derive(Debug)]
pub struct Gateway {
    pub config: Config,
    pub ledger: Ledger,
    calendars: DatabaseCalendars,
    /// What the tokens in links are made with.
    link_key: SecretSlice<u8>,
    /// Rung when a mail has been entered in the outbox.
    pub bell: tokio::sync::Notify,
    /// Rung when somebody did not get a mail.
    failures: tokio::sync::Notify,
    /// Rung when a copy is owed to a Sent folder.
    copies: tokio::sync::Notify,
    /// Rung when a keyword is owed to a mailbox.
    marks: tokio::sync::Notify,
    /// Rung when a mail is to be moved.
    moves: tokio::sync::Notify,
    tokens: bounce::Tokens,
    /// One for each mailbox that is watched.
    pub doorbells: Doorbells,
    pub board: StatusBoard,
    /// The words of the mails.
    wording: Wording,
    users: users::Users,
    gate: gate::LoginGate,
    pub counters: Counters,
}

impl Gateway {
    /// Opens the database.
    pub async fn open(config: Config) -> Result<Arc<Self>, LedgerError> {
        let (wording, faults) = load_wording(&config.imip);
        for fault in faults {
            tracing::warn!(%fault, "imip.templates: imipd's own words are used instead; `imipd check` lists all faults");
        }
        let ledger = Ledger::open(&config.database.path).await?;
        let link_key = ledger.secret("links").await?;
        let tokens = bounce::Tokens::new(ledger.secret("bounce").await?.expose_secret());
        let (bell, failures, copies, marks, moves, doorbells, board) = Default::default();
        let (calendars, counters) = (DatabaseCalendars, Counters::new());
        let (users, gate) = (users::Users::of(&config), gate::LoginGate::open(&config.database.path));
        Ok(Arc::new(Self {
            config,
            ledger,
            calendars,
            link_key,
            bell,
            failures,
            copies,
            marks,
            moves,
            tokens,
            doorbells,
            board,
            counters,
            wording,
            users,
            gate,
        }))
    }

    /// What mails are written with.
    fn pen(&self) -> letter::Pen<'_> {
        letter::Pen { wording: &self.wording, imip: &self.config.imip, links: None }
    }

    /// Which of a user's folders are watched.
    pub fn choose_folders(&self, folders: &[Folder]) -> Choice {
        let answers = answer_folders(folders).filter(|_| self.config.answers.folders);
        choose_with(folders, &self.config.imap.watch, answers.as_ref().map_or(&[], |answers| answers.as_slice()))
    }

    /// Wakes whoever waits for what was committed.
    fn ring_for(&self, news: News) {
        let bells = [
            (news.mails, &self.bell),
            (news.marks, &self.marks),
            (news.moves, &self.moves),
            (news.failures, &self.failures),
        ];
        bells.into_iter().filter(|(is_news, _)| *is_news).for_each(|(_, bell)| bell.notify_one());
    }

    /// Has a mailbox looked at now: there may be new mail. False when nobody watches it.
    pub fn ring(&self, user_key: &str) -> bool {
        self.doorbells.ring(user_key)
    }

    /// The objects of a user, as stored.
    pub async fn objects(&self, user: &User) -> Result<Vec<StoredObject>, GatewayError> {
        let mut connection = self.ledger.reader().await?;
        Ok(self.calendars.list(&mut connection, user.key()).await?)
    }

    /// One object of a user, as stored.
    pub async fn object(&self, user: &User, uid: &CalUid) -> Result<Option<StoredObject>, GatewayError> {
        let mut connection = self.ledger.reader().await?;
        Ok(self.calendars.get(&mut connection, user.key(), uid).await?)
    }

    /// What a user holds of a UID, within a transaction.
    async fn held(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
    ) -> Result<Option<CalendarObject>, GatewayError> {
        let stored = self.calendars.get(transaction.connection().await?, user.key(), uid).await?;
        Ok(stored.and_then(|stored| match CalendarObject::parse(&stored.content) {
            Ok(object) => Some(object),
            Err(refusal) => {
                // Only we write there, so this is a bug or a damaged disk; a newer message may put it right.
                tracing::error!(user = user.key(), uid = %uid, %refusal, "the stored object cannot be read");
                None
            }
        }))
    }

    /// The DTSTAMP of what is said next about a UID, Unix seconds: the time, but always later than the last one.
    ///
    /// A message says the order in which it was made by SEQUENCE and DTSTAMP alone (RFC 5546 §2.1.5), and DTSTAMP counts
    /// in seconds. Two answers within one second could arrive in either order; and to accept, decline and accept again would make
    /// the third mail the same as the first, which is not sent twice.
    async fn next_dtstamp(&self, transaction: &mut Transaction, user: &User, uid: &CalUid) -> Result<i64, LedgerError> {
        let last = transaction.last_dtstamp(user.key(), &uid.0).await?;
        let now = now_millis() / 1_000;
        Ok(last.map_or(now, |last| now.max(last.saturating_add(1))))
    }

    async fn store(
        &self,
        transaction: &mut Transaction,
        user: &User,
        object: &CalendarObject,
        at: i64,
    ) -> Result<(), GatewayError> {
        let stored = StoredObject { uid: object.uid().clone(), content: object.to_text() };
        Ok(self.calendars.put(transaction.connection().await?, user.key(), &stored, at).await?)
    }

    async fn delete(&self, transaction: &mut Transaction, user: &User, uid: &CalUid) -> Result<(), GatewayError> {
        Ok(self.calendars.delete(transaction.connection().await?, user.key(), uid).await?)
    }

    /// Where the IMAP server is.
    pub fn imap_server(&self) -> Result<ImapServer, TlsError> {
        let server = &self.config.imap.server;
        let security = match server.security {
            crate::config::Security::Tls => ImapSecurity::Tls,
            crate::config::Security::StartTls => ImapSecurity::StartTls,
            crate::config::Security::None => ImapSecurity::None,
        };
        let tls = tls_for(server)?;
        let imap = &self.config.imap;
        let (poll, renew, answer) = (imap.poll_interval, imap.renew_interval, imap.timeout);
        let timing = Timing { poll, renew, answer, ..Timing::default() };
        Ok(ImapServer { host: server.host.clone(), port: server.port, security, tls, timing })
    }

    /// Where the submission server is.
    pub fn smtp_server(&self) -> Result<SmtpServer, ServerError> {
        let smtp = &self.config.smtp;
        let tls = tls_for(&smtp.server)?;
        let security = match smtp.server.security {
            crate::config::Security::Tls => smtp::Security::Tls(tls),
            crate::config::Security::StartTls => smtp::Security::StartTls(tls),
            crate::config::Security::None => smtp::Security::None,
        };
        let credentials = match &smtp.login {
            Some(Submission { username, proof: SubmissionProof::Password(password) }) => {
                Some(smtp::Login::password(username, password.read()?))
            }
            Some(Submission { username, proof: SubmissionProof::Token(source) }) => {
                Some(smtp::Login::token(username, Arc::new(token::Tokens(source.clone()))))
            }
            None => None,
        };
        Ok(SmtpServer {
            host: smtp.server.host.clone(),
            port: smtp.server.port,
            socket: smtp.socket.clone(),
            security,
            credentials,
            hello_name: smtp.server.host.clone(),
            max_recipients: smtp.max_recipients as usize,
            max_connections: smtp.max_connections as usize,
            timeout: smtp.timeout,
            final_timeout: smtp::FINAL_TIMEOUT_DEFAULT,
        })
    }
}

/// The TLS configuration of a server; one without roots where TLS is not used, so that no CA file is needed.
fn tls_for(server: &crate::config::Server) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    match server.security {
        crate::config::Security::Tls | crate::config::Security::StartTls => {
            tls::client_config(server.ca_file.as_deref())
        }
        crate::config::Security::None => tls::unused(),
    }
}

impl User {
    /// The name under which everything of the user is kept: the main address.
    pub fn key(&self) -> &str {
        self.main_address().as_str()
    }

    /// The user as the engine knows them.
    pub fn author(&self, now: i64) -> Author<'_> {
        Author { addresses: &self.addresses, now, prodid: crate::PRODID }
    }
}

/// The time, Unix milliseconds.
pub fn now_millis() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
