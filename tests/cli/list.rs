use std::fs;
use std::io::Read;
use std::process::Stdio;

use snapbox::str;

use crate::support::{SECRET123, Sandbox, initialized, seeded};

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
USER  LANGUAGE    STATE             CREATED  PASSWORD SET
Adam  en          locked, outdated  3d       3d
zoe   de          outdated          3d       3d
李雷  zh-Hant-TW  no usable hash    3d       3d

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
    assert!(stdout.contains("in 3d"), "{stdout}");
}

/// Adds users with a language of this many bytes each, and different times.
fn add_many(sandbox: &Sandbox, users: u32, language_bytes: u32) {
    sandbox.sql(&format!(
        "BEGIN;
         INSERT INTO dash_users_change (action, is_bulk) VALUES ('import', 1);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})
         INSERT INTO users
         SELECT printf('user%05d', i), 'x', hex(zeroblob({language_bytes} / 2)) FROM n;
         INSERT INTO dash_users_times (username, created_at, fingerprint)
         SELECT username,
                strftime('%Y-%m-%dT%H:%M:%fZ', 1e9 + substr(username, 5) * 7919 % 10007, 'unixepoch'),
                NULL
         FROM users WHERE username NOT LIKE '%9';
         DELETE FROM dash_users_change;
         COMMIT"
    ));
}

#[test]
fn list_prints_many_users_in_each_order() {
    for sandbox in [initialized(), initialized().with_env("TMPDIR", "/nonexistent")] {
        add_many(&sandbox, 4000, 200);
        let from = "FROM users LEFT JOIN dash_users_times AS times USING (username)";
        for (sort, order) in [("name", "username"), ("created", "times.created_at, username")] {
            let expected = sandbox.query(&format!("SELECT username {from} ORDER BY {order}"));
            let json = sandbox.run(&["list", "--json", "--sort", sort]).json();
            let names = json.as_array().unwrap().iter();
            let names: Vec<_> = names.map(|user| user["username"].as_str().unwrap()).collect();
            assert!(names == expected, "{sort}");
            let plain = sandbox.run(&["list", "--format", "plain", "--sort", sort]).stdout;
            let names: Vec<_> = plain.lines().filter_map(|row| row.split('\t').next()).collect();
            assert!(names == expected, "{sort}");
        }
    }
}

#[test]
fn slow_reader_blocks_no_writer_and_fills_no_memory() {
    // An optimized program needs less than 32 MiB.
    const MAX_KIB: u32 = 40 << 10;

    let sandbox = initialized();
    add_many(&sandbox, 2500, 16_000);
    for args in [
        &["list", "--json"][..],
        &["list", "--format", "plain", "--sort", "created"],
        &["export"],
        &["export", "--output-format", "jsonl"],
    ] {
        let mut child = sandbox.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        sandbox.sql("UPDATE users SET password_hash = 'y' WHERE username = 'user00001'");
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u32 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        assert!(peak < MAX_KIB, "{args:?}: {peak}");
        drop(stdout);
        assert!(child.wait().unwrap().success(), "{args:?}");
    }
}
