//! Hostile databases: every command runs on each of them.
//!
//! Whatever a file contains, a command must end soon, with a documented exit code, in bounded
//! memory, and must show no control characters and no hash. The tests of each command check its
//! messages.

mod files;
mod values;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dash_users::is_unsafe_to_print;

use crate::sample;
use crate::support::{GOOD, PROGRAM, SECRET123, Sandbox, TUTORIAL, empty, seeded};

/// The time limit of a command on the slowest machine. A longer run counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// The maximum number of bytes of output to check: some outputs have 100 MB.
const MAX_OUTPUT: u64 = 1 << 20;

/// The address space of a command, in KiB: 1 GiB.
const MEMORY_KIB: u32 = 1 << 20;

/// Every command that opens the database, with its stdin. `!` stands for a user.
const COMMANDS: [(&str, &str); 28] = [
    ("init", ""),
    ("migrate", ""),
    ("seed users.csv", ""),
    ("add new --password-stdin --group g", GOOD),
    ("passwd alice --password-stdin", GOOD),
    ("verify alice --password-stdin", "secret123"),
    ("verify alice --password-stdin --upgrade --json", "secret123"),
    ("rehash alice --password-stdin", "secret123"),
    ("rehash --plaintext --all", ""),
    ("remove alice --yes", ""),
    ("rename alice alicia", ""),
    ("update alice --language fr", ""),
    ("lock alice", ""),
    ("unlock bob", ""),
    ("group add alice staff admins", ""),
    ("group remove bob staff", ""),
    ("group list", ""),
    ("list", ""),
    ("list --json", ""),
    ("show alice", ""),
    ("history --json", ""),
    ("check --json", ""),
    ("check --fix", ""),
    ("import users.csv --on-conflict update", ""),
    ("export out.json --json", ""),
    ("backup copy.db", ""),
    ("restore fine.db --yes", ""),
    ("restore users.db --yes --database fine.db", ""),
];

/// The users that the commands import.
const USERS: &str = "username,password,language,groups\nalice,plover-xyzzy-quux,fr,staff\n\
                     carol,plover-xyzzy-quux,en,\n";

/// A hostile database.
struct Case {
    name: String,
    file: Vec<u8>,
}

/// The directory where the commands run, with the files they need.
fn place() -> Sandbox {
    let sandbox = seeded();
    fs::copy(sandbox.path("users.db"), sandbox.path("fine.master")).unwrap();
    sandbox.write("users.csv", USERS);
    sandbox
}

/// Runs every command on each database, or a sample of three commands. Returns the number of
/// databases.
fn attack(cases: &[Case]) -> usize {
    attack_in_turn(sample::of(10, 1), cases)
}

/// Runs every `step`th command on each database, starting with a different command each time. For
/// databases that differ little.
fn attack_in_turn(step: usize, cases: &[Case]) -> usize {
    assert!(step <= cases.len(), "every command meets one of {} databases", cases.len());
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let wrong = thread::scope(|scope| {
        let attackers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let sandbox = place();
                    let mut wrong = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(case) = cases.get(index) else { break wrong };
                        let commands = COMMANDS.iter().skip(index % step).step_by(step);
                        wrong.extend(meet(&sandbox, case, commands));
                    }
                })
            })
            .collect();
        attackers.into_iter().flat_map(|attacker| attacker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} databases × {} commands", cases.len(), COMMANDS.len() / step);
    cases.len()
}

/// The failures of all commands on a database.
fn meet<'a>(
    sandbox: &Sandbox,
    case: &Case,
    commands: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (line, input) in commands {
        clear(sandbox);
        sandbox.write("users.db", &case.file);
        fs::copy(sandbox.path("fine.master"), sandbox.path("fine.db")).unwrap();
        let args: Vec<_> = line.split(' ').collect();
        if let Err(reason) = run(sandbox, &args, input) {
            wrong.push(format!("{}: {line}: {reason}", case.name));
        }
    }
    wrong
}

