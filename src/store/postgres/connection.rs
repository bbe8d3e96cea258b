//! How a server is reached, and what its errors mean.

use std::fmt::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::{Client, Config, SimpleQueryMessage, Transaction};

use super::{Place, Server};
use crate::escape::{Escaped, without_digests};
use crate::store::{Location, StoreError};

/// How long a connection may take to be made.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server that is connected may take to let the program in.
const GRACE: Duration = Duration::from_secs(2);

/// How long another program's transaction is waited for.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn connect(server: &Server, location: &Location) -> Result<Client, StoreError> {
    let unreachable = |reason: String| {
        let reason = Escaped(&reason).to_string();
        StoreError::CannotConnect { location: location.clone(), reason }
    };
    let (config, tls) = server.config().map_err(unreachable)?;
    let has_password = config.get_password().is_some();
    let patience = patience(&config);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // It may come too late for anybody to take it.
        let _ = sender.send(config.connect(tls));
    });
    let connected = receiver
        .recv_timeout(patience)
        .map_err(|_| unreachable("the server does not answer".to_owned()))?;
    connected.map_err(|error| {
        let reason = message(&error);
        unreachable(match server.exposed_password_file() {
            // Else it has nothing to do with it.
            _ if has_password || !reason.contains("password") => reason,
            Some(file) => format!(
                "{reason}; {} was passed over, since others may read it: chmod 600",
                file.display()
            ),
            None => format!("{reason}; neither ~/.pgpass nor PGPASSWORD has a password for it"),
        })
    })
}

/// How long a connection is waited for. The driver's own timeout ends when the network has
/// connected: then it would wait for ever for a server that does not speak.
fn patience(config: &Config) -> Duration {
    let each = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
    // A host has an address of either kind.
    let addresses = 2 * config.get_hosts().len().max(config.get_hostaddrs().len());
    each.saturating_mul(u32::try_from(addresses).unwrap_or(u32::MAX)).saturating_add(GRACE)
}

/// What the server says, or else what kept it from saying anything.
fn message(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| deepest(error), |error| error.message().to_owned())
}

/// The first cause of an error, which says more than what it led to.
fn deepest(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => deepest(source),
        None => error.to_string(),
    }
}

/// Where names in SQL are looked up: nobody but a superuser can create anything there.
pub(super) const SEARCH_PATH: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// What a transaction relies on, whatever the role, the database or the URL sets; and the role
/// that it acts as.
///
/// Rows that row-level security would hide raise an error: they must not count as absent.
pub(super) fn settings(place: &Place, lock_timeout: Duration) -> String {
    let mut settings = format!(
        "{SEARCH_PATH};
         SET LOCAL row_security = off;
         SET LOCAL quote_all_identifiers = off;
         SET LOCAL standard_conforming_strings = on;
         SET LOCAL check_function_bodies = on;
         SET LOCAL dash_users.bulk = '';
         SET LOCAL dash_users.recorded = '';
         SET LOCAL dash_users.failure = '';
         SET LOCAL idle_in_transaction_session_timeout = 0;
         SET LOCAL lock_timeout = {};
         SET LOCAL statement_timeout = {};
         SET LOCAL client_min_messages = error;",
        lock_timeout.as_millis(),
        STATEMENT_TIMEOUT.as_millis(),
    );
    if place.version >= 170_000 {
        settings.push_str("SET LOCAL transaction_timeout = 0;");
    }
    if place.is_sql_ascii {
        // The server would refuse to send what is not UTF-8.
        settings.push_str("SET LOCAL client_encoding = 'SQL_ASCII';");
    }
    if let Some(owner) = &place.owner {
        let _ = write!(settings, "SET LOCAL ROLE {};", quoted(owner));
    }
    settings
}

