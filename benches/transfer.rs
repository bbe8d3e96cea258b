//! `cargo bench --bench transfer`: the time and memory of importing and exporting users files,
//! compared with Python and the `sqlite3` shell in one run.
//!
//! It works like `against_python`: each round does every kind of work in a part of the table once.
//! All work is done by processes whose stdout is discarded. GNU time measures their peak memory;
//! without it, memory is not shown.

mod support;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::support::{
    Cost, TITLES, Work, compare, is_test, print_row, print_titles, program, python, rounds,
    take_turns, time,
};

/// The numbers of users in the parts of the table.
struct Sizes {
    /// With plaintext passwords.
    plaintext: usize,
    /// With hashes.
    many: usize,
    /// With hashes, to measure growth.
    growing: [usize; 4],
    /// For lookups in a small table.
    few: usize,
}

const SIZES: Sizes = Sizes {
    plaintext: 1_000,
    many: 100_000,
    growing: [1_000, 10_000, 100_000, 1_000_000],
    few: 10,
};

/// For `cargo test --benches`.
const TEST_SIZES: Sizes = Sizes { plaintext: 4, many: 100, growing: [1, 10, 50, 100], few: 10 };

/// The numbers of rounds for work of minutes, seconds and milliseconds, unless the variable
/// `ROUNDS` is set.
const ROUNDS: [usize; 3] = [3, 11, 51];

/// A program that measures the memory of another.
const GNU_TIME: &str = "/usr/bin/time";

/// Opens a file of users, and a new database with the table of the tutorial.
const OPEN: &str = "
import csv, sqlite3, sys
records = csv.reader(open(sys.argv[1], newline=''))
next(records)
database = sqlite3.connect(sys.argv[2])
database.execute('CREATE TABLE users '
    '(username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL)')
insert = 'INSERT INTO users VALUES (?, ?, ?)'
";

/// Hashes the passwords of the file.
const HASH: &str = "
from werkzeug.security import generate_password_hash
with database:
    database.executemany(insert, (
        (username, generate_password_hash(password), language)
        for username, password, language in records))
";

/// Copies the hashes of the file unchanged.
const COPY: &str = "
with database:
    database.executemany(insert, records)
";

/// Adds and changes users in a table that has some.
const UPSERT: &str = "
import csv, sqlite3, sys
records = csv.reader(open(sys.argv[1], newline=''))
next(records)
with sqlite3.connect(sys.argv[2]) as database:
    database.executemany('INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (username) '
        'DO UPDATE SET password_hash = excluded.password_hash, language = excluded.language',
        records)
";

/// What `export` writes.
const EXPORT: &str = "
SELECT username, password_hash, language,
       (SELECT group_concat(group_name, ';') FROM user_groups
        WHERE user_groups.username = users.username) AS groups
FROM users ORDER BY username";

/// What `list --format json` writes for each user.
const LIST_ONE: &str = "
SELECT username, language, password_hash LIKE '!%' AS locked,
       substr(password_hash, 1, instr(password_hash, '$') - 1) AS method,
       password_hash NOT LIKE 'scrypt:32768:8:1$%' AS outdated,
       (SELECT json_group_array(group_name) FROM user_groups
        WHERE user_groups.username = users.username) AS groups,
       created_at, password_changed_at
FROM users LEFT JOIN dash_users_times USING (username)";

fn main() {
    let sizes = if is_test() { TEST_SIZES } else { SIZES };
    let Some(python) = python::environment() else { return };
    let bench = Bench::new(python);

    let titles = ["MiB", "compared with", "bound", "rounds"];
    print_titles(TITLES.into_iter().chain(titles));
    bench.against_others(sizes.many);
    bench.with_users(sizes.many);
    bench.look_ups(sizes.few, sizes.many);
    // The longest part.
    bench.plaintext_passwords(sizes.plaintext);

    println!();
    print_titles(GROWING);
    sizes.growing.into_iter().for_each(|count| bench.growth(count));
}

/// The work that is measured with growing numbers of users.
const GROWING: [&str; 9] =
    ["users", "import", "update", "list", "export", "check", "show", "verify", "completion"];

/// The tools and files of all parts of the table.
struct Bench {
    dir: tempfile::TempDir,
    python: python::Environment,
    /// A new database.
    empty: PathBuf,
    has_shell: bool,
    has_time: bool,
}

