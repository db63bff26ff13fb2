//! Any bytes as a mail: it is read without a panic, within the limits, and nobody is proven who is not named.

use imipd::imip::{Claim, Exception, ProofRules, extract, limits, prove};

/// Reads a mail and asks who sent it.
pub fn raw_mail(data: &[u8]) {
    let email = extract(data);
    assert!(email.calendars.len() <= limits::CALENDARS_MAX);
    assert_eq!(email.calendars.is_empty(), email.nothing_because.is_some());
    for part in &email.calendars {
        assert!(!part.text.contains('\0'), "a NUL was left in");
    }
    let ids = ["mx.example.com".to_owned()];
    let rules = ProofRules {
        authserv_ids: &ids,
        arc_sealers: &ids,
        exceptions: &Exception::ALL,
        lists: &ids,
        booking_systems: &ids,
        owns: &|_, _| false,
    };
    let Some(speaker) = prove(&email, Claim::default(), rules) else { return };
    assert!(speaker.address.is_mailable(), "{speaker:?}");
    if speaker.proof.is_evidence() {
        assert!(!email.trace.own_results(&ids).is_empty(), "proven by nobody: {speaker:?}");
        assert_eq!(email.sender.doubt(), None, "{speaker:?}");
    }
}
