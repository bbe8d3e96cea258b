use snapbox::str;

use crate::support::{assert_run, seeded};

#[test]
fn update_changes_language_once() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["update", "alice", "--language", "pt-BR"]),
        str![[r#"
status 0
-- stdout
-- stderr
set the language of user 'alice' to pt-BR in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["update", "alice", "--language", "pt-BR"]),
        str![[r#"
status 0
-- stdout
-- stderr
the language of user 'alice' is already pt-BR in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["update", "alice", "--language", "pt-BR", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice","action":"update","changed":false}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["update", "alice", "--language", "Portuguese of Brazil"]),
        str![[r#"
status 7
-- stdout
-- stderr
error: a language must be a BCP 47 tag, such as 'en' or 'pt-BR'

"#]]
    );
    assert_run!(
        sandbox.run(&["update", "nobody", "--language", "de"]),
        str![[r#"
status 6
-- stdout
-- stderr
error: no user 'nobody'

"#]]
    );
    assert_eq!(sandbox.run(&["update", "alice"]).status, 2);
    assert_run!(
        sandbox.run(&["list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
alice	pt-BR	false	scrypt:128:8:1	false		[TIME]	[TIME]
bob	fr	false	scrypt:128:8:1	false		[TIME]	[TIME]
-- stderr

"#]]
    );
}
