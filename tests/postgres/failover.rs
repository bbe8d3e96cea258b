//! A standby takes over while apps log in and administrators make changes; and connections that
//! are cut anywhere.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dash_users::{
    EndSessions, Error, Location, Login, LoginRefusal, Method, NewUser, Password, StoreError, Users,
};

use crate::pgbouncer::Proxy;
use crate::program::{GOOD, SECRET123};
use crate::sample;
use crate::server::{Cluster, OWNER, SUPERUSER, connect};
use crate::skip::or_skip;
use crate::support::{assert_ok, await_queries, end, name, on};

/// Seconds.
const CONNECT_TIMEOUT: u64 = 2;

fn open(url: &str) -> Users {
    let method: Method = "scrypt:128:8:1".parse().unwrap();
    Users::open(&Location::parse(url).unwrap()).unwrap().with_method(method)
}

fn password(text: &str) -> Password {
    Password::from(text)
}

/// A primary and its standby, and a database with `alice`, whose password is good; `mallory`, who is
/// locked; and `bob`, whom the program locks and unlocks.
struct Pair {
    primary: Cluster,
    standby: Cluster,
    database: String,
}

impl Pair {
    fn start(is_synchronous: bool) -> Option<Self> {
        let mode = if is_synchronous { "on" } else { "local" };
        let primary = or_skip(Cluster::start(&[
            &format!("synchronous_commit = {mode}"),
            "wal_keep_size = 64MB",
        ]))?;
        let url = primary.database();
        let standby = or_skip(primary.standby(&["synchronous_standby_names = ''"]))?;
        let mut admin = primary.superuser(SUPERUSER);
        let is_connected = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        while admin.query_one(is_connected, &[]).unwrap().get::<_, i64>(0) == 0 {
            thread::sleep(Duration::from_millis(50));
        }
        if is_synchronous {
            let set = "ALTER SYSTEM SET synchronous_standby_names = 'standby'";
            admin.execute(set, &[]).unwrap();
            admin.execute("SELECT pg_reload_conf()", &[]).unwrap();
        }
        let sandbox = on(&url);
        sandbox.write(
            "users.csv",
            format!("username,password_hash\nmallory,{SECRET123}\nbob,{SECRET123}\n"),
        );
        assert_ok(&sandbox.run(&["import", "users.csv"]));
        assert_ok(&sandbox.run(&["lock", "mallory"]));
        assert_ok(&sandbox.run_with(GOOD, &["add", "alice", "--password-stdin"]));
        Some(Self { primary, standby, database: name(&url).to_owned() })
    }

    fn url(&self, role: &str) -> String {
        let hosts = format!("127.0.0.1:{},127.0.0.1:{}", self.primary.port(), self.standby.port());
        let (password, database) = (self.primary.password(), &self.database);
        format!(
            "postgresql://{OWNER}:{password}@{hosts}/{database}?target_session_attrs={role}\
             &connect_timeout={CONNECT_TIMEOUT}"
        )
    }

    /// Loses the primary. The standby takes over soon.
    fn fail_over(&self) {
        self.primary.kill();
        thread::sleep(Duration::from_millis(300));
        self.standby.promote();
    }
}

/// What clients saw. Times are in milliseconds since the start.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    /// The longest time without an answer to a login.
    longest_gap: AtomicI64,
    logins: AtomicUsize,
    /// The number of changes since the fail-over.
    changes: AtomicUsize,
    has_failed_over: AtomicBool,
    saved: Mutex<Vec<String>>,
    not_saved: Mutex<Vec<String>>,
    unknown: Mutex<Vec<String>>,
}

impl Seen {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether there were enough changes and logins.
    fn is_enough(&self) -> bool {
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        load(&self.changes) >= 20 && load(&self.logins) >= 20
    }

