//! Roles that try to exceed their privileges: the app's role, one that can create objects, and one
//! that can only connect.

use std::time::{Duration, Instant};

use dash_users::{Error, NewFile, OnConflict, StoreError, Users};
use postgres::Client;

use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::server;
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, add_group, found, import, init, locked, new_user, open, options,
    stored, with_users,
};

/// A new role with these grants, and a connection of its own.
fn role(database: &Postgres, grants: &str) -> (String, Client) {
    let (role, url) = database.role(grants);
    (role, server::connect(&url))
}

/// A role that may create objects in the schema of the tables.
fn creator(database: &Postgres) -> (String, Client) {
    role(database, "GRANT CREATE ON SCHEMA public TO ROLE")
}

/// A database with boss, who is in the group admins.
fn with_boss() -> Option<(Postgres, Users)> {
    let database = Postgres::with(TUTORIAL_TABLE)?;
    let mut users = with_users(&database, &["boss"]);
    add_group(&mut users, "boss", "admins");
    Some((database, users))
}

fn as_superuser(database: &Postgres) -> Users {
    Users::open(&database.located(&superuser_url(database))).unwrap()
}

fn superuser_url(database: &Postgres) -> String {
    let cluster = database.cluster();
    cluster.url(server::SUPERUSER, cluster.password(), database.name())
}

fn reason(result: Result<impl Sized, Error>) -> String {
    match result {
        Err(Error::Store(error)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("not refused"),
    }
}

/// Functions and an operator that shadow those of PostgreSQL.
const SHADOWS: &str = "
    CREATE TABLE caught (who text);
    GRANT INSERT, SELECT ON caught TO PUBLIC;
    CREATE FUNCTION catch() RETURNS void LANGUAGE plpgsql AS
        'BEGIN INSERT INTO public.caught VALUES (current_user); END';
    CREATE FUNCTION \"left\"(text, integer) RETURNS text LANGUAGE plpgsql AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.left($1, $2); END';
    CREATE FUNCTION current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.current_setting($1, $2); END';
    CREATE FUNCTION set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.set_config($1, $2, $3); END';
    CREATE FUNCTION lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.lower($1); END';
    CREATE FUNCTION equals(text, text) RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.texteq($1, $2); END';
    CREATE OPERATOR = (FUNCTION = equals, LEFTARG = text, RIGHTARG = text);
    CREATE FUNCTION to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS
        'BEGIN PERFORM public.catch(); RETURN pg_catalog.to_regclass($1); END';";

#[test]
fn shadowed_functions_and_operators_are_not_called() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    drop(with_users(&database, &["alice"]));
    let (_, mut mallory) = role(
        &database,
        "GRANT CREATE ON SCHEMA public TO ROLE; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ROLE",
    );
    mallory.batch_execute(SHADOWS).unwrap();
    database.set("search_path = public, pg_catalog");
    mallory
        .batch_execute(
            "INSERT INTO users VALUES ('mallory', 'x', 'en');
             UPDATE users SET language = 'fr' WHERE username = 'mallory';
             DELETE FROM users WHERE username = 'mallory'",
        )
        .unwrap();
    let mut users = open(&database);
    users.lock(&["alice"]).unwrap();
    add_group(&mut users, "alice", "staff");
    add(&mut users, "bob");
    users.rename("bob", &"rob".parse().unwrap(), false).unwrap();
    users.history(Some(b"rob"), None).unwrap();
    users.remove(&["rob"], false).unwrap();
    import(&mut users, options(OnConflict::Update), &format!("username,password\nzoe,{GOOD}"))
        .unwrap();
    users.check().unwrap();
    users.repair().unwrap();
    // Statements of mallory may call them with the privileges of mallory.
    let caught = "SELECT DISTINCT who FROM caught WHERE who NOT LIKE 'role%'";
    assert_eq!(database.query(caught), [""; 0]);
}

