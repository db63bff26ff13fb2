//! Who asks: the address of a visitor, also behind a proxy.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

/// Who stands at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Address(IpAddr),
    /// A process of this machine, at the Unix socket.
    Local,
}

/// Whoever is counted as one: an IPv4 address, or the network of 64 bits that one customer has of IPv6.
///
/// Behind a trusted proxy it is the last address in X-Forwarded-For that is no such proxy: what stands before that anybody can
/// write. A proxy that does not say for whom it asks is itself the client.
pub(super) fn client(peer: Peer, headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    let direct = match peer {
        Peer::Address(address) if !trusted.contains(&address) => return Some(network(address)),
        Peer::Address(address) => Some(address),
        Peer::Local => None,
    };
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut behind = named.iter().rev().map_while(|text| address(text)).skip_while(|address| trusted.contains(address));
    behind.next().or(direct).map(network)
}

/// An address as proxies write it, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()));
    address.map(|address| address.to_canonical())
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.2";

    fn told(peer: Option<&str>, forwarded: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        }
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        let peer = peer.map_or(Peer::Local, |peer| Peer::Address(parse(peer)));
        client(peer, &headers, &[parse(PROXY)]).map(|address| address.to_string())
    }

    #[test]
    fn only_a_proxy_is_believed_and_only_its_own_word() {
        for (peer, forwarded, expected) in [
            (Some("192.0.2.7"), &["198.51.100.1"][..], Some("192.0.2.7")),
            (Some(PROXY), &["198.51.100.1"], Some("198.51.100.1")),
            (Some(PROXY), &["6.6.6.6, 198.51.100.1"], Some("198.51.100.1")),
            (Some(PROXY), &["6.6.6.6", "198.51.100.1, 10.0.0.2"], Some("198.51.100.1")),
            (Some(PROXY), &["198.51.100.1, nonsense"], Some(PROXY)),
            (Some(PROXY), &[], Some(PROXY)),
            (Some(PROXY), &["[2001:db8:1:2:3::4]:443"], Some("2001:db8:1:2::")),
            (Some(PROXY), &["::ffff:198.51.100.1"], Some("198.51.100.1")),
            (None, &["198.51.100.1:4711"], Some("198.51.100.1")),
            (None, &[], None),
        ] {
            assert_eq!(told(peer, forwarded).as_deref(), expected, "{peer:?} {forwarded:?}");
        }
    }
}
