//! What proves that a mail comes from whom it names: the findings of our own mail server, read with suspicion.
//!
//! | what our server found | counts when |
//! |---|---|
//! | `auth=pass` | `smtp.auth` is the address in From, or the login of a user who has that address |
//! | `dmarc=pass` | `header.from` is the domain of From, and no other `dmarc` result of ours says otherwise |
//! | `dkim=pass` | `header.d` (or the domain of `header.i`) is the domain of From, or a domain above it |
//! | `spf=pass` | the same for the domain of `smtp.mailfrom` |
//! | `arc=pass` | the last sealer is named in the configuration, and found `dmarc=pass` for the domain of From |
//! | nothing of these | a DKIM signature that was checked here holds, and is of the domain of From or one above it |
//!
//! DMARC aligns a domain also with those beside and below it, up to the public suffix (RFC 7489 §3.1, §3.2). Without the list of
//! public suffixes only the way up is safe: whoever holds `example.com` decides what `team.example.com` is, but whoever holds
//! `me.github.io` does not speak for `github.io`. Who needs the rest of alignment has the mail server check DMARC.

use super::authentication_results::{self, MethodResult};
use super::email::Email;
use super::sender::Finding;
use super::signature::{Lack, Signature};
use crate::itip::{Address, Method};

/// How far it is proven that a mail comes from its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Proven.
    Authenticated { by: Evidence },
    /// Believed without proof, because the site wants it so.
    Assumed,
    /// Neither proven nor disproven.
    Unproven { because: Doubt },
    /// Our server found that it does not come from the domain that it names.
    Contradicted,
}

/// What proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The sender logged in to our submission server.
    Login(String),
    Dmarc,
    /// A signature of this domain (RFC 6376).
    Dkim(String),
    /// The same, as it was checked here.
    Signature(String),
    /// The sending host may send for this domain (RFC 7208).
    Spf(String),
    /// A sealer whom the site trusts found it proven before it changed the mail (RFC 8617).
    Chain(String),
    /// This gateway wrote the mail itself.
    OwnMail,
    /// It was said with a token that had been sent to the sender alone.
    Token,
}

/// Why it is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Our server said nothing about the mail, or nothing where its words count.
    NoResults,
    /// What it said does not prove the domain of From.
    NotAligned,
    /// Nor does a signature, which was checked here.
    Signature(Lack),
    /// The fields that name the sender are not what an honest mail has.
    Odd(Finding),
}

impl Proof {
    /// Whether the mail may do what its author may do.
    pub fn suffices(&self) -> bool {
        match self {
            Self::Authenticated { .. } | Self::Assumed => true,
            Self::Unproven { .. } | Self::Contradicted => false,
        }
    }

    /// Whether there is evidence.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Authenticated { .. })
    }

    /// The stable kebab-case name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authenticated { .. } => "authenticated",
            Self::Assumed => "assumed",
            Self::Unproven { .. } => "unproven",
            Self::Contradicted => "contradicted",
        }
    }

    /// A sentence for the operator, without its full stop.
    pub fn describe(&self) -> String {
        match self {
            Self::Authenticated { by } => match by {
                Evidence::Login(login) => format!("authenticated: {login} logged in to the submission server"),
                Evidence::Dmarc => "authenticated by DMARC".into(),
                Evidence::Dkim(domain) => format!("authenticated by a DKIM signature of {domain}"),
                Evidence::Signature(domain) => {
                    format!("authenticated by a DKIM signature of {domain}, which was checked here")
                }
                Evidence::Spf(domain) => format!("authenticated by SPF of {domain}"),
                Evidence::Chain(sealer) => format!("authenticated by the ARC chain that {sealer} sealed"),
                Evidence::OwnMail => "authenticated: imipd wrote this mail itself".into(),
                Evidence::Token => "authenticated by the token of a link that was sent to them alone".into(),
            },
            Self::Assumed => "believed as it stands in From (policy.trust = \"from\")".into(),
            Self::Unproven { because: Doubt::NoResults } => {
                "unproven: no Authentication-Results of policy.authserv_id where they count".into()
            }
            Self::Unproven { because: Doubt::NotAligned } => {
                "unproven: nothing that the mail server found proves the domain of From".into()
            }
            Self::Unproven { because: Doubt::Signature(lack) } => {
                format!(
                    "unproven: the mail server found nothing that proves the domain of From, and {}",
                    lack.describe()
                )
            }
            Self::Unproven { because: Doubt::Odd(finding) } => format!("unproven: {}", finding.describe()),
            Self::Contradicted => "contradicted: the mail server found that it fails DMARC".into(),
        }
    }
}

