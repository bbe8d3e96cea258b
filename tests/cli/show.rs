use snapbox::str;

use crate::support::{SECRET123, initialized, seeded};

#[test]
fn show_prints_user_in_each_format() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de'), ('yan', 'plain text', 'en'),
         ('xi', '!scrypt:1024:8:16|NaCl|{digest}', 'en')",
        digest = "0".repeat(128)
    ));
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users show zoe
status 0
-- stdout
user              zoe
language          de
groups
locked            no
method            pbkdf2:sha256:1000 (1000 iterations)
outdated          yes
created           3 days ago ([TIME])
password changed  3 days ago ([TIME])

$ dash-users show yan
status 0
-- stdout
user              yan
language          en
groups
locked            no
method            none (the stored value is not a usable hash)
outdated          no
created           3 days ago ([TIME])
password changed  3 days ago ([TIME])

$ dash-users show xi
status 0
-- stdout
user              xi
language          en
groups
locked            yes
method            scrypt:1024:8:16 (1 MiB of memory, 16 times)
outdated          no
created           3 days ago ([TIME])
password changed  3 days ago ([TIME])

$ dash-users show zoe --format plain
status 0
-- stdout
zoe	de	false	pbkdf2:sha256:1000	true		[TIME]	[TIME]

$ dash-users show yan --json
status 0
-- stdout
{"username":"yan","language":"en","locked":false,"method":null,"outdated":false,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"}

$ dash-users show nobody
status 6
-- stderr
error: no user 'nobody'

$ dash-users show nobody --json
status 6
-- stderr
{"error":{"code":"no_such_user","status":6,"message":"no user 'nobody'","hint":null}}

"#]]);
}

#[test]
fn unknown_user_error_suggests_similar_name() {
    let sandbox = seeded();
    for (name, said) in [
        ("alcie", "no user 'alcie'; did you mean 'alice'?"),
        ("Bob", "no user 'Bob'; did you mean 'bob'?"),
        ("xyz", "no user 'xyz'"),
    ] {
        let error = sandbox.run(&["show", name, "--json"]).error();
        assert_eq!((&error["code"], &error["message"]), (&"no_such_user".into(), &said.into()));
    }
}
