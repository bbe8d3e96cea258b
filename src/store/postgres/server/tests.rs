//! What a URL, the environment and files of libpq come to.

use super::*;

#[test]
fn no_password_is_shown() {
    for (url, shown) in [
        ("postgres://h/db", "postgresql://h/db"),
        ("postgresql+psycopg2://u:hunter2@h:5433/db", "postgresql://u@h:5433/db"),
        ("postgresql://u:hun@ter2@h/db?sslmode=disable", "postgresql://u@h/db?sslmode=disable"),
        ("postgresql://u:hun/ter2@h/db", "postgresql://u@h/db"),
        ("postgresql://u:hun?ter2@h/db?sslmode=disable", "postgresql://u@h/db?sslmode=disable"),
        ("postgresql://u:hun@ter?hunter2@h/db", "postgresql://u@ter"),
        ("postgresql://h/db?p%61ssword=hunter2&passwd=hunter2", "postgresql://h/db"),
        ("postgresql:///db?host=/run&password=hunter2", "postgresql:///db?host=/run"),
        ("postgresql://u:hunter2@", "postgresql://u@"),
    ] {
        let server = Server::new(url).with_environment(|_| Some("hunter2".to_owned()));
        assert_eq!(server.to_string(), shown);
        assert_eq!(format!("{server:?}"), format!("Server({shown})"));
    }
}