/// Removes the files that a command created.
fn clear(sandbox: &Sandbox) {
    for entry in fs::read_dir(sandbox.dir()).unwrap() {
        let path = entry.unwrap().path();
        if !["fine.master", "users.csv"].iter().any(|name| path.ends_with(name)) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Runs the program within the memory and time limits. An error describes the violation.
fn run(sandbox: &Sandbox, args: &[&str], input: &str) -> Result<(), String> {
    let (status, output) = end_of(bounded(sandbox, MEMORY_KIB, args), input)?;
    let shown = || {
        let start: String = output.chars().take(600).collect();
        format!("status {status:?}: {start}")
    };
    if !status.is_some_and(|status| (0..=10).contains(&status)) || output.contains("panicked") {
        return Err(shown());
    }
    if output.chars().any(|c| is_unsafe_to_print(c) && c != '\n' && c != '\t') {
        return Err(format!("raw characters: {}", shown()));
    }
    if has_digest(&output) {
        return Err(format!("a hash is shown: {}", shown()));
    }
    Ok(())
}

/// The program with this much address space, if a shell can limit it.
fn bounded(sandbox: &Sandbox, kib: u32, args: &[&str]) -> Command {
    let mut command = sandbox.shell("ulimit -v \"$0\" || true; exec \"$@\"");
    command.arg(kib.to_string()).arg(PROGRAM).args(args);
    command
}

/// The exit code, and stdout and stderr together.
fn end_of(mut command: Command, input: &str) -> Result<(Option<i32>, String), String> {
    let started = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that fails early does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let read = |pipe: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let (mut start, mut pipe) = (Vec::new(), pipe);
            pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut start).unwrap();
            io::copy(&mut pipe, &mut io::sink()).unwrap();
            // A truncated character is fine.
            let end = str::from_utf8(&start).err().filter(|error| error.error_len().is_none());
            start.truncate(end.map_or(start.len(), |error| error.valid_up_to()));
            start
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = read(Box::new(child.stderr.take().unwrap()));
    let status = wait(&mut child, started)?;
    let mut output = stdout.join().unwrap();
    output.extend(stderr.join().unwrap());
    match String::from_utf8(output) {
        Ok(output) => Ok((status, output)),
        Err(_) => Err("its output is not UTF-8".to_owned()),
    }
}

fn wait(child: &mut Child, started: Instant) -> Result<Option<i32>, String> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Ok(status.code());
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("it hangs".to_owned());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a text contains the digest of a hash.
fn has_digest(text: &str) -> bool {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    // A username in SQL, `x'…'`, is not a digest.
    let parts = text.split("x'").enumerate();
    let parts = parts.map(|(number, part)| match number {
        0 => part,
        _ => part.trim_start_matches(|c: char| c.is_ascii_hexdigit()),
    });
    let has_run = |part: &str| {
        part.as_bytes().chunk_by(|a, b| is_hex(a) && is_hex(b)).any(|run| run.len() >= 40)
    };
    parts.into_iter().any(has_run)
}

/// A database created by SQL, adopted by the program or not.
fn made(is_adopted: bool, sql: &str) -> Vec<u8> {
    let sandbox = empty();
    if is_adopted {
        sandbox.write("users.db", &*ADOPTED);
    }
    let marks =
        [("<HASH>", SECRET123), ("<ESC>", "\u{1b}"), ("<RLO>", "\u{202e}"), ("<LRI>", "\u{2066}")];
    let sql = marks.iter().fold(sql.to_owned(), |sql, (mark, text)| sql.replace(mark, text));
    sandbox.sql(&sql);
    sandbox.read("users.db")
}

/// An app's database that the program has adopted.
static ADOPTED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let sandbox = empty();
    sandbox.sql(&format!(
        "{TUTORIAL}
         INSERT INTO users VALUES ('alice', '{SECRET123}', 'en'), ('bob', '{SECRET123}', 'en');"
    ));
    assert_eq!(sandbox.run(&["init"]).status, 0);
    assert_eq!(sandbox.run(&["group", "add", "bob", "staff"]).status, 0);
    sandbox.read("users.db")
});

/// The databases in a file. A line beginning with `-- ==` starts each one.
fn catalogue(is_adopted: bool, catalogue: &str) -> Vec<Case> {
    let sections = catalogue.split("-- == ").skip(1);
    let case = |section: &str| {
        let (name, sql) = section.split_once('\n').unwrap();
        Case { name: name.to_owned(), file: made(is_adopted, sql) }
    };
    sections.map(case).collect()
}

#[test]
fn commands_survive_hostile_triggers_indexes_and_tables() {
    let mut cases = catalogue(true, include_str!("hostile/adopted.sql"));
    let mut sql = String::new();
    let tables = 0..9;
    for table in tables.clone() {
        write!(sql, "CREATE TABLE t{table} (u DEFAULT 'alice' REFERENCES users ON DELETE CASCADE")
            .unwrap();
        for other in tables.clone() {
            write!(sql, ", c{other} DEFAULT 1 REFERENCES t{other} (n) ON DELETE CASCADE").unwrap();
        }
        write!(sql, ", n INTEGER PRIMARY KEY); INSERT INTO t{table} (n) VALUES (1);").unwrap();
    }
    let file = made(true, &format!("PRAGMA foreign_keys = OFF; {sql}"));
    cases.push(Case { name: "tables that all cascade to each other".to_owned(), file });
    assert_eq!(attack(&cases), 29);
}

#[test]
fn commands_survive_hostile_users_tables_and_views() {
    let cases = catalogue(false, include_str!("hostile/foreign.sql"));
    assert_eq!(attack(&cases), 25);
}