/// A tolerance for honest mail whose author cannot be proven by From alone; switched on by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exception {
    /// An answer given on Google Calendar's pages by somebody whose domain Google does not sign for.
    GoogleReplies,
    /// A calendar or a room of Google that has an address of its own, while a person stands in From.
    GoogleCalendars,
    /// A list that the site names, which puts its own address in From and the author in Reply-To.
    MailingLists,
    /// A booking system that the site names, which invites in the name of another organizer.
    BookingSystems,
}

impl Exception {
    pub const ALL: [Self; 4] = [Self::GoogleReplies, Self::GoogleCalendars, Self::MailingLists, Self::BookingSystems];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::GoogleReplies => "google-replies",
            Self::GoogleCalendars => "google-calendars",
            Self::MailingLists => "mailing-lists",
            Self::BookingSystems => "booking-systems",
        }
    }
}

/// What the site says about proof; domains in lower case.
#[derive(Clone, Copy)]
pub struct ProofRules<'a> {
    /// The names under which our own servers write Authentication-Results.
    pub authserv_ids: &'a [String],
    /// The domains whose ARC seals count.
    pub arc_sealers: &'a [String],
    pub exceptions: &'a [Exception],
    /// The domains of the lists of [`Exception::MailingLists`].
    pub lists: &'a [String],
    /// The domains of the booking systems of [`Exception::BookingSystems`].
    pub booking_systems: &'a [String],
    /// Whether a login at our submission server belongs to a user who has this address.
    pub owns: &'a dyn Fn(&str, &Address) -> bool,
}

/// What a message says of itself, as far as an exception asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claim<'a> {
    pub method: Option<Method>,
    pub organizer: Option<&'a Address>,
    /// The attendee of an answer, when it names just one.
    pub attendee: Option<&'a Address>,
}

/// Who speaks, and how far that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Who is asked for when rights are checked: the author, or whom an exception puts in their place.
    pub address: Address,
    pub proof: Proof,
    pub by_exception: Option<Exception>,
}

/// Finds who speaks in a mail; nothing when it has no single author.
pub fn prove(email: &Email, claim: Claim<'_>, rules: ProofRules<'_>) -> Option<Speaker> {
    let author = email.sender.author()?;
    let plain = |proof| Speaker { address: author.clone(), proof, by_exception: None };
    if let Some(finding) = email.sender.doubt() {
        return Some(plain(Proof::Unproven { because: Doubt::Odd(finding) }));
    }
    let found = Found::read(email, rules.authserv_ids);
    let proof = by_signature(found.proof(email, author, rules), &email.signature, author);
    Some(excepted(email, &found, (author, &proof), claim, rules).unwrap_or_else(|| plain(proof)))
}

/// Proof by a signature that was checked here, where the mail server found none.
///
/// It does not outweigh a failure: what the server saw on the way, nobody sees afterwards.
fn by_signature(proof: Proof, signature: &Signature, author: &Address) -> Proof {
    match (&proof, signature) {
        (Proof::Unproven { because: Doubt::NoResults | Doubt::NotAligned }, Signature::Holds(signer)) => {
            let is_aligned = author.domain().is_some_and(|domain| is_at_or_below(domain, signer));
            match is_aligned {
                true => Proof::Authenticated { by: Evidence::Signature(signer.clone()) },
                false => Proof::Unproven { because: Doubt::Signature(Lack::OfAnother) },
            }
        }
        (Proof::Unproven { because: Doubt::NoResults | Doubt::NotAligned }, Signature::Lacking(lack)) => {
            Proof::Unproven { because: Doubt::Signature(*lack) }
        }
        _ => proof,
    }
}

