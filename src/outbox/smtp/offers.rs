//! What the server says that it can do, beyond what lettre understands.

/// The extensions of one connection (RFC 5321 §4.1.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// The largest mail that is taken, in octets (RFC 1870 §4); nothing when SIZE is not offered, zero when it names no limit.
    pub size_octets: Option<u64>,
    /// The most recipients of one transaction (RCPTMAX, RFC 9422 §4).
    pub recipients_max: Option<usize>,
    /// Whether delivery reports can be asked for (RFC 3461 §4).
    pub dsn: bool,
    /// Whether commands can be said at once (RFC 2920).
    pub pipelining: bool,
}

impl Offers {
    /// Reads what was heard until now: the greeting and the reply to EHLO, or that to a second EHLO.
    pub fn read(heard: &[u8]) -> Self {
        let text = String::from_utf8_lossy(heard);
        let keywords = text.lines().filter(|line| line.starts_with("250")).filter_map(|line| line.get(4..));
        let mut offers = Self::default();
        for keyword in keywords {
            let mut words = keyword.split_ascii_whitespace();
            let name = words.next().unwrap_or_default();
            if name.eq_ignore_ascii_case("DSN") {
                offers.dsn = true;
            } else if name.eq_ignore_ascii_case("PIPELINING") {
                offers.pipelining = true;
            } else if name.eq_ignore_ascii_case("SIZE") {
                offers.size_octets = Some(words.next().and_then(|limit| limit.parse().ok()).unwrap_or(0));
            } else if name.eq_ignore_ascii_case("LIMITS") {
                offers.recipients_max = words.find_map(recipients_max).or(offers.recipients_max);
            }
        }
        offers
    }
}

fn recipients_max(limit: &str) -> Option<usize> {
    let (name, value) = limit.split_once('=')?;
    let value = value.parse().ok().filter(|value| *value > 0)?;
    name.eq_ignore_ascii_case("RCPTMAX").then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offers_of_a_server_are_read() {
        let heard = b"220 mail ESMTP SIZE 1\r\n250-mail greets you\r\n250-size 10240000\r\n250-LIMITS MAILMAX=9 RCPTMAX=50\r\n250-PIPELINING\r\n250 DSN\r\n";
        let expected = Offers { size_octets: Some(10_240_000), recipients_max: Some(50), dsn: true, pipelining: true };
        assert_eq!(Offers::read(heard), expected);
        assert_eq!(Offers::read(b"250 SIZE\r\n"), Offers { size_octets: Some(0), ..Offers::default() });
        assert_eq!(Offers::read(b"250-LIMITS RCPTMAX=0\r\n250 SIZE x\r\n").recipients_max, None);
        assert_eq!(Offers::read(b""), Offers::default());
    }
}
