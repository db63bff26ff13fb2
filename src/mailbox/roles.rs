//! Which of a user's folders are watched, and what each is to the user. Pure.

use super::answers::AnswerFolder;
use super::argument::shown_name;
use super::folder::{Folder, FolderRole};
use super::limits::FOLDERS_WATCHED_MAX;

/// A folder that is to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenFolder {
    /// The name as the server spells it, for commands.
    pub name: String,
    /// The name as people read it; the same for the same folder always.
    pub shown: String,
    pub role: FolderRole,
}

/// What came of looking for the folders that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// INBOX first, then sent mail, then those of the answers, then the others by name.
    pub folders: Vec<ChosenFolder>,
    /// What was wanted and is not there, as it was written.
    pub missing: Vec<String>,
    /// Folders beyond [`FOLDERS_WATCHED_MAX`].
    pub left_out: usize,
}

/// Chooses among the user's folders those that `wanted` names: by name, by a pattern with `*` and `%` as LIST has them
/// (RFC 3501 §6.3.8), or by the use `\Sent`.
///
/// Folders for spam, for waste and for drafts are never chosen, nor what lies in them: an invitation there was refused by the user or
/// by the mail server, and a draft was never sent. Nor are the views of all mail (RFC 6154 §2), where everything is a second time.
pub fn choose(folders: &[Folder], wanted: &[String]) -> Choice {
    choose_with(folders, wanted, &[])
}

/// The same, and the folders into which the user puts what they answer, which `wanted` need not name.
pub fn choose_with(folders: &[Folder], wanted: &[String], answers: &[AnswerFolder]) -> Choice {
    let sent = sent_folders(folders);
    let mut choice = Choice::default();
    for wish in wanted {
        let found: Vec<_> = folders.iter().filter(|folder| is_wished(folder, wish, &sent)).collect();
        if found.is_empty() {
            choice.missing.push(wish.clone());
        }
        for folder in found.into_iter().filter(|folder| !is_shunned(folder, folders)) {
            let chosen = chosen(folder, &sent);
            if !choice.folders.iter().any(|known| known.name == chosen.name) {
                choice.folders.push(chosen);
            }
        }
    }
    for answer in answers.iter().filter(|answer| folders.iter().any(|folder| folder.name == answer.name)) {
        choice.folders.retain(|known| known.name != answer.name);
        let (name, shown) = (answer.name.clone(), shown_name(&answer.name));
        choice.folders.push(ChosenFolder { name, shown, role: FolderRole::Answers(answer.choice) });
    }
    choice.folders.sort_by(|a, b| (rank(a.role), &a.shown).cmp(&(rank(b.role), &b.shown)));
    choice.left_out = choice.folders.len().saturating_sub(FOLDERS_WATCHED_MAX);
    choice.folders.truncate(FOLDERS_WATCHED_MAX);
    choice
}

fn chosen(folder: &Folder, sent: &[&str]) -> ChosenFolder {
    let role = match folder.name.as_str() {
        name if is_inbox(name) => FolderRole::Inbox,
        name if sent.contains(&name) => FolderRole::Sent,
        _ => FolderRole::Other,
    };
    let shown = if is_inbox(&folder.name) { "INBOX".to_owned() } else { shown_name(&folder.name) };
    ChosenFolder { name: folder.name.clone(), shown, role }
}

fn rank(role: FolderRole) -> u8 {
    match role {
        FolderRole::Inbox => 0,
        FolderRole::Sent => 1,
        FolderRole::Answers(_) => 2,
        FolderRole::Other => 3,
    }
}

fn is_wished(folder: &Folder, wish: &str, sent: &[&str]) -> bool {
    if wish.eq_ignore_ascii_case("\\Sent") {
        return sent.contains(&folder.name.as_str());
    }
    if is_inbox(wish) {
        return is_inbox(&folder.name);
    }
    let delimiter = folder.delimiter.as_deref().and_then(|text| text.chars().next());
    // The administrator may as well have copied the server's own spelling.
    matches(wish, &shown_name(&folder.name), delimiter) || wish == folder.name
}

/// INBOX is INBOX in any case. RFC 3501 §5.1.
fn is_inbox(name: &str) -> bool {
    name.eq_ignore_ascii_case("INBOX")
}

