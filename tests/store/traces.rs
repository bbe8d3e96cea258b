use dash_users::*;
use std::collections::HashSet;
fn rnd(s: &mut u64) -> u64 {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    *s
}
#[test]
fn scratch() {
    for seed in 1..=6u64 {
        let t = std::time::Instant::now();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.db");
        let location = Location::parse(&path).unwrap();
        Users::init(&location, &NewFile::default()).unwrap();
        let mut users =
            Users::open(&location).unwrap().with_method("scrypt:128:8:1".parse().unwrap());
        let mut s = 88172645463325252u64 ^ (seed * 7919);
        let mut names: Vec<String> = Vec::new();
        let out = rusqlite::Connection::open(&path).unwrap();
        let get = |n: &str| -> String {
            out.query_row("SELECT password_hash FROM users WHERE username=?", [n], |r| r.get(0))
                .unwrap()
        };
        let mut old: Vec<String> = Vec::new();
        for i in 0..300 {
            let pad = "x".repeat((rnd(&mut s) % 200) as usize);
            let n = format!("{}{i}{pad}", rnd(&mut s) % 1000);
            let mut u = NewUser::new(n.parse().unwrap(), Password::from("x"));
            u.allow_weak = true;
            users.add(&u).unwrap();
            names.push(n);
        }
        eprintln!("added {:?}", t.elapsed());
        for _ in 0..600 {
            let k = (rnd(&mut s) % names.len() as u64) as usize;
            old.push(get(&names[k]));
            match rnd(&mut s) % 4 {
                0 => {
                    users.remove(&[names.swap_remove(k)], false).unwrap();
                }
                1 => {
                    users.rehash(&names[k], &Password::from("x")).unwrap();
                }
                _ => {
                    users.set_password(&names[k], &Password::from("x"), true).unwrap();
                }
            }
            if rnd(&mut s) % 4 == 0 {
                let n = format!("{}n", rnd(&mut s) % 1000000);
                let mut u = NewUser::new(n.parse().unwrap(), Password::from("x"));
                u.allow_weak = true;
                users.add(&u).unwrap();
                names.push(n);
            }
        }
        eprintln!("changed {:?}", t.elapsed());
        let file = std::fs::read(&path).unwrap();
        let windows: HashSet<&[u8]> = file.windows(16).collect();
        let mut found = 0;
        for o in &old {
            let d = o.rsplit('$').next().unwrap();
            if d.as_bytes().chunks(16).any(|c| windows.contains(c)) {
                found += 1;
            }
        }
        eprintln!(
            "seed {seed} old {} found {found} file {} {:?}",
            old.len(),
            file.len(),
            t.elapsed()
        );
    }
}
