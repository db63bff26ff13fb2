//! What became of a mail, as the codes that calendar programs know (RFC 6638 §3.2.9).
//!
//! | what happened | code |
//! |---|---|
//! | it is tried again | 1.0, pending |
//! | the submission server has it | 1.1, sent; mail is store and forward, so nothing says that it was delivered |
//! | the address is none at all (X.1.3, X.1.7, X.6.7, 553) | 3.7, no calendar user |
//! | there is no such mailbox (X.1.1, X.1.6, 550), it was given up, it is too large, an operator dropped it | 5.1, not delivered |
//! | there is no way to that domain (X.1.2, X.1.10, X.4.4), or refused for a reason that is not told | 5.2, no way to deliver |
//! | the recipient's server does not want it (X.7.y) | 5.3, rejected |
//!
//! A mailbox that does not exist is 5.1 whoever finds it out: our submission server, at once, or a server behind it, in a report
//! that comes back. A calendar program would otherwise show two codes for one fact, by the accident of which server looked first.
//! 3.7 says of an address that no calendar user can have it; that is told before any mail server knows of it.

use super::smtp::Refusal;

/// It waits for its next attempt.
pub const PENDING: &str = "1.0";

/// The submission server has taken it; 1.2 would say that it was delivered.
pub const SENT: &str = "1.1";

/// It was given up, dropped, or there was nobody to give it to.
pub const NOT_DELIVERED: &str = "5.1";

/// The code for a refusal that is final.
///
/// The enhanced status code says why (RFC 3463 §3); without one the reply code has to do (RFC 5321 §4.2.3).
pub fn of_refusal(refusal: &Refusal) -> &'static str {
    match (enhanced(&refusal.text), refusal.code) {
        (Some((1, 1 | 6)), _) => NOT_DELIVERED,
        (Some((1, 3 | 7) | (6, 7)), _) => "3.7",
        (Some((1, 2 | 10) | (4, 4)), _) => "5.2",
        (Some((2 | 3, _)), _) => NOT_DELIVERED,
        (Some((7, _)), _) => "5.3",
        // unclear: RFC 5321 §4.2.3 has 550 for "no such user" and for policy alike; without an enhanced code the first
        // is by far the more frequent.
        (None, 550..=552) => NOT_DELIVERED,
        (None, 553) => "3.7",
        (Some(_) | None, _) => "5.2",
    }
}

/// Subject and detail of an enhanced status code that a text begins with: `5.1.1 no such user` has 1 and 1.
///
/// RFC 2034 §4; RFC 3463 §2: each number has at most three digits.
pub fn enhanced(text: &str) -> Option<(u16, u16)> {
    let code = text.split_ascii_whitespace().next()?;
    let mut parts = code.split('.').map(|part| {
        let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u16>().ok()).flatten()
    });
    let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
    (matches!(class, 2 | 4 | 5) && parts.next().is_none()).then_some((subject, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_refusal_decides_its_code() {
        for (code, text, status) in [
            (550, "5.1.1 <b@example.org>: no such user", "5.1"),
            (550, "No such user here", "5.1"),
            (553, "5.1.3 that is no address", "3.7"),
            (553, "no mailbox can be called that", "3.7"),
            (553, "5.6.7 not without SMTPUTF8", "3.7"),
            (550, "5.1.6 moved away", "5.1"),
            (550, "5.1.2 no such domain", "5.2"),
            (550, "5.4.4 no route", "5.2"),
            (554, "5.7.1 we do not want this", "5.3"),
            (550, "5.7.1 blocked", "5.3"),
            (552, "5.3.4 too large", "5.1"),
            (552, "too large", "5.1"),
            (554, "transaction failed", "5.2"),
            (550, "5.1.1.1 no code", "5.1"),
            (550, "10.0.0.1 is not welcome", "5.1"),
            (554, "5.1111.1 no code", "5.2"),
        ] {
            let refusal = Refusal { code, text: text.to_owned(), permanent: true };
            assert_eq!(of_refusal(&refusal), status, "{code} {text}");
        }
    }
}
