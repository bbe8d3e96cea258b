//! Connecting to a server, and converting its errors.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use postgres::config::Host;
use postgres::error::{DbError, Severity, SqlState};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::server::{BadSetting, Fault, Names, Plan, Session, host_and_port, shuffle};
use super::{Server, tls};
use crate::escape::{Escaped, without_digests};
use crate::store::{Location, StoreError};

/// The timeout for connecting to one address, including the login.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to find out what else answers on a port.
const GRACE: Duration = Duration::from_secs(2);

/// The errors of connections that nothing answered.
const UNREACHED: [ErrorKind; 5] = [
    ErrorKind::ConnectionRefused,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkUnreachable,
    ErrorKind::NotFound,
    ErrorKind::TimedOut,
];

/// How a server describes the encryption of a connection that `pg_hba.conf` rejects.
const ENCRYPTION: [&str; 4] = ["GSS encryption", "SSL encryption", "no encryption", "SSL off"];

/// A connection to a server.
pub(super) struct Connection {
    pub(super) client: Client,
    /// What encrypts a request to cancel a statement.
    pub(super) tls: Option<MakeRustlsConnect>,
    /// The latest warnings of the server.
    pub(super) warnings: Warnings,
}

/// The warnings that a server sent, collected while its connection is in use.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<Mutex<Vec<DbError>>>);

impl Warnings {
    /// The number of warnings to keep: a trigger of the app may send one for each row.
    const MAX: usize = 16;

    fn add(&self, warning: DbError) {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.truncate(Self::MAX - 1);
        warnings.push(warning);
    }

    pub(super) fn take(&self) -> Vec<DbError> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn connect(server: &Server, location: &Location) -> Result<Connection, StoreError> {
    let location = || location.clone();
    let plan = server.plan().map_err(|fault| match fault {
        Fault::Setting(BadSetting { reason, hint }) => {
            StoreError::Setting { location: location(), reason, hint }
        }
        Fault::File(BadSetting { reason, hint }) => {
            let reason = Escaped(&reason).to_string();
            StoreError::CannotOpen { location: location(), reason, hint }
        }
    })?;
    first(plan).map_err(|failure| {
        let Failure { reason, hint, has_password, .. } = failure;
        let reason = match server.exposed_password_file() {
            // Otherwise it is unrelated.
            _ if has_password || !reason.contains("password") => reason,
            Some(file) => format!(
                "{reason}; {} was ignored because others can read it: chmod 600",
                file.display()
            ),
            None => format!("{reason}; neither ~/.pgpass nor PGPASSWORD has a password for it"),
        };
        let reason = Escaped(&reason).to_string();
        StoreError::CannotOpen { location: location(), reason, hint }
    })
}

/// Why a connection failed.
struct Failure {
    reason: String,
    hint: String,
    has_password: bool,
    /// Whether to try the next host. As in libpq, a server that rejects the login is the last one.
    is_passable: bool,
}

/// Connects to the first server that matches `target_session_attrs`.
fn first(plan: Plan) -> Result<Connection, Failure> {
    let Plan { hosts, session, is_shuffled, tls, names } = plan;
    let (mut failures, mut second_choice) = (Vec::new(), None);
    let are_several = hosts.len() > 1;
    let names = Arc::new(names);
    for host in hosts {
        let with_host = |failure: Failure| {
            if are_several {
                let reason = format!("{}: {}", host_and_port(&host), failure.reason);
                Failure { reason, ..failure }
            } else {
                failure
            }
        };
        let limit = host.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        let resolving = host.clone();
        let addresses = within(limit, move || addresses(&resolving, is_shuffled));
        let addresses = match addresses.unwrap_or_else(|| Err(no_answer(&host))) {
            Ok(addresses) => addresses,
            Err(failure) => {
                failures.push(with_host(failure));
                continue;
            }
        };
        // The last address speaks for the host.
        let mut last = None;
        for config in addresses {
            let (tls, names) = (tls.clone(), Arc::clone(&names));
            let attempt = within(limit, move || attempt(config, tls, session, &names));
            match attempt.unwrap_or_else(|| Err(no_answer(&host))) {
                Ok((connection, None)) => return Ok(connection),
                Ok((connection, Some(failure))) => {
                    if session == Session::PreferStandby {
                        second_choice.get_or_insert(connection);
                    }
                    last = Some(failure);
                }
                Err(failure) if failure.is_passable => last = Some(failure),
                Err(failure) => return Err(with_host(failure)),
            }
        }
        failures.extend(last.map(with_host));
    }
    match second_choice {
        Some(connection) => Ok(connection),
        None => Err(all(&failures)),
    }
}

/// Runs a function in another thread, which is left alone if it takes longer than the limit: the
/// driver's own timeout covers only the network connection, so it would wait forever for a silent
/// server.
fn within<T: Send + 'static>(
    limit: Duration,
    run: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // The receiver may have given up already.
        let _ = sender.send(run());
    });
    receiver.recv_timeout(limit).ok()
}

