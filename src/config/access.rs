//! With what imipd logs in for a user: passwords, the master user, access tokens.

use super::Files;
use super::fault::{Wrong, quote};
use super::limits::WORDS_MAX;
use super::reader::Section;
use super::secret::{Places, SECRET, Secret};
use super::sections::secret;
use super::value;

/// With what imipd logs in for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The user's own password.
    Password(Secret),
    /// The master user's, who may open every mailbox.
    Master(Master),
    /// An access token of the user's.
    Token { mechanism: TokenMechanism, source: TokenSource },
}

/// A user of the IMAP server who may open every mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    pub user: String,
    pub password: Secret,
    pub mode: MasterMode,
}

/// How a master user says whose mailbox is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterMode {
    /// In one name, the user's login and the master user with this between them.
    Separator(String),
    /// As the authorization identity of SASL PLAIN (RFC 4616 §2).
    AuthorizationId,
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMechanism {
    XOauth2,
    /// RFC 7628.
    OauthBearer,
}

/// Where an access token comes from, at each login anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// Somebody else renews it there.
    File(Secret),
    /// The words of a command that prints it.
    Command(Vec<String>),
}

/// With what imipd logs in at the submission service.
#[derive(Clone, Debug)]
pub struct Submission {
    pub username: String,
    pub proof: SubmissionProof,
}

/// What proves the login name at the submission service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmissionProof {
    /// For PLAIN or LOGIN, whichever the server offers.
    Password(Secret),
    /// For XOAUTH2.
    Token(TokenSource),
}

/// What `[imap]` says for every user.
#[derive(Clone, Debug)]
pub(super) struct UsualAccess {
    /// Nothing for passwords.
    auth: Option<TokenMechanism>,
    has_master_user: bool,
    /// Nothing, too, when it could not be read; that is a fault already.
    master: Option<Master>,
    token: TokenKeys,
}

/// `token_file` and `token_command` as they stand there, with `{login}` in them.
#[derive(Clone, Debug, Default)]
struct TokenKeys {
    file: Option<String>,
    command: Option<Vec<String>>,
}

/// What stands for the user's login in a path or in a word of a command.
const LOGIN: &str = "{login}";

const COMMAND: &str = "write the words of a command, such as [\"/usr/local/bin/token\", \"{login}\"]";

/// The keys of `[imap]` that say how imipd logs in.
pub(super) fn usual(table: &Section<'_>, places: &Places<'_>) -> UsualAccess {
    let words = [
        ("plain", None),
        ("xoauth2", Some(TokenMechanism::XOauth2)),
        ("oauthbearer", Some(TokenMechanism::OauthBearer)),
    ];
    let auth = table.choice("auth", &words, &[]).flatten();
    let token = TokenKeys::of(table);
    warn_of_unused(table, ("imap.auth", auth), &["token_file", "token_command"], &["master_user"]);
    UsualAccess { auth, has_master_user: table.has("master_user"), master: master(table, places), token }
}

fn master(table: &Section<'_>, places: &Places<'_>) -> Option<Master> {
    let right = "write the character that joins the two names at the server, such as \"*\"";
    let separator = table.text("master_separator", right, value::line).unwrap_or_else(|| "*".to_owned());
    let separated = table.choice("master_mode", &[("separator", true), ("authzid", false)], &[]).unwrap_or(true);
    let mode = if separated { MasterMode::Separator(separator) } else { MasterMode::AuthorizationId };
    let user = table.text("master_user", "write a login name", value::line);
    let password = secret(table, "master_password_file", places);
    if table.has("master_user") {
        table.demand("master_password_file", SECRET);
    } else if table.has("master_password_file") {
        table.demand("master_user", "write the login name that the password belongs to");
    }
    Some(Master { user: user?, password: password?, mode })
}

