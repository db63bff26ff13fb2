//! Whom to believe: who speaks in a mail, what proves it, and what becomes of a message that is not proven.
//!
//! | the sender is | the engine would | then |
//! |---|---|---|
//! | proven, or believed by policy | anything | that is done |
//! | unproven | refuse it | it is refused |
//! | unproven | change or send something | it waits for the user, who may believe it |
//! | unproven | remember a CANCEL of nothing | it is refused: there is nothing to ask the user about |
//! | contradicted by the mail server | anything | it is refused |
//!
//! The engine is asked as if the sender were proven, so that a stranger is refused as a stranger and a proposal is one that could
//! be taken.

use super::{Gateway, GatewayError};
use crate::config::Publications as ConfiguredPublications;
use crate::config::{AutoAdd, PartyCrashers as ConfiguredPartyCrashers, People, Trust, User};
use crate::imip::{
    AutoSubmitted, CalendarPart, Claim, Doubt, Email, Evidence, Exception, Finding, Lack, Proof, ProofRules, Signature,
    Speaker, extract, lookalike, prove,
};
use crate::itip::component::ComponentExt;
use crate::itip::{
    Address, Admission, CalendarObject, Decision, ItipMessage, Method, PartyCrashers, Policy, Publications, Reason,
    Verdict,
};
use crate::ledger::Transaction;
use crate::mailbox::FetchedMail;

/// One calendar of a mail, for the question who says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter<'a> {
    pub email: &'a Email,
    pub part: &'a CalendarPart,
}

/// How much of a mail is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    #[default]
    Whole,
    /// Its header and its calendar parts.
    Abridged,
}

impl Extent {
    /// What of a mail was fetched.
    pub fn of(fetched: &FetchedMail) -> Self {
        if fetched.whole { Self::Whole } else { Self::Abridged }
    }
}

/// How many participants of a stored object are compared with the sender's domain.
const COMPARED_MAX: usize = 200;

impl Gateway {
    /// Who says what a message says; nothing when the mail has no single author.
    pub(super) async fn speaker(
        &self,
        transaction: &mut Transaction,
        letter: Letter<'_>,
        message: &ItipMessage,
        held: Option<&CalendarObject>,
    ) -> Result<Option<Speaker>, GatewayError> {
        let Some(author) = letter.email.sender.author() else { return Ok(None) };
        if wrote_it_ourselves(transaction, letter, author).await? {
            let proof = Proof::Authenticated { by: Evidence::OwnMail };
            return Ok(Some(Speaker { address: author.clone(), proof, by_exception: None }));
        }
        let Some(mut speaker) = self.prove(letter.email, message) else { return Ok(None) };
        let is_fake = self.looks_like_another(author, held, message);
        if is_fake && speaker.proof != Proof::Contradicted {
            speaker.proof = Proof::Unproven { because: Doubt::Odd(Finding::Lookalike) };
        }
        Ok(Some(speaker))
    }

    /// How far it is proven that the author of a mail wrote it, whatever stands in it.
    pub(super) fn proof_of_author(&self, email: &Email) -> Option<Proof> {
        Some(self.prove_claim(email, Claim { method: None, organizer: None, attendee: None })?.proof)
    }

    /// Has the signatures of a mail checked, where the site wants it and the mail server has found nothing that proves its author.
    ///
    /// Before the transaction: it may wait for the DNS.
    pub(super) async fn check_signature(&self, email: &mut Email, raw: &[u8], extent: Extent) {
        let Some(verifier) = &self.verifier else { return };
        let Some(domain) = email.sender.author().and_then(Address::domain).map(str::to_owned) else { return };
        let proof = self.proof_of_author(email);
        let is_open = matches!(proof, Some(Proof::Unproven { because: Doubt::NoResults | Doubt::NotAligned }));
        if !is_open {
            return;
        }
        email.signature = match extent {
            Extent::Whole => verifier.verify(raw, &domain).await,
            Extent::Abridged => Signature::Lacking(Lack::Abridged),
        };
    }

    fn prove(&self, email: &Email, message: &ItipMessage) -> Option<Speaker> {
        let organizer = message.object.organizer().ok().flatten();
        let only = only_attendee(&message.object);
        let claim = Claim { method: Some(message.method), organizer: organizer.as_ref(), attendee: only.as_ref() };
        self.prove_claim(email, claim)
    }

    fn prove_claim(&self, email: &Email, claim: Claim<'_>) -> Option<Speaker> {
        let trusting = &self.config.policy.trusting;
        let owns = |login: &str, address: &Address| {
            let user = self.user(address);
            user.is_some_and(|user| {
                user.login.eq_ignore_ascii_case(login) || user.addresses.iter().any(|own| own.as_str() == login)
            })
        };
        let rules = ProofRules {
            authserv_ids: &trusting.authserv_ids,
            arc_sealers: &trusting.arc_sealers,
            exceptions: &trusting.exceptions,
            lists: &trusting.lists,
            booking_systems: &trusting.booking_systems,
            owns: &owns,
        };
        let speaker = prove(email, claim, rules)?;
        let is_assumed = trusting.trust == Trust::From
            && matches!(
                speaker.proof,
                Proof::Unproven { because: Doubt::NoResults | Doubt::NotAligned | Doubt::Signature(_) }
                    | Proof::Contradicted
            );
        Some(if is_assumed { Speaker { proof: Proof::Assumed, ..speaker } } else { speaker })
    }

