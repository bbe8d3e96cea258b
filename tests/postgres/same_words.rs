//! The same commands on SQLite and PostgreSQL: stdout, stderr and exit code are the same in every
//! format, unless the database's file is involved.

use std::collections::BTreeSet;

use crate::program::{GOOD, Run, SECRET123, Sandbox, empty};
use crate::server::{OWNER, cluster};
use crate::support::{name, on};

/// Commands that run one after the other on one database, each after its stdin.
const COMMANDS: &[(&str, &str)] = &[
    // An empty database.
    ("", "migrate --database none.db"),
    ("", "init"),
    ("", "init"),
    ("", "migrate --status"),
    ("", "migrate --dry-run"),
    ("", "migrate"),
    ("", "list"),
    ("", "history"),
    ("", "group list"),
    ("", "check"),
    ("", "export"),
    ("", "show alice"),
    // Adding users.
    ("", "seed"),
    ("", "seed"),
    (GOOD, "add carol --password-stdin --language pt-BR --group admins --group staff"),
    (GOOD, "add carol --password-stdin"),
    (GOOD, "add Carol --password-stdin"),
    (GOOD, "add Carol --password-stdin --allow-similar"),
    (GOOD, "add carol --password-stdin --if-not-exists"),
    (GOOD, "add dora --password-stdin --locked"),
    (GOOD, "create Zoë --password-stdin"),
    (GOOD, "add 山田太郎 --password-stdin --group 社員"),
    (GOOD, "add Zo\u{65}\u{308} --password-stdin"),
    (GOOD, "add a:b --password-stdin"),
    (GOOD, "add x --password-stdin --language ???"),
    (GOOD, "add x --password-stdin --group a,b"),
    (GOOD, "add x --password-stdin --method md5"),
    ("short", "add x --password-stdin"),
    ("", "add x --password-stdin --allow-weak"),
    ("", "add x"),
    // Changing them.
    (GOOD, "passwd alice --password-stdin"),
    (GOOD, "passwd dora --password-stdin"),
    ("alice", "passwd alice --password-stdin"),
    (GOOD, "passwd nobody --password-stdin"),
    ("", "passwd alice"),
    (GOOD, "verify alice --password-stdin"),
    ("wrong", "verify alice --password-stdin"),
    (GOOD, "verify nobody --password-stdin"),
    (GOOD, "verify nobody --password-stdin --explain"),
    (GOOD, "verify dora --password-stdin --explain"),
    (GOOD, "verify alice --password-stdin --upgrade --method pbkdf2:sha256:1000"),
    (GOOD, "verify alice --password-stdin --upgrade --method pbkdf2:sha256:2000"),
    (GOOD, "rehash alice --password-stdin"),
    ("wrong", "rehash alice --password-stdin"),
    (GOOD, "rehash nobody --password-stdin"),
    ("", "rehash --plaintext --all"),
    ("", "rehash --plaintext alice nobody"),
    ("", "update alice --language de"),
    ("", "update alice --language de"),
    ("", "update alice --language not_a_tag"),
    ("", "update nobody --language de"),
    ("", "lock alice bob"),
    ("", "lock alice carol"),
    ("", "lock alice nobody"),
    ("", "unlock alice"),
    ("", "unlock alice"),
    ("", "unlock nobody"),
    ("", "group add alice admins staff"),
    ("", "group add alice admins"),
    ("", "group add alice a;b"),
    ("", "group add nobody admins"),
    ("", "group remove alice staff"),
    ("", "group remove alice staff"),
    ("", "group remove nobody staff"),
    ("", "group list"),
    ("", "group list alice"),
    ("", "group list nobody"),
    ("", "rename alice Alice"),
    ("", "rename Alice alicia"),
    ("", "rename alicia carol"),
    ("", "rename alicia CAROL"),
    ("", "rename alicia CAROL --allow-similar"),
    ("", "rename nobody x"),
    ("", "rename bob b:b"),
    // Reading.
    ("", "list"),
    ("", "ls --sort name"),
    ("", "list --sort created"),
    ("", "list --group admins"),
    ("", "list --group none"),
    ("", "list --locked"),
    ("", "list --outdated"),
    ("", "show CAROL"),
    ("", "show dora"),
    ("", "show nobody"),
    ("", "history"),
    ("", "history CAROL"),
    ("", "history nobody"),
    ("", "history --limit 3"),
    ("", "check"),
    ("", "check --fix"),
    // Files.
    ("", "import good.csv --dry-run"),
    ("", "import good.csv"),
    ("", "import good.csv"),
    ("", "import good.csv --on-conflict skip"),
    ("", "import changed.jsonl --on-conflict update --dry-run"),
    ("", "import changed.jsonl --on-conflict update"),
    ("", "import changed.jsonl --on-conflict update"),
    ("", "import bad.csv"),
    ("", "import bad.csv --dry-run"),
    ("", "import weak.csv"),
    ("", "import twice.csv"),
    ("", "import none.csv"),
    ("", "import dictionary.json"),
    ("", "import odd.jsonl --as-is"),
    ("", "seed good.csv"),
    ("", "seed more.csv"),
    ("", "list"),
    ("", "show eve"),
    ("", "group list"),
    ("", "check"),
    ("", "history --limit 5"),
    // Users with odd values.
    ("", "lock odd:name"),
    ("", "passwd odd:name"),
    ("secret123", "verify odd:name --password-stdin --explain"),
    ("", "rename odd:name fred"),
    ("", "rehash --plaintext clear"),
    ("", "unlock bad!hash"),
    ("secret123", "verify bad!hash --password-stdin --explain"),
    ("", "remove bob"),
    ("", "remove bob --yes"),
    ("", "remove bob --yes"),
    ("", "remove bob --yes --if-exists"),
    ("", "remove eve nobody --yes"),
    ("", "rm eve fred --yes"),
    ("", "history eve"),
    ("", "list"),
    // The command line.
    ("", "bogus"),
    ("", "list --bogus"),
    ("", "show"),
    ("", "list extra"),
    ("", "restore none.db --quiet --help"),
];

