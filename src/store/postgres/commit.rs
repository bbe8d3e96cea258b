//! Committing: an answer that does not come is not waited for forever, and one that is lost is
//! looked for with another connection.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::CancelToken;
use postgres::error::{DbError, Severity, SqlState};
use postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{self, Connection};
use super::place::{self, Results, Session};
use super::server::Server;
use crate::store::{CommitHooks, Location, RETRY_PAUSE, StoreError, lock_timeout};

/// How long a commit may take. No setting of the server limits the wait for a standby.
const COMMIT_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait for the answer after the statement was canceled.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How often to look whether the user cancels.
const TICK: Duration = Duration::from_millis(50);

/// The server warns if a commit is not on a standby that it should be on.
const COMMIT: &str = "SET LOCAL client_min_messages = warning; COMMIT";

/// Sets `dash_users.timeline`. Some providers do not allow these functions.
const SET_TIMELINE: &str = "
    DO $dash_users$
    BEGIN
        PERFORM set_config('dash_users.timeline',
            left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), true);
    EXCEPTION WHEN OTHERS THEN
        PERFORM set_config('dash_users.timeline', '', true);
    END
    $dash_users$;";

/// What identifies a transaction: its number, and the timeline, because a standby that takes over
/// gives the same numbers to other transactions.
pub(super) struct Receipt {
    number: String,
    timeline: String,
}

impl Receipt {
    /// The statements that return the receipt of the transaction.
    pub(super) fn sql() -> String {
        format!(
            "{SET_TIMELINE} SELECT txid_current_if_assigned(), current_setting('dash_users.timeline')"
        )
    }

    /// Reads the result of these statements. `None` if the transaction has written nothing.
    pub(super) fn read(results: &Results) -> Option<Self> {
        let row = results.last()?.first()?;
        let text = |column| Some(row.get(column)?.to_owned());
        Some(Self { number: text(0)?, timeline: text(1)? })
    }
}

/// What became of a transaction.
enum Fate {
    Committed,
    RolledBack,
    /// A standby took over, which may or may not have received it.
    Unknown,
    Undecided,
}

/// Commits. If the answer is lost, reconnects and finds out; if that is impossible, the error is
/// [`StoreError::Unconfirmed`].
pub(super) fn commit(
    mut session: Session<'_>,
    receipt: Option<&Receipt>,
    (server, location): (&Server, &Location),
    hooks: CommitHooks,
) -> Result<(), StoreError> {
    let Some(connection) = session.take() else { return Ok(()) };
    let warnings = connection.warnings.clone();
    // Those that triggers of the app sent.
    warnings.take();
    let answer = run(connection, COMMIT.to_owned(), COMMIT_LIMIT, hooks);
    let is_unreplicated =
        warnings.take().iter().any(|warning| warning.routine() == Some("SyncRepWaitForLSN"));
    let mut is_rolled_back = false;
    let (mut result, connection) = match answer {
        Some((connection, Ok(()))) => (Ok(()), Some(connection)),
        Some((connection, Err(error))) if is_answer(&error) => {
            is_rolled_back = true;
            (Err(connection::error(location, &error)), Some(connection))
        }
        // It is saved, and then the server ended the connection.
        Some((_, Err(_))) if is_unreplicated => (Ok(()), None),
        _ => {
            let (fate, connection) = find_out(receipt, server, location, hooks);
            is_rolled_back = matches!(fate, Fate::RolledBack);
            let location = location.clone();
            let result = match fate {
                Fate::Committed => Ok(()),
                Fate::RolledBack => Err(StoreError::Conflict { location }),
                Fate::Unknown | Fate::Undecided => Err(StoreError::Unconfirmed { location }),
            };
            (result, connection)
        }
    };
    session.end(connection);
    if is_unreplicated && result.is_ok() {
        result = Err(StoreError::Unreplicated { location: location.clone() });
    }
    if is_rolled_back {
        (hooks.rolled_back)();
    }
    result
}

type Answer = (Connection, Result<(), postgres::Error>);

