//! The keys of `[policy]` that say whom to believe, and how much of it.

use std::net::{IpAddr, SocketAddr};

use super::fault::{Wrong, one_of, quote};
use super::limits::{DNS_SERVERS_MAX, DOMAINS_MAX, KNOWN_MAX};
use super::reader::Section;
use super::value;
use super::{AutoAdd, PolicyLimits, Trust};
use crate::imip::Exception;

/// Whom to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusting {
    pub trust: Trust,
    /// The names under which the site's own servers write Authentication-Results, in lower case; none when that is not known.
    pub authserv_ids: Vec<String>,
    /// The domains whose ARC seals count.
    pub arc_sealers: Vec<String>,
    pub exceptions: Vec<Exception>,
    /// Whether DKIM signatures are checked here when the mail server has found nothing that proves a sender.
    pub verify_dkim: bool,
    /// The name servers that are asked for their keys; none for those of the machine.
    pub dns_servers: Vec<SocketAddr>,
    /// The domains of lists that put their own address in From.
    pub lists: Vec<String>,
    /// The domains of booking systems that invite in the name of others.
    pub booking_systems: Vec<String>,
}

/// Addresses and domains that count as known, or never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    pub known: Vec<String>,
    pub strangers: Vec<String>,
}

const DNS_SERVERS: &str = "write a list of addresses, such as [\"127.0.0.1\", \"[::1]:5353\"]";
const AUTHSERV_ID: &str = "write the name that your mail server writes at the beginning of Authentication-Results, such as \"mx.example.com\"";
const EXCEPTIONS: &str = "write a list such as [\"google-replies\", \"google-calendars\"]";
const PEOPLE: &str = "write a list of addresses and domains, such as [\"anna@example.org\", \"example.net\"]";

pub(super) fn trusting(table: &Section<'_>) -> Trusting {
    let authserv_ids = table.one_or_more("authserv_id", DOMAINS_MAX, AUTHSERV_ID, authserv_id).unwrap_or_default();
    let words = [("from", Trust::From), ("authenticated", Trust::Authenticated)];
    let verify_dkim = table.flag("verify_dkim").unwrap_or(false);
    let has_means = table.has("authserv_id") || verify_dkim;
    let usual = if has_means { Trust::Authenticated } else { Trust::From };
    let trust = table.choice("trust", &words, &[]).unwrap_or(usual);
    if trust == Trust::Authenticated && !has_means {
        table.demand("authserv_id", AUTHSERV_ID);
    }
    let domains = |key| table.list(key, DOMAINS_MAX, value::DOMAIN, value::domain).unwrap_or_default();
    let dns_servers = table.list("dns_servers", DNS_SERVERS_MAX, DNS_SERVERS, dns_server).unwrap_or_default();
    if verify_dkim && trust == Trust::From {
        let right = "take policy.trust out, or verify_dkim";
        table.fault("verify_dkim", Wrong::new("has no effect, since trust = \"from\" asks for no proof", right));
    }
    if table.has("dns_servers") && !verify_dkim {
        table.warn("dns_servers", "has no effect without policy.verify_dkim = true");
    }
    let trusting = Trusting {
        trust,
        authserv_ids,
        verify_dkim,
        dns_servers,
        arc_sealers: domains("arc_sealers"),
        exceptions: exceptions(table),
        lists: domains("lists"),
        booking_systems: domains("booking_systems"),
    };
    if trust == Trust::From {
        table.warn("trust", if trusting.authserv_ids.is_empty() { TRUST_FROM } else { TRUST_FROM_BY_CHOICE });
    }
    trusting
}

const TRUST_FROM: &str = "\"from\" believes the From header of every mail, so whoever can forge it can change or cancel \
    that person's meetings here; have the mail server write Authentication-Results (README, \"Whom imipd believes\", has the \
    lines for Postfix with OpenDKIM and OpenDMARC, and for rspamd) and name it in policy.authserv_id. Until then, let the mail \
    server refuse mail that fails DMARC and mail from outside that claims to be from your own domains";

const TRUST_FROM_BY_CHOICE: &str = "\"from\" believes the From header of every mail although policy.authserv_id is set; take \
    the key out, and only proven senders change or cancel meetings";

/// An address with a port, or with that of the DNS.
fn dns_server(text: &str) -> Result<SocketAddr, Wrong> {
    let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)));
    address.map_err(|_| Wrong::new(format!("{} is no address", quote(text)), DNS_SERVERS))
}