fn no_answer(config: &Config) -> Failure {
    Failure {
        reason: "the server does not respond".to_owned(),
        hint: String::new(),
        has_password: config.get_password().is_some(),
        is_passable: true,
    }
}

/// The failures of all hosts as one.
fn all(failures: &[Failure]) -> Failure {
    let mut reasons: Vec<&str> = failures.iter().map(|failure| &*failure.reason).collect();
    reasons.dedup();
    let reason = match &reasons[..] {
        [] => "no host is given".to_owned(),
        reasons => reasons.join("; "),
    };
    let hint = failures.iter().map(|failure| &failure.hint).find(|hint| !hint.is_empty());
    let hint = hint.cloned().unwrap_or_default();
    let has_password = failures.iter().all(|failure| failure.has_password);
    Failure { reason, hint, has_password, is_passable: false }
}

/// A configuration for each address of a host.
fn addresses(config: &Config, is_shuffled: bool) -> Result<Vec<Config>, Failure> {
    let (true, Some(Host::Tcp(name))) =
        (config.get_hostaddrs().is_empty(), config.get_hosts().first())
    else {
        return Ok(vec![config.clone()]);
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let found = (&**name, port).to_socket_addrs().map_err(|error| Failure {
        reason: error.to_string(),
        hint: String::new(),
        has_password: true,
        is_passable: true,
    })?;
    let mut configs = Vec::new();
    for address in found {
        let mut config = config.clone();
        config.hostaddr(address.ip());
        configs.push(config);
    }
    if is_shuffled {
        shuffle(&mut configs);
    }
    Ok(configs)
}

/// Connects to one server. The second value is why it does not match, if so.
fn attempt(
    mut config: Config,
    tls: Option<MakeRustlsConnect>,
    wanted: Session,
    names: &Names,
) -> Result<(Connection, Option<Failure>), Failure> {
    let warnings = Warnings::default();
    let collected = warnings.clone();
    config.notice_callback(move |notice| {
        if notice.parsed_severity() == Some(Severity::Warning) {
            collected.add(notice);
        }
    });
    let connected = match &tls {
        Some(tls) => config.connect(tls.clone()),
        None => config.connect(NoTls),
    };
    let checked = connected.and_then(|mut client| {
        let mismatch = mismatch(&mut client, wanted)?;
        Ok((client, mismatch))
    });
    let (client, mismatch) = checked.map_err(|error| refusal(&error, &config, names))?;
    let mismatch = mismatch.map(|what| Failure {
        reason: format!("the server {what}"),
        hint: "use other hosts, or another target_session_attrs".to_owned(),
        has_password: true,
        is_passable: true,
    });
    Ok((Connection { client, tls, warnings }, mismatch))
}

/// Why a server does not match, if so.
fn mismatch(client: &mut Client, wanted: Session) -> Result<Option<&'static str>, postgres::Error> {
    if wanted == Session::Any {
        return Ok(None);
    }
    let select = "SHOW transaction_read_only; SELECT pg_catalog.pg_is_in_recovery()";
    let messages = client.simple_query(select)?;
    let values: Vec<bool> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(matches!(row.get(0), Some("on" | "t"))),
            _ => None,
        })
        .collect();
    let is_read_only = values.first() == Some(&true);
    let is_standby = values.get(1) == Some(&true);
    Ok(match wanted {
        Session::ReadWrite if is_standby => Some("is a standby, which is read-only"),
        Session::ReadWrite if is_read_only => Some("is read-only"),
        Session::ReadOnly if !is_read_only => Some("is not read-only"),
        Session::Primary if is_standby => Some("is a standby"),
        Session::Standby | Session::PreferStandby if !is_standby => Some("is not a standby"),
        _ => None,
    })
}

