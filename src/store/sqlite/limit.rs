//! Time limits for SQLite: an untrusted trigger, index or constraint in the file may never end.

use std::cell::Cell;
use std::ffi::c_int;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::schema;
use crate::escape::Escaped;

/// Extra time for work on a whole file: one second per this number of bytes, far less than the
/// slowest disk reads.
const BYTES_PER_SECOND: u64 = 1 << 20;

/// The number of steps of SQLite's virtual machine between two checks of the clock.
const STEPS: c_int = 10_000;

thread_local! {
    /// The time limit of one statement. Ours take milliseconds. Only tests change it.
    static STATEMENT: Cell<Duration> = const { Cell::new(Duration::from_secs(60)) };

    /// The current work, if it is limited: its deadline and its time limit.
    static WORK: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Makes the connection abort when the current [`Work`] takes too long.
pub(super) fn watch(connection: &mut Connection) -> rusqlite::Result<()> {
    let is_over = || WORK.get().is_some_and(|(end, _)| Instant::now() > end);
    connection.progress_handler(STEPS, Some(is_over))
}

/// Limits the time of work until it is dropped.
pub(super) struct Work {
    before: Option<(Instant, Duration)>,
}

impl Work {
    /// One statement, or a few short ones.
    pub(super) fn statement() -> Self {
        Self::for_at_most(STATEMENT.get())
    }

    /// Reading or rewriting all of a file.
    pub(super) fn on_file(path: &Path) -> Self {
        let size = fs::metadata(path).map_or(0, |file| file.len());
        Self::for_at_most(STATEMENT.get() + Duration::from_secs(size / BYTES_PER_SECOND))
    }

    fn for_at_most(limit: Duration) -> Self {
        Self { before: WORK.replace(Some((Instant::now() + limit, limit))) }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        WORK.set(self.before);
    }
}

/// Restarts the time limit of the current work, for each row that shows progress.
pub(super) fn goes_on() {
    WORK.set(WORK.get().map(|(_, limit)| (Instant::now() + limit, limit)));
}

/// What may have caused a timeout: triggers of others on the tables that we write to.
pub(super) fn suspects(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let _work = Work::statement();
    let found = schema::foreign_triggers(connection, &schema::objects()?)?;
    Ok(found.first().map(|(name, table)| {
        let first = format!("'{}' on table '{}'", Escaped(name), Escaped(table));
        match found.len() {
            1 => format!("trigger {first} ran for too long"),
            _ => format!("a trigger ran for too long, perhaps {first}"),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{Error, Users};
    use crate::{Location, NewFile, StoreError};

    const FOR_EVER: &str = "SELECT count(*) FROM (
        WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)";

    fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        match result {
            Err(Error::Store(error @ StoreError::TooSlow { .. })) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn endless_statement_is_aborted() {
        STATEMENT.set(Duration::from_millis(100));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.db");
        let location = Location::parse(&path).unwrap();
        let hash = "scrypt:128:8:1$salt$00";
        for (event, table, runs_in_repair) in [
            ("UPDATE", "users", false),
            ("INSERT", "user_events", false),
            ("INSERT", "dash_users_change", true),
            ("DELETE", "dash_users_change", true),
            ("INSERT", "dash_users_schema", true),
        ] {
            Users::init(&location, &NewFile::default()).unwrap();
            let app = Connection::open(&path).unwrap();
            app.execute("INSERT INTO users VALUES ('alice', ?, 'en')", [hash]).unwrap();
            let trigger = format!("CREATE TRIGGER evil AFTER {event} ON {table}");
            app.execute_batch(&format!("{trigger} BEGIN {FOR_EVER}; END")).unwrap();

            let mut users = Users::open(&location).unwrap();
            let named = format!("is too slow: trigger 'evil' on table '{table}' ran for too long");
            if table != "dash_users_schema" {
                let said = message(users.set_language("alice", &"fr".parse().unwrap()));
                assert!(said.contains(&named), "{said}");
            }
            if runs_in_repair {
                let said = message(users.repair());
                assert!(said.contains(&named), "{said}");
            }
            if table == "user_events" {
                let backup = dir.path().join("backup.db");
                users.backup(&backup, false).unwrap();
                let said = message(Users::prepare_restore(&location, &backup, None).map(drop));
                assert!(said.contains(&named), "{said}");
            }
            let language = "SELECT language FROM users";
            let language: String = app.query_row(language, [], |row| row.get(0)).unwrap();
            assert_eq!(language, "en", "{trigger}");
            drop((users, app));
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn work_with_progress_is_not_aborted() {
        let mut connection = Connection::open_in_memory().unwrap();
        watch(&mut connection).unwrap();
        let _work = Work::for_at_most(Duration::from_millis(50));
        let rows = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 30000)
                    SELECT x FROM n";
        let mut statement = connection.prepare(rows).unwrap();
        let mut found = statement.query([]).unwrap();
        let start = Instant::now();
        while found.next().unwrap().is_some() {
            if start.elapsed() < Duration::from_millis(200) {
                std::thread::sleep(Duration::from_millis(1));
            }
            goes_on();
        }
    }
}
