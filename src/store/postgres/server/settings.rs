//! libpq's settings: their names, their environment variables, and whether they are supported.
//!
//! A known setting is applied, ignored if it makes no difference here, or rejected. No setting is
//! ignored that affects which server the program connects to, as whom, or how securely.

use std::fmt;

use zeroize::Zeroizing;

/// The treatment of a setting.
#[derive(Clone, Copy)]
enum Rule {
    /// Applied by `config`.
    Obeyed,
    /// Ignored: it makes no difference here.
    Harmless,
    /// Only these values are ignored; the second field is the alternative to others.
    Only(&'static [&'static str], &'static str),
    /// Rejected, with the alternative.
    Refused(&'static str),
}

use Rule::{Harmless, Obeyed, Only, Refused};

/// Values that mean no.
const OFF: &[&str] = &["", "0", "no", "off", "false"];

/// The parameters of libpq with their environment variables, and those that drivers add to URLs.
///
/// Sources: the PostgreSQL 18 documentation, sections 32.1.2 and 32.15; the documentation of
/// psycopg, pg8000, asyncpg, SQLAlchemy, Django, Rails and Prisma; the URLs that Neon, Supabase and Vercel show.
const SETTINGS: [(&str, &str, Rule); 101] = [
    ("application_name", "PGAPPNAME", Obeyed),
    ("channel_binding", "PGCHANNELBINDING", Obeyed),
    ("client_encoding", "PGCLIENTENCODING", Harmless), // always UTF-8
    ("connect_timeout", "PGCONNECT_TIMEOUT", Obeyed),
    ("dbname", "PGDATABASE", Obeyed),
    ("fallback_application_name", "", Obeyed),
    ("gssdelegation", "PGGSSDELEGATION", Harmless), // no GSSAPI
    (
        "gssencmode",
        "PGGSSENCMODE",
        Only(&["", "disable", "prefer"], "gssencmode=disable and sslmode=verify-full"),
    ),
    ("gsslib", "PGGSSLIB", Harmless),
    ("host", "PGHOST", Obeyed),
    ("hostaddr", "PGHOSTADDR", Obeyed),
    ("keepalives", "", Obeyed),
    ("keepalives_count", "", Obeyed),
    ("keepalives_idle", "", Obeyed),
    ("keepalives_interval", "", Obeyed),
    ("keepalives_retries", "", Obeyed), // the Rust driver's name
    ("krbsrvname", "PGKRBSRVNAME", Harmless),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Obeyed),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Harmless), // 3.0, which all have
    (
        "min_protocol_version",
        "PGMINPROTOCOLVERSION",
        Only(&["", "3.0"], "min_protocol_version=3.0"),
    ),
    ("oauth_client_id", "", Refused("a password")),
    ("oauth_client_secret", "", Refused("a password")),
    ("oauth_issuer", "", Refused("a password")),
    ("oauth_scope", "", Refused("a password")),
    ("options", "PGOPTIONS", Obeyed),
    ("passfile", "PGPASSFILE", Obeyed),
    ("password", "PGPASSWORD", Obeyed),
    ("port", "PGPORT", Obeyed),
    ("replication", "", Only(OFF, "a URL without replication")),
    (
        "require_auth",
        "PGREQUIREAUTH",
        Only(&[""], "channel_binding=require, which only SCRAM can do"),
    ),
    ("requirepeer", "PGREQUIREPEER", Only(&[""], "host=localhost and sslmode=verify-full")),
    ("requiressl", "PGREQUIRESSL", Only(OFF, "sslmode=require")),
    ("scram_client_key", "", Refused("a password")),
    ("scram_server_key", "", Refused("a password")),
    ("service", "PGSERVICE", Obeyed),
    ("servicefile", "PGSERVICEFILE", Obeyed),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Obeyed),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Obeyed),
    ("sslcert", "PGSSLCERT", Obeyed),
    ("sslcertmode", "PGSSLCERTMODE", Obeyed),
    ("sslcompression", "PGSSLCOMPRESSION", Harmless), // libpq ignores it too
    ("sslcrl", "PGSSLCRL", Obeyed),
    ("sslcrldir", "PGSSLCRLDIR", Only(&[""], "sslcrl=FILE")),
    ("sslkey", "PGSSLKEY", Obeyed),
    ("sslkeylogfile", "", Refused("a URL without sslkeylogfile")),
    ("sslmode", "PGSSLMODE", Obeyed),
    ("sslnegotiation", "PGSSLNEGOTIATION", Obeyed),
    ("sslpassword", "", Obeyed), // no key may need it
    ("sslrootcert", "PGSSLROOTCERT", Obeyed),
    ("sslsni", "PGSSLSNI", Obeyed),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Obeyed),
    ("tcp_user_timeout", "", Obeyed),
    ("user", "PGUSER", Obeyed),
    // Drivers, ORMs and poolers.
    ("async_fallback", "", Harmless),
    ("atomic_requests", "", Harmless),
    ("authtype", "", Harmless),
    ("autocommit", "", Harmless),
    ("checkout_timeout", "", Harmless),
    ("command_timeout", "", Harmless),
    ("conn_health_checks", "", Harmless),
    ("conn_max_age", "", Harmless),
    ("connection_limit", "", Harmless),
    ("currentSchema", "", Refused("options=-csearch_path%3DSCHEMA")),
    ("disable_server_side_cursors", "", Harmless),
    ("echo", "", Harmless),
    ("echo_pool", "", Harmless),
    ("executemany_mode", "", Harmless),
    ("idle_timeout", "", Harmless),
    ("isolation_level", "", Harmless),
    ("max_idle_connection_lifetime", "", Harmless),
    ("max_inactive_connection_lifetime", "", Harmless),
    ("max_lifetime", "", Harmless),
    ("max_overflow", "", Harmless),
    ("pgbouncer", "", Harmless),
    ("pool", "", Harmless),
    ("pool_max_conns", "", Harmless),
    ("pool_mode", "", Harmless),
    ("pool_pre_ping", "", Harmless),
    ("pool_recycle", "", Harmless),
    ("pool_size", "", Harmless),
    ("pool_timeout", "", Harmless),
    ("pool_use_lifo", "", Harmless),
    ("prepare_threshold", "", Harmless),
    ("prepared_statement_cache_size", "", Harmless), // nothing is prepared by name
    ("prepared_statement_name_func", "", Harmless),
    ("prepared_statements", "", Harmless),
    ("reaping_frequency", "", Harmless),
    ("schema", "", Refused("options=-csearch_path%3DSCHEMA")),
    ("search_path", "", Refused("options=-csearch_path%3DSCHEMA")),
    ("socket_timeout", "", Harmless),
    ("ssl", "", Obeyed), // asyncpg: the values of sslmode
    ("ssl_require", "", Only(OFF, "sslmode=require")),
    ("sslaccept", "", Refused("sslmode=require or sslmode=verify-full")),
    ("sslidentity", "", Refused("sslcert=FILE and sslkey=FILE, in PEM format")),
    ("statement_cache_size", "", Harmless),
    ("supa", "", Harmless),
    ("timeout", "", Refused("connect_timeout=SECONDS")),
    ("tty", "", Harmless),
    ("unix_sock", "", Obeyed), // pg8000: the socket's file
    ("uselibpqcompat", "", Harmless),
    ("workaround", "", Harmless),
];