/// Who holds the lock that a statement waited for in vain, as far as the role may see it. It ends
/// the transaction, which has failed already.
pub(super) fn holder(transaction: &mut Transaction<'_>, schema: &str) -> Option<String> {
    let schema = format!("'{}'", schema.replace('\'', "''"));
    let messages = transaction
        .simple_query(&format!(
            "ROLLBACK; BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp;
             SET LOCAL standard_conforming_strings = on;
             SELECT pid, usename, application_name, to_char(xact_start AT TIME ZONE 'UTC',
                        'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
             FROM pg_locks JOIN pg_stat_activity USING (pid)
                 JOIN pg_class ON pg_class.oid = relation
                 JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE granted AND locktype = 'relation' AND pid <> pg_backend_pid()
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND nspname = {schema}
                 AND (relname IN ('users', 'user_groups', 'user_events')
                      OR starts_with(relname::text, 'dash_users_'))
             ORDER BY mode = 'AccessShareLock', xact_start LIMIT 1;
             ROLLBACK"
        ))
        .ok()?;
    messages.iter().find_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        let text = |column| row.get(column).filter(|text| !text.is_empty());
        let mut holder = format!("process {}", text(0)?);
        for (name, column) in [("role", 1), ("application", 2), ("in a transaction since", 3)] {
            if let Some(text) = text(column) {
                let _ = write!(holder, ", {name} {}", Escaped(text));
            }
        }
        Some(holder)
    })
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What an error of a commit means to a caller: who hears nothing of it does not know.
pub(super) fn commit_error(location: &Location, error: &postgres::Error) -> StoreError {
    match self::error(location, error) {
        StoreError::CannotConnect { location, .. } => {
            let reason = "the connection was lost during the commit: look whether the change was \
                          made before you try again";
            StoreError::Failed { location, reason: reason.to_owned() }
        }
        error => error,
    }
}

/// What an error of the server means to a caller.
pub(super) fn error(location: &Location, error: &postgres::Error) -> StoreError {
    let location = location.clone();
    let Some(state) = error.code() else {
        let is_lost = error.is_closed();
        let reason = if is_lost { "the connection was lost".to_owned() } else { message(error) };
        return StoreError::CannotConnect { location, reason: Escaped(&reason).to_string() };
    };
    let reason = Escaped(&without_digests(&message(error))).to_string();
    let class = &state.code()[..2];
    if *state == SqlState::LOCK_NOT_AVAILABLE {
        return StoreError::Busy { location, holder: None };
    }
    // A time-out, or an administrator of the server.
    if *state == SqlState::QUERY_CANCELED || ["25P03", "25P04", "57P05"].contains(&state.code()) {
        return StoreError::TooSlow { location, reason };
    }
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state) {
        return StoreError::Conflict { location };
    }
    if [SqlState::UNTRANSLATABLE_CHARACTER, SqlState::CHARACTER_NOT_IN_REPERTOIRE].contains(state) {
        return StoreError::NotEncodable { location, reason };
    }
    match class {
        // Not reached, not let in, or without the rights.
        "08" | "28" | "3D" | "53" | "57" => StoreError::CannotConnect { location, reason },
        _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            // By the function of the server: its messages may be in any language.
            let routine = error.as_db_error().and_then(|error| error.routine());
            let reason = match routine {
                Some("check_enable_rls") => {
                    format!("{reason}: ALTER ROLE … BYPASSRLS, for a role that is to see all users")
                }
                _ => reason,
            };
            StoreError::CannotConnect { location, reason }
        }
        _ if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::CannotConnect { location, reason }
        }
        // A constraint or trigger of the app.
        "23" | "P0" | "22" => StoreError::Refused { location, reason },
        _ => StoreError::Failed { location, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_addresses_of_every_host_are_waited_for() {
        for (config, seconds) in [
            ("host=db", 22),
            ("host=db connect_timeout=3", 8),
            ("host=db,db2,db3 connect_timeout=3", 20),
            ("hostaddr=192.0.2.1,192.0.2.2 connect_timeout=3", 14),
        ] {
            let config: Config = config.parse().unwrap();
            assert_eq!(patience(&config), Duration::from_secs(seconds), "{config:?}");
        }
    }

    #[test]
    fn what_no_server_says_is_told_by_its_first_cause() {
        let failure = "color=red".parse::<Config>().unwrap_err();
        let location = Location::parse("postgresql://u@h/db").unwrap();
        let said = error(&location, &failure).to_string();
        assert_eq!(said, "cannot open postgresql://u@h/db: unknown option `color`");
    }
}
