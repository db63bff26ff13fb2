//! Runs every conversation of `tests/dialogues` between the mailbox driver and a scripted, mostly hostile, server.
//!
//! A file's first line says what comes of it, `# expect STEP: OUTCOME`, for the first step that fails or else the last.
//! Then come settings (`# run`, `# patience` in ms, `# security`, `# as` with what bob logs in, `# heavy`) and the conversation: `C:` is a line the client
//! must send, `S:` one that the server sends, `S+` text without line end, `S!` closes or falls silent, `~` stands
//! for a usual exchange. `<<( x 2000>>` repeats a text.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use imipd::mailbox::{
    Credentials, Fetched, FetchedMail, Fields, FolderState, ImapServer, ImapUid, LoginProblem, MailStructure,
    MailboxError, MarkChange, MasterMode, Security, Session, Shape, Timing, TokenMechanism, UidValidity,
};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const LOGGED_IN: &str = "\
S: * OK [CAPABILITY IMAP4rev1 IDLE] ready
C: i1 LOGIN \"bob\" \"secret\"
S: i1 OK [CAPABILITY IMAP4rev1 IDLE] logged in";

const EXAMINED: &str = "\
C: i2 EXAMINE \"INBOX\"
S: * FLAGS (\\Seen)
S: * 3 EXISTS
S: * OK [UIDVALIDITY 17] ok
S: * OK [UIDNEXT 10] ok
S: i2 OK [READ-ONLY] done";

struct Dialogue {
    expected: String,
    steps: Vec<String>,
    patience: Duration,
    security: Security,
    credentials: Credentials,
    script: Vec<String>,
}

impl Dialogue {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect "));
        let expected = expected.expect("the first line says what is expected").to_owned();
        let setting = |name: &str| {
            let prefix = format!("# {name} ");
            text.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        };
        let steps = setting("run").unwrap_or_default();
        Self {
            expected,
            steps: steps.split(", ").filter(|step| !step.is_empty()).map(str::to_owned).collect(),
            patience: Duration::from_millis(setting("patience").map_or(10_000, |ms| ms.parse().unwrap())),
            security: if setting("security").is_some() { Security::StartTls } else { Security::None },
            credentials: credentials(setting("as").as_deref().unwrap_or("password")),
            script: text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).flat_map(expanded).collect(),
        }
    }
}

/// With what bob logs in; the password, or the token, is "secret".
fn credentials(kind: &str) -> Credentials {
    let (login, secret) = ("bob".to_owned(), SecretString::from("secret"));
    let master = |mode| Credentials::Master {
        login: "bob".to_owned(),
        master_user: "root".to_owned(),
        password: SecretString::from("secret"),
        mode,
    };
    match kind {
        "password" => Credentials::Password { login, password: secret },
        "master" => master(MasterMode::Separator("*".to_owned())),
        "authzid" => master(MasterMode::AuthorizationId),
        "xoauth2" => Credentials::Token { login, token: secret, mechanism: TokenMechanism::XOauth2 },
        "oauthbearer" => Credentials::Token { login, token: secret, mechanism: TokenMechanism::OauthBearer },
        other => panic!("what is {other}?"),
    }
}

fn expanded(line: &str) -> Vec<String> {
    match line {
        "~ logged in" => LOGGED_IN.lines().map(str::to_owned).collect(),
        "~ examined" => LOGGED_IN.lines().chain(EXAMINED.lines()).map(str::to_owned).collect(),
        other => vec![repeated(other)],
    }
}

fn repeated(line: &str) -> String {
    let Some((before, rest)) = line.split_once("<<") else { return line.to_owned() };
    let (what, after) = rest.split_once(">>").unwrap();
    let (text, times) = what.rsplit_once(" x ").unwrap();
    format!("{before}{}{}", text.repeat(times.parse().unwrap()), repeated(after))
}

/// Plays the server's part; tells where the client said something else.
async fn serve(listener: TcpListener, script: Vec<String>) -> Result<(), String> {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    for line in &script {
        let text = line.get(3..).unwrap_or_default();
        match line.get(..2).unwrap_or_default() {
            "C:" => expect_line(&mut stream, text).await?,
            // A client that has hung up is no fault of the script.
            "S:" => drop(stream.write_all(format!("{text}\r\n").as_bytes()).await),
            "S+" => drop(stream.write_all(text.replace("\\r\\n", "\r\n").as_bytes()).await),
            "S!" if text == "close" => return Ok(()),
            "S!" => break,
            other => return Err(format!("what is {other}?")),
        }
    }
    // Stays silent until the client hangs up.
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
    Ok(())
}

async fn expect_line(stream: &mut BufReader<TcpStream>, expected: &str) -> Result<(), String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.map_err(|e| format!("{e} instead of {expected}"))?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line == expected { Ok(()) } else { Err(format!("the client says {line:?} instead of {expected:?}")) }
}

async fn outcome(server: &ImapServer, credentials: &Credentials, steps: &[String]) -> String {
    let mut session = match Session::connect(server, credentials).await {
        Ok(session) => session,
        Err(error) => return told("connect", Err(&error)),
    };
    let mut last = told("connect", Ok("ok".to_owned()));
    let mut mails = Vec::new();
    for step in steps {
        let result = run(&mut session, step, &mut mails).await;
        let name = step.split(' ').next().unwrap();
        let failed = result.is_err();
        last = told(name, result.as_ref().map(Clone::clone));
        if failed {
            return format!("{last}{}", usability(&mut session).await);
        }
    }
    last
}

/// What can still be done after an error: nothing, unless it was a refusal.
async fn usability(session: &mut Session) -> &'static str {
    match session.is_usable() {
        true => ", usable",
        false if matches!(session.noop().await, Err(MailboxError::Spent)) => "",
        false => ", NOT SPENT",
    }
}