/// Variables that are not settings, but locate files or identify the user.
const PLACES: [&str; 3] = ["HOME", "USER", "PGSYSCONFDIR"];

/// Parameters that may contain a secret and are not shown.
const SECRET: [&str; 7] = [
    "oauth_client_secret",
    "options",
    "password",
    "scram_client_key",
    "scram_server_key",
    "sslpassword",
    "supa",
];

/// The name of a parameter, if known.
pub(super) fn known(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, _, _)| *known == name).map(|(name, _, _)| *name)
}

pub(super) fn is_shown(name: &str) -> bool {
    known(name).is_some() && !SECRET.contains(&name)
}

/// Whether `options` contain only the schemas of a `search_path`.
pub(super) fn is_search_path(options: &str) -> bool {
    let setting = options.strip_prefix("-c").map(str::trim_start);
    setting.and_then(|setting| setting.strip_prefix("search_path=")).is_some_and(|schemas| {
        schemas.chars().all(|c| c.is_ascii_alphanumeric() || ['_', ','].contains(&c))
    })
}

/// Names that would show a password if another connection string, or a part of one, was written in
/// their place: each with the characters and words that only such strings have.
const NAMES: [(&str, &[&str]); 3] = [
    ("dbname", &[";", "&", "=", ":", "/", "@"]),
    ("user", &[";", "&", "=", ":", "/"]),
    ("host", &[";", "&", "=", "://", "@", "?", " "]),
];