    /// Logs in all the time, as an app with the library.
    fn log_in(&self, url: &str) {
        let mut users = open(url);
        let mut answered = Instant::now();
        while !self.is_over() {
            match users.log_in("alice", &password(GOOD)) {
                Ok(login) => {
                    assert!(matches!(login, Login::Accepted { .. }), "{login:?}");
                    let gap = i64::try_from(answered.elapsed().as_millis()).unwrap();
                    self.longest_gap.fetch_max(gap, Ordering::Relaxed);
                    self.logins.fetch_add(1, Ordering::Relaxed);
                    answered = Instant::now();
                }
                Err(Error::Store(_)) => thread::sleep(Duration::from_millis(10)),
                Err(error) => panic!("{error}"),
            }
            for (user, guess) in [("mallory", "secret123"), ("alice", "secret123"), ("eve", GOOD)] {
                if let Ok(login) = users.log_in(user, &password(guess)) {
                    assert!(matches!(login, Login::Refused(_)), "{user} was let in: {login:?}");
                }
            }
        }
    }

    /// Adds users all the time, as an administrator with the library.
    fn add(&self, url: &str, prefix: &str) {
        let mut users = open(url);
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let user = format!("{prefix}{number}");
            let mut new = NewUser::new(user.parse().unwrap(), password("secret"));
            new.allow_weak = true;
            match users.add(&new) {
                Ok(()) => {
                    self.saved.lock().unwrap().push(user);
                    if self.has_failed_over.load(Ordering::Relaxed) {
                        self.changes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(Error::Store(
                    StoreError::Unconfirmed { .. } | StoreError::Unreplicated { .. },
                )) => self.unknown.lock().unwrap().push(user),
                Err(Error::Store(_)) => {
                    self.not_saved.lock().unwrap().push(user);
                    thread::sleep(Duration::from_millis(10));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Locks and unlocks bob with the program, and looks whether it is so.
    fn lock(&self, url: &str) {
        let sandbox = on(url);
        let mut is_locked = false;
        while !self.is_over() {
            is_locked = !is_locked;
            let run = sandbox.run(&[if is_locked { "lock" } else { "unlock" }, "bob"]);
            match run.status {
                // It is not saved, or not known.
                4 | 5 | 11 => {}
                0 => {
                    let show = sandbox.run(&["show", "bob", "--json"]);
                    assert!(
                        show.status != 0 || show.json()["locked"] == is_locked,
                        "{is_locked} is not kept: {show}"
                    );
                    if self.has_failed_over.load(Ordering::Relaxed) {
                        self.changes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                _ => panic!("{run}"),
            }
        }
    }

    /// Runs clients while `fail_over` runs, and until some changes are made afterwards.
    fn during(&self, [read, write]: [&str; 2], fail_over: impl FnOnce()) {
        thread::scope(|scope| {
            let clients = [
                scope.spawn(|| self.log_in(read)),
                scope.spawn(|| self.log_in(write)),
                scope.spawn(|| self.add(write, "x")),
                scope.spawn(|| self.add(write, "y")),
                scope.spawn(|| self.lock(write)),
            ];
            thread::sleep(Duration::from_millis(700));
            fail_over();
            self.has_failed_over.store(true, Ordering::Relaxed);
            let deadline = Instant::now() + Duration::from_secs(40);
            while !self.is_enough()
                && Instant::now() < deadline
                && !clients.iter().any(thread::ScopedJoinHandle::is_finished)
            {
                thread::sleep(Duration::from_millis(20));
            }
            self.is_over.store(true, Ordering::Relaxed);
        });
        assert!(self.is_enough(), "changes or logins do not resume");
    }

    /// Compares what clients saw with what the server has.
    fn check(&self, users: &mut Users, is_lossless: bool) {
        let names: Vec<_> = users.names("", u32::MAX).unwrap();
        let has = |user: &String| names.contains(user);
        let (saved, not_saved) = (self.saved.lock().unwrap(), self.not_saved.lock().unwrap());
        if is_lossless {
            let lost: Vec<_> = saved.iter().filter(|user| !has(user)).collect();
            assert!(lost.is_empty(), "lost: {lost:?}");
        }
        let extra: Vec<_> = not_saved.iter().filter(|user| has(user)).collect();
        assert!(extra.is_empty(), "saved: {extra:?}");
        assert!(matches!(
            users.log_in("mallory", &password("secret123")).unwrap(),
            Login::Refused(LoginRefusal::Locked { .. })
        ));
        // The history has each addition once.
        let mut added = 0;
        for event in users.history(None, None).unwrap() {
            added += usize::from(event.action.to_string() == "add");
        }
        let written = names.iter().filter(|name| name.starts_with(['x', 'y'])).count();
        // And alice.
        assert_eq!(added, written + 1);
        let gap = self.longest_gap.load(Ordering::Relaxed);
        eprintln!(
            "{} logins, longest gap {gap} ms; {} saved, {} not saved, {} unknown",
            self.logins.load(Ordering::Relaxed),
            saved.len(),
            not_saved.len(),
            self.unknown.lock().unwrap().len()
        );
    }
}

fn survive(is_synchronous: bool) {
    let Some(pair) = Pair::start(is_synchronous) else { return };
    let seen = Seen::default();
    seen.during([&pair.url("any"), &pair.url("read-write")], || pair.fail_over());
    let mut users = open(&pair.url("read-write"));
    seen.check(&mut users, is_synchronous);
    // The clients of the writer wait for the new primary, too.
    let gap = seen.longest_gap.load(Ordering::Relaxed);
    assert!(gap < i64::try_from(CONNECT_TIMEOUT).unwrap() * 1000 + 3000, "{gap} ms");
    assert_ok(&on(&pair.url("read-write")).run(&["init"]));
    assert_ok(&on(&pair.url("read-write")).run(&["check"]));
}

#[test]
fn fail_over_with_synchronous_standby_loses_nothing() {
    survive(true);
}

#[test]
fn fail_over_with_asynchronous_standby_resumes() {
    survive(false);
}

#[test]
fn fail_over_behind_pgbouncer_loses_nothing() {
    let Some(pair) = Pair::start(true) else { return };
    let Some(proxy) = or_skip(Proxy::start_with(&pair.primary, 4)) else { return };
    let url =
        format!("{}?connect_timeout={CONNECT_TIMEOUT}", proxy.url(&pair.primary, &pair.database));
    let seen = Seen::default();
    seen.during([&url, &url], || {
        pair.fail_over();
        proxy.lead_to(&pair.standby);
    });
    seen.check(&mut open(&url), true);
}

#[test]
fn commit_at_fail_over_is_found_or_repeated() {
    for (args, input, event) in [
        (&["lock", "bob"][..], "", "lock"),
        (&["add", "carol", "--password-stdin"], GOOD, "add"),
        (&["passwd", "bob", "--password-stdin"], GOOD, "passwd"),
        (&["import", "users.csv", "--on-conflict", "skip"], "", "import"),
    ]
    .into_iter()
    .take(sample::of(2, 4))
    {
        let Some(pair) = Pair::start(true) else { return };
        let url = pair.url("read-write");
        let sandbox = on(&url);
        sandbox.write("users.csv", format!("username,password_hash\ncarol,{SECRET123}\n"));
        sandbox.write("input", input);
        let count = || {
            let history = sandbox.run(&["history", "--action", event, "--format", "plain"]);
            history.stdout.lines().count()
        };
        let before = count();
        // The standby does not confirm the commit, and may not receive it.
        pair.standby.freeze(true);
        let mut command = sandbox.command(args);
        command.stdin(fs::File::open(sandbox.path("input")).unwrap());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        await_queries(&pair.primary, 1);
        pair.primary.kill();
        pair.standby.freeze(false);
        pair.standby.promote();
        let (status, stderr) = end(child);
        assert_eq!(status, Some(0), "{args:?}: {stderr}");
        assert_eq!(count(), before + 1, "{args:?}: {stderr}");
    }
}

#[test]
fn frozen_primary_is_left_after_connect_timeout() {
    let Some(pair) = Pair::start(false) else { return };
    let read = pair.url("any");
    pair.primary.freeze(true);
    let begin = Instant::now();
    let login = open(&read).log_in("alice", &password(GOOD)).unwrap();
    let time = begin.elapsed();
    pair.primary.freeze(false);
    assert!(matches!(login, Login::Accepted { .. }));
    assert!(time < Duration::from_secs(CONNECT_TIMEOUT + 2), "{time:?}");
}

#[test]
fn lost_connection_is_replaced_at_next_transaction() {
    let Some(cluster) = or_skip(Cluster::start(&["synchronous_commit = on"])) else { return };
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    let mut users = open(&url);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename = 'owner' AND pid <> pg_backend_pid()";
    for restart in [false, true] {
        for step in 0..4 {
            if restart {
                cluster.restart();
            } else {
                cluster.superuser(SUPERUSER).execute(end, &[]).unwrap();
            }
            match step {
                0 => drop(users.log_in("alice", &password("secret123")).unwrap()),
                1 => drop(users.lock(&["alice"]).unwrap()),
                2 => drop(users.unlock(&["alice"]).unwrap()),
                _ => drop(users.end_sessions(EndSessions::All).unwrap()),
            }
        }
    }
    // Without a server, the error is the reason. It is no reason to give up.
    cluster.stop();
    let error = users.list().unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
    cluster.restart();
    assert_eq!(users.list().unwrap().len(), 2);
}

/// Passes connections on to a server. The first one is cut after a number of bytes in both
/// directions together.
fn cutting(server: u16, budget: usize) -> (u16, &'static AtomicI64) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let budget = i64::try_from(budget).unwrap();
    let left: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(budget)));
    thread::spawn(move || {
        let unlimited: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(i64::MAX)));
        for (index, near) in listener.incoming().flatten().enumerate() {
            let far = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let left = if index == 0 { left } else { unlimited };
            let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || pass(near, far, left));
            thread::spawn(move || pass(far_too, near_too, left));
        }
    });
    (port, left)
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicI64) {
    let mut buffer = [0; 1 << 14];
    loop {
        let count = from.read(&mut buffer).unwrap_or_default();
        let size = i64::try_from(count).unwrap();
        let before = left.fetch_sub(size, Ordering::SeqCst);
        let passed = usize::try_from(before.clamp(0, size)).unwrap();
        if to.write_all(&buffer[..passed]).is_err() || count == 0 || passed < count {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

#[test]
fn connection_cut_anywhere_tells_the_truth() {
    let Some(cluster) = or_skip(Cluster::start(&["synchronous_commit = on"])) else { return };
    let direct = cluster.database();
    assert_ok(&on(&direct).run(&["seed"]));
    let mut admin = connect(&direct);
    let conversation = |budget: usize| {
        let (port, left) = cutting(cluster.port(), budget);
        let url = direct.replace(&format!(":{}/", cluster.port()), &format!(":{port}/"));
        let method: Method = "scrypt:128:8:1".parse().unwrap();
        let users = Users::open(&Location::parse(&url).unwrap());
        let changed = users.and_then(|users| users.with_method(method).lock(&["alice"]));
        (changed, i64::try_from(budget).unwrap() - left.load(Ordering::SeqCst))
    };
    let (changed, whole) = conversation(1 << 40);
    assert_eq!(changed.unwrap(), [true]);
    let whole = usize::try_from(whole).unwrap();
    let is_locked = |admin: &mut postgres::Client| -> bool {
        let select = "SELECT password_hash LIKE '!%' FROM users WHERE username = 'alice'";
        admin.query_one(select, &[]).unwrap().get(0)
    };
    let (mut saved, mut lost) = (0, 0);
    // The end, where the commit is, at each byte.
    let tail = whole - sample::of(60, 400);
    let steps = (1..tail).step_by(sample::of(whole / 60, 1)).chain(tail..=whole);
    for budget in steps {
        assert!(open(&direct).unlock(&["alice"]).is_ok());
        let (changed, _) = conversation(budget);
        match changed {
            Ok(changed) => {
                assert!(is_locked(&mut admin), "{budget}: {changed:?}");
                saved += 1;
            }
            Err(Error::Store(error)) => {
                let unknown = matches!(error, StoreError::Unconfirmed { .. });
                assert!(!unknown, "{budget} of {whole}: {error}");
                assert!(!is_locked(&mut admin), "{budget} of {whole}: {error}");
                lost += 1;
            }
            Err(error) => panic!("{budget}: {error}"),
        }
    }
    assert!(saved > 20 && lost > 3, "{saved} saved, {lost} lost");
    let events = "SELECT count(*) FILTER (WHERE action = 'lock')
                         - count(*) FILTER (WHERE action = 'unlock') FROM user_events";
    let events: i64 = admin.query_one(events, &[]).unwrap().get(0);
    assert_eq!(events, i64::from(is_locked(&mut admin)));
}
