//! Sessions of the login page, as the Python package stores them.

use std::time::{Duration, SystemTime};

use dash_users::{EndSessions, EventFilter, Location, StoredText};
use rusqlite::Connection;

use crate::database::Database;
use crate::support::{add, init};

/// Runs SQL where the sessions are. `BINARY` and `TIME` stand for types.
fn execute(database: &dyn Database, sql: &str) {
    match database.location() {
        Location::Sqlite(path) => {
            let mut file = path.clone().into_os_string();
            file.push("-sessions");
            let sql = sql.replace("BINARY", "BLOB").replace("TIME", "TEXT");
            Connection::open(file).unwrap().execute_batch(&sql).unwrap();
        }
        _ => database.execute(&sql.replace("BINARY", "bytea").replace("TIME", "timestamptz")),
    }
}

fn create(database: &dyn Database) {
    execute(
        database,
        "CREATE TABLE dash_users_sessions (
             id BINARY PRIMARY KEY, username TEXT NOT NULL, app TEXT NOT NULL,
             digest BINARY NOT NULL, started_at TIME NOT NULL, last_used_at TIME NOT NULL,
             expires_at TIME NOT NULL)",
    );
    for (id, name, expires) in
        [("a1", "ann", "2026-01-01"), ("a2", "ann", "2026-01-02"), ("a3", "Ann", "2026-01-03")]
    {
        execute(
            database,
            &format!(
                "INSERT INTO dash_users_sessions VALUES ('{id}', '{name}', 'app', 'x',
                     '2025-12-31T00:00:00.000Z', '2025-12-31T12:00:00.000Z',
                     '{expires}T00:00:00.000Z')"
            ),
        );
    }
}

fn time(text: &str) -> SystemTime {
    humantime::parse_rfc3339(text).unwrap()
}

fn sessions_are_listed_by_name(database: &dyn Database) {
    let mut users = init(database);
    assert_eq!(users.sessions().unwrap(), []);
    create(database);
    let sessions = users.sessions().unwrap();
    let names: Vec<_> = sessions.iter().map(|session| session.username.to_string()).collect();
    assert_eq!(names, ["Ann", "ann", "ann"]);
    assert_eq!(sessions[0].started_at, Some(time("2025-12-31T00:00:00Z")));
    assert_eq!(sessions[0].last_used_at, Some(time("2025-12-31T12:00:00Z")));
    assert_eq!(sessions[0].expires_at, Some(time("2026-01-03T00:00:00Z")));
}

fn sessions_end_for_one_user_or_all(database: &dyn Database) {
    let mut users = init(database);
    assert_eq!(users.end_sessions(EndSessions::All).unwrap(), 0);
    create(database);
    let before = time("2026-01-01T00:00:00Z");
    let early = EndSessions::ExpiredAt(before - Duration::from_millis(1));
    assert_eq!(users.end_sessions(early).unwrap(), 0);
    assert_eq!(users.end_sessions(EndSessions::ExpiredAt(before)).unwrap(), 1);
    assert_eq!(users.end_sessions(EndSessions::Of(b"ANN")).unwrap(), 0);
    assert_eq!(users.end_sessions(EndSessions::Of(b"x\0")).unwrap(), 0);
    assert_eq!(users.end_sessions(EndSessions::Of(b"\xff")).unwrap(), 0);
    assert_eq!(users.end_sessions(EndSessions::Of(b"ann")).unwrap(), 1);
    assert_eq!(users.end_sessions(EndSessions::All).unwrap(), 1);
    assert_eq!(users.sessions().unwrap(), []);
    let filter = EventFilter { actions: vec!["sessions end".to_owned()], ..EventFilter::default() };
    let recorded: Vec<_> = users
        .events(None, &filter)
        .unwrap()
        .into_iter()
        .map(|event| (event.username, event.detail.to_string()))
        .collect();
    let ann = StoredText::Text("ann".to_owned());
    assert_eq!(
        recorded,
        [
            (StoredText::Null, "all 1 session".to_owned()),
            (ann, "1 session".to_owned()),
            (StoredText::Null, "1 expired session".to_owned()),
        ]
    );
}

fn forgotten_sessions_are_not_recorded(database: &dyn Database) {
    let mut users = init(database);
    add(&mut users, "ann");
    create(database);
    let count = users.events(None, &EventFilter::default()).unwrap().len();
    assert_eq!(users.forget_sessions(EndSessions::Of(b"ann")).unwrap(), 2);
    assert_eq!(users.events(None, &EventFilter::default()).unwrap().len(), count);
}

on_every_database! {
    forgotten_sessions_are_not_recorded,
    sessions_are_listed_by_name,
    sessions_end_for_one_user_or_all,
}
