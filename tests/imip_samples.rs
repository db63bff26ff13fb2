//! The mails in the shapes that Gmail, Outlook, Apple and plain senders produce, read as a human reads them.

use imipd::imip::{AutoSubmitted, extract};
use imipd::itip::Method;

/// What a human finds in a sample.
struct Sample {
    file: &'static str,
    author: &'static str,
    to: &'static str,
    message_id: &'static str,
    date: i64,
    subject: &'static str,
    method: Method,
    uid: &'static str,
    summary: &'static str,
    /// Whether the sender's service is named in Sender, as Gmail does.
    has_sender: bool,
}

const GOOGLE: bool = true;
const NOBODY: bool = false;

#[rustfmt::skip]
const SAMPLES: [Sample; 14] = [
    Sample { file: "cancel1-gmail", author: "farid.tanaka474@outlook.example", to: "user3@example.com", message_id: "<gen.sample.48.118e4bde60ee@outlook.example>", date: 1_780_301_136, subject: "Canceled event: All hands #28 @ tue jul 28, 2026 04:45pm (user3@example.com)", method: Method::Cancel, uid: "a4a259cc76469c5fcb916cab6a@google.com", summary: "SUMMARY:All hands #28", has_sender: GOOGLE },
    Sample { file: "counter-gmail", author: "mei.tanaka542@icloud.example", to: "user3@example.com", message_id: "<gen.sample.57.14802b213993@icloud.example>", date: 1_780_301_199, subject: "New Time Proposed: Interview #0 @ tue dec 08, 2026 04:30pm (mei.tanaka542@icloud.example)", method: Method::Counter, uid: "19d25a1a8347bb4f061d655ed6@google.com", summary: "SUMMARY:Interview #0", has_sender: GOOGLE },
    Sample { file: "counter-outlook", author: "jonas.kim926@partner.example.net", to: "user1@example.com", message_id: "<gen.sample.21.77d91c214de0@partner.example.net>", date: 1_780_300_947, subject: "New Time Proposed: Kickoff Projekt Grün #5", method: Method::Counter, uid: "040000008200E00074C5B7101A82E00800000005FE9686A957EC852582D1FCCC1AB106A5", summary: "SUMMARY;LANGUAGE=en-US:Kickoff Projekt Grün #5", has_sender: NOBODY },
    Sample { file: "override-gmail", author: "farid.tanaka474@outlook.example", to: "user3@example.com", message_id: "<gen.sample.62.8b2861900d10@outlook.example>", date: 1_780_301_234, subject: "Updated invitation: All hands #28 @ tue jul 28, 2026 04:45pm (user3@example.com)", method: Method::Request, uid: "a4a259cc76469c5fcb916cab6a@google.com", summary: "SUMMARY:All hands #28", has_sender: GOOGLE },
    Sample { file: "refresh-plain", author: "rosa.jensen472@gmail.com", to: "user2@example.com", message_id: "<gen.sample.93.b12b145513e@gmail.com>", date: 1_780_301_451, subject: "Refresh: Weekly sync #2", method: Method::Refresh, uid: "00DD870E-88D1-0054-2596-028573233B3B", summary: "", has_sender: NOBODY },
    Sample { file: "reply-apple", author: "vera.rossi347@partner.example.net", to: "user1@example.com", message_id: "<gen.sample.79.ef5064c129cf@partner.example.net>", date: 1_780_301_353, subject: "Accepted: Sprint planning #10", method: Method::Reply, uid: "3C7697F5-7716-CCE9-778F-62E0D4F11A0C", summary: "SUMMARY:Sprint planning #10", has_sender: NOBODY },
    Sample { file: "reply-gmail", author: "xenia.wei4@icloud.example", to: "user3@example.com", message_id: "<gen.sample.106.13f27e069057@icloud.example>", date: 1_780_301_542, subject: "Declined: Interview #0 @ tue dec 08, 2026 04:30pm (xenia.wei4@icloud.example)", method: Method::Reply, uid: "19d25a1a8347bb4f061d655ed6@google.com", summary: "SUMMARY:Interview #0", has_sender: GOOGLE },
    Sample { file: "reply-outlook", author: "dmitri.rossi277@outlook.example", to: "user2@example.com", message_id: "<gen.sample.19.515e3d468327@outlook.example>", date: 1_780_300_933, subject: "Accepted: Retrospective #1", method: Method::Reply, uid: "040000008200E00074C5B7101A82E0080000000163CDF24870A94CFF74822AD436384ED2", summary: "SUMMARY;LANGUAGE=en-US:Retrospective #1", has_sender: NOBODY },
    Sample { file: "request-apple", author: "tara.ivanov112@outlook.example", to: "user1@example.com", message_id: "<gen.sample.109.eaa971b48713@outlook.example>", date: 1_780_301_563, subject: "Zahnarzt #59", method: Method::Request, uid: "6C53A8AA-B489-460D-4677-F13E6B03DE77", summary: "SUMMARY:Zahnarzt #59", has_sender: NOBODY },
    Sample { file: "request-gmail", author: "uwe.mller355@partner.example.net", to: "user2@example.com", message_id: "<gen.sample.94.2735893f6635@partner.example.net>", date: 1_780_301_458, subject: "Invitation: Sprint planning #51 @ fri oct 09, 2026 05:45pm (user2@example.com)", method: Method::Request, uid: "2f914e70653bd95b094a4e8964@google.com", summary: "SUMMARY:Sprint planning #51", has_sender: GOOGLE },
    Sample { file: "request-outlook", author: "mei.haddad590@icloud.example", to: "user1@example.com", message_id: "<gen.sample.3.df47df002ecb@icloud.example>", date: 1_780_300_821, subject: "Budget review #8", method: Method::Request, uid: "040000008200E00074C5B7101A82E008000000083EB1AA660CBCE96B8C418F456F12DA56", summary: "SUMMARY;LANGUAGE=en-US:Budget review #8", has_sender: NOBODY },
    Sample { file: "request-plain", author: "xenia.dubois371@partner.example.net", to: "user2@example.com", message_id: "<gen.sample.70.3992a6e15d17@partner.example.net>", date: 1_780_301_290, subject: "Invitation: Interview #40", method: Method::Request, uid: "A5F933F5-BB27-34A0-E835-3D0B7E12C501", summary: "SUMMARY:Interview #40", has_sender: NOBODY },
    Sample { file: "update-gmail", author: "ines.oneill267@customer.example.org", to: "user2@example.com", message_id: "<gen.sample.61.9a3b97dd6756@customer.example.org>", date: 1_780_301_227, subject: "Updated invitation: Interview #16 @ fri jun 19, 2026 04:45am (user2@example.com)", method: Method::Request, uid: "ea7bc1f7ea10328178ccc863c1@google.com", summary: "SUMMARY:Interview #16", has_sender: GOOGLE },
    Sample { file: "update-outlook", author: "mei.haddad590@icloud.example", to: "user1@example.com", message_id: "<gen.sample.96.fc3417228e19@icloud.example>", date: 1_780_301_472, subject: "Budget review #8", method: Method::Request, uid: "040000008200E00074C5B7101A82E008000000083EB1AA660CBCE96B8C418F456F12DA56", summary: "SUMMARY;LANGUAGE=en-US:Budget review #8", has_sender: NOBODY },
];