/// Where Google's calendar says that it speaks for somebody.
const GOOGLE_SENDER: &str = "calendar-notification@google.com";
const GOOGLE_DOMAIN: &str = "google.com";
const GOOGLE_CALENDARS: [&str; 2] = ["group.calendar.google.com", "resource.calendar.google.com"];

/// The speaker by one of the exceptions that are switched on.
fn excepted(
    email: &Email,
    found: &Found,
    (author, proof): (&Address, &Proof),
    claim: Claim<'_>,
    rules: ProofRules<'_>,
) -> Option<Speaker> {
    let is_google = found.is_signed_by(GOOGLE_DOMAIN)
        && email.sender.sender.as_ref().is_some_and(|sender| sender.as_str() == GOOGLE_SENDER);
    let by_google = || Proof::Authenticated { by: Evidence::Dkim(GOOGLE_DOMAIN.to_owned()) };
    rules.exceptions.iter().find_map(|exception| {
        let (address, proof) = match exception {
            // Google signs From and the calendar, so both are what Google wrote.
            Exception::GoogleReplies => {
                let is_answer = matches!(claim.method, Some(Method::Reply | Method::Counter));
                (is_google && is_answer && !proof.suffices()).then(|| (author.clone(), by_google()))?
            }
            Exception::GoogleCalendars => {
                let party = if claim.method.is_some_and(is_from_attendee) { claim.attendee } else { claim.organizer };
                let party = party.filter(|party| party.domain().is_some_and(|own| GOOGLE_CALENDARS.contains(&own)))?;
                is_google.then(|| (party.clone(), by_google()))?
            }
            Exception::MailingLists => (human_behind_list(email, (author, proof), rules.lists)?.clone(), proof.clone()),
            Exception::BookingSystems => {
                let is_named = proof.is_evidence() && is_of(author, rules.booking_systems);
                let is_another = claim.organizer.is_some_and(|organizer| organizer != author);
                (is_named && is_another && claim.method == Some(Method::Request))
                    .then(|| (author.clone(), proof.clone()))?
            }
        };
        Some(Speaker { address, proof, by_exception: Some(*exception) })
    })
}

/// The author whom a named list has moved to Reply-To: the one address there that is not the list's.
fn human_behind_list<'a>(
    email: &'a Email,
    (author, proof): (&Address, &Proof),
    lists: &[String],
) -> Option<&'a Address> {
    if !email.is_list || !proof.is_evidence() || !is_of(author, lists) {
        return None;
    }
    let mut people = email.sender.reply_to.iter().filter(|address| address.is_mailable() && !is_of(address, lists));
    people.next().filter(|_| people.next().is_none())
}

fn is_of(address: &Address, domains: &[String]) -> bool {
    address.domain().is_some_and(|domain| domains.iter().any(|known| known == domain))
}

fn is_from_attendee(method: Method) -> bool {
    match method {
        Method::Reply | Method::Counter | Method::Refresh => true,
        Method::Publish | Method::Request | Method::Add | Method::Cancel | Method::DeclineCounter => false,
    }
}

/// What our own servers found about a mail.
struct Found {
    results: Vec<MethodResult>,
    is_silent: bool,
}

impl Found {
    fn read(email: &Email, authserv_ids: &[String]) -> Self {
        let own = email.trace.own_results(authserv_ids);
        let fields = own.iter().filter_map(|value| authentication_results::parse(value));
        Self { is_silent: own.is_empty(), results: fields.flat_map(|field| field.results).collect() }
    }

    fn of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a MethodResult> {
        self.results.iter().filter(move |result| result.method == method)
    }

    fn passed<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a MethodResult> {
        self.of(method).filter(|result| result.result == "pass")
    }

    fn is_signed_by(&self, domain: &str) -> bool {
        self.passed("dkim").filter_map(signer).any(|signer| signer == domain)
    }

