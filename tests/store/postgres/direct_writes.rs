//! Direct writes by an app: they are recorded correctly, do not leak groups, and never fail because
//! of our triggers.

use std::io::Write;

use dash_users::Users;

use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::direct_writes::{self, Case, UNCHANGED, fill, members};
use crate::server;
use crate::support::{TUTORIAL_TABLE, add, add_group, found, hash, init, literal, locked};

/// Direct writes that only PostgreSQL has.
const CASES: [Case; 4] = [
    (
        "UPDATE users SET username = username || '2', password_hash = 'z', language = 'de'
         WHERE username = 'bob'",
        &["rename bob: to bob2", "passwd bob2", "update bob2: language de"],
        &["alice admins", "bob2 staff"],
    ),
    ("TRUNCATE users", &["remove alice: truncated", "remove bob: truncated"], &[]),
    (
        "DELETE FROM users USING (VALUES ('alice'), ('carol')) AS gone (name) WHERE username = name",
        &["remove alice"],
        &["bob staff"],
    ),
    (
        "ALTER TABLE users DISABLE TRIGGER dash_users_removed;
         DELETE FROM users WHERE username = 'alice';
         ALTER TABLE users ENABLE TRIGGER dash_users_removed;
         INSERT INTO users VALUES ('alice', 'z', 'en')",
        &["remove alice: replaced by another row", "group remove alice: admins", "add alice"],
        &["bob staff"],
    ),
];

fn cases() -> impl Iterator<Item = Case> {
    direct_writes::CASES.into_iter().chain(CASES)
}

/// A database with alice and bob whose history is empty.
pub(super) fn before() -> Option<Postgres> {
    let database = Postgres::with(TUTORIAL_TABLE)?;
    fill(&database);
    Some(database)
}

/// The recorded events without an actor.
fn recorded(database: &Postgres) -> Vec<String> {
    database.query(
        "SELECT action || coalesce(' ' || username, '') || coalesce(': ' || detail, '')
         FROM user_events WHERE actor IS NULL ORDER BY id",
    )
}

/// Asserts that every user, and no one else, has a row of times.
fn assert_times(database: &Postgres, context: &str) {
    let names = database.query("SELECT username FROM users ORDER BY 1");
    assert_eq!(
        database.query("SELECT username FROM dash_users_times ORDER BY 1"),
        names,
        "{context}"
    );
}

#[test]
fn app_writes_are_recorded_and_leak_no_groups() {
    for (sql, expected, in_groups) in cases() {
        let Some(database) = before() else { return };
        database.execute(sql);
        assert_eq!(recorded(&database), expected, "{sql}");
        assert_eq!(members(&database), in_groups, "{sql}");
        assert_times(&database, sql);
    }
}

#[test]
fn copy_from_is_recorded() {
    let Some(database) = before() else { return };
    let mut app = database.connect();
    let mut copy = app.copy_in("COPY users FROM STDIN").unwrap();
    copy.write_all(b"zoe\tx\ten\nyan\tx\ten\n").unwrap();
    copy.finish().unwrap();
    assert_eq!(recorded(&database), ["add zoe", "add yan"]);
    assert_times(&database, "COPY");
}

#[test]
fn lock_by_app_is_recorded_as_lock() {
    let Some(database) = before() else { return };
    let hash = hash("secret");
    let locked = locked(&hash);
    for (value, action) in
        [(&*hash, "passwd"), (&*locked, "lock"), (&*hash, "unlock"), ("!clear", "passwd")]
    {
        database.execute("UPDATE dash_users_times SET password_changed_at = NULL");
        database.execute("DELETE FROM user_events");
        database.execute(&format!(
            "UPDATE users SET password_hash = {} WHERE username = 'bob'",
            literal(value)
        ));
        assert_eq!(recorded(&database), [format!("{action} bob")]);
        let changed = "SELECT count(*) FROM dash_users_times WHERE password_changed_at IS NOT NULL";
        assert_eq!(database.query(changed), [u8::from(action == "passwd").to_string()]);
    }
}

#[test]
fn app_role_needs_no_privilege_on_our_tables() {
    for (sql, expected, in_groups) in cases() {
        if sql.contains("user_groups") || sql.contains("TRIGGER") {
            continue;
        }
        let Some(database) = before() else { return };
        let grant = "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON users TO ROLE";
        let (_, url) = database.role(grant);
        server::connect(&url).batch_execute(sql).unwrap();
        assert_eq!(recorded(&database), expected, "{sql}");
        assert_eq!(members(&database), in_groups, "{sql}");
        assert!(server::connect(&url).batch_execute("DELETE FROM user_groups").is_err());
    }
}

