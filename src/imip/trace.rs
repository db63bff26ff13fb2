//! What the servers on the way wrote above a mail, and which of it our own servers wrote.
//!
//! Servers add their fields at the top, so the higher a field stands, the later it was added, and what came with the mail stands
//! below all that was added here. The results that count are found from the top down. They are the Authentication-Results fields
//! of a named authserv-id until one of these comes:
//!
//! 1. an Authentication-Results field of another id: it came with the mail, and so did all below it;
//! 2. a Received field of another host: the mail was elsewhere then. Ours are the host of the topmost Received field, which
//!    delivered the mail to where we read it, the hosts named or below a named authserv-id, and `localhost`, where filters run;
//! 3. a second Received field of ours below the first result: results stand beside the one Received field of the server that
//!    found them, above or below it, according to the filter;
//! 4. a field that an author writes, such as From: nothing that a server adds stands below.
//!
//! RFC 8601 §5 has our servers remove what claims to be theirs and came from outside. This is for the day on which one forgets:
//! it does not stand in for the removal, since a forged field may stand right below the last true one.

use super::authentication_results::authserv_id;
use super::fields::Field;
use super::limits;

/// The fields that tell of the way of a mail, from the top down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Vec<TraceField>);

/// A field of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceField {
    /// Authentication-Results, as it stands there (RFC 8601).
    Results(String),
    /// Received, with the host behind `by` in lower case (RFC 5321 §4.4).
    Received { by: Option<String> },
    /// ARC-Authentication-Results: the number of the link and what its sealer found (RFC 8617 §4.1.1).
    ArcResults { link: u32, results: String },
    /// ARC-Seal: the number of the link and the domain of its sealer (RFC 8617 §4.1.3).
    ArcSeal { link: u32, domain: String },
    /// The first field that an author writes; nothing below it was added on the way.
    Author,
}

/// What our own servers say about a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hop {
    #[default]
    BeforeResults,
    AfterResults,
}

impl Trace {
    /// Reads the trace of a mail.
    pub(super) fn read(fields: &[Field]) -> Self {
        let mut trace: Vec<TraceField> = Vec::new();
        let mut is_below_author = false;
        for field in fields {
            let Some(read) = trace_field(field) else { continue };
            // An ARC chain may stand anywhere; its seals are proven by `arc=pass`, not by their place.
            let is_arc = matches!(read, TraceField::ArcResults { .. } | TraceField::ArcSeal { .. });
            if is_below_author && !is_arc {
                continue;
            }
            is_below_author |= read == TraceField::Author;
            trace.push(read);
        }
        Self(trace)
    }

    /// The fields, from the top down.
    pub fn fields(&self) -> &[TraceField] {
        &self.0
    }

    /// The values of the Authentication-Results fields that our own servers added; the module says which these are.
    pub fn own_results(&self, authserv_ids: &[String]) -> Vec<&str> {
        let mut found = Vec::new();
        let (mut hop, mut hops, mut delivered_by) = (Hop::default(), 0, None);
        for field in &self.0 {
            match field {
                TraceField::Results(value) => {
                    let is_own = authserv_id(value).is_some_and(|id| authserv_ids.contains(&id));
                    if !is_own || found.len() >= limits::RESULT_FIELDS_MAX {
                        break;
                    }
                    (hop, hops) = if hop == Hop::BeforeResults { (Hop::AfterResults, 0) } else { (hop, hops) };
                    found.push(value.as_str());
                }
                TraceField::Received { by } => {
                    let by = by.as_deref();
                    let delivered_by = *delivered_by.get_or_insert(by);
                    hops += 1;
                    let most = if hop == Hop::AfterResults { 1 } else { limits::OWN_HOPS_MAX };
                    if hops > most || !(by == delivered_by || is_own_host(by, authserv_ids)) {
                        break;
                    }
                }
                TraceField::Author => break,
                TraceField::ArcResults { .. } | TraceField::ArcSeal { .. } => {}
            }
        }
        found
    }

    /// The last link of the ARC chain: who sealed it, and what they had found; nothing where there is no chain, or two
    /// fields claim to be the same link (RFC 8617 §5.2).
    pub fn last_link(&self) -> Option<(&str, &str)> {
        let last = self.0.iter().filter_map(|field| match field {
            TraceField::ArcSeal { link, .. } => Some(*link),
            _ => None,
        });
        let last = last.max()?;
        let seals: Vec<&str> = self.0.iter().filter_map(|field| field.seal_of(last)).collect();
        let results: Vec<&str> = self.0.iter().filter_map(|field| field.results_of(last)).collect();
        match (seals.as_slice(), results.as_slice()) {
            ([seal], [results]) => Some((seal, results)),
            _ => None,
        }
    }
}

impl TraceField {
    fn seal_of(&self, wanted: u32) -> Option<&str> {
        match self {
            Self::ArcSeal { link, domain } if *link == wanted => Some(domain),
            _ => None,
        }
    }

    fn results_of(&self, wanted: u32) -> Option<&str> {
        match self {
            Self::ArcResults { link, results } if *link == wanted => Some(results),
            _ => None,
        }
    }
}

fn is_own_host(by: Option<&str>, authserv_ids: &[String]) -> bool {
    by.is_some_and(|by| {
        by == "localhost"
            || authserv_ids
                .iter()
                .any(|id| by.strip_suffix(id.as_str()).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
    })
}

/// The fields that authors and lists write (RFC 5322 §3.6, RFC 2045 §3, RFC 2369).
const AUTHOR_FIELDS: [&str; 12] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "list-id",
    "list-post",
];

