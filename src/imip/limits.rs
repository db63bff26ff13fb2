//! Every limit on what comes from outside, and on what goes out, in one place.

/// Bytes of one mail that are looked at; a larger one is reported as too large.
pub const MAIL_BYTES_MAX: usize = 50 * 1024 * 1024;

/// MIME parts that are looked at in one mail, containers included.
pub const PARTS_MAX: usize = 300;

/// Containers within containers; deeper parts are not looked at.
pub const NESTING_MAX: usize = 20;

/// Bytes of one calendar part, still encoded for transfer. Invitations with inline attachments reach a few megabytes.
pub const CALENDAR_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of one calendar once it is decoded; larger ones are neither mended nor read.
pub const CALENDAR_TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Calendars taken from one mail; eleven have been seen in an honest one.
pub const CALENDARS_MAX: usize = 40;

/// Components within components of a calendar. Honest ones have three levels.
pub const COMPONENT_NESTING_MAX: usize = 12;

/// Recipients and authors read from the header fields of one mail.
pub const ADDRESSES_MAX: usize = 2_000;

/// Octets of the addresses in To. Postfix cuts a header off behind 102,400 (`header_size_limit`), in the middle of an address.
pub const TO_OCTETS_MAX: usize = 80_000;

/// Characters of a summary that go into a subject.
pub const SUBJECT_CHARS_MAX: usize = 120;

/// Characters of a display name that go into a header field.
pub const NAME_CHARS_MAX: usize = 100;

/// Characters of a description that go into the text body.
pub const DESCRIPTION_CHARS_MAX: usize = 2_000;

/// Characters of any other fact (summary, place, comment) in the text body.
pub const FACT_CHARS_MAX: usize = 500;

/// Octets of a physical iCalendar line without its line end (RFC 5545 §3.1).
pub const CALENDAR_LINE_OCTETS_MAX: usize = 75;

/// Message-IDs that go into References; the oldest ones go first.
pub const REFERENCES_MAX: usize = 20;

/// Octets of one Message-ID that we are willing to repeat.
pub const MESSAGE_ID_OCTETS_MAX: usize = 250;

/// Header fields of one mail that are looked at for who sent it.
pub const HEADER_FIELDS_MAX: usize = 1_000;

/// Octets of one header field that are looked at for who sent it.
pub const FIELD_BYTES_MAX: usize = 32 * 1024;

/// Comments within comments in a header field.
pub const COMMENT_NESTING_MAX: usize = 16;

/// Results in one Authentication-Results field; a field with more counts for nothing.
pub const RESULTS_MAX: usize = 64;

/// Properties of one result in Authentication-Results.
pub const PROPERTIES_OF_RESULT_MAX: usize = 32;

/// Authentication-Results fields of our own servers that are read of one mail.
pub const RESULT_FIELDS_MAX: usize = 16;

/// Received fields that our own servers may have added to one mail.
pub const OWN_HOPS_MAX: usize = 10;

/// Bytes of a body that is read for an answer in plain words, as it came; nobody writes more by hand.
pub const PLAIN_BODY_BYTES_MAX: usize = 512 * 1024;

/// Characters of the comment that is taken from such a body.
pub const PLAIN_COMMENT_CHARS_MAX: usize = 2_000;
/// Octets of a mail that came back that are looked at.
pub const BOUNCE_BYTES_MAX: usize = 1024 * 1024;

/// Octets of its text and of its delivery status.
pub const BOUNCE_TEXT_BYTES_MAX: usize = 512 * 1024;

/// Lines of a delivery status; a report about 2,000 recipients has some 20,000.
pub const REPORT_LINES_MAX: usize = 50_000;

/// Recipients of a delivery status.
pub const REPORT_GROUPS_MAX: usize = 5_000;

/// Characters of what a server says about a failure that are kept.
pub const DIAGNOSTIC_CHARS_MAX: usize = 300;
/// Instances of a series that are listed in a mail about several of them.
pub const DATES_SHOWN_MAX: usize = 12;

/// Octets of one link to answer by; mail programs cut or break longer ones.
pub const LINK_OCTETS_MAX: usize = 500;

/// Bytes of an administrator's catalogue of one language.
pub const CATALOGUE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of an administrator's template.
pub const TEMPLATE_BYTES_MAX: usize = 256 * 1024;

/// Steps that a template may take for one mail; ours take a few hundred.
pub const TEMPLATE_STEPS_MAX: u64 = 100_000;

/// Bytes of a body that a template may write; beyond it ours stands in.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Distinct time zones that are added to a calendar which names them without defining them.
pub const ZONES_ADDED_MAX: usize = 20;

/// Languages that a visitor's program may name.
pub const LANGUAGES_MAX: usize = 30;

/// Characters of a comment that is given at a page.
pub const PAGE_COMMENT_CHARS_MAX: usize = 1_000;

/// Dates of a series that a page lists to be answered one by one.
pub const PAGE_DATES_MAX: usize = 6;

/// People that a page lists; the others are counted.
pub const PAGE_PEOPLE_MAX: usize = 50;