    fn proof(&self, email: &Email, author: &Address, rules: ProofRules<'_>) -> Proof {
        let domain = author.domain().unwrap_or_default();
        if let Some(login) = self.login_of(author, rules) {
            return Proof::Authenticated { by: Evidence::Login(login) };
        }
        match self.dmarc(domain) {
            Some(true) => Proof::Authenticated { by: Evidence::Dmarc },
            Some(false) => match self.chain(email, domain, rules.arc_sealers) {
                Some(sealer) => Proof::Authenticated { by: Evidence::Chain(sealer) },
                None => Proof::Contradicted,
            },
            None => self.aligned(domain, email, rules).map_or_else(|| self.nothing(), |by| Proof::Authenticated { by }),
        }
    }

    fn nothing(&self) -> Proof {
        Proof::Unproven { because: if self.is_silent { Doubt::NoResults } else { Doubt::NotAligned } }
    }

    /// Whether the sender logged in as the author (RFC 8601 §2.7.4).
    fn login_of(&self, author: &Address, rules: ProofRules<'_>) -> Option<String> {
        let mut logins = self.passed("auth").filter_map(|result| result.property("smtp.auth"));
        let login = logins.find(|login| Address::in_mail(login) == *author || (rules.owns)(login, author))?;
        Some(login.to_owned())
    }

    /// Whether DMARC passed for this domain; nothing when it was not checked or could not be.
    ///
    /// Two fields that differ prove nothing: one of them may have come with the mail.
    fn dmarc(&self, domain: &str) -> Option<bool> {
        let about = |result: &&MethodResult| {
            result.property("header.from").is_none_or(|from| from.trim_end_matches('.').to_lowercase() == domain)
        };
        let mut passed = false;
        for result in self.of("dmarc").filter(about) {
            match result.result.as_str() {
                "pass" => passed |= result.property("header.from").is_some(),
                "fail" => return Some(false),
                // RFC 7489 §11.2: none, temperror, permerror say nothing.
                _ => return None,
            }
        }
        passed.then_some(true)
    }

    fn aligned(&self, domain: &str, email: &Email, rules: ProofRules<'_>) -> Option<Evidence> {
        let dkim = self.passed("dkim").filter_map(signer).find(|signer| is_at_or_below(domain, signer));
        let spf = || self.passed("spf").filter_map(envelope_domain).find(|own| is_at_or_below(domain, own));
        dkim.map(Evidence::Dkim)
            .or_else(|| spf().map(Evidence::Spf))
            .or_else(|| self.chain(email, domain, rules.arc_sealers).map(Evidence::Chain))
    }

    /// The sealer of the ARC chain, when it is one that the site trusts and found DMARC passed for this domain.
    ///
    /// `arc=pass` says that the chain is whole; that its last sealer tells the truth, only the site can know (RFC 8617 §9.6).
    fn chain(&self, email: &Email, domain: &str, sealers: &[String]) -> Option<String> {
        let is_whole = self.of("arc").all(|result| result.result == "pass") && self.of("arc").next().is_some();
        let (sealer, results) = email.trace.last_link().filter(|_| is_whole)?;
        let results = authentication_results::parse(results)?.results;
        let link = Found { results, is_silent: false };
        (sealers.iter().any(|known| known == sealer) && link.dmarc(domain) == Some(true)).then(|| sealer.to_owned())
    }
}

/// The domain that signed: `header.d`, or what follows the `@` of `header.i` (RFC 8601 §2.7.1).
fn signer(result: &MethodResult) -> Option<String> {
    let identity =
        || result.property("header.i").and_then(|identity| identity.rsplit_once('@')).map(|(_, domain)| domain);
    let domain = result.property("header.d").or_else(identity)?;
    Some(domain.trim_end_matches('.').to_lowercase())
}

/// The domain of `smtp.mailfrom`; that of `smtp.helo` names a machine, not a sender.
fn envelope_domain(result: &MethodResult) -> Option<String> {
    let value = result.property("smtp.mailfrom")?;
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    Some(domain.trim_end_matches('.').to_lowercase())
}

