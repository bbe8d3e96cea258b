//! Names, addresses and passwords under a random key of the process: of a fixed size, and
//! meaningless to anyone without the key.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Attempt;

/// A username, a stored value and a password. As only this process knows the key, nobody can choose
/// one, so maps compare them in variable time.
pub(super) type LoginKey = [u8; 32];

/// A name, an address, or a pair of both.
pub(super) type Id = [u8; 16];

/// The key of HMAC-SHA-256.
pub(super) struct Keys(Hmac<Sha256>);

/// For whom wrong passwords are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    pub name: Id,
    pub address: Option<Id>,
    pub name_and_address: Option<Id>,
}

/// A wrong password, and the stored value that it did not match. Both are short: a guess is not
/// counted if it equals another of the same counter, with a probability of 1 in 4 billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guess {
    pub password: u32,
    pub stored: u32,
}

impl Keys {
    pub fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
    }

    /// HMAC-SHA-256 of a kind and some parts, each with its length.
    fn mac(&self, kind: u8, parts: [&[u8]; 3]) -> LoginKey {
        let mut mac = self.0.clone();
        mac.update(&[kind]);
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn id(&self, kind: u8, parts: [&[u8]; 3]) -> Id {
        first(self.mac(kind, parts))
    }

    /// The password comes first: what follows overwrites the last of it in the buffer of the HMAC.
    ///
    /// The client is part of it. Otherwise, a remembered login would tell the right password of the
    /// user to anyone who guesses, without any limit.
    pub fn login(&self, attempt: &Attempt<'_>, stored: Option<&str>, client: &Client) -> LoginKey {
        let kind = if stored.is_some() { b'l' } else { b'u' };
        let password = attempt.password.expose().as_bytes();
        let mut padded = [0; 64];
        // The name is part of both.
        let client = client.name_and_address.as_ref().unwrap_or(&client.name);
        padded[..client.len()].copy_from_slice(client);
        self.mac(kind, [password, stored.unwrap_or_default().as_bytes(), &padded])
    }

    pub fn guess(&self, attempt: &Attempt<'_>, stored: Option<&str>) -> Guess {
        let kind = if stored.is_some() { b's' } else { b'o' };
        let stored = self.mac(kind, [stored.unwrap_or_default().as_bytes(), &[], &[]]);
        let password = attempt.password.expose().as_bytes();
        // The name is part of it, so one password for many names is many guesses. The zeros
        // overwrite the password, as in `login`.
        let password = self.mac(b'g', [password, &[0; 64], attempt.username.as_bytes()]);
        Guess {
            password: u32::from_le_bytes(first(password)),
            stored: u32::from_le_bytes(first(stored)),
        }
    }

    pub fn client(&self, attempt: &Attempt<'_>) -> Client {
        let address = attempt.address.map(str::trim).filter(|address| !address.is_empty());
        let address = address.map(|address| match network(address) {
            Some(network) => self.id(b'i', [&network.to_bits().to_le_bytes(), &[], &[]]),
            None => self.id(b't', [address.as_bytes(), &[], &[]]),
        });
        let name = self.id(b'n', [attempt.username.as_bytes(), &[], &[]]);
        let pair = address.map(|address| self.id(b'p', [&name, &address, &[]]));
        Client { name, address, name_and_address: pair }
    }
}

/// The first bytes of a digest.
fn first<const N: usize>(digest: LoginKey) -> [u8; N] {
    std::array::from_fn(|index| digest[index])
}

/// The address of one client: an IPv4 address as IPv6 maps it, or the first 64 bits of an IPv6
/// address. IPv6 addresses that contain an IPv4 address, of NAT64 (RFC 6052) or 6to4 (RFC 3056), are
/// that IPv4 address. A port, brackets and a zone are ignored.
fn network(address: &str) -> Option<std::net::Ipv6Addr> {
    let bare = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => address,
    };
    let bare = bare.split('%').next().unwrap_or_default();
    let with_port = || bare.parse().map(|with_port: SocketAddr| with_port.ip());
    let ip = bare.parse().or_else(|_| with_port()).ok()?;
    let ip = match ip {
        IpAddr::V4(ip) => return Some(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => ip,
    };
    let embedded =
        |[high, low]: [u16; 2]| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    Some(match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] => ip,
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded([high, low]).to_ipv6_mapped()
        }
        _ => (ip.to_bits() >> 64 << 64).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Password;

    fn client(username: &str, address: Option<&str>) -> Client {
        let password = Password::from("");
        Keys::new([7; 32]).client(&Attempt { username, password: &password, address })
    }

    #[test]
    fn addresses_of_one_client_are_equal() {
        let id = |address| client("a", Some(address)).address.unwrap();
        for same in [
            &[
                "203.0.113.7",
                " 203.0.113.7 ",
                "::ffff:203.0.113.7",
                "203.0.113.7:5678",
                "[::ffff:cb00:7107]:1",
                "64:ff9b::203.0.113.7",
                "2002:cb00:7107::1",
                "[2002:cb00:7107:ffff::2]:80",
            ][..],
            &["2001:db8::1", "2001:db8:0:0:ffff::2", "[2001:db8::3]", "[2001:db8::4]:80"],
            &["fe80::1%eth0", "fe80::2%eth1", "fe80::1", "[fe80::1%eth0]:80", "[fe80::3%1]"],
            &["unix:"],
            &["203.0.113.8"],
            &["2001:db8:0:1::1"],
        ] {
            let all = [
                "203.0.113.7",
                "2001:db8::1",
                "fe80::1",
                "unix:",
                "203.0.113.8",
                "2001:db8:0:1::1",
            ];
            for address in same {
                assert_eq!(id(address), id(same[0]), "{address}");
                let equal = all.iter().filter(|other| id(other) == id(address)).count();
                assert_eq!(equal, 1, "{address}");
            }
        }
        for none in [None, Some(""), Some(" ")] {
            assert_eq!(
                client("a", none),
                Client { address: None, name_and_address: None, ..client("a", Some("b")) }
            );
        }
    }

    #[test]
    fn every_part_of_a_login_counts() {
        let login_with = |key, username, password, stored, address| {
            let (keys, password) = (Keys::new([key; 32]), Password::from(password));
            let attempt = Attempt { username, password: &password, address };
            keys.login(&attempt, stored, &keys.client(&attempt))
        };
        let login = |username, password, stored| login_with(7, username, password, stored, None);
        let all = [
            login("a", "b", Some("c")),
            login("ab", "", Some("c")),
            login("", "ab", Some("c")),
            login("a", "bc", Some("")),
            login("a", "bc", None),
            login("ca", "b", Some("")),
            login_with(8, "a", "b", Some("c"), None),
            login_with(7, "a", "b", Some("c"), Some("203.0.113.7")),
            login_with(7, "a", "b", Some("c"), Some("203.0.113.8")),
        ];
        for (index, key) in all.iter().enumerate() {
            assert!(!all[..index].contains(key), "{index}");
        }
        assert_eq!(all[0], login("a", "b", Some("c")));
    }

    #[test]
    fn guess_is_the_password_and_the_name() {
        let guess = |username, password, stored| {
            let password = Password::from(password);
            Keys::new([7; 32])
                .guess(&Attempt { username, password: &password, address: None }, stored)
        };
        let one = guess("a", "b", Some("c"));
        assert_eq!(one.password, guess("a", "b", None).password);
        assert_ne!(one.stored, guess("a", "b", Some("")).stored);
        assert_ne!(one.password, guess("a", "c", Some("c")).password);
        assert_ne!(one.password, guess("b", "b", Some("c")).password);
    }
}