/// The parts of the table.
impl Bench {
    fn new(python: python::Environment) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let has_shell = is_there(Command::new("sqlite3").arg("--version"));
        if !has_shell {
            eprintln!("SKIPPED comparisons with the sqlite3 shell: it is not installed");
        }
        let has_time = is_there(Command::new(GNU_TIME).args(["-f", "%M", "true"]));
        if !has_time {
            eprintln!("SKIPPED memory: {GNU_TIME} is not GNU time");
        }
        let empty = dir.path().join("empty.db");
        time(program(&empty).arg("init"), "", 0);
        Self { dir, python, empty, has_shell, has_time }
    }

    fn against_others(&self, count: usize) {
        let (plain, grouped) = (self.hashes("plain.csv", count, false), self.grouped(count));
        let database = self.database("many.db", &grouped);
        let list = format!("{LIST_ONE} ORDER BY username");
        let mut works = vec![
            Work::new(format!("`import` of {count} hashes"), || self.import(&plain, &[])),
            Work::new("Python, `csv` and `executemany`", || self.python(COPY, &plain)),
            Work::new("the same with groups", || self.import(&grouped, &[])),
            Work::new("without", || self.import(&plain, &[])),
        ];
        let mut pairs = vec![(0, 1, Some((1.5, 96.0))), (2, 3, None)];
        if self.has_shell {
            works.extend([
                Work::new(format!("`export` of {count}"), || self.export(&database)),
                Work::new("`sqlite3 -csv`", || self.shell("-csv", &database, EXPORT)),
                Work::new(format!("`list --format json` of {count}"), || self.list(&database)),
                Work::new("`sqlite3 -json`", || self.shell("-json", &database, &list)),
            ]);
            pairs.extend([(4, 5, Some((1.0, 32.0))), (6, 7, Some((1.0, 32.0)))]);
        }
        measure(rounds(ROUNDS[1]), &mut works, &pairs);
    }

    /// Imports into a table that has users already.
    fn with_users(&self, count: usize) {
        let plain = self.hashes("plain.csv", count, false);
        let other = |line: &str| line.replacen(',', "x,", 1);
        let changed = |line: &str| line.replacen('$', "$x", 1);
        let some_changed = |number: usize, line: &str| match number % 100 {
            0 => changed(line),
            _ => line.to_owned(),
        };
        let all_changed = self.edited("changed.csv", &plain, count, |_, line| changed(line));
        let some_changed = self.edited("some.csv", &plain, count, some_changed);
        let mut cases = Vec::new();
        for before in [1, count.min(1_000), count] {
            let name = format!("{before} before");
            let users = self.edited(&format!("{name}.csv"), &plain, before, |_, line| other(line));
            let title = format!("`import` of {count}, {before} other users before");
            cases.push((title, users, plain.clone(), "fail", 1.2));
        }
        for (title, file, on_conflict, bound) in [
            ("that all change", all_changed, "update", 1.5),
            ("with 1% changed", some_changed, "update", 1.0),
            ("that are all skipped", plain.clone(), "skip", 1.0),
        ] {
            let title = format!("`import` of {count} existing users {title}");
            cases.push((title, plain.clone(), file, on_conflict, bound));
        }
        for (title, before, file, on_conflict, bound) in cases {
            let stem = before.file_stem().expect("a name").to_string_lossy();
            let ours = self.database(&format!("{stem}.db"), &before);
            let bare = self.bare(&format!("{stem}.bare.db"), &before);
            let options = ["--on-conflict", on_conflict];
            let mut works = [
                Work::new(title, || self.import_into(&ours, &file, &options)),
                Work::new("Python, `csv` and an upsert", || self.upsert(&bare, &file)),
            ];
            measure(rounds(ROUNDS[1]), &mut works, &[(0, 1, Some((bound, 128.0)))]);
        }
    }

    fn look_ups(&self, few: usize, many: usize) {
        let few_users = self.database("few.db", &self.grouped(few));
        let many_users = self.database("many.db", &self.grouped(many));
        let show = |database| self.run(program(database).args(["show", &username(few / 2)]));
        let select = format!("{LIST_ONE} WHERE username = '{}'", username(few / 2));
        let mut works = vec![
            Work::new(format!("`show` in {many}"), || show(&many_users)),
            Work::new(format!("in {few}"), || show(&few_users)),
        ];
        let mut pairs = vec![(0, 1, None)];
        if self.has_shell {
            works.push(Work::new("`sqlite3`", || self.shell("-list", &many_users, &select)));
            pairs.push((0, 2, Some((1.2, 32.0))));
        }
        measure(rounds(ROUNDS[2]), &mut works, &pairs);
    }

    /// Prints the duration in ms and the memory in MiB of each work with this number of users.
    fn growth(&self, count: usize) {
        let file = self.grouped(count);
        let users = self.database(&format!("{count}.db"), &file);
        let changed = self.edited(&format!("{count}-changed.csv"), &file, count, |_, line| {
            line.replacen('$', "$x", 1)
        });
        let user = username(count / 2);
        let with = |arguments: &[&str]| self.run(program(&users).args(arguments));
        let verify = || {
            let command = &mut program(&users);
            self.run_with(command.args(["verify", "--password-stdin", &user]), "wrong\n", 3)
        };
        let complete = || {
            let command = &mut Command::new(program(&users).get_program());
            command.env("DASH_USERS_COMPLETE", "bash").args(["--", "dash-users", "--database"]);
            self.run(command.arg(&users).args(["group", "add", &user, "s"]))
        };
        let mut works = [
            Work::new("import", || self.import(&file, &[])),
            Work::new("update", || {
                self.import_into(&users, &changed, &["--on-conflict", "update"])
            }),
            Work::new("list", || self.list(&users)),
            Work::new("export", || self.export(&users)),
            Work::new("check", || with(&["check"])),
            Work::new("show", || with(&["show", &user])),
            Work::new("verify", verify),
            Work::new("completion", complete),
        ];
        take_turns(rounds(ROUNDS[0]), &mut works);
        let cells = works.iter().map(|work| {
            let peak = work.peak().map_or_else(|| "?".to_owned(), |peak| format!("{peak:.0}"));
            format!("{:.1}, {peak} MiB", 1e3 * work.median())
        });
        print_row(std::iter::once(count.to_string()).chain(cells));
    }

    fn plaintext_passwords(&self, count: usize) {
        let file = self.file("plaintext.csv", "username,password,language", count, |random, _| {
            format!("{},en", random.text(ALPHANUMERIC, 16))
        });
        let import = |jobs| self.import(&file, &["--jobs", jobs]);
        let mut works = [
            Work::new(format!("`import` of {count} plaintext passwords, 2 jobs"), || import("2")),
            Work::new("Python, `generate_password_hash`", || self.python(HASH, &file)),
            Work::new("1 job", || import("1")),
        ];
        let bounds = [(0, 1, Some((1.0 / 6.0, 6.0 * 32.0 + 40.0))), (0, 2, None)];
        measure(rounds(ROUNDS[0]), &mut works, &bounds);
    }
}

