//! Triggers that do not fire or fail: groups do not survive, the next command reports it, and a
//! repair finds and fixes it.

use dash_users::{Error, NewFile, OnConflict, StoreError, Users};

use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::server;
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, add_group, found, import, init, new_user, open, options, stored,
    with_users,
};

/// A database with alice, who is an administrator.
fn with_admin() -> Option<(Postgres, Users)> {
    let database = Postgres::with(TUTORIAL_TABLE)?;
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "admins");
    Some((database, users))
}

/// Another person gets the name, by the app's own writes.
const REPLACE: &str = "DELETE FROM users WHERE username = 'alice';
                       INSERT INTO users VALUES ('alice', 'x', 'en')";

fn needs_repair(result: Result<impl Sized, Error>) -> String {
    match result {
        Err(Error::Store(
            error @ (StoreError::NeedsMigration { .. } | StoreError::NeedsRepair { .. }),
        )) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("no error"),
    }
}

/// The findings of a check, except the cheap hashes of the tests.
fn codes(users: &mut Users) -> Vec<&'static str> {
    found(users)
        .into_iter()
        .map(|(code, ..)| code)
        .filter(|code| !["hash_weak", "hash_outdated"].contains(code))
        .collect()
}

#[test]
fn replica_triggers_count_as_missing() {
    for mode in ["ENABLE REPLICA", "DISABLE"] {
        let Some((database, mut users)) = with_admin() else { return };
        database.execute(&format!("ALTER TABLE users {mode} TRIGGER dash_users_removed"));
        database.execute(REPLACE);
        let message = needs_repair(users.lock(&["alice"]));
        assert!(message.contains("dash_users_removed"), "{message}");
        assert!(codes(&mut users).contains(&"trigger_missing"));
        users.repair().unwrap();
        assert_eq!(groups(&mut users, "alice"), [""; 0], "{mode}");
        assert_eq!(stored(&database, "alice"), "x");
    }
}

#[test]
fn triggers_in_renamed_schema_leave_no_groups() {
    let Some((database, users)) = with_admin() else { return };
    drop(users);
    database.execute("ALTER SCHEMA public RENAME TO app");
    database.set("search_path = app");
    database.execute(REPLACE);
    assert_eq!(database.query("SELECT count(*) FROM app.user_groups"), ["0"]);
    let message = needs_repair(open(&database).remove(&["alice"], false));
    assert!(message.contains("dash_users_on_"), "{message}");
    let mut users = init(&database);
    users.remove(&["alice"], false).unwrap();
    add(&mut users, "alice");
    assert_eq!(codes(&mut users), [""; 0]);
}

#[test]
fn functions_of_other_owner_are_found() {
    let Some((database, _)) = with_admin() else { return };
    let tables = [
        "users",
        "user_groups",
        "user_events",
        "dash_users_times",
        "dash_users_schema",
        "dash_users_imported",
    ];
    let give = tables.map(|table| format!("ALTER TABLE {table} OWNER TO ROLE;")).concat();
    let (_, url) = database.role(&format!("GRANT CREATE, USAGE ON SCHEMA public TO ROLE; {give}"));
    let heirs = database.located(&url);
    // The groups cannot be deleted: another person does not get the name.
    assert!(server::connect(&url).batch_execute(REPLACE).is_err());
    let mut heir = Users::open(&heirs).unwrap();
    assert_eq!(codes(&mut heir), ["foreign_owner"; 3]);
    needs_repair(heir.lock(&["alice"]));
    // The error shows the SQL for a superuser.
    let refusal = Users::init(&heirs, &NewFile::default()).unwrap_err().to_string();
    let (_, alter) = refusal.split_once("as a superuser: ").unwrap();
    database.superuser().batch_execute(alter).unwrap();
    Users::init(&heirs, &NewFile::default()).unwrap();
    assert_eq!(codes(&mut heir), [""; 0]);
    assert_eq!(groups(&mut heir, "alice"), ["admins"]);
    server::connect(&url).batch_execute(REPLACE).unwrap();
    assert_eq!(groups(&mut heir, "alice"), [""; 0]);
}

