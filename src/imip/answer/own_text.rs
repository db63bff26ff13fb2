//! What of a mail its sender wrote: not the quotation, not the line that introduces it, not the signature.

/// How far above a quotation its introduction may begin, in lines that are not blank: long names and addresses wrap.
const INTRODUCTION_LINES_MAX: usize = 3;

/// What introduces a quotation that has no marks: the rest of the mail is not the sender's own.
const REST_IS_QUOTED: [&str; 12] = [
    "-----original message",
    "-----ursprüngliche nachricht",
    "-----message d'origine",
    "-----mensaje original",
    "-----messaggio originale",
    "-----oorspronkelijk bericht",
    "-----mensagem original",
    "-----oryginalna wiadomość",
    "-----original appointment",
    "---------- forwarded message",
    "________________________________",
    "begin forwarded message",
];

/// The first line of the header fields that Outlook and others put above a quotation without marks.
const FROM_FIELDS: [&str; 10] =
    ["from:", "von:", "de :", "de:", "da:", "van:", "od:", "差出人:", "发件人:", "发件人："];

/// What telephones put below a mail.
const SENT_FROM: [&str; 12] = [
    "sent from my",
    "get outlook for",
    "von meinem",
    "gesendet von",
    "envoyé de mon",
    "enviado desde mi",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "enviado do meu",
    "wysłane z",
    "发自我的",
];

/// The sender's own lines, trimmed, up to the signature or to the quotation that follows them.
///
/// A quotation that stands first is passed over; one behind the own text ends it, so that remarks between the lines of
/// a quotation are not torn out of their place.
pub(super) fn own_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let own = own_marks(&lines);
    let mut kept = Vec::new();
    let mut has_begun = false;
    for (nth, line) in lines.iter().enumerate() {
        if ends_all(&lines, nth) {
            break;
        }
        let is_own = own.get(nth).copied().unwrap_or(false);
        if !is_own && has_begun {
            break;
        }
        has_begun |= is_own && !line.is_empty();
        if has_begun {
            kept.push((*line).to_owned());
        }
    }
    kept
}

/// For each line whether it is neither quoted nor the introduction of a quotation.
fn own_marks(lines: &[&str]) -> Vec<bool> {
    let mut own: Vec<bool> = lines.iter().map(|line| !line.starts_with('>')).collect();
    for first in 1..lines.len() {
        let begins_quotation = lines.get(first).is_some_and(|line| line.starts_with('>'))
            && lines.get(first - 1).is_some_and(|line| !line.starts_with('>'));
        if begins_quotation {
            unmark_introduction(lines, first, &mut own);
        }
    }
    own
}

/// The paragraph above a quotation is its introduction when it ends with a colon: "On Monday Anna wrote:".
fn unmark_introduction(lines: &[&str], quotation: usize, own: &mut [bool]) {
    let above = lines.get(..quotation).unwrap_or_default();
    let Some(last) = above.iter().rposition(|line| !line.is_empty()) else { return };
    if !above.get(last).is_some_and(|line| line.ends_with([':', '：'])) {
        return;
    }
    let paragraph = above.get(..=last).unwrap_or_default().iter().rev().take_while(|line| !line.is_empty());
    let length = paragraph.take(INTRODUCTION_LINES_MAX).count();
    for mark in own.iter_mut().take(quotation).skip(last + 1 - length) {
        *mark = false;
    }
}

/// Whether the sender's own text is over: a signature, or a quotation without marks.
fn ends_all(lines: &[&str], nth: usize) -> bool {
    let Some(line) = lines.get(nth) else { return true };
    let lower = line.to_lowercase();
    // RFC 3676 §4.3 has a blank behind the dashes, which trimming and many clients take away.
    *line == "--"
        || REST_IS_QUOTED.iter().any(|begin| lower.starts_with(begin))
        || SENT_FROM.iter().any(|begin| lower.starts_with(begin))
        || is_header_block(lines, nth)
}

/// A From field with another field below it; a lone "From: here to there" is the sender's own.
fn is_header_block(lines: &[&str], nth: usize) -> bool {
    let is_from = |line: &str| {
        let bare = line.trim_start_matches('*').replace(":*", ":").to_lowercase();
        FROM_FIELDS.iter().any(|field| bare.starts_with(field))
    };
    let is_field = |line: &&str| {
        let name = line.split([':', '：']).next().unwrap_or_default();
        line.contains([':', '：']) && !name.trim().is_empty() && name.chars().count() <= 20
    };
    lines.get(nth).is_some_and(|line| is_from(line))
        && lines.iter().skip(nth + 1).find(|line| !line.is_empty()).is_some_and(is_field)
}

/// Where the usual mail programs begin the quotation in HTML.
const HTML_QUOTATIONS: [&str; 9] = [
    "<blockquote",
    "gmail_quote",
    "moz-cite-prefix",
    "divrplyfwdmsg",
    "appendonsend",
    "yahoo_quoted",
    "protonmail_quote",
    "id=\"mail-editor-reference-message-container\"",
    "border-top:solid #e1e1e1",
];

/// The HTML up to the first mark of a quotation.
pub(super) fn own_html(html: &str) -> &str {
    // ASCII case alone changes no lengths, so positions in one are positions in the other.
    let lower = html.to_ascii_lowercase();
    let end = HTML_QUOTATIONS.iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(html.len());
    // The mark may lie inside of a tag: what is kept ends before it.
    let own = html.get(..end).unwrap_or(html);
    match (own.rfind('<'), own.rfind('>')) {
        (Some(open), close) if close.is_none_or(|close| close < open) => own.get(..open).unwrap_or(own),
        _ => own,
    }
}

/// The HTML with a line break at the end of each `div`, which many mail programs write for a line.
pub(super) fn with_line_ends(html: &str) -> String {
    html.replace("</div>", "</div><br>").replace("</DIV>", "</DIV><br>")
}