/// Runs a statement, and cancels it after a while or if the user wants to.
pub(super) fn run(
    mut connection: Connection,
    sql: String,
    limit: Duration,
    hooks: CommitHooks,
) -> Option<Answer> {
    let (token, tls) = (connection.client.cancel_token(), connection.tls.clone());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let answer = connection.client.batch_execute(&sql);
        // The receiver may have given up.
        let _ = sender.send((connection, answer));
    });
    wait(&receiver, limit, hooks, || cancel(token, tls))
}

fn wait(
    receiver: &Receiver<Answer>,
    limit: Duration,
    hooks: CommitHooks,
    cancel: impl FnOnce(),
) -> Option<Answer> {
    let mut deadline = Instant::now() + limit;
    let mut cancel = Some(cancel);
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(answer) => return Some(answer),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let is_late = Instant::now() >= deadline;
        if (is_late || (hooks.is_canceled)())
            && let Some(cancel) = cancel.take()
        {
            deadline = Instant::now() + LAST_WAIT;
            cancel();
        } else if is_late {
            return None;
        }
    }
}

/// Asks the server to cancel the statement. That ends only the wait of a commit for a standby.
fn cancel(token: CancelToken, tls: Option<MakeRustlsConnect>) {
    thread::spawn(move || {
        // If that fails, there will be no answer.
        let _ = match tls {
            Some(tls) => token.cancel_query(tls),
            None => token.cancel_query(NoTls),
        };
    });
}

/// Whether an error is the server's answer to the commit, which is rolled back then. Not one that
/// ends the connection, or that a proxy sends.
fn is_answer(error: &postgres::Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    let is_proxy = error.code().is_some_and(|state| state.code().starts_with("08"));
    severity == Some(Severity::Error) && !is_proxy
}

/// Reconnects until the server knows what became of the transaction.
fn find_out(
    receipt: Option<&Receipt>,
    server: &Server,
    location: &Location,
    hooks: CommitHooks,
) -> (Fate, Option<Connection>) {
    let Some(receipt) = receipt else { return (Fate::Unknown, None) };
    let deadline = Instant::now() + lock_timeout();
    loop {
        let connected = connection::connect(server, location);
        let fate =
            connected.map(|mut connection| (fate(receipt, &mut connection.client), connection));
        match fate {
            Ok((Ok(fate @ (Fate::Committed | Fate::RolledBack | Fate::Unknown)), connection)) => {
                return (fate, Some(connection));
            }
            _ if Instant::now() >= deadline || (hooks.is_canceled)() => {
                return (Fate::Undecided, None);
            }
            _ => thread::sleep(RETRY_PAUSE),
        }
    }
}

/// What a server knows of a transaction.
fn fate(receipt: &Receipt, client: &mut Client) -> Result<Fate, postgres::Error> {
    let Receipt { number, timeline } = receipt;
    let results = place::run(
        client,
        &format!(
            "START TRANSACTION READ ONLY; {}; {SET_TIMELINE}
             SELECT txid_status({number}), current_setting('dash_users.timeline'),
                 pg_is_in_recovery();
             ROLLBACK",
            connection::SEARCH_PATH
        ),
    )?;
    let Some(row) = results.first().and_then(|rows| rows.first()) else {
        return Ok(Fate::Undecided);
    };
    Ok(match row.get(0) {
        // Not yet a primary.
        _ if place::is_true(row, 2) => Fate::Undecided,
        _ if row.get(1) != Some(timeline) => Fate::Unknown,
        Some("committed") => Fate::Committed,
        Some("aborted") => Fate::RolledBack,
        // It may wait for a standby.
        Some(_) => Fate::Undecided,
        None => Fate::Unknown,
    })
}

/// Whether an error is that the connection is lost. Then the server has not run the statement.
pub(super) fn is_lost(error: &postgres::Error) -> bool {
    const STATES: [SqlState; 4] = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_SESSION_TIMEOUT,
    ];
    match error.code() {
        None => true,
        Some(state) => STATES.contains(state) || state.code().starts_with("08"),
    }
}
