//! The folders into which a user puts what they answer: how they are called on a server, and making them.

use super::argument::folder_name;
use super::error::{MailboxError, Refusal, code_is_transient, has_code};
use super::folder::Folder;
use super::session::Session;
use super::wire::Command;
use crate::imip::answer::Choice;

/// The folder in which the others lie.
const ABOVE: &str = "Invitations";

/// A folder for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFolder {
    pub choice: Choice,
    /// The name as the server spells it.
    pub name: String,
    /// What it is called where nothing may be made at the top, as on some servers; they tell that only by a refusal.
    pub below_inbox: String,
}

/// What became of a folder that was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there, perhaps since before.
    Done,
    /// The server does not make it, for this reason.
    Refused(String),
}

/// What these folders are called on a server, given its other folders; nothing where folders hold no folders.
///
/// Many servers keep all of a user's folders below INBOX (RFC 2342 §5). That is so where every other folder lies there, or where
/// the answers' folders do already; otherwise they are at the top.
pub fn answer_folders(folders: &[Folder]) -> Option<[AnswerFolder; 3]> {
    let is_inbox = |name: &str| name.eq_ignore_ascii_case("INBOX");
    let inbox = folders.iter().find(|folder| is_inbox(&folder.name));
    let delimiter = inbox.or(folders.first())?.delimiter.as_deref().filter(|text| !text.is_empty())?;
    let below = |name: &str| {
        name.get(..5).is_some_and(is_inbox) && name.get(5..).is_some_and(|rest| rest.starts_with(delimiter))
    };
    let mut others = folders.iter().filter(|folder| !is_inbox(&folder.name)).peekable();
    let is_below_inbox = others.peek().is_some() && others.all(|folder| below(&folder.name));
    let folder = |choice| {
        let name = format!("{ABOVE}{delimiter}{}", leaf(choice));
        let below_inbox = format!("INBOX{delimiter}{name}");
        let is_there = |wanted: &str| folders.iter().any(|folder| folder.name == wanted);
        let is_below = is_below_inbox || (is_there(&below_inbox) && !is_there(&name));
        AnswerFolder { choice, name: if is_below { below_inbox.clone() } else { name }, below_inbox }
    };
    Some(Choice::ALL.map(folder))
}

fn leaf(choice: Choice) -> &'static str {
    match choice {
        Choice::Accept => "Accept",
        Choice::Decline => "Decline",
        Choice::Tentative => "Tentative",
    }
}

/// The names of the folders as people read them, for what is written to users.
pub fn shown_answer_folders() -> [String; 3] {
    Choice::ALL.map(|choice| format!("{ABOVE}/{}", leaf(choice)))
}

impl Session {
    /// Makes a folder for answers, where the server lets it be.
    pub async fn create_for_answers(&mut self, folder: &AnswerFolder) -> Result<Created, MailboxError> {
        match self.create(&folder.name).await? {
            Created::Refused(_) if folder.name != folder.below_inbox => self.create(&folder.below_inbox).await,
            created => Ok(created),
        }
    }

    /// Makes a folder, and those above it (RFC 3501 §6.3.3), and has mail programs show it (§6.3.6).
    async fn create(&mut self, folder: &str) -> Result<Created, MailboxError> {
        let name = folder_name(folder)?;
        match self.run(&Command::open(format!("CREATE {name}")), |_| {}).await {
            Ok(()) => {}
            // RFC 5530 §3: somebody else was faster.
            Err(MailboxError::Refused { status: Refusal::No, text, .. }) if has_code(&text, &["ALREADYEXISTS"]) => {}
            Err(MailboxError::Refused { status: Refusal::No, text, .. }) if !code_is_transient(&text) => {
                return Ok(Created::Refused(text));
            }
            Err(error) => return Err(error),
        }
        match self.run(&Command::open(format!("SUBSCRIBE {name}")), |_| {}).await {
            // A server without subscriptions shows all folders.
            Ok(()) | Err(MailboxError::Refused { status: Refusal::No, .. }) => Ok(Created::Done),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(delimiter: &str, names: &[&str]) -> Vec<Folder> {
        let delimiter = (!delimiter.is_empty()).then(|| delimiter.to_owned());
        let folder =
            |name: &&str| Folder { name: (*name).to_owned(), delimiter: delimiter.clone(), attributes: Vec::new() };
        names.iter().map(folder).collect()
    }

    fn accept(delimiter: &str, names: &[&str]) -> Option<String> {
        answer_folders(&folders(delimiter, names)).map(|[accept, ..]| accept.name)
    }

    #[test]
    fn the_folders_stand_where_the_server_keeps_folders() {
        let top = Some("Invitations/Accept".to_owned());
        assert_eq!(accept("/", &["INBOX", "Sent", "INBOX/Old"]), top);
        assert_eq!(accept("/", &["INBOX"]), top, "nothing is known");
        let below = Some("INBOX.Invitations.Accept".to_owned());
        assert_eq!(accept(".", &["INBOX", "INBOX.Sent"]), below);
        assert_eq!(accept(".", &["INBOX", "INBOX.Invitations.Accept"]), below);
        let shared = ["INBOX", "Shared.All", "INBOX.Invitations.Accept"];
        assert_eq!(accept(".", &shared), below, "where it could be made");
        assert_eq!(accept(".", &["INBOX", "INBOXES"]), Some("Invitations.Accept".to_owned()));
        assert_eq!(accept("", &["INBOX"]), None, "a flat store");
        assert_eq!(accept("/", &[]), None);
    }
}