#[test]
fn every_sample_is_read_as_a_human_reads_it() {
    for sample in SAMPLES {
        let file = sample.file;
        let raw = std::fs::read(format!("{}/tests/mail/{file}.eml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let email = extract(&raw);
        assert_eq!(email.sender.author().map(|author| author.as_str()), Some(sample.author), "{file}");
        assert_eq!(email.to.iter().map(|to| to.as_str()).collect::<Vec<_>>(), [sample.to], "{file}");
        assert_eq!(email.message_id.as_deref(), Some(sample.message_id), "{file}");
        assert_eq!(email.date, Some(sample.date), "{file}");
        assert_eq!(email.subject.as_deref(), Some(sample.subject), "{file}");
        let sender = sample.has_sender.then_some("calendar-notification@google.com");
        assert_eq!(email.sender.sender.as_ref().map(|sender| sender.as_str()), sender, "{file}");
        assert_eq!((email.quirks.as_slice(), email.nothing_because), (&[][..], None), "{file}");
        assert_eq!((email.auto_submitted, email.is_list, email.is_report), (AutoSubmitted::No, false, false), "{file}");
        let [part] = email.calendars.as_slice() else { panic!("{file}: {} calendars", email.calendars.len()) };
        assert_eq!(part.content_type, "text/calendar", "{file}");
        assert_eq!((part.method(), part.method_parameter), (Some(sample.method), Some(sample.method)), "{file}");
        let unfolded = part.text.replace("\r\n ", "");
        assert!(unfolded.contains(&format!("\r\nUID:{}\r\n", sample.uid)), "{file}");
        assert!(unfolded.contains(sample.summary), "{file}");
        assert!(part.text.starts_with("BEGIN:VCALENDAR\r\n") && part.text.ends_with("END:VCALENDAR\r\n"), "{file}");
    }
}

#[test]
fn every_mail_of_the_folder_is_expected_somewhere() {
    let folder = std::fs::read_dir(format!("{}/tests/mail", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let count = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".eml") && !name.starts_with("odd-"))
        .count();
    assert_eq!(count, SAMPLES.len());
}