    /// Whether the author's domain is made to be taken for one of ours, or for one that takes part.
    fn looks_like_another(&self, author: &Address, held: Option<&CalendarObject>, message: &ItipMessage) -> bool {
        let Some(domain) = author.domain() else { return false };
        let own = &self.config.policy.domains;
        if own.iter().any(|own| own == domain) {
            return false;
        }
        let parties: Vec<Address> = held.into_iter().flat_map(participants).take(COMPARED_MAX).collect();
        if parties.contains(author) {
            return false;
        }
        // Whom the message names as organizer counts as well; the author, who writes it, is no model for themself.
        let organizer = message.object.organizer().ok().flatten();
        let models = parties.iter().chain(organizer.as_ref()).filter_map(Address::domain);
        own.iter().map(String::as_str).chain(models).any(|model| lookalike::looks_like(domain, model))
    }

    /// What is left to the engine for this user and this sender, and why an invitation would have to wait.
    pub(super) async fn policy(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (email, speaker, message): (&Email, &Speaker, &ItipMessage),
    ) -> Result<(Policy, Reason), GatewayError> {
        let wait = self.why_wait(transaction, user, (email, speaker, message)).await?;
        let party_crashers = match self.config.policy.party_crashers {
            ConfiguredPartyCrashers::Refuse => PartyCrashers::Refuse,
            ConfiguredPartyCrashers::Propose => PartyCrashers::Propose,
        };
        let publications = match self.config.policy.publications {
            ConfiguredPublications::Refuse => Publications::Refuse,
            ConfiguredPublications::Import => Publications::Import,
        };
        let new_invitations = if wait.is_some() { Admission::Wait } else { Admission::Add };
        Ok((Policy { new_invitations, party_crashers, publications }, wait.unwrap_or(Reason::WaitsForUser)))
    }

    /// Why something new from this sender is not added by itself; nothing when it is.
    async fn why_wait(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (email, speaker, message): (&Email, &Speaker, &ItipMessage),
    ) -> Result<Option<Reason>, GatewayError> {
        if !speaker.proof.suffices() {
            return Ok(Some(Reason::SenderUnproven));
        }
        if email.is_marked_as_spam {
            return Ok(Some(Reason::MarkedAsSpam));
        }
        let is_named = self.names(user, |people| &people.known, &speaker.address);
        if !is_named && is_unknown_secretary(speaker, message, &self.config.policy.domains) {
            return Ok(Some(Reason::SpeaksForAnother));
        }
        let is_added = self.is_open_to(transaction, user, speaker).await?;
        Ok((!is_added).then_some(Reason::WaitsForUser))
    }

    /// Whether `auto_add` and the lists of people let a sender's invitations in.
    async fn is_open_to(
        &self,
        transaction: &mut Transaction,
        user: &User,
        speaker: &Speaker,
    ) -> Result<bool, GatewayError> {
        let (policy, address) = (&self.config.policy, &speaker.address);
        if user.auto_add == AutoAdd::Never || self.names(user, |people| &people.strangers, address) {
            return Ok(false);
        }
        let is_own_domain = address.domain().is_some_and(|domain| policy.domains.iter().any(|own| own == domain));
        let is_open = match user.auto_add {
            AutoAdd::All => true,
            AutoAdd::Authenticated => is_own_domain || speaker.proof.is_evidence(),
            AutoAdd::Domain => is_own_domain,
            AutoAdd::Known | AutoAdd::Never => false,
        };
        let is_known = is_open || self.names(user, |people| &people.known, address);
        Ok(is_known || transaction.is_acquainted(user.key(), address).await?)
    }

    /// Whether a list of people, the site's or the user's, names an address.
    fn names(&self, user: &User, pick: fn(&People) -> &[String], address: &Address) -> bool {
        let lists = [&self.config.policy.people, &user.people];
        lists.into_iter().any(|people| People::names(pick(people), address))
    }
}

/// What becomes of a decision once it is known how far its sender is proven.
pub(super) fn hold_back(decision: Decision, speaker: &Speaker, (method, wait): (Method, Reason)) -> Decision {
    let is_idle = decision.store.is_none() && decision.revisions.is_none() && decision.outgoing.is_empty();
    match (&speaker.proof, decision.verdict) {
        (_, Verdict::Refused) => decision,
        (Proof::Contradicted, _) => {
            Decision { verdict: Verdict::Refused, ..Decision::unchanged(Reason::SenderContradicted) }
        }
        (Proof::Unproven { .. }, Verdict::Applied | Verdict::Unchanged) if !is_idle => {
            // A CANCEL of what is not held would be remembered; there is nothing that the user could decide.
            let is_about_nothing = method == Method::Cancel && decision.reason == Reason::CancelRemembered;
            let verdict = if is_about_nothing { Verdict::Refused } else { Verdict::Proposed };
            Decision { verdict, ..Decision::unchanged(Reason::SenderUnproven) }
        }
        // Whoever looks at what waits must know that its sender may be anybody.
        (Proof::Unproven { .. }, Verdict::Proposed) => Decision { reason: Reason::SenderUnproven, ..decision },
        (Proof::Authenticated { .. } | Proof::Assumed | Proof::Unproven { .. }, _) => {
            let waits = decision.reason == Reason::WaitsForUser;
            Decision { reason: if waits { wait } else { decision.reason.clone() }, ..decision }
        }
    }
}

