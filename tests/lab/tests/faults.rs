//! The relay goes wrong exactly as it is told.

use imipd_lab::{Behaviour, Lab, LabOptions, Mta, start_or_skip};

const MAIL: &[u8] = b"Subject: hello\n\nhello\n";

fn lab() -> Option<Lab> {
    start_or_skip(&LabOptions { users: &["a", "b"], mta: Mta::Relay, ..LabOptions::default() })
}

fn set(lab: &Lab, behaviour: Behaviour) {
    lab.relay().unwrap().set_behaviour(behaviour);
}

fn submit(lab: &Lab) -> Result<(), String> {
    lab.submit("a", "b", MAIL).map_err(|error| format!("{error:#}"))
}

fn delivered(lab: &Lab) -> usize {
    lab.mails("b", "INBOX").unwrap().len()
}

#[test]
fn data_is_deferred_so_many_times() {
    let Some(lab) = lab() else { return };
    set(&lab, Behaviour { defer_data: 2, ..Behaviour::default() });
    for _ in 0..2 {
        assert!(submit(&lab).unwrap_err().contains("451"));
    }
    assert_eq!(delivered(&lab), 0);
    submit(&lab).unwrap();
    assert_eq!(delivered(&lab), 1);
    assert_eq!(lab.relay().unwrap().behaviour(), Behaviour::default());
}

#[test]
fn connection_closes_after_delivery() {
    let Some(lab) = lab() else { return };
    set(&lab, Behaviour { close_after_delivery: 1, ..Behaviour::default() });
    assert!(submit(&lab).unwrap_err().contains("closed the connection"));
    assert_eq!(delivered(&lab), 1);
    submit(&lab).unwrap();
    assert_eq!(delivered(&lab), 2);
}

#[test]
fn connection_closes_before_delivery() {
    let Some(lab) = lab() else { return };
    set(&lab, Behaviour { close_before_delivery: 1, ..Behaviour::default() });
    assert!(submit(&lab).unwrap_err().contains("closed the connection"));
    assert_eq!(delivered(&lab), 0);
    submit(&lab).unwrap();
    assert_eq!(delivered(&lab), 1);
}

#[test]
fn connection_closes_at_once() {
    let Some(lab) = lab() else { return };
    set(&lab, Behaviour { close_at_connect: 1, ..Behaviour::default() });
    assert!(submit(&lab).is_err());
    submit(&lab).unwrap();
    assert_eq!(delivered(&lab), 1);
}

#[test]
fn one_recipient_is_refused_another_deferred() {
    let Some(lab) = lab() else { return };
    let refused_recipients = vec!["b@example.com".to_owned()];
    let deferred_recipients = vec!["a@example.com".to_owned()];
    set(&lab, Behaviour { refused_recipients, deferred_recipients, ..Behaviour::default() });
    assert!(submit(&lab).unwrap_err().contains("550"));
    assert!(format!("{:#}", lab.submit("b", "a", MAIL).unwrap_err()).contains("450"));
    set(&lab, Behaviour::default());
    submit(&lab).unwrap();
    lab.submit("b", "a", MAIL).unwrap();
}

#[test]
fn relay_defers_while_dovecot_is_down() {
    let Some(mut lab) = lab() else { return };
    lab.stop_dovecot();
    assert!(submit(&lab).unwrap_err().contains("451"));
    lab.start_dovecot().unwrap();
    submit(&lab).unwrap();
    assert_eq!(delivered(&lab), 1);
}
