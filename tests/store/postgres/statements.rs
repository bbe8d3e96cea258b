//! Statements whose triggers run in an unusual order, or see rows that do not fit: the holder of a
//! name never gets the groups of an earlier one, and times stay those of the holder.

use dash_users::{OnConflict, Users};

use super::direct_writes::before;
use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::direct_writes::members;
use crate::server;
use crate::support::{GOOD, found, import, init, options};

fn recorded(database: &Postgres) -> Vec<String> {
    database.query(
        "SELECT action || coalesce(' ' || username, '') || coalesce(': ' || detail, '')
         FROM user_events ORDER BY id",
    )
}

/// The users whose times are missing or of another password, and the names without a user.
fn unseen(database: &Postgres) -> Vec<String> {
    database.query(
        "SELECT coalesce(users.username, times.username)
         FROM users FULL JOIN dash_users_times AS times ON times.username = users.username
         WHERE times.fingerprint IS DISTINCT FROM left(encode(sha256(
                   convert_to(password_hash, 'UTF8')), 'hex'), 32) ORDER BY 1",
    )
}

/// A trigger of the app that runs after each row.
fn trigger(event: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION app() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN {body}; RETURN NULL; END $$;
         CREATE TRIGGER app AFTER {event} ON users FOR EACH ROW EXECUTE FUNCTION app();"
    )
}

/// A statement, the events, and the members of groups afterwards.
type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn assert_case((sql, events, in_groups): Case<'_>, found: &[&str]) {
    let Some(database) = before() else { return };
    database.execute(sql);
    assert_eq!(recorded(&database), events, "{sql}");
    assert_eq!(members(&database), in_groups, "{sql}");
    assert_eq!(unseen(&database), found, "{sql}");
}

const REPLACED: [&str; 2] = ["remove alice: replaced by another row", "group remove alice: admins"];

#[test]
fn name_reused_in_one_statement_has_groups_of_its_holder() {
    let renamed = [REPLACED[0], REPLACED[1], "rename bob: to alice"];
    for case in [
        // The row trigger of the renamed user runs before that of the deletion.
        (
            "WITH gone AS (DELETE FROM users WHERE username = 'alice' RETURNING username)
             UPDATE users SET username = gone.username FROM gone WHERE users.username = 'bob'",
            &renamed[..],
            &["alice staff"][..],
        ),
        // The deletion ends after the insertion.
        (
            "WITH gone AS (DELETE FROM users RETURNING username)
             INSERT INTO users SELECT username, 'new', 'en' FROM gone LIMIT 1",
            &[REPLACED[0], REPLACED[1], "add alice", "remove bob"],
            &[],
        ),
        (
            "WITH gone AS (DELETE FROM users RETURNING username)
             INSERT INTO users SELECT username, 'new', 'en' FROM gone",
            &["remove alice", "remove bob", "add alice", "add bob"],
            &[],
        ),
        (
            "INSERT INTO users VALUES ('alice', 'x', 'en'), ('alice', 'y', 'en')
             ON CONFLICT (username) DO UPDATE SET username = 'zoe'",
            &["rename alice: to zoe", "add alice"],
            &["bob staff", "zoe admins"],
        ),
        (
            "WITH first AS (UPDATE users SET username = 'zoe' WHERE username = 'alice' RETURNING 1),
                  second AS (UPDATE users SET username = 'alice', language = 'de'
                             WHERE username = 'bob' AND EXISTS (SELECT FROM first) RETURNING 1)
             SELECT * FROM second",
            &["rename alice: to zoe", "rename bob: to alice", "update alice: language de"],
            &["alice staff", "zoe admins"],
        ),
    ] {
        assert_case(case, &[]);
    }
}

#[test]
fn name_reused_by_merge_has_groups_of_its_holder() {
    let Some(server) = server::cluster() else { return };
    if server.version() < 15 {
        return;
    }
    for case in [
        (
            "MERGE INTO users USING (VALUES ('alice', true), ('bob', false)) AS wanted (name, goes)
                 ON username = name
             WHEN MATCHED AND goes THEN DELETE
             WHEN MATCHED THEN UPDATE SET username = 'alice', password_hash = 'new'",
            &[REPLACED[0], REPLACED[1], "rename bob: to alice", "passwd alice"][..],
            &["alice staff"][..],
        ),
        (
            "MERGE INTO users USING (VALUES ('alice'), ('zoe')) AS wanted (name) ON username = name
             WHEN MATCHED THEN DELETE
             WHEN NOT MATCHED THEN INSERT VALUES ('alice', 'new', 'en')",
            &["remove alice", "add alice"],
            &["bob staff"],
        ),
        (
            "MERGE INTO users USING (VALUES ('alice'), ('zoe')) AS wanted (name) ON username = name
             WHEN MATCHED THEN UPDATE SET username = 'yan'
             WHEN NOT MATCHED THEN INSERT VALUES ('alice', 'new', 'en')",
            &["rename alice: to yan", "add alice"],
            &["bob staff", "yan admins"],
        ),
    ] {
        assert_case(case, &[]);
    }
}

