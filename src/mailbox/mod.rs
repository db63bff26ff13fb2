//! Mailboxes over IMAP: a session whose answers are all checked, and what of a mail is fetched.
//!
//! Folders are opened with EXAMINE and texts fetched with PEEK; `append` alone adds a mail, `mark` alone sets a keyword, and `relocate`
//! alone moves a mail.
//! A [`Session`] is one connection of one user. After an error it is spent, with the one exception of a command
//! that the server refused with a tagged NO; [`Session::is_usable`] tells.
//!
//! The layers, from below: `transport` (TCP, TLS), `guard` (limits on what the server sends), async-imap (parsing only),
//! `wire` (commands, every response judged), `login`, `session`, `folder`, `fetch` and `idle`. Pure are `scan`, `ordinary`, `argument`,
//! `structure`, `abridge`, `credentials` and `cursor`.

mod abridge;
mod answers;
mod append;
mod argument;
mod credentials;
mod cursor;
mod error;
mod fetch;
mod folder;
mod guard;
mod idle;
pub mod limits;
mod login;
mod mark;
mod notify;
mod ordinary;
mod relocate;
mod roles;
mod scan;
mod session;
mod structure;
mod transport;
mod wire;

pub use answers::{AnswerFolder, Created, answer_folders, shown_answer_folders};
pub use append::Appended;
pub use argument::{ImapUid, UidValidity};
pub use credentials::{Credentials, MasterMode, TokenMechanism};
pub use cursor::{Backfill, Cursor, Plan, SinceWhy, plan};
pub use error::{LimitExceeded, LoginProblem, MailboxError, Refusal};
pub use fetch::{Fetched, FetchedMail};
pub use folder::{Folder, FolderRole, FolderState};
pub use idle::IdleEnd;
pub use login::Capabilities;
pub use mark::{MarkChange, Marked};
pub use relocate::Relocated;
pub use roles::{Choice, ChosenFolder, archive, choose, choose_with};
pub use session::{Fields, Session};
pub use structure::{MailPart, MailStructure, Outline, Shape};
pub use transport::{ImapServer, Security, Timing};