/// Says of keys that they are not used: those for tokens where passwords are, and the other way round.
fn warn_of_unused(
    table: &Section<'_>,
    (key, auth): (&str, Option<TokenMechanism>),
    of_tokens: &[&'static str],
    of_passwords: &[&'static str],
) {
    let (unused, text) = match auth {
        None => (of_tokens, format!("is not used, since {key} is \"plain\"")),
        Some(_) => (of_passwords, format!("is not used, since {key} asks for access tokens")),
    };
    for key in unused.iter().filter(|key| table.has(key)) {
        table.warn(key, &text);
    }
    if auth.is_some() && table.has("token_file") && table.has("token_command") {
        table.warn("token_command", "is not used, since there is a token_file");
    }
}

/// With what to log in for the user of this table: their own keys come before those of `[imap]`.
pub(super) fn of_user(
    table: &Section<'_>,
    login: Option<&str>,
    usual: &UsualAccess,
    places: &Places<'_>,
) -> Option<Access> {
    let own = secret(table, "password_file", places);
    let token = TokenKeys::of(table);
    warn_of_unused(table, ("imap.auth", usual.auth), &["token_file", "token_command"], &["password_file"]);
    if let Some(mechanism) = usual.auth {
        let token = if token.is_empty() { &usual.token } else { &token };
        if token.is_empty() && places.files == Files::Checked {
            table.demand("token_file", "name the file with this user's access token, or set imap.token_command");
        }
        let source = token.source(login?, places);
        let source = source.map_err(|wrong| table.fault("login", wrong)).ok()??;
        return Some(Access::Token { mechanism, source });
    }
    if table.has("password_file") {
        return own.map(Access::Password);
    }
    if !usual.has_master_user {
        table.demand("password_file", "name the file with this user's IMAP password, or set imap.master_user");
        return None;
    }
    let master = usual.master.clone()?;
    check_separator(table, login?, &master.mode);
    Some(Access::Master(master))
}

/// The server cuts at the separator; a login that holds one would open somebody else's mailbox.
fn check_separator(table: &Section<'_>, login: &str, mode: &MasterMode) {
    if let MasterMode::Separator(separator) = mode
        && login.contains(separator)
    {
        let wrong = format!("{} holds the master separator {}", quote(login), quote(separator));
        table.fault("login", Wrong::new(wrong, "give this user a password_file, or use another imap.master_separator"));
    }
}

/// The keys of `[smtp]` that say how imipd logs in; nothing where it does not.
pub(super) fn submission(table: &Section<'_>, places: &Places<'_>) -> Option<Submission> {
    let words = [("plain", None), ("xoauth2", Some(TokenMechanism::XOauth2))];
    let auth = table.choice("auth", &words, &[]).flatten();
    let token = TokenKeys::of(table);
    warn_of_unused(table, ("smtp.auth", auth), &["token_file", "token_command"], &["password_file"]);
    let username = table.text("username", "write a login name", value::line);
    let password = secret(table, "password_file", places);
    if auth.is_none() {
        if table.has("username") {
            table.demand("password_file", SECRET);
        } else if table.has("password_file") {
            table.demand("username", "write the login name that the password belongs to");
        }
        return Some(Submission { username: username?, proof: SubmissionProof::Password(password?) });
    }
    table.demand("username", "write the login name that the token belongs to");
    if token.is_empty() && places.files == Files::Checked {
        table.demand("token_file", "name the file with the access token, or set smtp.token_command");
    }
    let username = username?;
    let source = token.source(&username, places).map_err(|wrong| table.fault("username", wrong)).ok()??;
    Some(Submission { username, proof: SubmissionProof::Token(source) })
}

impl TokenKeys {
    fn of(table: &Section<'_>) -> Self {
        let file = table.text("token_file", "write the path of a file, with {login} in it for all users", value::line);
        let command = table.list("token_command", WORDS_MAX, COMMAND, value::word);
        if let Some(program) = command.as_ref().and_then(|words| words.first())
            && program.contains(LOGIN)
        {
            // A user could choose what is executed.
            table.fault("token_command", Wrong::new("has {login} in the name of the program", COMMAND));
        }
        Self { file, command }
    }

    fn is_empty(&self) -> bool {
        self.file.is_none() && self.command.is_none()
    }

    fn source(&self, login: &str, places: &Places<'_>) -> Result<Option<TokenSource>, Wrong> {
        if let Some(file) = &self.file {
            return places.secret(&in_path(file, login)?).map(TokenSource::File).map(Some);
        }
        let command = self.command.as_ref().map(|words| words.iter().map(|word| in_word(word, login)).collect());
        Ok(command.transpose()?.map(TokenSource::Command))
    }
}

/// A path with the login in it, which stays in the directory that it was written for.
fn in_path(path: &str, login: &str) -> Result<String, Wrong> {
    if path.contains(LOGIN) && (login.contains(['/', '\0']) || login == "." || login == "..") {
        let wrong = format!("{} cannot stand in the path of a token_file", quote(login));
        return Err(Wrong::new(wrong, "give this user a token_file of its own"));
    }
    Ok(path.replace(LOGIN, login))
}

/// A word of a command with the login in it, which the command does not take for an option.
fn in_word(word: &str, login: &str) -> Result<String, Wrong> {
    if word.starts_with(LOGIN) && login.starts_with('-') {
        let wrong = format!("{} would be an option of token_command", quote(login));
        return Err(Wrong::new(wrong, "write the word as \"--user={login}\", or as the command takes it"));
    }
    Ok(word.replace(LOGIN, login))
}