/// Two works, and the bounds of their ratio and of the first one's memory.
type Pair = (usize, usize, Option<(f64, f64)>);

/// Runs works in turn, and prints comparisons of pairs.
fn measure(rounds: usize, works: &mut [Work<'_>], pairs: &[Pair]) {
    take_turns(rounds, works);
    for &(work, against, bounds) in pairs {
        let (work, against) = (&works[work], &works[against]);
        let peak = |work: &Work<'_>| {
            work.peak().map_or_else(|| "?".to_owned(), |peak| format!("{peak:.0}"))
        };
        let bounds =
            bounds.map_or_else(String::new, |(ratio, peak)| format!("{ratio:.2}, {peak:.0} MiB"));
        let cells = [peak(work), peak(against), bounds, rounds.to_string()];
        print_row(compare(work, against).into_iter().chain(cells));
    }
}

/// Running the works.
impl Bench {
    fn import(&self, file: &Path, options: &[&str]) -> Cost {
        self.import_into(&self.empty, file, options)
    }

    /// Imports into a copy of a database.
    fn import_into(&self, before: &Path, file: &Path, options: &[&str]) -> Cost {
        let database = self.dir.path().join("import.db");
        fs::copy(before, &database).expect("a copy of the database");
        self.run(program(&database).arg("import").arg(file).args(options))
    }

    fn python(&self, script: &str, file: &Path) -> Cost {
        let database = self.dir.path().join("python.db");
        // The first time, it does not exist.
        let _ = fs::remove_file(&database);
        self.run(
            self.python.command().args(["-c", &[OPEN, script].concat()]).arg(file).arg(database),
        )
    }

    /// The same in Python, with the bare table.
    fn upsert(&self, before: &Path, file: &Path) -> Cost {
        let database = self.dir.path().join("python.db");
        fs::copy(before, &database).expect("a copy of the database");
        self.run(self.python.command().args(["-c", UPSERT]).arg(file).arg(database))
    }

