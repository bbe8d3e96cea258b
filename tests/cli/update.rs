use snapbox::str;

use crate::support::seeded;

#[test]
fn update_changes_language_once() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users update alice --language pt-BR
status 0
-- stderr
set the language of user 'alice' to pt-BR in [DIR]/users.db

$ dash-users update alice --language pt-BR
status 0
-- stderr
the language of user 'alice' is already pt-BR in [DIR]/users.db

$ dash-users update alice --language pt-BR --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"alice","action":"update","changed":false}]

$ dash-users update alice --language 'Portuguese of Brazil'
status 7
-- stderr
error: a language must be a BCP 47 tag, such as 'en' or 'pt-BR'

$ dash-users update nobody --language de
status 6
-- stderr
error: no user 'nobody'

"#]]);
    assert_eq!(sandbox.run(&["update", "alice"]).status, 2);
    sandbox.assert_session(str![[r#"
$ dash-users list --format plain
status 0
-- stdout
alice	pt-BR	false	scrypt:128:8:1	false		[TIME]	[TIME]
bob	fr	false	scrypt:128:8:1	false		[TIME]	[TIME]

"#]]);
}