/// What the value of a setting may not hold, if it holds any of it.
pub(super) fn overfull(name: &str, value: &str) -> Option<&'static [&'static str]> {
    let (_, parts) = NAMES.iter().find(|(other, _)| *other == name)?;
    parts.iter().any(|part| value.contains(part)).then_some(*parts)
}

/// All known environment variables.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let variables = SETTINGS.iter().map(|(_, variable, _)| *variable);
    variables.filter(|variable| !variable.is_empty()).chain(PLACES)
}

/// The source of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store::postgres) enum Source {
    Url,
    ServiceFile,
    Environment,
}

/// The settings. The URL takes precedence over the service, and that over the environment.
#[derive(Default)]
pub(super) struct Settings(Vec<(&'static str, Zeroizing<String>, Source)>);

impl Settings {
    /// Sets a parameter unless it is already set.
    pub(super) fn set(&mut self, name: &'static str, value: &str, source: Source) {
        if self.get(name).is_none() && !value.is_empty() {
            self.0.push((name, Zeroizing::new(value.to_owned()), source));
        }
    }

    /// Sets parameters from variables unless they are already set.
    pub(super) fn set_from<'a>(&mut self, variable: impl Fn(&str) -> Option<&'a str>) {
        for (name, variable_name, _) in SETTINGS {
            if let Some(value) = variable(variable_name) {
                self.set(name, value, Source::Environment);
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _, _)| *other == name);
        found.map(|(_, value, _)| value.as_str())
    }

    pub(super) fn source(&self, name: &str) -> Option<Source> {
        let found = self.0.iter().find(|(other, _, _)| *other == name);
        found.map(|(_, _, source)| *source)
    }

    /// The name of a setting at its source.
    pub(super) fn called(&self, name: &'static str) -> String {
        let variable = SETTINGS.iter().find(|(other, _, _)| *other == name);
        match (self.source(name), variable) {
            (Some(Source::Environment), Some((_, variable, _))) => (*variable).to_owned(),
            (Some(Source::ServiceFile), _) => format!("{name} of the service"),
            _ => name.to_owned(),
        }
    }

    /// Rejects the first unsupported setting.
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        for (name, value, _) in &self.0 {
            if let Some(parts) = overfull(name, value) {
                let wanted = format!("a name alone, without any of: {}", parts.join(" "));
                return Err(self.invalid(name, wanted.trim_end()));
            }
            let rule = SETTINGS.iter().find(|(other, _, _)| other == name);
            match rule.map(|(_, _, rule)| *rule) {
                Some(Only(values, instead)) if !values.contains(&value.as_str()) => {
                    return Err(self.cannot(name, instead));
                }
                Some(Refused(instead)) => {
                    let instead = instead.replace("SCHEMA", schema_name(value));
                    return Err(self.cannot(name, &instead));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The error for an unsupported setting, with the alternative.
    pub(super) fn cannot(&self, name: &'static str, instead: &str) -> BadSetting {
        let called = self.called(name);
        let hint = if called == name {
            format!("use {instead}")
        } else {
            format!("unset {called}, and use {instead}")
        };
        BadSetting { reason: format!("{called} is not supported"), hint }
    }

    /// The error for an invalid value, which is not shown: it may be part of a password.
    pub(super) fn invalid(&self, name: &'static str, wanted: &str) -> BadSetting {
        BadSetting {
            reason: format!("the value of {} is invalid", self.called(name)),
            hint: format!("it must be {wanted}"),
        }
    }

    /// Parses one of several words; `None` if not set.
    pub(super) fn word<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, BadSetting> {
        let Some(value) = self.get(name) else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == value) {
            return Ok(Some(*meaning));
        }
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Err(self.invalid(name, &alternatives(&words)))
    }

    /// Parses a whole number; `None` if not set.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<i64>, BadSetting> {
        let number = self.get(name).map(|value| value.trim().parse());
        number.transpose().map_err(|_| self.invalid(name, "a whole number"))
    }
}

/// The name of a schema, if it can be shown and needs no quotes.
fn schema_name(value: &str) -> &str {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = value.len() < 64
        && value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && value.chars().all(is_part);
    if is_plain { value } else { "SCHEMA" }
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [more @ .., last] if !more.is_empty() => format!("{} or {last}", more.join(", ")),
        words => words.concat(),
    }
}

/// An invalid or unsupported setting, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadSetting {
    pub reason: String,
    pub hint: String,
}

impl BadSetting {
    pub(crate) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_listed_once() {
        let mut names: Vec<_> = SETTINGS.iter().map(|(name, _, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        assert!(SECRET.iter().all(|name| known(name).is_some()));
    }
}