#[test]
fn unwritable_history_stops_commands() {
    let identity = "SELECT pg_get_serial_sequence('user_events', 'id')";
    for damage in [
        "REVOKE ALL ON user_events FROM owner",
        "REVOKE INSERT ON dash_users_times FROM owner",
        "ALTER SEQUENCE user_events_id_seq MAXVALUE 20",
        "SELECT setval('user_events_id_seq', 9223372036854775807)",
        "SELECT setval('user_events_id_seq', 1, false)",
        "ALTER TABLE user_groups ENABLE ROW LEVEL SECURITY;
         ALTER TABLE user_groups FORCE ROW LEVEL SECURITY",
    ] {
        let Some((database, mut users)) = with_admin() else { return };
        assert_eq!(database.query(identity), ["public.user_events_id_seq"]);
        // Numbers up to 20 are used.
        let change = "UPDATE users SET language = language || 'x';";
        database.execute(&change.repeat(18));
        assert_eq!(database.query("SELECT max(id) FROM user_events"), ["20"]);
        database.execute(damage);
        // Where the groups cannot be deleted, the name does not pass to another person.
        let is_replaced = database.connect().batch_execute(REPLACE).is_ok();
        assert_eq!(is_replaced, !damage.contains("FORCE"), "{damage}");
        let before = stored(&database, "alice");
        let noticed = users.set_language("alice", &"de".parse().unwrap());
        assert!(noticed.is_err(), "{damage}");
        needs_repair(noticed);
        assert_eq!(stored(&database, "alice"), before, "{damage}");
        assert!(
            codes(&mut users).contains(&"history_blocked"),
            "{damage}: {:?}",
            codes(&mut users)
        );
        users.repair().unwrap();
        assert!(!codes(&mut users).contains(&"history_blocked"), "{damage}");
        let kept: &[&str] = if is_replaced { &[] } else { &["admins"] };
        assert_eq!(groups(&mut users, "alice"), kept, "{damage}");
        users.set_language("alice", &"de".parse().unwrap()).unwrap();
        users.remove(&["alice"], false).unwrap();
    }
}

#[test]
fn role_without_triggers_is_rejected() {
    let Some((database, mut users)) = with_admin() else { return };
    let off = format!(
        "ALTER USER ROLE IN DATABASE {} SET session_replication_role = replica;
         GRANT ALL ON users TO ROLE",
        database.name()
    );
    let (_, url) = database.role(&off);
    let mut replica = Users::open(&database.located(&url)).unwrap();
    let message = replica.lock(&["alice"]).unwrap_err().to_string();
    assert!(message.contains("session_replication_role"), "{message}");
    assert_eq!(codes(&mut users), ["triggers_off"]);
    // Its write is not recorded.
    server::connect(&url).batch_execute(REPLACE).unwrap();
    assert!(codes(&mut users).contains(&"changed_unseen"));
    users.repair().unwrap();
    assert_eq!(groups(&mut users, "alice"), [""; 0]);
}

#[test]
fn inherited_table_is_rejected() {
    let Some((database, mut users)) = with_admin() else { return };
    database.execute("CREATE TABLE guests () INHERITS (users)");
    let refusal = users.lock(&["alice"]).unwrap_err().to_string();
    assert!(refusal.contains("NO INHERIT"), "{refusal}");
    database.execute("ALTER TABLE guests NO INHERIT users");
    users.lock(&["alice"]).unwrap();
}

#[test]
fn name_or_hash_changed_by_trigger_is_rejected() {
    for change in ["NEW.username := lower(NEW.username)", "NEW.password_hash := 'x'"] {
        let Some((database, mut users)) = with_admin() else { return };
        database.execute(&format!(
            "CREATE FUNCTION alter() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN {change}; RETURN NEW; END$$;
             CREATE TRIGGER alter BEFORE INSERT OR UPDATE ON users
             FOR EACH ROW EXECUTE FUNCTION alter()"
        ));
        let mut carol = new_user("Carol", GOOD);
        carol.groups = vec!["admins".parse().unwrap()];
        let file = format!("username,password,groups\nDave,{GOOD},admins");
        let refusals = [
            users.add(&carol).unwrap_err().to_string(),
            import(&mut users, options(OnConflict::Fail), &file).unwrap_err().to_string(),
        ];
        for refusal in refusals {
            assert!(refusal.contains("a trigger of the app changed"), "{change}: {refusal}");
        }
        if change.contains("username") {
            users.rename("alice", &"Alice2".parse().unwrap(), false).unwrap_err();
        } else {
            users.lock(&["alice"]).unwrap_err();
        }
        assert_eq!(database.query("SELECT username FROM users"), ["alice"], "{change}");
        let members = "SELECT username FROM user_groups UNION ALL
                       SELECT username FROM dash_users_times";
        assert_eq!(database.query(members), ["alice", "alice"], "{change}");
    }
}

#[test]
fn hash_set_by_trigger_is_recorded() {
    let Some((database, users)) = with_admin() else { return };
    drop(users);
    database.execute(
        "CREATE FUNCTION bar() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN NEW.password_hash := '!' || NEW.password_hash; RETURN NEW; END$$;
         CREATE TRIGGER bar BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION bar();
         ALTER TABLE users ADD failures integer DEFAULT 0;
         DELETE FROM user_events; UPDATE users SET failures = 5",
    );
    assert_eq!(database.query("SELECT action FROM user_events"), ["passwd"]);
}