#[test]
fn default_privileges_do_not_make_functions_callable() {
    let Some(database) = Postgres::new() else { return };
    let (role, mut app) = role(&database, "SELECT 1");
    database.execute(&format!("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {role}"));
    let mut users = init(&database);
    assert_eq!(found(&mut users), []);
    let callable = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'dash\\_users\\_%'
                        AND has_function_privilege(oid, 'EXECUTE')";
    assert_eq!(app.query_one(callable, &[]).unwrap().get::<_, i64>(0), 0);
    database.execute("GRANT EXECUTE ON FUNCTION dash_users_on_users() TO PUBLIC");
    assert_eq!(found(&mut users)[0].0, "function_altered");
    users.repair().unwrap();
    assert_eq!(app.query_one(callable, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn superuser_is_warned_if_others_can_create() {
    let Some(database) = Postgres::new() else { return };
    let location = database.located(&superuser_url(&database));
    let init = Users::init(&location, &NewFile::default()).unwrap();
    let [warning] = &init.schema.warnings[..] else { panic!("{:?}", init.schema) };
    assert!(warning.contains("superuser") && warning.contains(server::OWNER), "{warning}");
    // The tables are the superuser's: no trigger of another role can be on them.
    let (_, mut mallory) = role(&database, "GRANT SELECT, INSERT ON users TO ROLE");
    assert!(mallory.batch_execute("ALTER TABLE users DISABLE TRIGGER USER").is_err());
    mallory.batch_execute("INSERT INTO users VALUES ('mallory', 'x', 'en')").unwrap();
    assert_eq!(as_superuser(&database).list().unwrap().len(), 1);
}

#[test]
fn superuser_rejects_table_of_other_role() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    drop(init(&database));
    // A superuser would run this trigger.
    database.execute(
        "CREATE FUNCTION escape() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN SET LOCAL ROLE NONE; CREATE TABLE pwned (); RETURN NEW; END';
         CREATE TRIGGER escape BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION escape()",
    );
    let location = database.located(&superuser_url(&database));
    for refusal in [
        reason(Users::open(&location).unwrap().lock(&["alice"])),
        reason(Users::open_read_only(&location).unwrap().list()),
        reason(Users::init(&location, &NewFile::default())),
    ] {
        assert!(refusal.contains(&format!("connect as \"{}\"", server::OWNER)), "{refusal}");
    }
    assert_eq!(database.query("SELECT to_regclass('pwned')"), ["NULL"]);
}

#[test]
fn objects_with_similar_names_do_not_interfere() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = init(&database);
    let (_, mut mallory) = creator(&database);
    mallory
        .batch_execute(
            "CREATE TABLE dash_users_x (); CREATE TYPE dash_users_y AS ENUM ('a');
             CREATE FUNCTION dash_users_z() RETURNS void LANGUAGE sql AS '';
             CREATE FUNCTION dash_users_on_users(integer) RETURNS void LANGUAGE sql AS '';
             REVOKE ALL ON FUNCTION dash_users_z() FROM PUBLIC",
        )
        .unwrap();
    add(&mut users, "alice");
    database.execute("DROP TRIGGER dash_users_changed ON users");
    users.repair().unwrap();
    assert!(Users::init(database.location(), &NewFile::default()).unwrap().applied.is_empty());
}

#[test]
fn operators_of_domain_are_not_called() {
    let Some(database) = Postgres::new() else { return };
    // Not every server has the extension.
    if database.superuser().batch_execute("CREATE EXTENSION citext").is_err() {
        return;
    }
    database.execute(
        "CREATE DOMAIN uname AS citext;
         CREATE TABLE users (username uname PRIMARY KEY, password_hash text NOT NULL,
             language text NOT NULL)",
    );
    add(&mut init(&database), "boss");
    let (_, mut mallory) = creator(&database);
    mallory
        .batch_execute(
            "CREATE FUNCTION evil(uname, citext) RETURNS boolean LANGUAGE plpgsql AS
                 $$BEGIN RAISE 'evil'; END$$;
             CREATE OPERATOR public.= (LEFTARG = uname, RIGHTARG = citext, FUNCTION = evil)",
        )
        .unwrap();
    let mut users = open(&database);
    users.lock(&["BOSS"]).unwrap();
    users.remove(&["Boss"], false).unwrap();
}

#[test]
fn schema_name_is_not_injected() {
    let Some(database) = Postgres::new() else { return };
    let schema = "\"$function$;CREATE TABLE public.pwned ();SELECT $function$\"";
    database.execute(&format!("CREATE SCHEMA {schema}"));
    database.set(&format!("search_path = {schema}"));
    database.set("check_function_bodies = off");
    let mut users = with_users(&database, &["alice"]);
    assert_eq!(found(&mut users).len(), 1);
    assert_eq!(database.query("SELECT to_regclass('public.pwned')"), ["NULL"]);
}

#[test]
fn app_cannot_take_over_unseen_group() {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
        let mut users = with_users(&database, &["boss"]);
        let mut app = database.connect();
        let begin = format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM users");
        app.batch_execute(&begin).unwrap();
        add_group(&mut users, "boss", "admins");
        let replace = "DELETE FROM users WHERE username = 'boss';
                       INSERT INTO users VALUES ('boss', 'x', 'en'); COMMIT";
        let error = app.batch_execute(replace).unwrap_err();
        assert_eq!(error.code().unwrap().code(), "40001", "{level}");
        assert!(stored(&database, "boss").starts_with("scrypt:"));
    }
}