async fn run(session: &mut Session, step: &str, mails: &mut Vec<MailStructure>) -> Result<String, MailboxError> {
    let (name, argument) = step.split_once(' ').unwrap_or((step, ""));
    let range = || {
        let (first, last) = argument.split_once(':').unwrap();
        (ImapUid(first.parse().unwrap()), last.parse().ok().map(ImapUid))
    };
    match name {
        "examine" => session.examine("INBOX").await.map(state),
        "status" => session.status("Sent").await.map(state),
        "folders" => {
            let folders = session.folders().await?;
            Ok(joined(folders.iter().map(|folder| format!("{} {}", folder.name, folder.attributes.concat()))))
        }
        "structures" | "sizes" => {
            let (first, last) = range();
            *mails = if name == "sizes" {
                session.sizes(first, last).await?
            } else {
                session.structures(first, last, Fields::None).await?
            };
            let known = |mail: &MailStructure| if mail.outline.shape == Shape::Unknown { "?" } else { "" };
            Ok(joined(mails.iter().map(|mail| format!("{}{}", mail.uid, known(mail)))))
        }
        "search" => {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
            session.search_since(day).await.map(joined)
        }
        "fetch" => session.fetch(&mails[0]).await.map(fetched),
        "idle" => {
            let end = session.idle(Duration::from_millis(argument.parse().unwrap_or(5000)), std::future::pending());
            let end = end.await?;
            let over = if session.notify_is_over() { ", notify is over" } else { "" };
            Ok(format!("{end:?}{over}"))
        }
        "notify" => session.notify(&["INBOX", "Sent"]).await.map(|granted| granted.to_string()),
        "woken" => session.idle(Duration::from_secs(5), async {}).await.map(|end| format!("{end:?}")),
        "mark" => {
            let (place, mails) = (("INBOX", UidValidity(17)), [ImapUid(5), ImapUid(6)]);
            let changes = [MarkChange::Clear("$Failed"), MarkChange::Set("$Imipd")];
            session.mark(place, &mails, &changes).await.map(|marked| format!("{marked:?}"))
        }
        "append" => {
            let sent_at = chrono::DateTime::from_timestamp(1_769_932_800, 0).unwrap();
            session.append("Sent", b"Subject: x\r\n\r\n", sent_at).await.map(|appended| format!("{appended:?}"))
        }
        "noop" => session.noop().await.map(|()| "ok".to_owned()),
        other => panic!("what is {other}?"),
    }
}

fn state(state: FolderState) -> String {
    format!("validity {} next {} exists {}", state.uid_validity, state.uid_next, state.exists)
}

fn fetched(fetched: Fetched) -> String {
    match fetched {
        Fetched::Mail(FetchedMail { raw, whole, .. }) => {
            format!("{} {:?}", if whole { "whole" } else { "abridged" }, String::from_utf8_lossy(&raw))
        }
        Fetched::Vanished => "vanished".to_owned(),
        Fetched::TooLarge { what, octets, octets_max } => format!("{what} {octets} > {octets_max}"),
    }
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

fn told(step: &str, result: Result<String, &MailboxError>) -> String {
    match result {
        Ok(text) => format!("{step}: {text}"),
        Err(error) => {
            let variant = format!("{error:?}");
            let variant = variant.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
            let detail = match error {
                MailboxError::Refused { status, .. } => format!(" {status}"),
                MailboxError::LoginRefused { text, problem, .. } => {
                    let problem = match problem {
                        LoginProblem::Credentials => String::new(),
                        other => format!(" {other:?}"),
                    };
                    let saying = if text.contains("\"status\":\"401\"") { ", saying status 401" } else { "" };
                    format!("{problem}{saying}")
                }
                MailboxError::TooLarge { limit, .. } => format!(" ({limit})"),
                _ => String::new(),
            };
            assert!(!error.to_string().contains("secret"), "a password in {error}");
            format!("{step}: {variant}{detail}")
        }
    }
}

async fn play(path: std::path::PathBuf) -> Option<String> {
    let dialogue = Dialogue::read(&path);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = ImapServer {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        security: dialogue.security,
        tls: imipd::tls::client_config(None).unwrap(),
        timing: Timing {
            connect: dialogue.patience,
            answer: dialogue.patience,
            poll: Duration::from_millis(50),
            ..Timing::default()
        },
    };
    let serving = tokio::spawn(serve(listener, dialogue.script));
    // The driver must be usable from a spawned task, on a worker's stack.
    let found =
        tokio::spawn(async move { outcome(&server, &dialogue.credentials, &dialogue.steps).await }).await.unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if let Err(fault) = serving.await.unwrap() {
        return Some(format!("{name}: {fault} (came out as: {found})"));
    }
    (found != dialogue.expected).then(|| format!("{name}:\n  expected {}\n  but was  {found}", dialogue.expected))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_dialogue_ends_as_its_first_line_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 40, "only {} dialogues", files.len());
    // Those that wait for a silent server come by themselves: a busy machine must not be taken for one. Before them come
    // those that are much work for the parser, one at a time.
    let (mut heavy, mut silent, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        match (text.contains("\n# heavy"), text.contains("\n# patience ")) {
            (true, _) => heavy.push(vec![path]),
            (false, true) => silent.push(path),
            (false, false) => others.push(path),
        }
    }
    let mut faults = Vec::new();
    for group in std::iter::once(others).chain(heavy).chain([silent]) {
        let playing: Vec<_> = group.into_iter().map(|path| tokio::spawn(play(path))).collect();
        for played in playing {
            faults.extend(played.await.unwrap());
        }
    }
    assert!(faults.is_empty(), "{} dialogues went wrong:\n{}", faults.len(), faults.join("\n"));
}
