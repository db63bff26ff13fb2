//! The words that are answers, in the languages that our own mails are written in.

use super::Choice;

/// English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Japanese, Chinese.
const ACCEPT: [&str; 51] = [
    "accept",
    "accepted",
    "accepting",
    "i accept",
    "yes",
    "yes please",
    "ja",
    "zusage",
    "zugesagt",
    "ich sage zu",
    "annehmen",
    "angenommen",
    "ich nehme an",
    "oui",
    "accepter",
    "accepté",
    "acceptée",
    "j'accepte",
    "sí",
    "si",
    "aceptar",
    "acepto",
    "aceptado",
    "aceptada",
    "sì",
    "accetto",
    "accettare",
    "accettato",
    "accettata",
    "accepteren",
    "geaccepteerd",
    "ik accepteer",
    "sim",
    "aceitar",
    "aceito",
    "aceite",
    "aceitado",
    "tak",
    "akceptuję",
    "akceptuj",
    "zaakceptowano",
    "przyjmuję",
    "はい",
    "参加",
    "参加します",
    "出席",
    "出席します",
    "承諾",
    "是",
    "接受",
    "同意",
];

const DECLINE: [&str; 55] = [
    "decline",
    "declined",
    "declining",
    "i decline",
    "no",
    "no thanks",
    "no thank you",
    "nein",
    "absage",
    "abgesagt",
    "ich sage ab",
    "ablehnen",
    "abgelehnt",
    "ich lehne ab",
    "non",
    "refuser",
    "refusé",
    "refusée",
    "je refuse",
    "décliner",
    "décliné",
    "je décline",
    "rechazar",
    "rechazo",
    "rechazado",
    "rechazada",
    "rifiuto",
    "rifiutare",
    "rifiutato",
    "rifiutata",
    "nee",
    "neen",
    "afwijzen",
    "afgewezen",
    "weigeren",
    "geweigerd",
    "não",
    "nao",
    "recusar",
    "recuso",
    "recusado",
    "nie",
    "odrzucam",
    "odrzuć",
    "odrzucono",
    "odmawiam",
    "いいえ",
    "不参加",
    "欠席",
    "欠席します",
    "辞退",
    "辞退します",
    "否",
    "不参加会议",
    "拒绝",
];

const TENTATIVE: [&str; 35] = [
    "maybe",
    "tentative",
    "tentatively",
    "perhaps",
    "vielleicht",
    "vorläufig",
    "mit vorbehalt",
    "unter vorbehalt",
    "peut-être",
    "peut être",
    "provisoire",
    "quizás",
    "quizá",
    "quizas",
    "tal vez",
    "provisional",
    "forse",
    "provvisorio",
    "misschien",
    "voorlopig",
    "talvez",
    "provisório",
    "może",
    "być może",
    "moze",
    "wstępnie",
    "たぶん",
    "未定",
    "仮承諾",
    "仮の予定",
    "也许",
    "可能",
    "暂定",
    "待定",
    "不确定",
];

/// The longest line that is compared, in bytes; the longest word is shorter.
const LINE_BYTES_MAX: usize = 60;

/// The answer that a line is, whatever its case and the punctuation around it; nothing when it says anything more.
pub(super) fn choice(line: &str) -> Option<Choice> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let bare = line.trim_matches(|c: char| !c.is_alphanumeric()).replace('\u{2019}', "'").to_lowercase();
    let word = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let lists: [(&[&str], Choice); 3] =
        [(&ACCEPT, Choice::Accept), (&DECLINE, Choice::Decline), (&TENTATIVE, Choice::Tentative)];
    // A question is no answer, whatever its word.
    let is_question = line.contains(['?', '\u{ff1f}']);
    lists.into_iter().find(|(list, _)| !is_question && list.contains(&word.as_str())).map(|(_, choice)| choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_meanings_and_all_are_spelled_as_they_are_compared() {
        let all: Vec<&str> = [&ACCEPT[..], &DECLINE[..], &TENTATIVE[..]].concat();
        for word in &all {
            assert_eq!(all.iter().filter(|other| *other == word).count(), 1, "{word} stands there twice");
            assert!(choice(word).is_some(), "{word} is never found");
        }
    }
}