/// The names of the folders for sent mail: those that the server marks, otherwise the first that is called so.
fn sent_folders(folders: &[Folder]) -> Vec<&str> {
    let marked: Vec<_> = folders.iter().filter(|folder| folder.has("\\Sent")).map(|one| one.name.as_str()).collect();
    if !marked.is_empty() {
        return marked;
    }
    let usual = SENT.iter().find_map(|usual| {
        folders.iter().find(|folder| can_be_opened(folder) && leaf(folder, folders).as_deref() == Some(*usual))
    });
    usual.map(|folder| folder.name.as_str()).into_iter().collect()
}

/// The folder for what is done with: the one that the server marks (RFC 6154 §2), otherwise the first that is called so.
pub fn archive(folders: &[Folder]) -> Option<&str> {
    let mut usable = folders.iter().filter(|folder| can_be_opened(folder));
    let marked = usable.clone().find(|folder| folder.has("\\Archive"));
    let named = |folder: &&Folder| leaf(folder, folders).is_some_and(|name| ARCHIVE.contains(&name.as_str()));
    marked.or_else(|| usable.find(named)).map(|folder| folder.name.as_str())
}

fn can_be_opened(folder: &Folder) -> bool {
    !folder.has("\\Noselect") && !folder.has("\\NonExistent")
}

/// Whether a folder is never watched, for itself or for the folder that it lies in.
fn is_shunned(folder: &Folder, all: &[Folder]) -> bool {
    if !can_be_opened(folder) || folder.has("\\All") || is_for_refuse(folder, all) {
        return true;
    }
    let Some(delimiter) = folder.delimiter.as_deref().filter(|text| !text.is_empty()) else { return false };
    all.iter().any(|above| {
        let below = folder.name.strip_prefix(above.name.as_str());
        below.is_some_and(|rest| rest.starts_with(delimiter)) && is_for_refuse(above, all)
    })
}

fn is_for_refuse(folder: &Folder, all: &[Folder]) -> bool {
    if is_inbox(&folder.name) {
        return false;
    }
    ["\\Junk", "\\Trash", "\\Drafts"].iter().any(|attribute| folder.has(attribute))
        || leaf(folder, all).is_some_and(|name| REFUSE.contains(&name.as_str()))
}

/// The folder's own name in lower case, when it lies where servers put such folders: at the top, below INBOX, or below
/// something that is no folder itself, as the root of a namespace or `[Gmail]`.
fn leaf(folder: &Folder, all: &[Folder]) -> Option<String> {
    let shown = shown_name(&folder.name).to_lowercase();
    let delimiter = folder.delimiter.as_deref().filter(|text| !text.is_empty());
    let Some((above, own)) = delimiter.and_then(|delimiter| shown.rsplit_once(delimiter)) else { return Some(shown) };
    let is_root = is_inbox(above)
        || !all.iter().any(|other| can_be_opened(other) && shown_name(&other.name).to_lowercase() == above);
    is_root.then(|| own.to_owned())
}

