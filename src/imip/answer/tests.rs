use super::*;

fn answer(body: &str) -> Option<PlainAnswer> {
    plain_answer(format!("From: b@example.com\r\nSubject: Re: Lunch\r\n\r\n{body}").as_bytes())
}

fn said(choice: Choice, comment: Option<&str>) -> Option<PlainAnswer> {
    Some(PlainAnswer { choice, comment: comment.map(str::to_owned) })
}

#[test]
fn one_word_alone_is_an_answer() {
    for (word, choice) in [
        ("yes", Choice::Accept),
        ("Yes!", Choice::Accept),
        ("  ACCEPT.  ", Choice::Accept),
        ("\u{1f44d} yes", Choice::Accept),
        ("No, thanks.", Choice::Decline),
        ("J\u{2019}accepte", Choice::Accept),
        ("Ich  sage\tzu", Choice::Accept),
        ("nein", Choice::Decline),
        ("Peut-être…", Choice::Tentative),
        ("być może", Choice::Tentative),
        ("参加します。", Choice::Accept),
        ("不参加", Choice::Decline),
        ("待定", Choice::Tentative),
    ] {
        let word_alone = if word == "No, thanks." { "No thanks." } else { word };
        assert_eq!(answer(word_alone), said(choice, None), "{word}");
    }
}

#[test]
fn what_is_doubtful_is_no_answer() {
    for body in [
        "",
        "yes?",
        "Yes, but could we meet at three?",
        "No idea yet",
        "Hi Anna,\n\nyes",
        "yes\n\nno",
        "> yes\n> please",
        "On Monday Anna wrote:\n> yes",
        "-- \nyes",
        "Sent from my telephone\nyes",
        "-----Original Message-----\nyes",
        "From: Anna\nSent: Monday\n\nyes",
    ] {
        assert_eq!(answer(body), None, "{body:?}");
    }
}

#[test]
fn what_stands_below_is_the_comment() {
    assert_eq!(
        answer("Yes\n\nI come ten minutes late.\nKeep me a seat.\n\n-- \nB. Example\n"),
        said(Choice::Accept, Some("I come ten minutes late.\nKeep me a seat."))
    );
    assert_eq!(answer("no\r\nFrom: here it is too far.\r\n"), said(Choice::Decline, Some("From: here it is too far.")));
    assert_eq!(
        answer("maybe\nSent from my phone"),
        said(Choice::Tentative, None),
        "a telephone's signature is not the sender's word"
    );
}

#[test]
fn quotations_are_not_the_senders_words() {
    let above = "Yes\nGladly.\n\nOn Mon, 3 Aug 2026 at 10:00, Anna Example\n<anna@example.com> wrote:\n\n> no\n> way\n";
    assert_eq!(answer(above), said(Choice::Accept, Some("Gladly.")));
    let below = "Anna schrieb am 3.8.2026:\n> Kommst du?\n> Anna\n\nja\nbis dann\n";
    assert_eq!(answer(below), said(Choice::Accept, Some("bis dann")));
    let between = "> Kommst du?\nja\n> Bringst du Kuchen?\nnein\n";
    assert_eq!(answer(between), said(Choice::Accept, None), "the second remark is about the cake");
    let outlook = "Ja\n\nVon: Anna\nGesendet: Montag\nAn: B\nBetreff: Essen\n\nNein\n";
    assert_eq!(answer(outlook), said(Choice::Accept, None));
    let ruled = "oui\n________________________________\nDe : Anna\nnon\n";
    assert_eq!(answer(ruled), said(Choice::Accept, None));
}

#[test]
fn html_is_read_where_there_is_nothing_else() {
    let html = |body: &str| {
        plain_answer(
            format!("Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{body}</body></html>").as_bytes(),
        )
    };
    assert_eq!(html("<div>Yes</div><div>see you</div>"), said(Choice::Accept, Some("see you")));
    let gmail = "<div dir=\"ltr\">No</div><br><div class=\"gmail_quote\"><div>On Monday Anna wrote:</div>yes</div>";
    assert_eq!(html(gmail), said(Choice::Decline, None));
    let thunderbird = "<p>Maybe</p><div class=\"moz-cite-prefix\">Anna wrote:</div><blockquote>no</blockquote>";
    assert_eq!(html(thunderbird), said(Choice::Tentative, None));
    assert_eq!(html("<blockquote>yes</blockquote>"), None);
}

#[test]
fn the_plain_body_is_chosen_among_parts() {
    let mail = "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
        --a\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nPeut-=C3=AAtre\r\n\
        --a\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--a--\r\n\
        --m\r\nContent-Type: text/plain; name=notes.txt\r\n\r\nno\r\n--m--\r\n";
    assert_eq!(plain_answer(mail.as_bytes()), said(Choice::Tentative, None));
    let file_only = "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\
        Content-Disposition: attachment; filename=notes.txt\r\n\r\nyes\r\n--m--\r\n";
    assert_eq!(plain_answer(file_only.as_bytes()), None);
    let bounced = "Content-Type: multipart/report; boundary=m\r\n\r\n--m\r\n\r\nyes\r\n--m--\r\n";
    assert_eq!(plain_answer(bounced.as_bytes()), None);
}

#[test]
fn hostile_bodies_are_bounded() {
    assert_eq!(answer(&"yes\n".repeat(200_000)), None, "longer than anybody writes");
    let many = "> a\nx:\n".repeat(10_000);
    assert_eq!(answer(&format!("{many}yes")), None);
    let comment = answer(&format!("yes\n{}", "a".repeat(50_000))).and_then(|answer| answer.comment);
    assert_eq!(comment.map(|comment| comment.len()), Some(limits::PLAIN_COMMENT_CHARS_MAX));
}