#[test]
fn trigger_that_cannot_delete_groups_rejects_rename() {
    let Some((database, mut users)) = with_boss() else { return };
    let (_, mut app) = role(&database, "GRANT SELECT, INSERT, DELETE ON users TO ROLE");
    // As deep as the stack allows: the trigger has no room for its own statements.
    app.batch_execute(
        "CREATE FUNCTION pg_temp.deep(n integer, command text) RETURNS void LANGUAGE plpgsql AS
             'BEGIN IF n = 0 THEN EXECUTE command; ELSE PERFORM pg_temp.deep(n - 1, command); END IF; END'",
    )
    .unwrap();
    for depth in (100..1500).step_by(25) {
        let replace = format!(
            "SELECT pg_temp.deep({depth}, $$DELETE FROM users WHERE username = 'boss';
                 INSERT INTO users VALUES ('boss', 'attacker', 'en')$$)"
        );
        // It fails, or the groups are deleted.
        let _ = app.batch_execute(&replace);
        let is_replaced = stored(&database, "boss") == "attacker";
        let groups = groups(&mut users, "boss");
        assert!(!is_replaced || groups.is_empty(), "{depth}: {groups:?}");
        if is_replaced {
            database.execute(
                "UPDATE users SET password_hash = 'x'; INSERT INTO user_groups VALUES ('boss', 'admins')",
            );
        }
    }
}

#[test]
fn failing_group_trigger_rejects_rename() {
    let Some((database, _users)) = with_boss() else { return };
    database.execute(
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO no_such_table VALUES (1); RETURN NULL; END';
         CREATE TRIGGER log AFTER DELETE ON user_groups FOR EACH ROW EXECUTE FUNCTION log()",
    );
    let (_, mut app) = role(&database, "GRANT SELECT, INSERT, DELETE ON users TO ROLE");
    assert!(app.batch_execute("DELETE FROM users WHERE username = 'boss'").is_err());
    assert!(database.connect().batch_execute("TRUNCATE users").is_err());
    assert!(stored(&database, "boss").starts_with("scrypt:"));
}

#[test]
fn superuser_member_rejects_table_of_other_role() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    drop(init(&database));
    let grants = "GRANT postgres TO ROLE;
                  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ROLE";
    let (_, member) = database.role(grants);
    let as_owner = format!("{}?options=-c%20role%3D{}", superuser_url(&database), server::OWNER);
    for url in [member, as_owner] {
        let refusal = reason(Users::open(&database.located(&url)).unwrap().list());
        assert!(refusal.contains("superuser"), "{url}: {refusal}");
    }
}

#[test]
fn planted_function_is_not_adopted() {
    let Some(database) = Postgres::new() else { return };
    let (role, mut mallory) = creator(&database);
    mallory
        .batch_execute(
            "CREATE FUNCTION dash_users_on_users() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RETURN NULL; END'",
        )
        .unwrap();
    let superuser = database.located(&superuser_url(&database));
    for location in [superuser, database.location().clone()] {
        let refusal = reason(Users::init(&location, &NewFile::default()));
        assert!(refusal.contains(&role), "{refusal}");
    }
    assert_eq!(database.query("SELECT to_regclass('users')"), ["NULL"]);
}

#[test]
fn settings_keep_no_groups_without_history() {
    for damage in ["ALTER SCHEMA public RENAME TO app", "DROP TABLE user_events"] {
        let Some((database, _users)) = with_boss() else { return };
        database.set("search_path = app, public");
        database.execute(damage);
        database.execute(
            "SET dash_users.actor = 'x'; DELETE FROM users WHERE username = 'boss';
             INSERT INTO users VALUES ('boss', 'x', 'en')",
        );
        assert_eq!(database.query("SELECT count(*) FROM user_groups"), ["0"], "{damage}");
    }
}