    fn export(&self, database: &Path) -> Cost {
        self.run(program(database).arg("export"))
    }

    fn list(&self, database: &Path) -> Cost {
        self.run(program(database).args(["list", "--format", "json"]))
    }

    fn shell(&self, format: &str, database: &Path, select: &str) -> Cost {
        let options = ["-batch", "-readonly", "-header", format];
        self.run(Command::new("sqlite3").args(options).arg(database).arg(select))
    }

    /// Runs a program, which must succeed.
    fn run(&self, command: &mut Command) -> Cost {
        self.run_with(command, "", 0)
    }

    fn run_with(&self, command: &mut Command, input: &str, status: i32) -> Cost {
        if !self.has_time {
            return time(command, input, status).into();
        }
        let report = self.dir.path().join("peak");
        let mut timed = Command::new(GNU_TIME);
        timed.args(["-q", "-f", "%M", "-o"]).arg(&report).arg(command.get_program());
        timed.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => timed.env(name, value),
                None => timed.env_remove(name),
            };
        }
        let seconds = time(&mut timed, input, status);
        let report = fs::read_to_string(report).expect("what GNU time wrote");
        let kibibytes: f64 = report.trim().parse().expect("kibibytes");
        Cost { seconds, peak: Some(kibibytes / 1024.0) }
    }
}

/// Databases and files, created once.
impl Bench {
    /// A database with the users of a file.
    fn database(&self, name: &str, file: &Path) -> PathBuf {
        let database = self.dir.path().join(name);
        if !database.exists() {
            time(program(&database).arg("import").arg(file), "", 0);
        }
        database
    }

    /// A database of Python with the users of a file.
    fn bare(&self, name: &str, file: &Path) -> PathBuf {
        let database = self.dir.path().join(name);
        if !database.exists() {
            let script = [OPEN, COPY].concat();
            let mut command = self.python.command();
            time(command.args(["-c", &script]).arg(file).arg(&database), "", 0);
        }
        database
    }

    /// The first users of a file, each line edited.
    fn edited(
        &self,
        name: &str,
        file: &Path,
        count: usize,
        edit: impl Fn(usize, &str) -> String,
    ) -> PathBuf {
        let path = self.dir.path().join(name);
        let lines = fs::read_to_string(file).expect("a file of users");
        let edited = |(number, line)| match number {
            0 => format!("{line}\n"),
            number => format!("{}\n", edit(number, line)),
        };
        let lines: String = lines.lines().take(count + 1).enumerate().map(edited).collect();
        fs::write(&path, lines).expect("the file is written");
        path
    }

    /// Users with hashes, all in one group and a tenth in another one.
    fn grouped(&self, count: usize) -> PathBuf {
        self.hashes(&format!("{count}.csv"), count, true)
    }

    fn hashes(&self, name: &str, count: usize, with_groups: bool) -> PathBuf {
        let groups = if with_groups { ",groups" } else { "" };
        let header = format!("username,password_hash,language{groups}");
        self.file(name, &header, count, |random, number| {
            let (salt, digest) = (random.text(ALPHANUMERIC, 16), random.text(HEXADECIMAL, 128));
            let groups = match number % 10 {
                _ if !with_groups => "",
                0 => ",admins;staff",
                _ => ",staff",
            };
            format!("scrypt:32768:8:1${salt}${digest},en{groups}")
        })
    }

    /// A CSV file of users, in no order.
    fn file(
        &self,
        name: &str,
        header: &str,
        count: usize,
        cells: impl Fn(&mut Random, usize) -> String,
    ) -> PathBuf {
        let path = self.dir.path().join(name);
        if !path.exists() {
            let mut random = Random(1);
            let mut numbers: Vec<usize> = (0..count).collect();
            numbers.sort_by_cached_key(|_| random.next());
            let mut file = BufWriter::new(File::create(&path).expect("a new file"));
            writeln!(file, "{header}").expect("the file is written");
            for number in numbers {
                let cells = cells(&mut random, number);
                writeln!(file, "{},{cells}", username(number)).expect("the file is written");
            }
            file.flush().expect("the file is written");
        }
        path
    }
}

fn username(number: usize) -> String {
    format!("user{number:07}")
}

fn is_there(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEXADECIMAL: &[u8] = b"0123456789abcdef";

/// The same numbers each time: `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let count = alphabet.len() as u64;
        let mut character = || alphabet[usize::try_from(self.next() % count).expect("an index")];
        (0..length).map(|_| char::from(character())).collect()
    }
}