/// Whether `domain` is `upper` or lies below it; a name without a dot is nobody's domain.
pub fn is_at_or_below(domain: &str, upper: &str) -> bool {
    upper.contains('.') && domain.strip_suffix(upper).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::extract;
    use super::*;

    const NONE: &[String] = &[];

    fn speaker(header: &str, claim: Claim<'_>) -> Option<Speaker> {
        speaker_of(header, claim, Signature::NotChecked)
    }

    fn speaker_of(header: &str, claim: Claim<'_>, signature: Signature) -> Option<Speaker> {
        let ids = ["mx.example.com".to_owned()];
        let lists = ["lists.example.org".to_owned()];
        let booking = ["booking.example".to_owned()];
        let sealers = ["lists.example.org".to_owned()];
        let owns = |login: &str, address: &Address| login == "ada" && address.as_str() == "ada@example.com";
        let rules = ProofRules {
            authserv_ids: &ids,
            arc_sealers: &sealers,
            exceptions: &Exception::ALL,
            lists: &lists,
            booking_systems: &booking,
            owns: &owns,
        };
        let raw = header.replace('|', "\r\n").replace("AR:", "Authentication-Results: mx.example.com;");
        let email = Email { signature, ..extract(format!("{raw}\r\n\r\n").as_bytes()) };
        prove(&email, claim, rules)
    }

    fn proof(results: &str, from: &str) -> Proof {
        let header = format!("{results}|From: {from}");
        speaker(&header, Claim::default()).expect("an author").proof
    }

    #[test]
    fn what_proves_the_domain_counts() {
        let by = |by| Proof::Authenticated { by };
        for (results, expected) in [
            ("AR: dmarc=pass header.from=Example.com", Evidence::Dmarc),
            ("AR: dkim=pass header.d=example.com", Evidence::Dkim("example.com".into())),
            ("AR: dkim=pass header.i=@example.com", Evidence::Dkim("example.com".into())),
            (
                "AR: dkim=fail header.d=example.com; spf=pass smtp.mailfrom=x@example.com",
                Evidence::Spf("example.com".into()),
            ),
            ("AR: spf=pass smtp.mailfrom=example.com", Evidence::Spf("example.com".into())),
            ("AR: auth=pass smtp.auth=ada@example.com", Evidence::Login("ada@example.com".into())),
            ("AR: dmarc=fail header.from=example.com; auth=pass smtp.auth=ada", Evidence::Login("ada".into())),
            ("AR: dkim=pass header.d=evil.example|AR: dmarc=pass header.from=example.com", Evidence::Dmarc),
        ] {
            assert_eq!(proof(results, "Ada <ada@example.com>"), by(expected), "{results}");
        }
        let below = proof("AR: dkim=pass header.d=example.com", "ada@team.example.com");
        assert_eq!(below, by(Evidence::Dkim("example.com".into())), "who holds the domain holds what lies below");
    }

    #[test]
    fn what_proves_another_domain_does_not() {
        for results in [
            "AR: dmarc=pass header.from=evil.example",
            "AR: dmarc=pass",
            "AR: dmarc=none header.from=example.com",
            "AR: dkim=pass header.d=evil.example",
            "AR: dkim=pass header.d=com",
            "AR: dkim=pass header.d=mail.example.com",
            "AR: dkim=pass header.d=ample.com",
            "AR: dkim=neutral header.d=example.com",
            "AR: dkim=pass header.d=evil.example header.i=@example.com",
            "AR: dkim=pass header.d=example.com header.d=evil.example",
            "AR: spf=pass smtp.mailfrom=ada@example.com@evil.example",
            "AR: spf=pass smtp.helo=example.com",
            "AR: spf=softfail smtp.mailfrom=example.com",
            "AR: auth=pass smtp.auth=eve",
            "AR: auth=pass smtp.auth=eve@example.com",
            "AR: x-dmarc=pass header.from=example.com",
            "AR: dmarc=pass header.from=example.com (unclosed",
            "AR: dmarc=permerror header.from=example.com; dkim=none",
        ] {
            let expected = Proof::Unproven { because: Doubt::NotAligned };
            assert_eq!(proof(results, "ada@example.com"), expected, "{results}");
        }
        let silent = Proof::Unproven { because: Doubt::NoResults };
        assert_eq!(
            proof("Authentication-Results: other.example; dmarc=pass header.from=example.com", "ada@example.com"),
            silent
        );
    }

    #[test]
    fn one_failure_outweighs_any_number_of_passes() {
        for results in [
            "AR: dmarc=fail header.from=example.com",
            "AR: dmarc=fail (p=none) header.from=example.com; dkim=pass header.d=example.com",
            "AR: dmarc=fail header.from=example.com|AR: dmarc=pass header.from=example.com",
            "AR: dmarc=pass header.from=example.com|AR: dmarc=fail header.from=example.com",
            "AR: dmarc=fail|AR: dmarc=pass header.from=example.com",
        ] {
            assert_eq!(proof(results, "ada@example.com"), Proof::Contradicted, "{results}");
        }
    }

    #[test]
    fn an_odd_sender_is_not_proven_by_anything() {
        let results = "AR: dmarc=pass header.from=evil.example";
        let named = proof(results, "\"boss@example.com\" <eve@evil.example>");
        assert_eq!(named, Proof::Unproven { because: Doubt::Odd(Finding::NameShowsAnotherAddress) });
        assert_eq!(
            speaker("AR: dmarc=pass header.from=a.example|From: x@a.example|From: x@a.example", Claim::default()),
            None
        );
    }

    #[test]
    fn a_chain_counts_only_when_a_trusted_sealer_closes_it() {
        let chain = |sealer: &str, found: &str, arc: &str| {
            let header = format!(
                "AR: arc={arc}; dmarc=fail header.from=example.com|ARC-Seal: i=1; cv=none; d={sealer}; b=x|\
                 ARC-Authentication-Results: i=1; {sealer}; {found}"
            );
            proof(&header, "ada@example.com")
        };
        let passed = "dmarc=pass header.from=example.com";
        let expected = Proof::Authenticated { by: Evidence::Chain("lists.example.org".into()) };
        assert_eq!(chain("lists.example.org", passed, "pass"), expected);
        assert_eq!(chain("lists.example.org", passed, "fail"), Proof::Contradicted);
        assert_eq!(chain("evil.example", passed, "pass"), Proof::Contradicted);
        assert_eq!(chain("lists.example.org", "dmarc=pass header.from=evil.example", "pass"), Proof::Contradicted);
    }

    #[test]
    fn google_speaks_for_those_who_answer_on_its_pages() {
        let header = |signer: &str, sender: &str| {
            format!(
                "AR: dkim=pass header.d={signer}; dmarc=fail header.from=corp.example|From: bo@corp.example|Sender: {sender}"
            )
        };
        let reply = Claim { method: Some(Method::Reply), ..Claim::default() };
        let request = Claim { method: Some(Method::Request), ..Claim::default() };
        let honest = speaker(&header("google.com", GOOGLE_SENDER), reply).expect("an author");
        assert_eq!((honest.by_exception, honest.proof.suffices()), (Some(Exception::GoogleReplies), true));
        for (header, claim) in [
            (header("evil.example", GOOGLE_SENDER), reply),
            (header("gmail.com", GOOGLE_SENDER), reply),
            (header("google.com", "eve@google.com"), reply),
            (header("google.com", GOOGLE_SENDER), request),
        ] {
            let forged = speaker(&header, claim).expect("an author");
            assert_eq!((forged.by_exception, forged.proof), (None, Proof::Contradicted), "{header}");
        }
    }

    #[test]
    fn a_calendar_of_google_is_spoken_for_by_google_alone() {
        let calendar = Address::parse("c_1@group.calendar.google.com");
        let claim = Claim { method: Some(Method::Request), organizer: Some(&calendar), attendee: None };
        let header = |results: &str| format!("AR: {results}|From: bo@corp.example|Sender: {GOOGLE_SENDER}");
        let honest = speaker(&header("dkim=pass header.d=google.com"), claim).expect("an author");
        assert_eq!((honest.address, honest.by_exception), (calendar.clone(), Some(Exception::GoogleCalendars)));
        let forged = speaker(&header("dmarc=pass header.from=corp.example"), claim).expect("an author");
        assert_eq!((forged.address.as_str(), forged.by_exception), ("bo@corp.example", None));
        let other = Address::parse("boss@corp.example");
        let claim = Claim { organizer: Some(&other), ..claim };
        assert_eq!(speaker(&header("dkim=pass header.d=google.com"), claim).expect("an author").by_exception, None);
    }

    #[test]
    fn only_a_named_list_moves_its_author_to_reply_to() {
        let header = |domain: &str, results: &str, reply_to: &str| {
            format!(
                "AR: {results} header.from={domain}|List-Id: <x.{domain}>|From: Ada via X <x@{domain}>|Reply-To: {reply_to}"
            )
        };
        let who = |header: &str| speaker(header, Claim::default()).map(|speaker| speaker.address.as_str().to_owned());
        let list = "lists.example.org";
        assert_eq!(
            who(&header(list, "dmarc=pass", "ada@a.example, x@lists.example.org")).as_deref(),
            Some("ada@a.example")
        );
        assert_eq!(who(&header(list, "dmarc=none", "ada@a.example")).as_deref(), Some("x@lists.example.org"));
        assert_eq!(
            who(&header(list, "dmarc=pass", "ada@a.example, bo@b.example")).as_deref(),
            Some("x@lists.example.org")
        );
        assert_eq!(who(&header("evil.example", "dmarc=pass", "ada@a.example")).as_deref(), Some("x@evil.example"));
    }

    #[test]
    fn a_signature_that_was_checked_here_counts_where_the_server_found_nothing() {
        let checked = |header: &str, signature: Signature| {
            speaker_of(header, Claim::default(), signature).expect("an author").proof
        };
        let holds = |signer: &str| Signature::Holds(signer.to_owned());
        let (own, below) = ("From: x@a.example", "From: x@b.a.example");
        let proven = Proof::Authenticated { by: Evidence::Signature("a.example".into()) };
        assert_eq!(checked(own, holds("a.example")), proven);
        assert_eq!(checked(below, holds("a.example")), proven);
        assert_eq!(checked(&format!("AR: dmarc=none header.from=a.example|{own}"), holds("a.example")), proven);
        for (header, signature, lack) in [
            (own, holds("evil.example"), Lack::OfAnother),
            (own, holds("b.a.example"), Lack::OfAnother),
            (own, Signature::Lacking(Lack::NoAnswer), Lack::NoAnswer),
        ] {
            assert_eq!(checked(header, signature), Proof::Unproven { because: Doubt::Signature(lack) }, "{header}");
        }
        let failed = format!("AR: dmarc=fail header.from=a.example|{own}");
        assert_eq!(checked(&failed, holds("a.example")), Proof::Contradicted, "a failure stands");
        let passed = format!("AR: dmarc=pass header.from=a.example|{own}");
        let lacking = checked(&passed, Signature::Lacking(Lack::Missing));
        assert_eq!(lacking, Proof::Authenticated { by: Evidence::Dmarc }, "proof stands");
        let odd = checked("From: \"boss@b.example\" <x@a.example>", holds("a.example"));
        assert!(matches!(odd, Proof::Unproven { because: Doubt::Odd(_) }), "{odd:?}");
    }

    #[test]
    fn no_results_at_all_are_said_as_such() {
        let rules = ProofRules {
            authserv_ids: NONE,
            arc_sealers: NONE,
            exceptions: &[],
            lists: NONE,
            booking_systems: NONE,
            owns: &|_, _| false,
        };
        let email = extract(b"Authentication-Results: ; dmarc=pass header.from=a.example\r\nFrom: x@a.example\r\n\r\n");
        let speaker = prove(&email, Claim::default(), rules).expect("an author");
        assert_eq!(speaker.proof, Proof::Unproven { because: Doubt::NoResults });
    }
}