#[test]
fn planted_tables_are_rejected() {
    let users = format!(
        "{TUTORIAL_TABLE}; GRANT ALL ON users TO PUBLIC;
         CREATE INDEX dash_users_username_nocase ON users (lower(username::text COLLATE \"C\"))"
    );
    let groups = "CREATE TABLE user_groups (username text COLLATE \"C\" NOT NULL,
                      group_name text COLLATE \"C\" NOT NULL)";
    let schema = "CREATE TABLE dash_users_schema (version integer NOT NULL);
                  INSERT INTO dash_users_schema VALUES (3)";
    for (app, planted, parts) in [
        ("", &*users, ["belongs to \"ROLE\"", ""]),
        (TUTORIAL_TABLE, groups, ["role 'ROLE'", "drop"]),
        (TUTORIAL_TABLE, schema, ["role 'ROLE'", "drop"]),
    ] {
        let Some(database) = Postgres::with(app) else { return };
        let (role, mut mallory) = creator(&database);
        mallory.batch_execute(planted).unwrap();
        let reason = reason(Users::init(database.location(), &NewFile::default()));
        for part in parts {
            assert!(reason.contains(&part.replace("ROLE", &role)), "{planted}: {reason}");
        }
        assert_eq!(database.query("SELECT to_regclass('user_events')"), ["NULL"], "{planted}");
    }
}

#[test]
fn row_level_security_does_not_hide_users() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "admins");
    let grants = "GRANT SELECT, INSERT, UPDATE, DELETE ON users, dash_users_times TO ROLE;
                  GRANT SELECT, INSERT, DELETE ON user_groups TO ROLE;
                  GRANT SELECT, INSERT ON user_events TO ROLE;
                  GRANT SELECT ON dash_users_schema TO ROLE";
    let (role, url) = database.role(grants);
    database.execute(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY others ON users USING (username <> 'alice')",
    );
    let mut administrator = Users::open(&database.located(&url)).unwrap();
    let file = format!("username,password\nzoe,{GOOD}");
    let refusals = [
        reason(administrator.list()),
        reason(administrator.check()),
        reason(administrator.add(&new_user("alice", GOOD))),
        reason(import(&mut administrator, options(OnConflict::Update), &file)),
    ];
    for refusal in refusals {
        assert!(refusal.contains("row-level security"), "{refusal}");
        assert!(refusal.contains("BYPASSRLS"), "{refusal}");
    }
    assert_eq!(groups(&mut users, "alice"), ["admins"]);
    // The owner is affected, too, if it is forced.
    database.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY");
    let refusal = reason(users.repair());
    assert!(refusal.contains("row-level security"), "{refusal}");
    assert_eq!(database.query("SELECT group_name FROM user_groups"), ["admins"]);
    let bypass = format!("ALTER ROLE {role} BYPASSRLS");
    database.superuser().batch_execute(&bypass).unwrap();
    assert_eq!(Users::open(&database.located(&url)).unwrap().list().unwrap().len(), 1);
}

#[test]
fn app_settings_cannot_forge_history_or_keep_groups() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "admins");
    database.execute("DELETE FROM user_events");
    let (_, mut app) = role(&database, "GRANT SELECT, INSERT, DELETE ON users TO ROLE");
    app.batch_execute(
        "SET dash_users.actor = 'root'; SET dash_users.action = 'upgrade';
         SET dash_users.detail = 'forged'; SET dash_users.bulk = 'on'; SET dash_users.nested = 'on';
         DELETE FROM users WHERE username = 'alice';
         INSERT INTO users VALUES ('alice', 'x', 'en')",
    )
    .unwrap();
    let events = "SELECT action || ' ' || username FROM user_events ORDER BY id";
    assert_eq!(database.query(events), ["remove alice", "add alice"]);
    let forged = "SELECT count(*) FROM user_events WHERE actor IS NOT NULL OR detail IS NOT NULL";
    assert_eq!(database.query(forged), ["0"]);
    assert_eq!(groups(&mut users, "alice"), [""; 0]);
}

#[test]
fn connect_only_role_cannot_block_writers() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = init(&database);
    let (_, mut other) = role(&database, "GRANT SELECT, INSERT ON users TO ROLE");
    other.batch_execute("SELECT pg_advisory_lock(7233189367810192229)").unwrap();
    for mode in ["SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE", "EXCLUSIVE"] {
        let lock = format!("BEGIN; LOCK TABLE dash_users_times IN {mode} MODE");
        assert!(other.batch_execute(&lock).is_err(), "{mode}");
        other.batch_execute("ROLLBACK").unwrap();
    }
    let began = Instant::now();
    add(&mut users, "alice");
    users.lock(&["alice"]).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the lock time-out");
    assert!(stored(&database, "alice").starts_with('!'));
}

#[test]
fn lock_holder_is_named() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = with_users(&database, &["alice"]);
    let mut other = database.connect();
    other
        .batch_execute(
            "SET application_name = 'nightly job'; BEGIN;
             UPDATE users SET language = 'fr' WHERE username = 'alice'",
        )
        .unwrap();
    let pid: i32 = other.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let Err(Error::Store(StoreError::Busy { holder: Some(holder), .. })) = users.lock(&["alice"])
    else {
        panic!("not busy");
    };
    let expected = format!(
        "process {pid}, role {}, application nightly job, in a transaction since 20",
        server::OWNER
    );
    assert!(holder.starts_with(&expected), "{holder}");
    other.batch_execute("ROLLBACK").unwrap();
    users.lock(&["alice"]).unwrap();
    assert!(locked(&stored(&database, "alice")).starts_with('!'));
}