/// Why a server rejected the connection, and what to do.
fn refusal(error: &postgres::Error, config: &Config, names: &Names) -> Failure {
    let has_password = config.get_password().is_some();
    let not_postgres = || {
        let kind = io_kind(error);
        if kind.is_some_and(|kind| UNREACHED.contains(&kind)) {
            return None;
        }
        let port = "use PostgreSQL's port, usually 5432";
        Some(match other_protocol(config)? {
            "" => (
                "the server closes connections without an answer".to_owned(),
                format!("if it is not starting or stopping, {port}"),
            ),
            other => (format!("{other} answers on this port, not PostgreSQL"), port.to_owned()),
        })
    };
    let (reason, hint) = match (tls::explain(error), error.code()) {
        // `SSH-` begins like the answer of a server that supports TLS.
        (Some(explained), _) if tls::is_garbled(error) => not_postgres().unwrap_or(explained),
        (Some(explained), _) => explained,
        (None, Some(state)) => {
            let message = message(error);
            let reason = in_our_words(state, &message, names).unwrap_or(message);
            let user = config.get_user().unwrap_or_default();
            let database = config.get_dbname().unwrap_or(user);
            let hint = if *state == SqlState::INSUFFICIENT_PRIVILEGE {
                format!("GRANT CONNECT ON DATABASE {} TO {};", quoted(database), quoted(user))
            } else if reason.contains("valid client certificate") {
                "give one with sslcert=FILE and sslkey=FILE".to_owned()
            } else {
                String::new()
            };
            (reason, hint)
        }
        (None, None) => not_postgres().unwrap_or_else(|| (deepest(error), String::new())),
    };
    let is_passable = match error.code() {
        None => tls::explain(error).is_none(),
        // It starts up, shuts down, or is a proxy without a server.
        Some(state) => ["08", "57"].contains(&&state.code()[..2]),
    };
    Failure { reason, hint, has_password, is_passable }
}

/// Why a server rejects a new connection, without the values that its message repeats: a value may be a
/// password in the wrong place.
fn in_our_words(state: &SqlState, message: &str, names: &Names) -> Option<String> {
    let Names { user, database, options } = names;
    Some(match state.code() {
        "3D000" => format!("{database} does not exist"),
        "28P01" => format!("password authentication failed for {user}"),
        "28000" if message.contains("pg_hba.conf") => {
            let verb =
                if message.starts_with("no ") { "has no entry" } else { "rejects connection" };
            let encryption = match message.rsplit_once(", ") {
                Some((_, last)) if ENCRYPTION.contains(&last) => format!(", {last}"),
                _ => String::new(),
            };
            format!("pg_hba.conf {verb} for {user} and {database}{encryption}")
        }
        "28000" if message.contains("valid client certificate") => {
            "connection requires a valid client certificate".to_owned()
        }
        "28000" if message.contains("authentication failed") => {
            format!("authentication failed for {user}")
        }
        "28000" => format!("{user} does not exist or may not log in"),
        // What is not understood, or not known, or out of range.
        "22023" | "42601" | "42704" => format!("the server refuses {}", options.as_ref()?),
        _ => return None,
    })
}

/// What answers on the port, if not PostgreSQL.
fn other_protocol(config: &Config) -> Option<&'static str> {
    /// A request for TLS. PostgreSQL answers `S` or `N`.
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

    let port = config.get_ports().first().copied().unwrap_or(5432);
    let addresses: Vec<_> = match (config.get_hostaddrs().first(), config.get_hosts().first()) {
        (Some(address), _) => vec![(*address, port).into()],
        (None, Some(Host::Tcp(name))) => (&**name, port).to_socket_addrs().ok()?.collect(),
        _ => return None,
    };
    let connect = |address| TcpStream::connect_timeout(address, GRACE).ok();
    let mut stream = addresses.iter().find_map(connect)?;
    stream.set_read_timeout(Some(GRACE / 2)).ok()?;
    stream.set_write_timeout(Some(GRACE / 2)).ok()?;
    stream.write_all(&SSL_REQUEST).ok()?;
    let mut answer = [0; 16];
    let mut length = 0;
    while length < answer.len() {
        match stream.read(&mut answer[length..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => length += count,
        }
    }
    protocol(&answer[..length])
}

/// The protocol that begins like this, if not PostgreSQL's. Empty if nothing was sent.
fn protocol(answer: &[u8]) -> Option<&'static str> {
    Some(match answer {
        // An error of PostgreSQL, with the length of the message.
        [b'E', 0, 0, ..] | b"S" | b"N" => return None,
        // The connection was closed.
        [] => "",
        answer if answer.starts_with(b"HTTP/") || answer.starts_with(b"<") => "a web server (HTTP)",
        answer if answer.starts_with(b"SSH-") => "an SSH server",
        answer if answer.starts_with(b"-") || answer.starts_with(b"+") => "Redis or a mail server",
        answer if answer.starts_with(b"220") => "a mail or FTP server",
        // Its handshake: a length, number 0, version 10 of the protocol; or an error.
        [_, _, 0, 0, 10 | 255, ..] => "MySQL or MariaDB",
        // An alert or a handshake of TLS.
        [21 | 22, 3, ..] => "a server that begins with TLS, such as HTTPS",
        _ => "something else",
    })
}

/// The kind of the I/O error at the root of an error.
fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<ErrorKind> {
    match error.source() {
        Some(source) => io_kind(source),
        None => error.downcast_ref::<io::Error>().map(io::Error::kind),
    }
}

/// The server's message, or the reason there is none.
fn message(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| deepest(error), |error| error.message().to_owned())
}