#[test]
fn what_the_url_leaves_out_comes_from_the_environment() {
    let environment = |name: &str| {
        let value = match name {
            "PGHOST" => "db.example.org",
            "PGPORT" => "6543",
            "PGUSER" => "carol",
            "PGPASSWORD" => "hunter2",
            "PGDATABASE" => "app",
            "PGSSLMODE" => "disable",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = |url| Server::new(url).with_environment(environment).config().unwrap().0;
    let all = config("postgresql://");
    assert_eq!(all.get_hosts(), [postgres::config::Host::Tcp("db.example.org".to_owned())]);
    assert_eq!((all.get_ports(), all.get_user()), (&[6543][..], Some("carol")));
    assert_eq!((all.get_dbname(), all.get_password()), (Some("app"), Some(&b"hunter2"[..])));
    let some = config("postgresql://a,[::1],b:7/db");
    assert_eq!(some.get_ports(), [6543, 6543, 7]);
    let own = config("postgresql://u:p%40ss@h:1/db?connect_timeout=3");
    assert_eq!((own.get_ports(), own.get_user()), (&[1][..], Some("u")));
    assert_eq!((own.get_dbname(), own.get_password()), (Some("db"), Some(&b"p@ss"[..])));
}

/// A server whose environment has these variables.
fn server(url: &str, variables: &[(&str, &str)]) -> Server {
    Server::new(url).with_environment(|name| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn config(url: &str, variables: &[(&str, &str)]) -> Config {
    server(url, variables).config().unwrap().0
}

#[test]
fn a_number_of_seconds_or_ten_is_waited_for_a_connection() {
    let timeout = |url: &str, seconds: &str| {
        let seconds = config(url, &[("PGCONNECT_TIMEOUT", seconds)]).get_connect_timeout().copied();
        seconds.unwrap().as_secs()
    };
    for (seconds, expected) in [("3", 3), ("0", 10), ("-1", 10), ("soon", 10), ("", 10)] {
        assert_eq!(timeout("postgresql://u@h/db", seconds), expected, "{seconds}");
    }
    assert_eq!(timeout("postgresql://u@h/db?connect_timeout=7", "3"), 7);
}

#[test]
fn a_connection_that_is_silent_is_given_up_unless_the_url_has_its_own_times() {
    let seconds = |query: &str| {
        let config = config(&format!("postgresql://u@h/db?{query}"), &[]);
        let interval = config.get_keepalives_interval().map(|interval| interval.as_secs());
        (config.get_keepalives_idle().as_secs(), interval)
    };
    assert_eq!(seconds(""), (10, Some(10)));
    assert_eq!(seconds("connect_timeout=7"), (10, Some(10)));
    assert_eq!(seconds("keepalives_idle=77"), (77, None));
    assert_eq!(seconds("connect_timeout=7&keepalives_idle=77"), (77, None));
}

#[test]
fn a_host_is_needed_where_the_url_has_no_address_either() {
    let hosts = |url: &str| config(url, &[("PGHOST", "x"), ("PGUSER", "u")]).get_hosts().len();
    assert_eq!(hosts("postgresql:///db"), 1);
    assert_eq!(hosts("postgresql:///db?hostaddr=127.0.0.1"), 0);
    assert_eq!(hosts("postgresql://a,b/db"), 2);
}

#[test]
fn a_socket_alone_needs_no_encryption() {
    use postgres::config::SslMode;

    for (url, mode) in [
        ("postgresql://u@h/db", SslMode::Prefer),
        ("postgresql://u@h/db?sslmode=disable", SslMode::Disable),
        ("postgresql://u@h/db?sslmode=require", SslMode::Require),
        ("postgresql://u@%2Frun/db?sslmode=require", SslMode::Disable),
        ("postgresql://u@%2Frun,h/db?sslmode=require", SslMode::Require),
        ("postgresql://u@%2Frun/db?sslmode=require&hostaddr=127.0.0.1", SslMode::Require),
    ] {
        assert_eq!(config(url, &[]).get_ssl_mode(), mode, "{url}");
    }
}

#[test]
fn authorities_in_the_home_directory_are_not_passed_over() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap())];
    let config = |mode: &str| {
        let url = format!("postgresql://u@h/db?sslmode={mode}");
        server(&url, &variables).config().map(drop)
    };
    assert_eq!(config("require"), Ok(()));
    assert!(config("verify-full").unwrap_err().contains("needs sslrootcert"));
    fs::create_dir(home.path().join(".postgresql")).unwrap();
    fs::write(home.path().join(".postgresql/root.crt"), "none").unwrap();
    assert!(config("require").unwrap_err().contains("by ~/.postgresql/root.crt"));
    assert!(config("verify-full").unwrap_err().contains("no certificate"));
    assert_eq!(config("prefer"), Ok(()));
    assert_eq!(config("disable"), Ok(()));
}

#[test]
fn the_authorities_of_the_system_are_asked_for_by_name() {
    let at = server("postgresql://u@h/db", &[]);
    let system = at.verification("verify-full", Some("system"));
    assert!(matches!(system, Ok(Verification::System)));
}

#[test]
fn a_password_comes_from_the_file_that_nobody_else_may_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pgpass");
    let lines = "#h:5432:db:u:comment\no:5432:db:u:other\nh:1:db:u:other\nh:5432:db:u\n\
                 h:*:db:u:a:b\nh:5432:db:u:late\nlocalhost:5432:db:u:socket\n\
                 /run:5432:db:u:elsewhere\nh:6543:*:*:port\n";
    fs::write(&path, lines).unwrap();
    let file = path.to_str().unwrap();
    let variables = [("PGPASSFILE", file)];
    let password = |url: &str| {
        let config = config(url, &variables);
        config.get_password().map(|password| String::from_utf8(password.to_vec()).unwrap())
    };
    let set_mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();

    set_mode(0o600);
    assert_eq!(password("postgresql://u@h/db").as_deref(), Some("a:b"));
    assert_eq!(password("postgresql://v@h:6543/x").as_deref(), Some("port"));
    assert_eq!(password("postgresql://u@/db?host=/tmp").as_deref(), Some("socket"));
    assert_eq!(password("postgresql://u@/db?host=/run").as_deref(), Some("elsewhere"));
    assert_eq!(password("postgresql://u@h/other"), None);
    assert_eq!(password("postgresql://u@h/db?passfile=/no/such/file"), None);
    assert_eq!(password("postgresql://u:own@h/db").as_deref(), Some("own"));
    let at = server("postgresql://u@h/db", &variables);
    assert_eq!(at.exposed_password_file(), None);
    for mode in [0o640, 0o604, 0o620] {
        set_mode(mode);
        assert_eq!(password("postgresql://u@h/db"), None, "{mode:o}");
        assert_eq!(at.exposed_password_file().as_deref(), Some(&*path), "{mode:o}");
    }
}

#[test]
fn a_weaker_verification_than_asked_for_is_refused_by_name() {
    for (query, part) in [
        ("sslmode=verify-ca", "sslmode=verify-ca is not known here"),
        ("sslmode=allow", "sslmode=allow is not known here"),
        ("sslmode=full", "none of disable"),
        ("user=a@b", "write %40"),
        ("sslmode=require&sslrootcert=/x", "use sslmode=verify-full"),
        ("sslmode=verify-full", "needs sslrootcert"),
        ("sslmode=verify-full&sslrootcert=/no/such/file", "/no/such/file"),
        ("keepalive=1", "keepalive"),
    ] {
        let url = format!("postgresql://u:hunter2@h/db?{query}");
        let error = Server::new(&url).config().err().expect(query);
        assert!(error.contains(part) && !error.contains("hunter2"), "{query}: {error}");
    }
}

#[test]
fn a_line_of_the_password_file_has_five_fields() {
    let read = |line| fields(line).iter().map(|field| field.to_string()).collect::<Vec<_>>();
    assert_eq!(read(r"h\:1:5432:*:u:a:b\\c"), ["h:1", "5432", "*", "u", r"a:b\c"]);
    assert_eq!(read(""), [""]);
}
