//! Parsing URLs as libpq and SQLAlchemy write them.

use std::fmt;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::settings;
use crate::store::LocationError;

/// A URL without its scheme, with every part decoded.
///
/// ```text
/// [user[:password]@][host[:port],…][/database][?parameter=value&…]
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Url {
    pub user: Option<Zeroizing<String>>,
    pub password: Option<Zeroizing<String>>,
    /// Hosts and ports. A port that is not given is empty.
    pub hosts: Vec<(String, String)>,
    pub database: Option<String>,
    /// Parameters with their values, in the order of the URL.
    pub parameters: Vec<(&'static str, Zeroizing<String>)>,
    /// The URL as written, without secrets.
    shown: String,
}

impl Url {
    /// Parses the part after `postgresql://`.
    pub(super) fn parse(text: &str) -> Result<Self, LocationError> {
        let wrong = |reason| Err(LocationError::Url(reason));
        if text.chars().any(char::is_whitespace) {
            return wrong("contains a blank");
        }
        if text.matches('@').count() > 1 {
            return wrong("has more than one '@', in its username or password");
        }
        let (credentials, rest) = match text.split_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, text),
        };
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        if rest.contains('#') {
            return wrong("contains a '#'");
        }
        let (authority, database) = match base.split_once('/') {
            Some((authority, database)) => (authority, database),
            None => (base, ""),
        };
        let (user, password) = match credentials.map(|text| text.split_once(':')) {
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (credentials, None),
            None => (None, None),
        };
        let secret = |text: Option<&str>, part| {
            text.filter(|text| !text.is_empty()).map(|text| decode(text, part)).transpose()
        };
        let mut url = Self {
            user: secret(user, "has a '%' without two hexadecimal digits in its username")?,
            password: secret(password, "has a '%' without two hexadecimal digits in its password")?,
            ..Self::default()
        };
        for host in authority.split(',').filter(|_| !authority.is_empty()) {
            url.hosts.push(host_and_port(host)?);
        }
        let bad_database = "has a '%' without two hexadecimal digits in its database";
        url.database = secret(Some(database), bad_database)?.map(|database| (*database).clone());
        for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            let Some((name, value)) = pair.split_once('=') else {
                return wrong("has an option without '=' after '?'");
            };
            let bad_option = "has a '%' without two hexadecimal digits after '?'";
            let (name, value) = (decode(name, bad_option)?, decode(value, bad_option)?);
            let unknown = LocationError::UnknownOption(index + 1);
            let name = settings::known(&name).ok_or(unknown)?;
            // SQLAlchemy repeats the parameter for several hosts, each with its port.
            match url.parameters.iter_mut().find(|(other, _)| *other == name) {
                Some((_, hosts)) if name == "host" => {
                    *hosts = Zeroizing::new(format!("{},{}", hosts.as_str(), value.as_str()));
                }
                Some((_, other)) => *other = value,
                None => url.parameters.push((name, value)),
            }
        }
        url.check_names()?;
        let is_shown = |pair: &&str| {
            let (name, value) = pair.split_once('=').unwrap_or_default();
            // Else more than one value, such as a password behind a ';'.
            let value = percent_decode_str(value).decode_utf8_lossy();
            // Without its schema, a command in a hint would find another table, or none.
            name == "options" && settings::is_search_path(&value)
                || settings::is_shown(name) && !value.contains([';', '&', '='])
        };
        let query: Vec<&str> = query.split('&').filter(is_shown).collect();
        let at = user.filter(|user| !user.is_empty()).map(|user| format!("{user}@"));
        let mark = if query.is_empty() { "" } else { "?" };
        url.shown = [&at.unwrap_or_default(), base, mark, &query.join("&")].concat();
        Ok(url)
    }

    /// Refuses names that hold more than a name: most likely a password that did not end up in its
    /// place.
    fn check_names(&self) -> Result<(), LocationError> {
        let parameters = self.parameters.iter().map(|(name, value)| (*name, value.as_str()));
        let user = self.user.iter().map(|user| ("user", user.as_str()));
        let database = self.database.iter().map(|database| ("dbname", database.as_str()));
        let hosts = self.hosts.iter().map(|(host, _)| ("host", host.as_str()));
        let mut names = user.chain(database).chain(hosts).chain(parameters);
        let Some((name, _)) = names.find(|(name, value)| settings::overfull(name, value).is_some())
        else {
            return Ok(());
        };
        Err(LocationError::Url(match name {
            "user" => "has one of ';', '&', '=', ':' and '/' in its username",
            "dbname" => "has one of ';', '&', '=', ':', '/' and '@' in its database name",
            _ => "has more than a name in its host",
        }))
    }
}

/// A host's name, address or directory, and the digits of its port.
fn host_and_port(text: &str) -> Result<(String, String), LocationError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, ""),
            Some((host, port)) if port.starts_with(':') => (host, &port[1..]),
            _ => return Err(LocationError::Url("has a '[' without ']' around its host")),
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    if !port.is_empty() && port.parse::<u16>().is_err() {
        // It may be a password in a URL without an '@'.
        return Err(LocationError::Url("has no valid port after its host's ':'"));
    }
    let host = decode(host, "has a '%' without two hexadecimal digits in its host")?;
    Ok(((*host).clone(), port.to_owned()))
}

/// Decodes percent-encoded text.
fn decode(text: &str, malformed: &'static str) -> Result<Zeroizing<String>, LocationError> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let is_malformed = |at| !is_digit(bytes.get(at + 1)) || !is_digit(bytes.get(at + 2));
    if text.match_indices('%').any(|(at, _)| is_malformed(at)) {
        return Err(LocationError::Url(malformed));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| LocationError::Url("has a part that is not UTF-8"))?;
    if decoded.contains('\0') {
        return Err(LocationError::Url("contains a NUL character"));
    }
    Ok(Zeroizing::new(decoded.into_owned()))
}

/// The URL without a password.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}", self.shown)
    }
}