/// RFC 8601 §2.5: any token; in most places the name of the server.
fn authserv_id(text: &str) -> Result<String, Wrong> {
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"();\"\\<>@,=".contains(c));
    if is_plain { Ok(text.to_lowercase()) } else { Err(Wrong::new(format!("is {}", quote(text)), AUTHSERV_ID)) }
}

fn exceptions(table: &Section<'_>) -> Vec<Exception> {
    let named = table.list_or_none("exceptions", Exception::ALL.len(), EXCEPTIONS, |text| {
        let known = Exception::ALL.into_iter().find(|exception| exception.name() == text);
        let right = || format!("known are {}", one_of(Exception::ALL.iter().map(|exception| exception.name())));
        known.ok_or_else(|| Wrong::new(format!("{} is no exception", quote(text)), right()))
    });
    let named_domains = [(Exception::MailingLists, "lists"), (Exception::BookingSystems, "booking_systems")];
    let mut exceptions = named.unwrap_or_else(|| {
        let with_domains = named_domains.iter().filter(|(_, key)| table.has(key)).map(|(exception, _)| *exception);
        [Exception::GoogleReplies, Exception::GoogleCalendars].into_iter().chain(with_domains).collect()
    });
    exceptions.sort_unstable();
    exceptions.dedup();
    let has = |wanted| exceptions.contains(&wanted);
    for (exception, key) in named_domains {
        if has(exception) {
            table.demand(key, "name the domains that the exception is for; it would hold for nobody without them");
        } else if table.has(key) {
            let right = format!("add {} to policy.exceptions, or take {key} out", quote(exception.name()));
            table.fault(key, Wrong::new("has no effect", right));
        }
    }
    exceptions
}

/// The `known` and `strangers` of `[policy]` or of a user.
pub(super) fn people(table: &Section<'_>) -> People {
    let list = |key| table.list_or_none(key, KNOWN_MAX, PEOPLE, person).unwrap_or_default();
    People { known: list("known"), strangers: list("strangers") }
}

fn person(text: &str) -> Result<String, Wrong> {
    if text.contains('@') {
        return value::address(text).map(|address| address.as_str().to_owned());
    }
    value::domain(text).map_err(|wrong| Wrong::new(wrong.wrong, PEOPLE))
}

impl People {
    /// Whether an address, its domain or a domain above it stands in `list`.
    pub fn names(list: &[String], address: &crate::itip::Address) -> bool {
        let domain = address.domain().unwrap_or_default();
        let is_above =
            |own: &str| domain.strip_suffix(own).is_some_and(|below| below.is_empty() || below.ends_with('.'));
        list.iter().any(|own| if own.contains('@') { own == address.as_str() } else { is_above(own) })
    }
}

/// The `auto_add` of `[policy]` or of a user; `trusting` says whether anybody can be proven.
pub(super) fn auto_add(table: &Section<'_>, trusting: &Trusting) -> Option<AutoAdd> {
    let words = [
        ("never", AutoAdd::Never),
        ("known", AutoAdd::Known),
        ("domain", AutoAdd::Domain),
        ("authenticated", AutoAdd::Authenticated),
        ("all", AutoAdd::All),
    ];
    let chosen = table.choice("auto_add", &words, &[]);
    if chosen == Some(AutoAdd::Authenticated) && trusting.authserv_ids.is_empty() && !trusting.verify_dkim {
        let right = "set policy.authserv_id, or write \"known\", \"domain\" or \"all\"";
        table.fault("auto_add", Wrong::new("\"authenticated\" has nothing to tell proven senders by", right));
    }
    chosen
}

pub(super) fn limits(table: Section<'_>) -> PolicyLimits {
    let usual = PolicyLimits::default();
    let limits = PolicyLimits {
        attendees: table.number("attendees", 1..=50_000).unwrap_or(usual.attendees),
        objects: table.number("objects", 1..=10_000_000).unwrap_or(usual.objects),
        waiting: table.number("waiting", 1..=100_000).unwrap_or(usual.waiting),
        messages_per_hour: table.number("messages_per_hour", 1..=1_000_000).unwrap_or(usual.messages_per_hour),
        answers: table.number("answers", 1..=1_000_000).unwrap_or(usual.answers),
    };
    table.finish();
    limits
}
