//! Triggers, rules and foreign keys of the app that affect our changes.

use dash_users::{Error, Password, StoreError, Users};

use crate::accounts::recorded;
use crate::database::{Database, Postgres};
use crate::support::{GOOD, names, new_user, options, rows, with_users};

/// Users alice and bob, after whom the app runs this SQL.
fn with(sql: &str) -> Option<(Postgres, Users)> {
    let database = Postgres::new()?;
    let users = with_users(&database, &["alice", "bob"]);
    database.execute(sql);
    Some((database, users))
}

/// A trigger of the app on users, and its function.
fn trigger(when: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
         CREATE TRIGGER say {when} ON users FOR EACH ROW EXECUTE FUNCTION say()"
    )
}

fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Store(StoreError::Refused { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

/// The reason why each change is rejected.
fn refusals(users: &mut Users) -> Vec<String> {
    let file = format!("username,password\nzoe,{GOOD}");
    let import = crate::support::import(users, options(dash_users::OnConflict::Fail), &file);
    vec![
        reason(users.add(&new_user("zoe", GOOD))),
        reason(users.set_password("alice", &Password::from(GOOD), false)),
        reason(users.set_language("alice", &"fr".parse().unwrap())),
        reason(users.rename("alice", &"zoe".parse().unwrap(), false)),
        reason(users.lock(&["alice"])),
        reason(users.remove(&["alice"], false)),
        reason(import),
    ]
}

#[test]
fn error_code_decides_meaning() {
    let raise =
        trigger("BEFORE UPDATE", "RAISE EXCEPTION 'so' USING ERRCODE = substr(NEW.language, 4);");
    let Some((database, mut users)) = with(&raise) else { return };
    for (codes, expected) in [
        ("08006 28000 3D000 53100 57P01 42501 25006", "cannot open LOCATION: so"),
        ("23514 P0001 22023", "LOCATION refused the change: so"),
        ("55P03", "LOCATION is locked by another program; nothing was changed"),
        ("57014", "LOCATION is too slow: so; nothing was changed"),
        ("22P05 22021", "LOCATION cannot store the text: so"),
        (
            "40001 40P01",
            "LOCATION was changed by another program at the same time; nothing was changed",
        ),
        ("XX000 42704", "LOCATION: so"),
    ] {
        for code in codes.split(' ') {
            let refusal = users.set_language("alice", &format!("en-{code}").parse().unwrap());
            let Err(Error::Store(error)) = refusal else { panic!("{code}: {refusal:?}") };
            let expected = expected.replace("LOCATION", &database.location().to_string());
            assert_eq!(error.to_string(), expected, "{code}");
        }
    }
}

#[test]
fn app_trigger_error_is_shown() {
    for when in ["BEFORE", "AFTER"] {
        let say = trigger(
            &format!("{when} INSERT OR UPDATE OR DELETE"),
            "RAISE EXCEPTION 'not on a Sunday' USING DETAIL = 'a row';",
        );
        let Some((database, mut users)) = with(&say) else { return };
        let (before, recorded_before) = (rows(&database), recorded(&mut users, None));
        for refusal in refusals(&mut users) {
            assert_eq!(refusal, "not on a Sunday");
        }
        assert_eq!((rows(&database), recorded(&mut users, None)), (before, recorded_before));
    }
}

#[test]
fn constraint_trigger_rejects_at_commit() {
    let say = "CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
                   BEGIN RAISE EXCEPTION 'not on a Sunday'; END $$;
               CREATE CONSTRAINT TRIGGER say AFTER INSERT OR UPDATE OR DELETE ON users
               DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION say()";
    let Some((database, mut users)) = with(say) else { return };
    let before = rows(&database);
    for refusal in refusals(&mut users) {
        assert_eq!(refusal, "not on a Sunday");
    }
    assert_eq!(rows(&database), before);
}

#[test]
fn app_trigger_that_skips_row_is_an_error() {
    let say = trigger("BEFORE INSERT OR UPDATE OR DELETE", "RETURN NULL;");
    let rules = "CREATE RULE a AS ON INSERT TO users DO INSTEAD NOTHING;
                 CREATE RULE b AS ON UPDATE TO users DO INSTEAD NOTHING;
                 CREATE RULE c AS ON DELETE TO users DO INSTEAD NOTHING";
    for sql in [&*say, rules] {
        let Some((database, mut users)) = with(sql) else { return };
        let before = rows(&database);
        for refusal in refusals(&mut users) {
            assert_eq!(refusal, "a trigger or rule of the app skipped the row");
        }
        assert_eq!(rows(&database), before);
    }
}

#[test]
fn app_check_constraint_rejects_change() {
    let Some((database, mut users)) =
        with("ALTER TABLE users ADD CONSTRAINT short CHECK (length(username) < 6)")
    else {
        return;
    };
    assert!(reason(users.add(&new_user("longer", GOOD))).contains("short"));
    assert!(reason(users.rename("bob", &"robert".parse().unwrap(), false)).contains("short"));
    assert_eq!(names(&database), ["alice", "bob"]);
}

#[test]
fn app_unique_column_rejects_change() {
    let Some((database, mut users)) = with(
        "DELETE FROM users WHERE username = 'bob';
         ALTER TABLE users ADD COLUMN email text DEFAULT 'nobody@example.org' UNIQUE",
    ) else {
        return;
    };
    // Not a concurrently added user: it is not retried.
    assert!(reason(users.add(&new_user("zoe", GOOD))).contains("users_email_key"));
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn referencing_rows_reject_or_follow_rename() {
    let Some((database, mut users)) = with(
        "CREATE TABLE orders (customer text REFERENCES users);
         CREATE TABLE notes (owner text REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE);
         INSERT INTO orders VALUES ('alice');
         INSERT INTO notes VALUES ('bob');",
    ) else {
        return;
    };
    let refusal = reason(users.rename("alice", &"zoe".parse().unwrap(), false));
    assert_eq!(refusal, "rows in orders reference the user");
    assert_eq!(reason(users.remove(&["alice"], false)), "rows in orders reference the user");
    assert!(users.rename("bob", &"zoe".parse().unwrap(), false).unwrap());
    assert_eq!(database.query("SELECT owner FROM notes"), ["zoe"]);
}

#[test]
fn deferred_rejection_has_same_message() {
    let Some((_database, mut users)) = with(
        "CREATE TABLE orders (customer text REFERENCES users DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO orders VALUES ('alice');",
    ) else {
        return;
    };
    for _ in 0..2 {
        assert_eq!(reason(users.remove(&["alice"], false)), "rows in orders reference the user");
    }
    assert_eq!(users.remove(&["bob"], false).unwrap(), [true]);
}

#[test]
fn tables_of_other_schemas_are_shown_qualified() {
    let Some((_database, users)) = with(
        "CREATE SCHEMA shop;
         CREATE TABLE shop.orders (customer text REFERENCES users ON DELETE CASCADE);
         INSERT INTO shop.orders VALUES ('alice');",
    ) else {
        return;
    };
    let mut users = users;
    assert_eq!(users.references("alice").unwrap()[0].table, "shop.orders");
}
