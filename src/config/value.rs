//! The kinds of text that stand in a configuration: addresses, hosts, domains, folders, durations and the like.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::itip::Address;

use super::fault::{Wrong, quote};
use super::nearest::nearest;

pub(super) const HOST: &str = "write the server's name or IP address, such as \"mail.example.com\"";
pub(super) const DOMAIN: &str = "write the domain alone, such as \"example.com\"";
pub(super) const ADDRESS: &str = "write it as \"name@example.com\"";
pub(super) const DURATION: &str = "write a time such as \"30s\", \"20m\", \"4h\" or \"2d\"";
pub(super) const ZONE: &str = "write an IANA name such as \"Europe/Berlin\"";
pub(super) const FOLDER: &str =
    "write a folder's name such as \"INBOX\", a pattern with * or %, or \"\\\\Sent\" for the folder of sent mail";
pub(super) const URL: &str = "write it as \"https://calendar.example.com\", as people reach it from outside";
pub(super) const IP_ADDRESS: &str = "write a list of IP addresses, such as [\"10.0.0.2\"]";
pub(super) const KEYWORD: &str =
    "write up to 64 letters, digits and signs such as \"$Imipd\", without blanks, brackets, quotes and backslashes";
pub(super) const LISTEN: &str = "write a host and a port, such as \"127.0.0.1:8025\", or \"unix:/run/imipd/web.sock\"";

/// Any text that is not empty and would break no line of a protocol.
pub(super) fn line(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new("is empty", "write something, or leave the key out"));
    }
    if text.chars().any(char::is_control) {
        return Err(Wrong::new(format!("is {}, with a control character", quote(text)), "write printable characters"));
    }
    Ok(text.to_owned())
}

/// One word of a command; an empty one may be meant.
pub(super) fn word(text: &str) -> Result<String, Wrong> {
    if text.contains('\0') {
        return Err(Wrong::new(format!("is {}, with a NUL", quote(text)), "leave the NUL out"));
    }
    Ok(text.to_owned())
}

/// A query, on as many lines as it takes.
pub(super) fn query(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new("is empty", "write a query, or leave the key out"));
    }
    word(text)
}

/// A mail address, written plainly.
pub(super) fn address(text: &str) -> Result<Address, Wrong> {
    let address = Address::parse(text);
    // What the parser takes off, `mailto:` or an escape, belongs into iCalendar and is a mistake here.
    let plain = address.as_str() == text.to_lowercase();
    match address.domain() {
        Some(domain) if plain && address.is_mailable() && is_domain(domain) => Ok(address),
        _ => Err(Wrong::new(format!("{} is not a mail address", quote(text)), ADDRESS)),
    }
}

/// A domain of mail addresses, in lower case.
pub(super) fn domain(text: &str) -> Result<String, Wrong> {
    let lower = text.to_lowercase();
    if is_domain(&lower) { Ok(lower) } else { Err(Wrong::new(format!("{} is not a domain", quote(text)), DOMAIN)) }
}

/// The name or the address of a server.
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    if let Some((name, port)) = text.rsplit_once(':')
        && is_domain(name)
        && port.parse::<u16>().is_ok()
    {
        let right = format!("write host = {name:?} and port = {port}");
        return Err(Wrong::new(format!("{} has the port in it", quote(text)), right));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if is_domain(name) { Ok(name.to_owned()) } else { Err(Wrong::new(format!("is {}", quote(text)), HOST)) }
}