#[test]
fn swapped_names_do_not_swap_groups() {
    // Such a constraint is rejected, but an app can change it later.
    let deferred = "ALTER TABLE users DROP CONSTRAINT users_pkey;
                    ALTER TABLE users ADD UNIQUE (username) DEFERRABLE INITIALLY DEFERRED;";
    for swap in [
        "UPDATE users SET username = CASE username WHEN 'alice' THEN 'bob' ELSE 'alice' END",
        "BEGIN; UPDATE users SET username = 'bob' WHERE password_hash = 'one';
         UPDATE users SET username = 'alice' WHERE password_hash = 'two'; COMMIT",
    ] {
        let events = [
            "remove bob: replaced by another row",
            "group remove bob: staff",
            "rename alice: to bob",
            "rename bob: to alice",
        ];
        assert_case((&format!("{deferred}{swap}"), &events, &["bob admins"]), &[]);
    }
}

#[test]
fn user_with_name_of_removed_one_gets_no_groups() {
    let case = (
        "ALTER TABLE users DROP CONSTRAINT users_pkey;
         ALTER TABLE users ADD UNIQUE (username) DEFERRABLE INITIALLY DEFERRED;
         BEGIN; UPDATE users SET username = 'alice' WHERE username = 'bob';
         DELETE FROM users WHERE password_hash = 'two'; COMMIT",
        &[REPLACED[0], REPLACED[1], "rename bob: to alice", "remove alice"][..],
        &[][..],
    );
    assert_case(case, &["alice"]);
}

#[test]
fn users_with_equal_hashes_keep_their_groups_apart() {
    let case = (
        "UPDATE users SET password_hash = 'same';
         UPDATE users SET language = 'de' WHERE username = 'bob'; DELETE FROM user_events;
         ALTER TABLE users DROP CONSTRAINT users_pkey;
         ALTER TABLE users ADD UNIQUE (username) DEFERRABLE INITIALLY DEFERRED;
         BEGIN; UPDATE users SET username = 'alice' WHERE username = 'bob';
         UPDATE users SET username = 'zoe' WHERE username = 'alice' AND language = 'en'; COMMIT",
        &[REPLACED[0], REPLACED[1], "rename bob: to alice", "rename alice: to zoe"][..],
        &["alice staff"][..],
    );
    assert_case(case, &[]);
}

#[test]
fn columns_with_names_of_variables_do_not_matter() {
    let columns = "ALTER TABLE users ADD names text, ADD is_unsure text, ADD old_name text,
                       ADD new_name text, ADD what text, ADD is_renaming text, ADD hash text,
                       ADD name text, ADD position text, ADD event text, ADD changed text;";
    for (sql, events, in_groups) in [
        (
            "INSERT INTO users (username, password_hash, language) VALUES ('zoe', 'x', 'en');
             UPDATE users SET password_hash = 'y', names = 'zoe', event = 'x';
             DELETE FROM users WHERE username = 'zoe'",
            &["add zoe", "passwd alice", "passwd bob", "passwd zoe", "remove zoe"][..],
            &["alice admins", "bob staff"][..],
        ),
        (
            "BEGIN; SET LOCAL dash_users.is_unsure = 'on';
             INSERT INTO users (username, password_hash, language) VALUES ('zoe', 'x', 'en');
             UPDATE users SET username = 'yan', password_hash = 'z' WHERE username = 'alice';
             UPDATE users SET password_hash = 'y' WHERE username = 'yan';
             DELETE FROM users WHERE username = 'zoe'; COMMIT",
            &["add zoe", "rename alice: to yan", "passwd yan", "passwd yan", "remove zoe"],
            &["bob staff", "yan admins"],
        ),
    ] {
        assert_case((&format!("{columns}{sql}"), events, in_groups), &[]);
    }
}

#[test]
fn times_fit_after_app_trigger_changes_row() {
    let add = "INSERT INTO users VALUES ('zoe', 'x', 'en')";
    for (app, sql, events, in_groups) in [
        (
            trigger("INSERT", "UPDATE users SET password_hash = 'y' WHERE username = NEW.username"),
            add,
            &["passwd zoe", "add zoe"][..],
            &["alice admins", "bob staff"][..],
        ),
        (
            trigger("INSERT", "DELETE FROM users WHERE username = NEW.username"),
            add,
            &["remove zoe", "add zoe"],
            &["alice admins", "bob staff"],
        ),
        (
            trigger("DELETE", "INSERT INTO users VALUES (OLD.username, 'y', 'en')"),
            "DELETE FROM users WHERE username = 'alice'",
            &[REPLACED[0], REPLACED[1], "add alice"],
            &["bob staff"],
        ),
        (
            trigger(
                "UPDATE",
                "UPDATE users SET password_hash = 'y'
                 WHERE username = NEW.username AND password_hash <> 'y'",
            ),
            "UPDATE users SET password_hash = 'x' WHERE username = 'alice'",
            &["passwd alice", "passwd alice"],
            &["alice admins", "bob staff"],
        ),
        // It runs before the trigger that moves times and groups.
        (
            trigger(
                "UPDATE",
                "UPDATE users SET password_hash = 'y'
                 WHERE username = NEW.username AND password_hash <> 'y'",
            ),
            "UPDATE users SET username = 'zoe' WHERE username = 'alice'",
            &["passwd zoe", "rename alice: to zoe"],
            &["bob staff", "zoe admins"],
        ),
    ] {
        assert_case((&format!("{app}{sql}"), events, in_groups), &[]);
    }
}