/// A directory with the files that the commands read.
fn with_files(sandbox: Sandbox) -> Sandbox {
    let hash = SECRET123;
    let locked = format!("!{}", hash.replace('$', "|"));
    let good = format!(
        "username,password_hash,language,groups\neve,{hash},fr,staff;admins\nFrank,{locked},en,\n\
         grace,{hash},zh-Hant,staff\n"
    );
    let changed = format!(
        "{{\"username\": \"eve\", \"language\": \"it\", \"groups\": [\"b\", \"a\"]}}\n\
         {{\"username\": \"grace\", \"password\": \"{GOOD}\"}}\n\
         {{\"username\": \"heidi\", \"password_hash\": \"{hash}\"}}\n"
    );
    let odd =
        [("odd:name", hash), ("clear", "plain text"), ("bad!hash", "!scrypt:1$a$b"), ("", "")];
    let odd = odd.map(|(name, hash)| {
        format!(
            "{{\"username\": \"{name}\", \"password_hash\": \"{hash}\", \"language\": \"x y\"}}\n"
        )
    });
    sandbox.write("good.csv", good);
    sandbox.write("changed.jsonl", changed);
    sandbox
        .write("bad.csv", format!("username,password_hash\nx:y,{hash}\nivan,nonsense\n,{hash}\n"));
    sandbox.write("weak.csv", "username,password\nivan,short\n");
    sandbox.write("twice.csv", format!("username,password_hash\nivan,{hash}\nivan,{hash}\n"));
    sandbox.write("more.csv", format!("username,password_hash\nivan,{hash}\neve,nonsense\n"));
    sandbox.write("dictionary.json", format!("{{\"judy\": \"{GOOD}\", \"ken\": \"{hash}\"}}"));
    sandbox.write("odd.jsonl", odd.concat());
    sandbox
}

/// A run of the program without the name of the database and the age of changes.
fn without_names(run: &Run, database: &str, format: &str) -> String {
    let text = run.to_string().replace(database, "[DATABASE]");
    // `init` creates a file, but no database of a server.
    let text = text.replace("created [DATABASE]", "created table 'users' in [DATABASE]");
    let text = text.replace("\"created\":true", "\"created\":false");
    if format != "table" {
        return text;
    }
    // Ages in tables are short.
    let is_age =
        |word: &str| word.strip_suffix(['s', 'm']).is_some_and(|count| count.parse::<u8>().is_ok());
    let mut words: Vec<&str> = Vec::new();
    for line in text.lines() {
        for word in line.split_whitespace() {
            match (word, &words[..]) {
                ("ago", [.., _, _]) => {
                    words.truncate(words.len() - 2);
                    words.push("now");
                }
                _ => words.push(if is_age(word) { "now" } else { word }),
            }
        }
        words.push("\n");
    }
    words.join(" ")
}

/// Output without the version of the schema that only PostgreSQL has.
fn without_own_version(output: &str) -> String {
    let own = [r#",{"version":6,"name":"statement_triggers"}"#, " 6 statement_triggers applied \n"];
    let output = own.iter().fold(output.to_owned(), |output, own| output.replace(own, ""));
    let output = output.replace("6\tstatement_triggers\tapplied\n", "");
    output.replace(r#""version":6,"#, r#""version":5,"#)
}

fn compare(format: &str) {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let shown = format!("postgresql://{OWNER}@127.0.0.1:{}/{}", cluster.port(), name(&url));
    let (sqlite, postgres) = (with_files(empty()), with_files(on(&url)));
    let (mut differences, mut exit_codes) = (Vec::new(), BTreeSet::new());
    for (stdin, command) in COMMANDS {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.extend(["--format", format]);
        let run = sqlite.run_with(stdin, &args);
        exit_codes.insert(run.status);
        let of_file = without_names(&run, "[DIR]/users.db", format);
        let of_server = without_names(&postgres.run_with(stdin, &args), &shown, format);
        let of_server = without_own_version(&of_server);
        if of_file != of_server {
            differences
                .push(format!("{command}\n-- SQLite\n{of_file}\n-- PostgreSQL\n{of_server}"));
        }
    }
    assert!(exit_codes.iter().eq(&[0, 1, 2, 3, 4, 6, 7, 8, 9, 10]), "{exit_codes:?}");
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn table_output_is_same_on_both_databases() {
    compare("table");
}

#[test]
fn plain_output_is_same_on_both_databases() {
    compare("plain");
}

#[test]
fn json_output_is_same_on_both_databases() {
    compare("json");
}