/// Why no mail goes out by itself because of this one, as a further sentence; nothing when one may.
///
/// RFC 3834 §2: no answer to a list, and none to an answer. Our own question after an ADD is such an answer, and the current version
/// has to follow it; that ends there, since nothing is sent in answer to a REQUEST.
pub(super) fn why_unanswered(email: &Email, method: Method) -> Option<&'static str> {
    if email.is_list {
        return Some(" Not answered, because it came by a mailing list.");
    }
    let is_by_machine = matches!(email.auto_submitted, AutoSubmitted::Replied | AutoSubmitted::Other);
    (is_by_machine && method != Method::Refresh).then_some(" Not answered, because a program wrote it as an answer.")
}

/// Lets a booking system change later what it brings now, by naming it as the one who acts for the organizer (RFC 5545 §3.2.18).
pub(super) fn name_secretary(speaker: &Speaker, message: &mut ItipMessage, held: Option<&CalendarObject>) {
    let brought_it = held.is_none_or(|held| {
        let mut secretaries = held.components().filter_map(|(_, component)| component.organizer()?.sent_by());
        secretaries.any(|secretary| secretary == speaker.address)
    });
    if speaker.by_exception == Some(Exception::BookingSystems) && brought_it {
        message.object.set_sent_by(&speaker.address);
    }
}

/// What is recorded of the proof: what there is, and the findings about the sender.
pub(super) fn told(proof: &Proof, findings: &[Finding]) -> String {
    let by = match proof {
        Proof::Authenticated { by } => match by {
            Evidence::Login(_) => "-by-login",
            Evidence::Dmarc => "-by-dmarc",
            Evidence::Dkim(_) => "-by-dkim",
            Evidence::Signature(_) => "-by-signature",
            Evidence::Spf(_) => "-by-spf",
            Evidence::Chain(_) => "-by-arc",
            Evidence::OwnMail => "-own-mail",
            Evidence::Token => "-by-token",
        },
        Proof::Unproven { because: Doubt::NoResults } => "-no-results",
        Proof::Unproven { because: Doubt::NotAligned } => "-not-aligned",
        Proof::Unproven { because: Doubt::Signature(lack) } => &format!("-signature-{}", lack.name()),
        Proof::Unproven { because: Doubt::Odd(finding) } => &format!("-{}", finding.name()),
        Proof::Assumed | Proof::Contradicted => "",
    };
    let findings: String = findings.iter().map(|finding| format!(" {}", finding.name())).collect();
    format!("{}{by}{findings}", proof.name())
}

/// Whether this gateway wrote the mail, for this author and with this very calendar.
async fn wrote_it_ourselves(
    transaction: &mut Transaction,
    letter: Letter<'_>,
    author: &Address,
) -> Result<bool, GatewayError> {
    let message_id = letter.email.message_id.as_deref().unwrap_or_default();
    let Some((sender, raw)) = transaction.own_mail(message_id).await? else { return Ok(false) };
    let is_same = |own: &CalendarPart| own.text == letter.part.text;
    Ok(sender == author.as_str() && !letter.part.is_forwarded && extract(&raw).calendars.iter().any(is_same))
}

/// Whether an invitation is sent by somebody of whom only the message itself says that they act for its organizer.
///
/// SENT-BY in a message proves nothing (RFC 6047 §2.2.1). Within the site's own domains it is believed: there the submission
/// server knows who sends. Elsewhere one domain may be that of a million strangers.
fn is_unknown_secretary(speaker: &Speaker, message: &ItipMessage, own_domains: &[String]) -> bool {
    let Some(organizer) = message.object.organizer().ok().flatten() else { return false };
    let domain = organizer.domain();
    let is_own = domain == speaker.address.domain() && own_domains.iter().any(|own| domain == Some(own));
    organizer != speaker.address
        && !is_own
        && speaker.proof != Proof::Assumed
        && speaker.by_exception != Some(Exception::BookingSystems)
}

fn participants(object: &CalendarObject) -> impl Iterator<Item = Address> {
    object
        .components()
        .flat_map(|(_, component)| component.organizer().into_iter().chain(component.attendees()))
        .map(|party| party.address())
}

/// The attendee of a message that names just one.
fn only_attendee(object: &CalendarObject) -> Option<Address> {
    let mut attendees =
        object.components().flat_map(|(_, component)| component.attendees()).map(|party| party.address());
    let first = attendees.next()?;
    attendees.all(|other| other == first).then_some(first)
}
