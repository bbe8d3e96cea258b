use snapbox::str;

use crate::support::{SECRET123, initialized, seeded};

#[test]
fn list_sorts_by_name_in_each_format() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ dash-users list
status 0
-- stdout
USER  LANGUAGE  GROUPS  STATE  CREATED  PASSWORD SET

$ dash-users list --json
status 0
-- stdout
[]

"#]]);
    let locked = format!("!{}", SECRET123.replace('$', "|"));
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de'), ('Adam', '{locked}', 'en'),
                                  ('李雷', 'plain text', 'zh-Hant-TW')"
    ));
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users ls
status 0
-- stdout
USER  LANGUAGE    GROUPS  STATE             CREATED     PASSWORD SET
Adam  en                  locked, outdated  3 days ago  3 days ago
zoe   de                  outdated          3 days ago  3 days ago
李雷  zh-Hant-TW          no usable hash    3 days ago  3 days ago

$ dash-users list --format plain
status 0
-- stdout
Adam	en	true	pbkdf2:sha256:1000	true		[TIME]	[TIME]
zoe	de	false	pbkdf2:sha256:1000	true		[TIME]	[TIME]
李雷	zh-Hant-TW	false		false		[TIME]	[TIME]

$ dash-users list --json
status 0
-- stdout
[{"username":"Adam","language":"en","locked":true,"method":"pbkdf2:sha256:1000","outdated":true,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"},{"username":"zoe","language":"de","locked":false,"method":"pbkdf2:sha256:1000","outdated":true,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"},{"username":"李雷","language":"zh-Hant-TW","locked":false,"method":null,"outdated":false,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"}]

$ dash-users list --format plain --locked
status 0
-- stdout
Adam	en	true	pbkdf2:sha256:1000	true		[TIME]	[TIME]

$ dash-users list --outdated --method pbkdf2:sha256:999
status 0
-- stdout
USER  LANGUAGE  GROUPS  STATE  CREATED  PASSWORD SET

$ dash-users list --outdated --format plain
status 0
-- stdout
Adam	en	true	pbkdf2:sha256:1000	true		[TIME]	[TIME]
zoe	de	false	pbkdf2:sha256:1000	true		[TIME]	[TIME]

"#]]);
}

#[test]
fn list_sorts_by_times() {
    let sandbox = seeded();
    sandbox.sql(
        "UPDATE dash_users_times SET created_at = '2026-01-01T00:00:00.000Z'
         WHERE username = 'bob';
         INSERT INTO users SELECT 'carol', password_hash, 'en' FROM users WHERE username = 'bob';
         UPDATE dash_users_times SET password_changed_at = '2026-01-01T00:00:00.000Z'
         WHERE username = 'carol';
         UPDATE dash_users_times SET password_changed_at = '2026-01-02T00:00:00.000Z'
         WHERE username = 'alice';",
    );
    for (sort, expected) in [
        ("name", ["alice", "bob", "carol"]),
        ("created", ["bob", "alice", "carol"]),
        ("changed", ["carol", "alice", "bob"]),
    ] {
        let listed = sandbox.run(&["list", "--sort", sort, "--format", "plain"]).stdout;
        let names: Vec<_> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(names, expected, "{sort}");
    }
}

#[test]
fn list_outdated_follows_method_variable() {
    let sandbox = initialized().with_env("DASH_USERS_METHOD", "pbkdf2:sha256:1000");
    sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de')"));
    assert_eq!(sandbox.run(&["list", "--outdated", "--format", "plain"]).stdout, "");
    assert_eq!(sandbox.with_env("DASH_USERS_METHOD", "nonsense").run(&["list"]).status, 2);
}

#[test]
fn list_shows_future_times() {
    let sandbox = seeded();
    sandbox.sql(
        "UPDATE dash_users_times SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+3 days')",
    );
    let stdout = sandbox.run(&["list"]).stdout;
    assert!(stdout.contains("in 3 days") && !stdout.contains("in now"), "{stdout}");
}