/// Whether what is sent to this host never leaves the machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The URL under which others reach us, without the slash at its end; plain HTTP only to this machine itself.
pub(super) fn public_url(text: &str) -> Result<String, Wrong> {
    let wrong = || Wrong::new(format!("is {}", quote(text)), URL);
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?;
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        "https" if is_bare => {}
        "http" if is_bare && is_loopback(host) => {}
        _ => return Err(wrong()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An IP address; an IPv4 address in the clothes of IPv6 counts as what it is.
pub(super) fn ip_address(text: &str) -> Result<IpAddr, Wrong> {
    let address = text.parse::<IpAddr>().map_err(|_| Wrong::new(format!("is {}", quote(text)), IP_ADDRESS))?;
    Ok(address.to_canonical())
}

/// A host and a port, an IPv6 address in brackets.
pub(super) fn host_and_port(text: &str) -> Result<(String, u16), Wrong> {
    let wrong = || Wrong::new(format!("is {}", quote(text)), LISTEN);
    let (name, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    // Without brackets the end of an IPv6 address would pass for a port.
    if name.contains(':') && !name.starts_with('[') {
        return Err(wrong());
    }
    Ok((host(name).map_err(|_| wrong())?, port))
}

/// A folder to be watched; INBOX is INBOX in any case (RFC 9051 §5.1).
pub(super) fn folder(text: &str) -> Result<String, Wrong> {
    if text.eq_ignore_ascii_case("\\Sent") {
        return Ok("\\Sent".to_owned());
    }
    if text.starts_with('\\') {
        return Err(Wrong::new(format!("{} is not a use by which folders are watched", quote(text)), FOLDER));
    }
    line(text).map(|name| if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { name })
}

/// An IMAP keyword: an atom (RFC 3501 §9), so none of the flags that begin with a backslash.
pub(super) fn keyword(text: &str) -> Result<String, Wrong> {
    const SPECIAL: &[u8] = b"(){%*\"\\]";
    let is_atom = text.bytes().all(|octet| octet.is_ascii_graphic() && !SPECIAL.contains(&octet));
    if !is_atom || text.is_empty() || text.len() > KEYWORD_BYTES_MAX {
        return Err(Wrong::new(format!("{} is no IMAP keyword", quote(text)), KEYWORD));
    }
    Ok(text.to_owned())
}

/// Octets of a keyword; servers allow some hundred.
const KEYWORD_BYTES_MAX: usize = 64;

/// An IANA time zone.
pub(super) fn zone(text: &str) -> Result<Tz, Wrong> {
    text.parse().map_err(|_| {
        let right = match nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(zone) => format!("did you mean {zone:?}?"),
            None => ZONE.to_owned(),
        };
        Wrong::new(format!("{} is not a time zone", quote(text)), right)
    })
}

/// A time within the range: a whole number and one of the units s, m, h, d.
pub(super) fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, Wrong> {
    let Some(duration) = read_duration(text) else {
        return Err(Wrong::new(format!("{} is not a time", quote(text)), DURATION));
    };
    if range.contains(&duration) {
        return Ok(duration);
    }
    let right = format!("write a time from \"{}\" to \"{}\"", shown(*range.start()), shown(*range.end()));
    Err(Wrong::new(format!("is {}", quote(text)), right))
}

/// The duration in the largest unit that leaves no rest.
fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(24 * 60 * 60, 'd'), (60 * 60, 'h'), (60, 'm')];
    match units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

fn read_duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    // The parser would also take a plus sign, which no one means.
    let number: u64 = if digits.starts_with('+') { return None } else { digits.parse().ok()? };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Names between single dots, each of letters, digits, hyphens and underscores; letters of any script.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        for (text, seconds) in [("30s", 30), ("20m", 1200), ("4h", 14_400), ("2d", 172_800), ("0s", 0)] {
            assert_eq!(read_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "30", "30 s", "+30s", "-1s", "1.5h", "1h30m", "3w", "99999999999999999999d", "9e9d", "3é"]
        {
            assert_eq!(read_duration(text), None, "{text}");
        }
        assert_eq!(read_duration(&format!("{}d", u64::MAX)), None);
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["mail.example.com", "localhost.example.com", "10.0.0.1", "::2", "127.1", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_without_a_port() {
        for (text, expected) in
            [("mail.example.com", "mail.example.com"), ("mail.example.com.", "mail.example.com"), ("[::1]", "::1")]
        {
            assert_eq!(host(text).unwrap(), expected);
        }
        assert_eq!(host("mail:993").unwrap_err().right, "write host = \"mail\" and port = 993");
        for text in ["", " mail", "imaps://mail", "a b", "mail\r\nX", ".", "a..b"] {
            assert!(host(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_are_written_plainly() {
        assert_eq!(address("Bea@Example.com").unwrap().as_str(), "bea@example.com");
        for text in ["", "bea", "mailto:bea@example.com", "bea%40example.com", "bea@example.com?x", "bea@exam ple.com"]
        {
            assert!(address(text).is_err(), "{text:?}");
        }
        assert!(address(" bea@example.com").is_err() && address("bea@example..com").is_err());
    }
}