#[test]
fn user_replaced_unseen_stays_found_after_changes() {
    let replace = "ALTER TABLE users DISABLE TRIGGER USER;
                   DELETE FROM users WHERE username = 'alice';
                   INSERT INTO users VALUES ('alice', 'another', 'en');
                   ALTER TABLE users ENABLE TRIGGER USER;";
    for (change, found) in [
        ("UPDATE users SET password_hash = 'x' WHERE username = 'alice'", "alice"),
        ("UPDATE users SET username = 'zoe', password_hash = 'x' WHERE username = 'alice'", "zoe"),
        (
            "DROP TABLE user_events;
             UPDATE users SET password_hash = 'x' WHERE username = 'alice'",
            "alice",
        ),
    ] {
        let Some(database) = before() else { return };
        database.execute(&format!("{replace}{change}"));
        assert_eq!(unseen(&database), [found], "{change}");
        let mut users = init(&database);
        users.repair().unwrap();
        assert_eq!(groups(&mut users, found), [""; 0], "{change}");
    }
}

#[test]
fn user_replaced_unseen_is_found_without_hash() {
    for (earlier, later) in [("'x'", "NULL"), ("NULL", "'x'")] {
        let replace = format!(
            "ALTER TABLE users ALTER password_hash DROP NOT NULL;
             UPDATE users SET password_hash = {earlier} WHERE username = 'alice';
             ALTER TABLE users DISABLE TRIGGER USER;
             UPDATE users SET password_hash = {later} WHERE username = 'alice';
             ALTER TABLE users ENABLE TRIGGER USER;"
        );
        for change in ["", "UPDATE users SET password_hash = 'y' WHERE username = 'alice'"] {
            let Some(database) = before() else { return };
            database.execute(&format!("{replace}{change}"));
            let mut users = Users::open(database.location()).unwrap();
            assert!(is_found(&mut users), "{replace}{change}");
            users.repair().unwrap();
            assert_eq!(groups(&mut users, "alice"), [""; 0], "{replace}{change}");
        }
        let Some(database) = before() else { return };
        database.execute(&replace);
        let mut users = Users::open(database.location()).unwrap();
        let file = format!("username,password\nalice,{GOOD}");
        import(&mut users, options(OnConflict::Update), &file).unwrap();
        assert!(is_found(&mut users), "{replace}");
    }
}

/// Whether the check finds that alice was replaced.
fn is_found(users: &mut Users) -> bool {
    found(users).into_iter().any(|(code, ..)| code == "changed_unseen")
}

#[test]
fn app_cannot_hide_changes_of_groups() {
    let Some(database) = before() else { return };
    database.execute("INSERT INTO users VALUES ('carol', 'x', 'en'); DELETE FROM user_events");
    let (_, url) = database.role(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON user_groups TO ROLE;
         GRANT CREATE ON SCHEMA public TO ROLE",
    );
    server::connect(&url)
        .batch_execute(
            "CREATE TABLE own (x integer);
             CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM set_config('dash_users.nested', 'on', true);
                 INSERT INTO user_groups VALUES ('carol', 'admins');
                 UPDATE user_groups SET username = 'carol' WHERE username = 'bob';
                 DELETE FROM user_groups WHERE username = 'alice';
                 RETURN NULL;
             END $$;
             CREATE TRIGGER hide AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION hide();
             INSERT INTO own VALUES (1)",
        )
        .unwrap();
    assert_eq!(
        recorded(&database),
        [
            "group add carol: admins",
            "group remove bob: staff",
            "group add carol: staff",
            "group remove alice: admins"
        ]
    );
}

#[test]
fn groups_changed_by_app_trigger_are_recorded() {
    let Some(database) = before() else { return };
    database.execute(
        "CREATE FUNCTION app() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 INSERT INTO public.user_groups VALUES ('bob', OLD.group_name);
                 RETURN NULL;
             END $$;
         CREATE TRIGGER app AFTER DELETE ON user_groups FOR EACH ROW EXECUTE FUNCTION app();
         DELETE FROM users WHERE username = 'alice'",
    );
    assert_eq!(recorded(&database), ["group add bob: admins", "remove alice"]);
}
