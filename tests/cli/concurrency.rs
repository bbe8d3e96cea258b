//! Concurrency: reading apps, and several writing commands.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dash_users::{Password, PasswordHash};
use serde_json::Value;

use crate::sample;
use crate::skip::or_skip;
use crate::support::{GOOD, SECRET123, Sandbox, initialized, on_disk};

const READERS: usize = 8;
const WRITERS: usize = 4;

/// The pause between two commands of a writer.
const PAUSE: Duration = Duration::from_millis(20);

/// Reads a user's hash repeatedly, like the tutorial's app at each request, until the file `over`
/// exists. Prints the number of reads, the errors, and the longest duration.
const READER: &str = r#"
import json, os, sqlite3, sys, time

def get_hash(username):
    with sqlite3.connect("users.db") as con:
        cur = con.cursor()
        cur.execute("SELECT password_hash FROM users WHERE username = ?", (username,))
        row = cur.fetchone()
        return row[0] if row else None

reads, errors, longest = 0, [], 0
while not os.path.exists("over"):
    began = time.monotonic()
    try:
        found = get_hash("steady")
        if found != sys.argv[1]:
            errors.append(repr(found))
        get_hash("w0-a")
    except Exception as error:
        errors.append(repr(error))
    longest = max(longest, time.monotonic() - began)
    reads += 2
print(json.dumps({"reads": reads, "errors": errors[:5], "longest": longest}))
"#;

/// Starts an app, or none without Python.
fn reader(sandbox: &Sandbox) -> Option<Child> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(&python);
    command.args(["-c", READER, SECRET123]).current_dir(sandbox.dir());
    let child = command.stdout(Stdio::piped()).spawn();
    or_skip(child.map_err(|error| format!("{} cannot be run: {error}", python.display())))
}

/// A writer. It owns the users whose names begin with `w`, its number and `-`.
struct Writer<'a> {
    sandbox: &'a Sandbox,
    prefix: String,
    round: u32,
    commands: u32,
    /// The expected history events: action, name and detail.
    events: Vec<String>,
    /// The expected members of the group that all writers share.
    groups: BTreeSet<String>,
}

impl Writer<'_> {
    /// Runs a command that must succeed. `$` stands for the writer's prefix.
    fn run(&mut self, input: &str, line: &str) {
        thread::sleep(PAUSE);
        let line = line.replace('$', &self.prefix);
        let run = self.sandbox.run_with(input, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 0, "{line}: {run}");
        self.commands += 1;
    }

    /// Likewise, for a command that creates events of the writer's users.
    fn change(&mut self, input: &str, line: &str, events: &[&str]) {
        self.run(input, line);
        self.events.extend(events.iter().map(|event| event.replace('$', &self.prefix)));
    }

    /// Runs every kind of change, on a temporary user and on a permanent one.
    fn round(&mut self) {
        let (round, prefix) = (self.round, self.prefix.clone());
        let old = "pbkdf2:sha256:1000";
        self.change(GOOD, "add $b --password-stdin --group g", &["add $b -", "group add $b g"]);
        self.change(GOOD, "passwd $b --password-stdin", &["passwd $b -"]);
        let rehash = format!("rehash $b --password-stdin --method {old}");
        let (method, from) = ("scrypt:128:8:1", "from scrypt:128:8:1 to pbkdf2:sha256:1000");
        self.change(GOOD, &rehash, &[&format!("rehash $b {from}")]);
        let upgrade = format!("upgrade $b from {old} to {method}");
        self.change(GOOD, "verify $b --password-stdin --upgrade", &[&upgrade]);
        self.change("", "rename $b $c", &["rename $b to $c"]);
        self.change("", "group add $c x y", &["group add $c x", "group add $c y"]);
        self.change("", "group remove $c x", &["group remove $c x"]);
        self.change("", "lock $c", &["lock $c -"]);
        self.change("", "unlock $c", &["unlock $c -"]);
        self.change("", "remove $c --yes", &["remove $c -"]);

        // Increments a counter in a column, in the shared group, and in files.
        let language = format!("x-n{round}");
        let update = format!("update $a --language {language}");
        self.change("", &update, &[&format!("update $a language {language}")]);
        let group = format!("{prefix}{round}");
        self.run("", &format!("group add steady {group}"));
        self.groups.insert(group);
        let file = format!("{prefix}.csv");
        let one = format!("username,password_hash,groups\n{prefix}{round},{SECRET123},n{round}\n");
        self.sandbox.write(&file, one);
        self.run("", &format!("import {file}"));
        let both = format!(
            "username,password_hash,language\n{prefix}{round},{SECRET123},fr\n\
             {prefix}s{round},{SECRET123},fr\n"
        );
        self.sandbox.write(&file, both);
        self.run("", &format!("seed {file}"));
        self.run("", &format!("import {file} --on-conflict update"));
        for idle in ["init", "migrate", "seed", "check --fix --quiet", "backup $.db --force"] {
            self.idle(idle);
        }
        self.round += 1;
    }

    /// A command that changes no users.
    fn idle(&mut self, line: &str) {
        if line.starts_with("check") {
            // The test users have findings.
            thread::sleep(PAUSE);
            let run = self.sandbox.run(&line.split(' ').collect::<Vec<_>>());
            assert!([0, 7].contains(&run.status) && !run.stdout.contains("missing"), "{run}");
            self.commands += 1;
        } else {
            self.run("", line);
        }
    }
}