fn trace_field(field: &Field) -> Option<TraceField> {
    match field.name.as_str() {
        "authentication-results" => Some(TraceField::Results(field.value.clone())),
        "received" => Some(TraceField::Received { by: host_behind_by(&field.value) }),
        "arc-authentication-results" => {
            let (instance, results) = field.value.split_once(';')?;
            let link = instance.trim().strip_prefix("i=")?.trim().parse().ok()?;
            Some(TraceField::ArcResults { link, results: results.to_owned() })
        }
        "arc-seal" => {
            let link = tag(&field.value, "i")?.parse().ok()?;
            Some(TraceField::ArcSeal { link, domain: tag(&field.value, "d")?.to_lowercase() })
        }
        name if AUTHOR_FIELDS.contains(&name) => Some(TraceField::Author),
        _ => None,
    }
}

/// A tag of a tag list (RFC 6376 §3.2); nothing where it stands there twice.
fn tag<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let mut values = tags.filter(|(known, _)| known.trim() == name).map(|(_, value)| value.trim());
    values.next().filter(|_| values.next().is_none())
}

/// The host that says it has received the mail: the word behind the first `by` that stands in no comment.
fn host_behind_by(value: &str) -> Option<String> {
    let mut depth = 0usize;
    let bare: String = value
        .chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ if depth == 0 => return c,
                _ => {}
            }
            ' '
        })
        .collect();
    let clauses = bare.split(';').next()?;
    let mut words = clauses.split_ascii_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by"))?;
    words.next().map(|host| host.trim_end_matches('.').to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::fields::fields;
    use super::*;

    /// The results that count, shortened to what stands behind the first semicolon.
    fn own(header: &str) -> Vec<String> {
        let header = header.replace('|', "\r\n");
        let trace = Trace::read(&fields(header.as_bytes()));
        let own = trace.own_results(&["mx.example.com".to_owned()]);
        own.into_iter().map(|value| value.split_once(';').unwrap_or_default().1.trim().to_owned()).collect()
    }

    const LMTP: &str =
        "Return-Path: <a@b>|Delivered-To: x|Received: from mx by store.example.com (Dovecot) with LMTP id 1; now|";
    const SMTP: &str = "Received: from evil (unknown [192.0.2.9]) by mx.example.com (Postfix) with ESMTPS id 2; now|";

    #[test]
    fn the_results_stand_above_or_below_our_own_received() {
        for header in [
            format!(
                "{LMTP}{SMTP}Authentication-Results: mx.example.com; one=pass|DKIM-Filter: x|Authentication-Results: MX.example.com; two=pass|From: a|"
            ),
            format!(
                "{LMTP}Authentication-Results: mx.example.com; one=pass|Authentication-Results: mx.example.com; two=pass|{SMTP}From: a|"
            ),
            format!(
                "{LMTP}Authentication-Results: mx.example.com; one=pass|{SMTP}Authentication-Results: mx.example.com; two=pass|From: a|"
            ),
            format!(
                "{LMTP}Received: from mx by localhost (filter [127.0.0.1]) with ESMTP; now|{SMTP}Authentication-Results: mx.example.com; one=pass|Authentication-Results: mx.example.com; two=pass|"
            ),
        ] {
            assert_eq!(own(&header), ["one=pass", "two=pass"], "{header}");
        }
    }

    #[test]
    fn what_came_with_the_mail_does_not_count() {
        let forged = "Authentication-Results: mx.example.com; forged=pass|";
        for header in [
            // Below a foreign field.
            format!("{LMTP}{SMTP}Authentication-Results: other.example; one=pass|{forged}From: a|"),
            // Below a Received of another host.
            format!("{LMTP}{SMTP}Received: from evil by evil.example; now|{forged}From: a|"),
            format!("{LMTP}Received: from evil by evil.example (by mx.example.com) with SMTP; now|{forged}From: a|"),
            format!("{LMTP}Received: from evil by notmx.example.com.evil.example; now|{forged}From: a|"),
            format!("{LMTP}Received: from evil by evilmx.example.com; now|{forged}From: a|"),
            // Below what an author wrote.
            format!("{LMTP}{SMTP}From: a|{forged}"),
            format!("{LMTP}{SMTP}Subject: a|{forged}From: a|"),
            // Another id that begins or ends alike.
            format!("{LMTP}Authentication-Results: mx.example.com.evil.example; forged=pass|From: a|"),
            format!("{LMTP}Authentication-Results: \"mx.example.com \"; forged=pass|From: a|"),
        ] {
            assert_eq!(own(&header), Vec::<String>::new(), "{header}");
        }
        let below = format!(
            "{LMTP}{SMTP}Authentication-Results: mx.example.com; one=fail|{SMTP}Received: from x by mx.example.com; now|{forged}From: a|"
        );
        assert_eq!(own(&below), ["one=fail"], "a second hop of ours cannot lie below the result");
    }

    #[test]
    fn an_arc_chain_has_one_last_link() {
        let chain = "ARC-Seal: i=2; a=rsa; d=Lists.example; cv=pass; b=x|ARC-Authentication-Results: i=2; lists.example; dmarc=pass|\
            ARC-Seal: i=1; d=first.example; b=y|ARC-Authentication-Results: i=1; first.example; dmarc=fail|";
        let read = |header: &str| Trace::read(&fields(header.replace('|', "\r\n").as_bytes()));
        assert_eq!(read(chain).last_link(), Some(("lists.example", " lists.example; dmarc=pass")));
        assert_eq!(read(&format!("{chain}ARC-Seal: i=2; d=evil.example; b=z|")).last_link(), None);
        assert_eq!(read("From: a|").last_link(), None);
    }
}