/// The root cause of an error, which says more than its consequences.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    match (error.source(), error.downcast_ref::<io::Error>()) {
        (Some(source), _) => deepest(source),
        (None, Some(error)) if error.kind() == ErrorKind::NotFound => {
            format!(
                "no server listens on the local socket: {error}; for TCP, name the host, as in postgresql://localhost/NAME"
            )
        }
        (None, _) => error.to_string(),
    }
}

/// The schemas in which names in SQL resolve: only superusers can create objects there.
pub(super) const SEARCH_PATH: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// The holder of the lock that a statement timed out on, as far as the role can see. Ends the
/// transaction, which has failed already.
pub(super) fn holder(client: &mut Client, schema: &str) -> Option<String> {
    let schema = format!("'{}'", schema.replace('\'', "''"));
    let messages = client
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

/// Quotes a name for SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Converts an error of the server.
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
    // A timeout, or canceled by an administrator of the server.
    if *state == SqlState::QUERY_CANCELED || ["25P03", "25P04", "57P05"].contains(&state.code()) {
        return StoreError::TooSlow { location, reason };
    }
    // Recognized by the server's function, because messages may be in any language.
    let routine = error.as_db_error().and_then(|error| error.routine());
    // A table was dropped while this program waited for its lock.
    let is_dropped = *state == SqlState::INTERNAL_ERROR && routine == Some("relation_open");
    if is_dropped
        || [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
    {
        return StoreError::Conflict { location };
    }
    if [SqlState::UNTRANSLATABLE_CHARACTER, SqlState::CHARACTER_NOT_IN_REPERTOIRE].contains(state) {
        return StoreError::NotEncodable { location, reason };
    }
    match class {
        // Not reached, rejected, or without privileges.
        "08" | "28" | "3D" | "53" | "57" => StoreError::CannotConnect { location, reason },
        _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            let reason = match routine {
                Some("check_enable_rls") => {
                    format!("{reason}: ALTER ROLE … BYPASSRLS, for a role that must see all users")
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
    fn protocol_is_detected_by_first_bytes() {
        for (answer, expected) in [
            (&b"N"[..], None),
            (b"E\0\0\0\x8c", None),
            (b"HTTP/1.1 400 Bad", Some("a web server (HTTP)")),
            (b"SSH-2.0-OpenSSH", Some("an SSH server")),
            (b"J\0\0\0\x0a5.7.40", Some("MySQL or MariaDB")),
            (b"-ERR unknown com", Some("Redis or a mail server")),
            (b"\x15\x03\x01\0\x02", Some("a server that begins with TLS, such as HTTPS")),
            (b"220 mail", Some("a mail or FTP server")),
            (b"", Some("")),
            (b"hello", Some("something else")),
        ] {
            assert_eq!(protocol(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn refusal_names_the_setting_and_not_its_value() {
        let names = Names {
            user: "the user set by PGUSER".to_owned(),
            database: "database \"db\"".to_owned(),
            options: Some("PGOPTIONS".to_owned()),
        };
        for (state, message, expected) in [
            ("3D000", "database \"hunter2\" does not exist", "database \"db\" does not exist"),
            (
                "28P01",
                "password authentication failed for user \"hunter2\"",
                "password authentication failed for the user set by PGUSER",
            ),
            (
                "28000",
                "role \"hunter2\" does not exist",
                "the user set by PGUSER does not exist or may not log in",
            ),
            (
                "28000",
                "no pg_hba.conf entry for host \"h\", user \"hunter2\", database \"db\", no encryption",
                "pg_hba.conf has no entry for the user set by PGUSER and database \"db\", no encryption",
            ),
            (
                "28000",
                "pg_hba.conf rejects connection for host \"h\", user \"u\", database \"hunter2\"",
                "pg_hba.conf rejects connection for the user set by PGUSER and database \"db\"",
            ),
            (
                "28000",
                "Peer authentication failed for user \"hunter2\"",
                "authentication failed for the user set by PGUSER",
            ),
            (
                "28000",
                "connection requires a valid client certificate",
                "connection requires a valid client certificate",
            ),
            (
                "42601",
                "invalid command-line argument for server process: hunter2",
                "the server refuses PGOPTIONS",
            ),
            ("22023", "invalid value for parameter: \"hunter2\"", "the server refuses PGOPTIONS"),
        ] {
            let said = in_our_words(&SqlState::from_code(state), message, &names);
            assert_eq!(said.as_deref(), Some(expected));
        }
        assert_eq!(in_our_words(&SqlState::TOO_MANY_CONNECTIONS, "too many", &names), None);
    }

    #[test]
    fn connection_error_shows_root_cause() {
        let failure = "color=red".parse::<Config>().unwrap_err();
        let location = Location::parse("postgresql://u@h/db").unwrap();
        let said = error(&location, &failure).to_string();
        assert_eq!(said, "cannot open postgresql://u@h/db: unknown option `color`");
    }
}