#[test]
fn app_role_cannot_call_our_functions() {
    let Some(database) = before() else { return };
    let (_, url) = database.role("GRANT CREATE ON SCHEMA public TO ROLE");
    let mut mallory = server::connect(&url);
    mallory
        .batch_execute("CREATE TABLE trap (username text, password_hash text, language text)")
        .unwrap();
    for function in ["dash_users_on_users", "dash_users_on_groups", "dash_users_on_truncate"] {
        let trap = format!(
            "CREATE TRIGGER trap AFTER UPDATE ON trap FOR EACH ROW EXECUTE FUNCTION {function}()"
        );
        let error = mallory.batch_execute(&trap).unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("permission denied"));
    }
    assert_eq!(members(&database), UNCHANGED);
}

#[test]
fn search_path_of_app_does_not_affect_triggers() {
    let Some(database) = before() else { return };
    database.execute(
        "CREATE SCHEMA other; CREATE TABLE other.user_events (x integer);
         CREATE TEMP TABLE user_groups (x integer); CREATE TEMP TABLE dash_users_times (x integer);
         SET search_path = pg_temp, other;
         INSERT INTO public.users VALUES ('zoe', 'x', 'en');
         DELETE FROM public.users WHERE username = 'alice'",
    );
    assert_eq!(recorded(&database), ["add zoe", "remove alice"]);
    assert_eq!(members(&database), ["bob staff"]);
}

#[test]
fn app_write_succeeds_without_our_tables() {
    for damage in [
        "DROP TABLE user_events",
        "DROP TABLE user_groups",
        "DROP TABLE dash_users_times",
        "DROP TABLE user_events, user_groups, dash_users_times",
        "ALTER TABLE user_events ADD COLUMN reason text NOT NULL DEFAULT ''",
        "ALTER TABLE user_events ADD CHECK (action <> 'add')",
        "ALTER TABLE dash_users_times ALTER COLUMN username TYPE varchar(1) USING left(username, 1)",
    ] {
        let Some(database) = before() else { return };
        database.execute(damage);
        database.execute(
            "INSERT INTO users VALUES ('zoe', 'x', 'en');
             UPDATE users SET username = 'yan', password_hash = 'z' WHERE username = 'alice';
             DELETE FROM users WHERE username = 'bob'",
        );
        let names = database.query("SELECT username FROM users ORDER BY 1");
        assert_eq!(names, ["yan", "zoe"], "{damage}");
        database.execute("TRUNCATE users");
    }
}

#[test]
fn long_name_can_be_written_renamed_and_removed() {
    let Some(database) = before() else { return };
    let mut users = Users::open(database.location()).unwrap();
    // Random: what repeats is compressed. The index that makes names unique has a limit itself.
    let random = |length: usize| {
        let digits = "SELECT string_agg(md5(number::text), '') FROM generate_series(1, 100) number";
        database.query(digits)[0][..length].to_owned()
    };
    let (long, longer) = (random(2000), random(2600));
    database.execute(&format!("INSERT INTO users VALUES ('{long}', 'x', 'en')"));
    add_group(&mut users, &long, "staff");
    assert_eq!(groups(&mut users, &long), ["staff"]);
    users.set_language(&long, &"fr".parse().unwrap()).unwrap();
    database.execute(&format!("UPDATE users SET username = '{long}x' WHERE username = '{long}'"));
    assert_eq!(groups(&mut users, &format!("{long}x")), ["staff"]);
    let group: String = "g".repeat(200) + &random(200);
    database.execute(&format!("INSERT INTO user_groups VALUES ('{long}x', '{group}')"));
    // Together with the group it is too long for our index.
    database.execute(&format!("UPDATE users SET username = '{longer}' WHERE username ~ 'x$'"));
    users.remove(&[&longer], false).unwrap();
    assert_eq!(database.query("SELECT username FROM users ORDER BY 1"), ["alice", "bob"]);
    let history = users.history(Some(long.as_bytes()), None).unwrap();
    assert!(history.len() >= 4, "{history:?}");
    users.repair().unwrap();
    let codes = found(&mut users);
    assert!(codes.iter().all(|(code, ..)| !code.contains("unseen")), "{codes:?}");
}

#[test]
fn new_table_inherits_no_groups() {
    let Some(database) = before() else { return };
    database.execute("DROP TABLE users");
    database.execute(TUTORIAL_TABLE);
    database.execute("INSERT INTO users VALUES ('alice', 'another', 'en')");
    let mut users = init(&database);
    assert_eq!(groups(&mut users, "alice"), [""; 0]);
    assert_eq!(
        recorded(&database),
        [
            "group remove alice: admins",
            "group remove bob: staff",
            "remove alice: found missing",
            "remove bob: found missing",
            "add alice: found"
        ]
    );
    add(&mut users, "bob");
    assert_eq!(groups(&mut users, "bob"), [""; 0]);
}