/// Whether a name is of a pattern: `*` stands for anything, `%` for anything without the delimiter. RFC 3501 §6.3.8.
fn matches(pattern: &str, name: &str, delimiter: Option<char>) -> bool {
    let name: Vec<char> = name.chars().collect();
    // reached[n]: the pattern so far can stand for the first n characters.
    let mut reached = vec![false; name.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for wanted in pattern.chars() {
        let mut next = Vec::with_capacity(reached.len());
        for (at, was) in reached.iter().copied().enumerate() {
            let previous = at.checked_sub(1);
            let last = previous.and_then(|at| name.get(at)).copied();
            let grown = previous.and_then(|at| next.get(at)).copied().unwrap_or(false);
            next.push(match wanted {
                '*' => was || grown,
                '%' => was || (grown && last != delimiter),
                plain => last == Some(plain) && previous.and_then(|at| reached.get(at)).copied().unwrap_or(false),
            });
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// What mail programs call the folder for what is done with.
const ARCHIVE: &[&str] = &["archive", "archives", "archiv", "archivo", "archivio", "archief", "arquivo", "archiwum"];

/// What mail programs call the folder for sent mail, the likelier ones first.
const SENT: &[&str] = &[
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "sent-mail",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "gesendete nachrichten",
    "envoyés",
    "éléments envoyés",
    "messages envoyés",
    "enviados",
    "elementos enviados",
    "mensajes enviados",
    "itens enviados",
    "inviati",
    "posta inviata",
    "inviata",
    "verzonden",
    "verzonden items",
    "verzonden berichten",
    "wysłane",
    "elementy wysłane",
    "odeslané",
    "odeslaná pošta",
    "odoslané",
    "skickat",
    "skickade",
    "skickade objekt",
    "sendt",
    "sendte",
    "sendt post",
    "sendte elementer",
    "lähetetyt",
    "elküldött",
    "elküldött elemek",
    "trimise",
    "gönderilmiş",
    "gönderilmiş öğeler",
    "отправленные",
    "надіслані",
    "изпратени",
    "απεσταλμένα",
    "已发送",
    "已发送邮件",
    "寄件備份",
    "送信済み",
    "送信済みアイテム",
    "送信済みメール",
    "보낸편지함",
    "보낸 편지함",
];

/// What mail programs call the folders for spam, for waste and for drafts.
const REFUSE: &[&str] = &[
    // Spam.
    "junk",
    "junk e-mail",
    "junk email",
    "junk mail",
    "spam",
    "bulk mail",
    "quarantine",
    "spamverdacht",
    "unerwünscht",
    "junk-e-mail",
    "courrier indésirable",
    "indésirables",
    "pourriel",
    "correo no deseado",
    "no deseado",
    "lixo eletrônico",
    "lixo eletrónico",
    "posta indesiderata",
    "ongewenst",
    "ongewenste e-mail",
    "wiadomości-śmieci",
    "nevyžádaná pošta",
    "skräppost",
    "søppelpost",
    "uønsket",
    "roskaposti",
    "levélszemét",
    "нежелательная почта",
    "спам",
    "垃圾邮件",
    "迷惑メール",
    "스팸",
    "스팸편지함",
    // Waste.
    "trash",
    "bin",
    "deleted",
    "deleted items",
    "deleted messages",
    "wastebasket",
    "papierkorb",
    "gelöscht",
    "gelöschte elemente",
    "gelöschte objekte",
    "corbeille",
    "éléments supprimés",
    "papelera",
    "elementos eliminados",
    "lixeira",
    "itens excluídos",
    "itens eliminados",
    "cestino",
    "posta eliminata",
    "prullenbak",
    "verwijderde items",
    "kosz",
    "elementy usunięte",
    "koš",
    "odstraněná pošta",
    "kôš",
    "papperskorg",
    "papperskorgen",
    "papirkurv",
    "slettede elementer",
    "roskakori",
    "kuka",
    "törölt elemek",
    "çöp kutusu",
    "корзина",
    "удаленные",
    "удалённые",
    "кошик",
    "已删除",
    "已删除邮件",
    "ゴミ箱",
    "削除済みアイテム",
    "휴지통",
    // Drafts.
    "drafts",
    "draft",
    "entwürfe",
    "brouillons",
    "borradores",
    "rascunhos",
    "bozze",
    "concepten",
    "szkice",
    "kopie robocze",
    "wersje robocze",
    "koncepty",
    "rozepsané",
    "utkast",
    "kladder",
    "luonnokset",
    "piszkozatok",
    "ciorne",
    "taslaklar",
    "черновики",
    "чернетки",
    "πρόχειρα",
    "草稿",
    "草稿箱",
    "下書き",
    "임시보관함",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, delimiter: &str, attributes: &[&str]) -> Folder {
        let attributes = attributes.iter().map(|&text| text.to_owned()).collect();
        Folder { name: name.to_owned(), delimiter: Some(delimiter.to_owned()), attributes }
    }

    fn shown(folders: &[Folder], wanted: &[&str]) -> Vec<(String, FolderRole)> {
        let wanted: Vec<_> = wanted.iter().map(|&text| text.to_owned()).collect();
        choose(folders, &wanted).folders.into_iter().map(|chosen| (chosen.shown, chosen.role)).collect()
    }

    fn plain(names: &[&str]) -> Vec<Folder> {
        names.iter().map(|name| folder(name, "/", &[])).collect()
    }

    #[test]
    fn the_mark_of_the_server_decides_which_folder_is_for_sent_mail() {
        let folders = [folder("Sent", "/", &[]), folder("inbox", "/", &[]), folder("Kopien", "/", &["\\sent"])];
        let expected = [("INBOX".to_owned(), FolderRole::Inbox), ("Kopien".to_owned(), FolderRole::Sent)];
        assert_eq!(shown(&folders, &["\\Sent", "INBOX"]), expected);
    }

    #[test]
    fn without_a_mark_the_usual_names_are_looked_for_where_they_usually_are() {
        for (names, delimiter, expected) in [
            (&["INBOX", "Sent Items"][..], "/", "Sent Items"),
            (&["INBOX", "INBOX.Sent"], ".", "INBOX.Sent"),
            (&["INBOX", "[Gmail]/Gesendet"], "/", "[Gmail]/Gesendet"),
            (&["INBOX", "Mail/Verzonden"], "/", "Mail/Verzonden"),
            // Envoyés and Отправленные.
            (&["INBOX", "Envoy&AOk-s"], "/", "Envoyés"),
            (&["INBOX", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"], "/", "Отправленные"),
        ] {
            let folders: Vec<_> = names.iter().map(|name| folder(name, delimiter, &[])).collect();
            assert_eq!(shown(&folders, &["\\Sent"]), [(expected.to_owned(), FolderRole::Sent)]);
        }
        assert_eq!(shown(&plain(&["INBOX", "Projects", "Projects/Sent"]), &["\\Sent"]), []);
    }

    #[test]
    fn spam_waste_and_drafts_are_never_watched() {
        let folders = [
            folder("INBOX", "/", &[]),
            folder("Work", "/", &[]),
            folder("Work/Sub", "/", &[]),
            folder("Pfui", "/", &["\\Junk"]),
            folder("Entw&APw-rfe", "/", &[]),
            folder("Trash", "/", &[]),
            folder("Trash/Old", "/", &[]),
            folder("Everything", "/", &["\\All"]),
            folder("Root", "/", &["\\Noselect"]),
            folder("Gone", "/", &["\\NonExistent"]),
        ];
        let names = |wanted: &[&str]| shown(&folders, wanted).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&["*"]), ["INBOX", "Work", "Work/Sub"]);
        assert_eq!(names(&["%"]), ["INBOX", "Work"]);
        assert_eq!(names(&["Trash", "Pfui", "Entwürfe", "Trash/*"]), Vec::<String>::new());
    }

    #[test]
    fn names_are_written_as_people_read_them_or_as_the_server_spells_them() {
        let folders = plain(&["&AMk-v&AOk-nements", "&AMk-v&AOk-nements/2026", "x"]);
        let both = ["Événements", "Événements/2026"];
        let names = |wish: &str| shown(&folders, &[wish]).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("Événements"), [both[0]]);
        assert_eq!(names("&AMk-v&AOk-nements"), [both[0]]);
        assert_eq!(names("Événements*"), both);
    }

    #[test]
    fn what_is_not_there_is_told() {
        let wanted = ["INBOX".to_owned(), "Nowhere".to_owned()];
        let choice = choose(&plain(&["INBOX"]), &wanted);
        assert_eq!((choice.folders.len(), choice.missing), (1, vec!["Nowhere".to_owned()]));
    }

    #[test]
    fn the_number_is_limited_and_inbox_stays() {
        let names: Vec<_> = (0..FOLDERS_WATCHED_MAX + 7).map(|number| format!("A{number}")).collect();
        let mut folders = plain(&names.iter().map(String::as_str).collect::<Vec<_>>());
        folders.push(folder("INBOX", "/", &[]));
        let choice = choose(&folders, &["*".to_owned()]);
        assert_eq!((choice.folders.len(), choice.left_out), (FOLDERS_WATCHED_MAX, 8));
        assert_eq!(choice.folders.first().map(|first| first.role), Some(FolderRole::Inbox));
    }

    #[test]
    fn patterns_are_those_of_list() {
        for (pattern, name, expected) in [
            ("a*c", "a/b/c", true),
            ("a%c", "a/b/c", false),
            ("a%", "abc", true),
            ("%/%", "a/b", true),
            ("%", "a/b", false),
            ("", "a", false),
            ("*", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, name, Some('/')), expected, "{pattern} {name}");
        }
        // Exponential in a matcher that tries all ways.
        assert!(!matches(&"*a".repeat(200), &"a".repeat(190), Some('/')));
    }
}