#[test]
fn concurrent_writers_lose_nothing_and_block_no_app() {
    // The time during which writers start new rounds.
    let time = Duration::from_secs(sample::of(1, 3) as u64);
    let sandbox = on_disk();
    assert_eq!(sandbox.run(&["init"]).status, 0);
    sandbox.sql(&format!("INSERT INTO users VALUES ('steady', '{SECRET123}', 'en')"));
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let Some(reader) = reader(&sandbox) else { return };
        readers.push(reader);
    }
    let started = Instant::now();
    let write = |number: usize| {
        let prefix = format!("w{number}-");
        let (events, groups) = (vec![format!("add {prefix}a -")], BTreeSet::new());
        let mut writer =
            Writer { sandbox: &sandbox, prefix, round: 0, commands: 0, events, groups };
        writer.run(GOOD, "add $a --password-stdin");
        loop {
            writer.round();
            if started.elapsed() >= time {
                break writer;
            }
        }
    };
    let writers = thread::scope(|scope| {
        let writers = [0, 1, 2, 3].map(|number| scope.spawn(move || write(number)));
        writers.map(thread::ScopedJoinHandle::join)
    });
    let elapsed = started.elapsed();
    sandbox.write("over", "");
    let read: Vec<Value> = readers
        .into_iter()
        .map(|reader| serde_json::from_slice(&reader.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let writers = writers.map(|writer| writer.expect("every command succeeds"));

    for reader in &read {
        assert_eq!(reader["errors"], serde_json::json!([]), "{read:?}");
    }
    let mut groups = BTreeSet::new();
    let mut rounds = 0;
    for writer in &writers {
        let Writer { prefix, round, events, .. } = writer;
        // No event is missing or duplicated, and all are in order.
        let select = format!(
            "SELECT action || ' ' || username || ' ' || ifnull(detail, '-') FROM user_events
             WHERE username GLOB '{prefix}*' ORDER BY id"
        );
        assert_eq!(&sandbox.query(&select), events);
        let select = format!(
            "SELECT concat_ws(' ', users.username, language, group_name)
             FROM users LEFT JOIN user_groups USING (username)
             WHERE users.username GLOB '{prefix}[0-9s]*' ORDER BY 1"
        );
        let mut expected = String::new();
        for n in 0..*round {
            writeln!(expected, "{prefix}{n} fr n{n}\n{prefix}s{n} fr").unwrap();
        }
        let mut expected: Vec<_> = expected.lines().collect();
        expected.sort_unstable();
        assert_eq!(sandbox.query(&select), expected);
        let language = format!("SELECT language FROM users WHERE username = '{prefix}a'");
        assert_eq!(sandbox.query(&language), [format!("x-n{}", round - 1)]);
        groups.extend(writer.groups.iter().cloned());
        rounds += round;
    }
    let found = sandbox.query("SELECT group_name FROM user_groups WHERE username = 'steady'");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), groups);
    let imports = sandbox.query("SELECT action FROM user_events WHERE username IS NULL");
    assert_eq!(imports.len(), 3 * rounds as usize);
    assert_eq!(sandbox.query("PRAGMA integrity_check"), ["ok"]);

    let reads: u64 = read.iter().map(|reader| reader["reads"].as_u64().unwrap()).sum();
    let longest = read.iter().map(|reader| reader["longest"].as_f64().unwrap()).fold(0.0, f64::max);
    let commands: u32 = writers.iter().map(|writer| writer.commands).sum();
    println!(
        "{READERS} readers × {WRITERS} writers × {:.1} s: {reads} reads, {commands} commands, \
         0 errors, the longest read took {:.0} ms",
        elapsed.as_secs_f64(),
        longest * 1000.0
    );
}

#[test]
fn new_password_wins_over_concurrent_upgrade() {
    const ROUNDS: u32 = 50;

    // Hashing for the upgrade takes longer than all of `passwd`, so the two overlap.
    const PASSWD: &str = "passwd alice --password-stdin --method scrypt:128:8:1";

    let sandbox = initialized().with_env("DASH_USERS_METHOD", "scrypt:16384:8:1");
    sandbox.sql(&format!("INSERT INTO users VALUES ('alice', '{SECRET123}', 'en')"));
    let start = |password: &str, line: &str| {
        let mut command = sandbox.command(&line.split(' ').collect::<Vec<_>>());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child
    };
    let log_in = || start("secret123", "verify alice --password-stdin --upgrade");
    let step = sample::of(7, 1);
    for round in (0..ROUNDS).step_by(step) {
        sandbox.sql(&format!("UPDATE users SET password_hash = '{SECRET123}'"));
        // The head start varies.
        let lead = Duration::from_micros(u64::from(round / 2) * 250);
        let (mut passwd, mut children);
        if round % 2 == 0 {
            passwd = start(GOOD, PASSWD);
            thread::sleep(lead);
            children = [log_in(), log_in()];
        } else {
            children = [log_in(), log_in()];
            thread::sleep(lead);
            passwd = start(GOOD, PASSWD);
        }
        assert_eq!(passwd.wait().unwrap().code(), Some(0), "{round}");
        for child in &mut children {
            // Right before the new password, wrong after it.
            let status = child.wait().unwrap().code();
            assert!(matches!(status, Some(0 | 3)), "{round}: {status:?}");
        }
        let hash: PasswordHash = sandbox.stored("alice").parse().unwrap();
        assert!(hash.verify(&Password::from(GOOD)), "{round}: the new password is lost");
        assert!(!hash.verify(&Password::from("secret123")), "{round}: the old one is back");
    }
    let upgraded = sandbox.query("SELECT action FROM user_events WHERE action = 'upgrade'");
    let rounds = (ROUNDS as usize).div_ceil(step);
    println!("{rounds} rounds, {} with the upgrade first", upgraded.len());
}