#[test]
fn same_hash_in_new_table_keeps_groups() {
    let Some(database) = before() else { return };
    database.execute("ALTER TABLE users RENAME TO old");
    database.execute(TUTORIAL_TABLE);
    database.execute("INSERT INTO users SELECT * FROM old WHERE username = 'alice'");
    let mut users = init(&database);
    assert_eq!(groups(&mut users, "alice"), ["admins"]);
    assert_eq!(recorded(&database), ["group remove bob: staff", "remove bob: found missing"]);
}

#[test]
fn app_can_read_groups_and_history() {
    let Some(database) = before() else { return };
    let rows = database.query(
        "SELECT username || ' ' || group_name FROM users JOIN user_groups USING (username)
         ORDER BY 1",
    );
    assert_eq!(rows, UNCHANGED);
}

#[test]
fn triggers_of_version_5_are_replaced() {
    let Some(database) = before() else { return };
    database.execute(include_str!("version_5.sql"));
    database.execute("INSERT INTO users VALUES ('carol', 'x', 'en')");
    let refusal = Users::open(database.location()).unwrap().list().unwrap_err().to_string();
    assert!(refusal.contains("its schema version is 5, the latest is 6"), "{refusal}");
    let mut users = init(&database);
    assert_eq!(recorded(&database), ["add carol"]);
    assert_eq!(members(&database), UNCHANGED);
    assert!(found(&mut users).iter().all(|(code, ..)| !code.contains("trigger")));
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'dash\\_users\\_%'";
    assert_eq!(database.query(triggers), ["8"]);
    database.execute("DELETE FROM users WHERE username = 'carol'");
    assert_eq!(recorded(&database), ["add carol", "remove carol"]);
    // A restored dump has them again.
    database.execute(
        "CREATE TRIGGER dash_users_groups AFTER INSERT OR DELETE ON user_groups
         FOR EACH ROW EXECUTE FUNCTION dash_users_on_groups()",
    );
    assert!(found(&mut users).iter().any(|(code, ..)| *code == "trigger_altered"));
    users.repair().unwrap();
    assert_eq!(database.query(triggers), ["8"]);
}

#[test]
fn many_rows_of_one_statement_are_recorded_in_order() {
    let Some(database) = before() else { return };
    // Whatever plan the first statement made is used for the others of the session.
    database.execute(
        "UPDATE users SET language = 'fr' WHERE username = 'alice';
         INSERT INTO users SELECT 'user' || lpad(number::text, 5, '0'), number::text, 'en'
         FROM generate_series(1, 20000) AS number;
         UPDATE users SET language = 'de', password_hash = password_hash || 'x'
         WHERE starts_with(username, 'user');
         INSERT INTO user_groups SELECT username, 'x' FROM users WHERE starts_with(username, 'user');
         DELETE FROM users WHERE starts_with(username, 'user')",
    );
    let events = recorded(&database);
    assert_eq!(events.len(), 1 + 5 * 20_000);
    assert_eq!(events[..3], ["update alice: language fr", "add user00001", "add user00002"]);
    let changed = ["passwd user00001", "update user00001: language de", "passwd user00002"];
    assert_eq!(events[20_001..20_004], changed);
    assert_eq!(members(&database), UNCHANGED);
    assert_times(&database, "many");
}

#[test]
fn chain_of_names_moves_groups_and_records_no_password() {
    let Some(database) = before() else { return };
    // Each name passes to the next user, the last first.
    database.execute(
        "ALTER TABLE users ADD COLUMN who text, ADD COLUMN name text, ADD COLUMN position integer;
         INSERT INTO users VALUES ('carol', 'three', 'fr');
         DELETE FROM user_events;
         CREATE TABLE ordered AS SELECT * FROM users ORDER BY username DESC;
         DELETE FROM users; DELETE FROM user_events; INSERT INTO users SELECT * FROM ordered;
         INSERT INTO user_groups VALUES ('alice', 'admins'), ('bob', 'staff');
         DELETE FROM user_events;
         UPDATE users SET username = CASE username WHEN 'carol' THEN 'dora'
             WHEN 'bob' THEN 'carol' ELSE 'bob' END",
    );
    let renames = ["rename carol: to dora", "rename bob: to carol", "rename alice: to bob"];
    assert_eq!(recorded(&database), renames);
    assert_eq!(members(&database), ["bob admins", "carol staff"]);
    assert_times(&database, "chain");
}
