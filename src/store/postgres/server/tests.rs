//! Settings from URLs, the environment and libpq's files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use postgres::Config;
use postgres::config::{Host, SslMode};

use super::files::fields;
use super::*;
use crate::Location;

/// Parses a URL.
fn parse(url: &str) -> Server {
    match Location::parse(url) {
        Ok(Location::Postgres(server)) => server,
        other => panic!("{url}: {other:?}"),
    }
}

#[test]
fn url_is_shown_without_its_password() {
    for (url, shown) in [
        ("postgres://h/db", "postgresql://h/db"),
        ("POSTGRESQL://h/db", "postgresql://h/db"),
        ("postgresql+psycopg2://u:hunter2@h:5433/db", "postgresql://u@h:5433/db"),
        ("postgresql://u:hun/ter2@h/db", "postgresql://u@h/db"),
        ("postgresql://u:hun?ter#2@h/db?sslmode=disable", "postgresql://u@h/db?sslmode=disable"),
        ("postgresql:///db?host=/run&password=hunter2", "postgresql:///db?host=/run"),
        ("postgresql:///db?p%61ssword=hunter2&sslpassword=hunter2", "postgresql:///db"),
        ("postgresql://u:hunter2@", "postgresql://u@"),
        ("postgresql+psycopg_async://u:hunter2@h/db", "postgresql://u@h/db"),
        ("postgresql+my.own-driver_2://u:hunter2@h/db", "postgresql://u@h/db"),
        ("postgresql://h/db?options=-c%20app.secret%3Dhunter2", "postgresql://h/db"),
        (
            "postgresql://h/db?options=-csearch_path%3Dapp,public",
            "postgresql://h/db?options=-csearch_path%3Dapp,public",
        ),
        ("postgresql://h/db?options=-csearch_path%3Dapp%20-cx%3Dhunter2", "postgresql://h/db"),
        ("postgresql://h/db?sslmode=require;password=hunter2", "postgresql://h/db"),
        ("postgresql://h/db?sslmode=require%3Bhunter2&port=1", "postgresql://h/db?port=1"),
        ("postgresql://u:hunter2@h/db?ssl=require\n", "postgresql://u@h/db?ssl=require"),
    ] {
        let server = parse(url).with_environment(|_| Some("hunter2".to_owned()));
        assert_eq!(server.to_string(), shown);
        assert_eq!(format!("{server:?}"), format!("Server({shown})"));
    }
}

#[test]
fn malformed_url_error_names_part() {
    for (url, part) in [
        ("postgres://dba%40srv:hunter@hunter2/w#rd@h", "more than one '@'"),
        ("postgresql://u:hunter2@h/db?user=a@b", "more than one '@'"),
        ("postgresql://u:hunter2/db", "no valid port"),
        ("postgresql://u:hunter2@h:hunter2/db", "no valid port"),
        ("postgresql://u:hunter2@h:99999/db", "no valid port"),
        ("postgresql://u:hunter2%@h/db", "in its password"),
        ("postgresql://hunter2%zz:p@h/db", "in its username"),
        ("postgresql://u:hunter2%00@h/db", "NUL"),
        ("postgresql://u:hunter2%ff@h/db", "not UTF-8"),
        ("postgresql://u:hunter 2@h/db", "contains a blank"),
        ("postgresql://u:hunter2@h/db#hunter2", "contains a '#'"),
        ("postgresql://u:hunter2@[::1/db", "without ']'"),
        ("postgresql://h/db;password=hunter2", "in its database name"),
        ("postgresql://h/db&password=hunter2", "in its database name"),
        ("postgresql://h/db%20password=hunter2", "in its database name"),
        ("postgresql://h;password=hunter2/db", "more than a name in its host"),
        ("postgresql://u%3Ahunter2@h/db", "in its username"),
        ("postgresql://u;hunter2@h/db", "in its username"),
        ("postgresql://u/hunter2@h/db", "in its username"),
        ("postgresql://h/db?user=u:hunter2", "in its username"),
        ("postgresql://u@h/db?password=a&hunter2", "without '='"),
        ("postgresql://u@h/db?password=a&hunter2=b", "unknown option after '?' (number 2)"),
        ("postgresql://h/db?passwd=hunter2", "unknown option after '?' (number 1)"),
    ] {
        let error = Location::parse(url).expect_err(url).to_string();
        assert!(error.contains(part) && !error.contains("hunter2"), "{url}: {error}");
    }
}

#[test]
fn url_password_accepts_encoded_punctuation() {
    let punctuation: String = (' '..='~').filter(|c| !c.is_ascii_alphanumeric()).collect();
    let encoded: Vec<_> = punctuation.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let config = config(&format!("postgresql://u%40s:{encoded}@h/a%20b-c.d"), &[]);
    assert_eq!(config.get_password(), Some(punctuation.as_bytes()));
    assert_eq!((config.get_user(), config.get_dbname()), (Some("u@s"), Some("a b-c.d")));
}

/// What is no name, with the setting that it was written in.
const OVERFULL: &[(&str, &str)] = &[
    ("dbname", "postgresql://u:hunter2@h/db"),
    ("dbname", "host=h password=hunter2"),
    ("dbname", "db;password=hunter2"),
    ("dbname", "db&password=hunter2"),
    ("dbname", "u:hunter2"),
    ("dbname", "db/hunter2"),
    ("dbname", "hunter2@h"),
    ("user", "postgres:hunter2"),
    ("user", "postgres;hunter2"),
    ("user", "postgres/hunter2"),
    ("user", "postgres password=hunter2"),
    ("host", "h;password=hunter2"),
    ("host", "h password=hunter2"),
    ("host", "postgresql://u:hunter2@h"),
    ("host", "u:hunter2@h"),
];

#[test]
fn name_with_a_password_is_refused_wherever_it_is_set() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pg_service.conf");
    let home = home.path().to_str().unwrap();
    for (name, value) in OVERFULL {
        let variable = match *name {
            "dbname" => "PGDATABASE",
            "user" => "PGUSER",
            _ => "PGHOST",
        };
        let wrong = format!("the value of {variable} is invalid");
        let error = fault("postgresql://", &[(variable, value)]);
        assert!(error.contains(&wrong) && !error.contains("hunter2"), "{value}: {error}");
        fs::write(&file, format!("[app]\n{name}={value}\n")).unwrap();
        let wrong = format!("the value of {name} of the service is invalid");
        let error = fault("postgresql://?service=app", &[("HOME", home)]);
        assert!(error.contains(&wrong) && !error.contains("hunter2"), "{value}: {error}");
        let encoded =
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        let part = match *name {
            "dbname" => format!("/{encoded}"),
            "user" => format!("{encoded}@h"),
            _ => encoded.clone(),
        };
        for url in [format!("postgresql://{part}"), format!("postgresql://?{name}={encoded}")] {
            let error = Location::parse(&url).expect_err(&url).to_string();
            assert!(
                error.contains("username")
                    || error.contains("database name")
                    || error.contains("host"),
                "{url}: {error}"
            );
        }
    }
    let variables = [("PGDATABASE", "my app-2.é"), ("PGUSER", "u@server"), ("PGHOST", "/run/x")];
    assert_eq!(fault("postgresql://", &variables), "");
}

#[test]
fn setting_refused_by_the_server_is_named() {
    let named = |url: &str, variables: &[(&str, &str)]| {
        let names = server(url, variables).plan().map(|plan| plan.names).ok().unwrap();
        (names.user, names.database, names.options)
    };
    let (user, database, options) = named("postgresql://u@h/db?options=-cx%3Dhunter2", &[]);
    assert_eq!((&*user, &*database), ("user \"u\"", "database \"db\""));
    assert_eq!(options.as_deref(), Some("the options of the URL"));
    let variables = [("PGUSER", "hunter2"), ("PGDATABASE", "hunter2"), ("PGOPTIONS", "hunter2")];
    let (user, database, options) = named("postgresql://h", &variables);
    assert_eq!((&*user, &*database), ("the user set by PGUSER", "the database set by PGDATABASE"));
    assert_eq!(options.as_deref(), Some("PGOPTIONS"));
    let (_, database, options) = named("postgresql://h", &variables[..1]);
    assert_eq!((&*database, options), ("the database named like the user", None));
}

#[test]
fn url_gaps_are_filled_from_the_environment() {
    let environment = [
        ("PGHOST", "db.example.org"),
        ("PGPORT", "6543"),
        ("PGUSER", "carol"),
        ("PGPASSWORD", "hunter2"),
        ("PGDATABASE", "app"),
        ("PGSSLMODE", "disable"),
        ("PGOPTIONS", "-csearch_path=t1"),
        ("PGAPPNAME", "nightly"),
    ];
    let configs = |url| hosts(url, &environment);
    let all = &configs("postgresql://")[0];
    assert_eq!(all.get_hosts(), [Host::Tcp("db.example.org".to_owned())]);
    assert_eq!((all.get_ports(), all.get_user()), (&[6543][..], Some("carol")));
    assert_eq!((all.get_dbname(), all.get_password()), (Some("app"), Some(&b"hunter2"[..])));
    assert_eq!(all.get_options(), Some("-csearch_path=t1"));
    assert_eq!(all.get_application_name(), Some("nightly"));
    let ports = |url| configs(url).iter().map(|host| host.get_ports()[0]).collect::<Vec<_>>();
    assert_eq!(ports("postgresql://a,[::1],b:7/db"), [6543, 6543, 7]);
    assert_eq!(ports("postgresql://u@/db?host=a:1&host=b:2"), [1, 2]);
    assert_eq!(ports("postgresql://a,b/db?port=1,2"), [1, 2]);
    let own = &configs("postgresql://u:p%40ss@h:1/db?connect_timeout=3&options=-cx%3D1")[0];
    assert_eq!((own.get_ports(), own.get_user()), (&[1][..], Some("u")));
    assert_eq!((own.get_dbname(), own.get_password()), (Some("db"), Some(&b"p@ss"[..])));
    assert_eq!(own.get_options(), Some("-cx=1"));
}

/// A server whose environment has these variables.
fn server(url: &str, variables: &[(&str, &str)]) -> Server {
    parse(url).with_environment(|name| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn hosts(url: &str, variables: &[(&str, &str)]) -> Vec<Config> {
    let plan = server(url, variables).plan();
    plan.unwrap_or_else(|fault| panic!("{url}: {fault:?}")).hosts
}

fn config(url: &str, variables: &[(&str, &str)]) -> Config {
    hosts(url, variables).remove(0)
}

/// Why a connection is not tried, and what to do.
fn fault(url: &str, variables: &[(&str, &str)]) -> String {
    match server(url, variables).plan() {
        Ok(_) => String::new(),
        Err(Fault::Setting(BadSetting { reason, hint })) => format!("{reason}: {hint}"),
        Err(Fault::File(BadSetting { reason, hint })) => format!("file: {reason}: {hint}"),
    }
}

#[test]
fn connect_timeout_defaults_to_ten_seconds() {
    let timeout = |url: &str, seconds: &str| {
        let seconds = config(url, &[("PGCONNECT_TIMEOUT", seconds)]).get_connect_timeout().copied();
        seconds.unwrap().as_secs()
    };
    for (seconds, expected) in [("3", 3), ("0", 10), ("-1", 10), ("", 10)] {
        assert_eq!(timeout("postgresql://u@h/db", seconds), expected, "{seconds}");
    }
    assert_eq!(timeout("postgresql://u@h/db?connect_timeout=7", "3"), 7);
}

#[test]
fn keepalive_defaults_yield_to_url() {
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
fn url_without_host_or_address_is_rejected() {
    let hosts = |url: &str, variables: &[(&str, &str)]| {
        let hosts = self::hosts(url, variables);
        let name = |host: &Config| match host.get_hosts() {
            [Host::Tcp(name)] => (name.clone(), host.get_hostaddrs().to_owned()),
            other => panic!("{other:?}"),
        };
        hosts.iter().map(name).collect::<Vec<_>>()
    };
    let address: std::net::IpAddr = "127.0.0.1".parse().unwrap();
    let (x, with_address) = (("x".to_owned(), vec![]), ("x".to_owned(), vec![address]));
    assert_eq!(hosts("postgresql://u@/db", &[("PGHOST", "x")]), *std::slice::from_ref(&x));
    assert_eq!(
        hosts("postgresql://u@/db?hostaddr=127.0.0.1", &[("PGHOST", "x")]),
        *std::slice::from_ref(&with_address)
    );
    assert_eq!(hosts("postgresql://u@x/db", &[("PGHOSTADDR", "127.0.0.1")]), [with_address]);
    let alone = ("127.0.0.1".to_owned(), vec![address]);
    assert_eq!(hosts("postgresql://u@/db", &[("PGHOSTADDR", "127.0.0.1")]), [alone]);
    assert_eq!(hosts("postgresql://u@a,b/db", &[]).len(), 2);
    assert_eq!(hosts("postgresql://u@a/db?host=x", &[]), [x]);
}

#[test]
fn only_sockets_need_no_encryption() {
    for (url, mode) in [
        ("postgresql://u@h/db", SslMode::Prefer),
        ("postgresql://u@h/db?sslmode=disable", SslMode::Disable),
        ("postgresql://u@h/db?sslmode=require", SslMode::Require),
        ("postgresql://u@%2Frun/db?sslmode=require", SslMode::Disable),
        ("postgresql://u@h,%2Frun/db?sslmode=require", SslMode::Require),
        ("postgresql://u@%2Frun,h/db?sslmode=require", SslMode::Disable),
        ("postgresql://u@%2Frun/db?sslmode=require&hostaddr=127.0.0.1", SslMode::Require),
    ] {
        assert_eq!(config(url, &[]).get_ssl_mode(), mode, "{url}");
    }
}

#[test]
fn root_crt_in_home_is_not_ignored() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap())];
    let fault = |mode: &str| fault(&format!("postgresql://u@h/db?sslmode={mode}"), &variables);
    assert_eq!(fault("require"), "");
    assert!(fault("verify-full").contains("needs sslrootcert"));
    fs::create_dir(home.path().join(".postgresql")).unwrap();
    fs::write(home.path().join(".postgresql/root.crt"), "none").unwrap();
    assert!(fault("require").contains("with ~/.postgresql/root.crt"));
    assert!(fault("verify-full").contains("no PEM certificate"));
    assert_eq!(fault("prefer"), "");
    assert_eq!(fault("disable"), "");
}

#[test]
fn password_is_read_from_private_pgpass_only() {
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
    assert_eq!(password("postgresql://u@x,h/db"), None);
    for mode in [0o640, 0o604, 0o620] {
        set_mode(mode);
        assert_eq!(password("postgresql://u@h/db"), None, "{mode:o}");
        assert_eq!(at.exposed_password_file().as_deref(), Some(&*path), "{mode:o}");
    }
}

#[test]
fn home_is_found_without_variable() {
    let home = passwd_entry().unwrap().dir;
    assert_eq!(server("postgresql://u@h/db", &[]).home(), Some(home));
    assert_eq!(server("postgresql://u@h/db", &[("HOME", "/x")]).home(), Some("/x".into()));
    // Without with_environment, the environment is not used.
    assert_eq!(parse("postgresql://u@h/db").home(), None);
    let name = passwd_entry().unwrap().name;
    assert_eq!(config("postgresql://h/db", &[]).get_user(), Some(&*name));
}

#[test]
fn supported_and_harmless_options_are_accepted() {
    for query in [
        "client_encoding=latin1",
        "gssencmode=prefer",
        "gssencmode=disable",
        "krbsrvname=postgres",
        "fallback_application_name=x",
        "sslsni=0",
        "sslsni=1",
        "sslcompression=1",
        "keepalives=0",
        "keepalives_count=3",
        "tcp_user_timeout=1000",
        "channel_binding=require",
        "target_session_attrs=any",
        "target_session_attrs=read-write",
        "target_session_attrs=read-only",
        "target_session_attrs=primary",
        "target_session_attrs=standby",
        "target_session_attrs=prefer-standby",
        "load_balance_hosts=random",
        "options=endpoint%3Dx",
        "sslmode=require&channel_binding=require",
        "ssl_min_protocol_version=TLSv1.3",
        "ssl_min_protocol_version=TLSv1",
        "ssl_max_protocol_version=TLSv1.2",
        "requiressl=0",
        "replication=false",
        "sslcertmode=disable&sslcert=/no/such/file",
        "ssl=require",
        "prepared_statement_cache_size=0",
        "pgbouncer=true&connection_limit=1",
        "sslpassword=x",
        "sslnegotiation=direct&sslmode=require",
        "require_auth=",
        "min_protocol_version=3.0",
    ] {
        assert_eq!(fault(&format!("postgresql://u@h/db?{query}"), &[]), "", "{query}");
    }
    let config = |query: &str| config(&format!("postgresql://u@h/db?{query}"), &[]);
    assert_eq!(config("ssl=disable").get_ssl_mode(), SslMode::Disable);
    assert_eq!(config("fallback_application_name=x").get_application_name(), Some("x"));
    // libpq's milliseconds.
    let silence = config("tcp_user_timeout=1500").get_tcp_user_timeout().copied();
    assert_eq!(silence, Some(std::time::Duration::from_millis(1500)));
    let own = |query: &str| {
        let url = format!("postgresql://u@/db?{query}");
        self::config(&url, &[("PGHOST", "x"), ("PGSSLMODE", "disable")])
    };
    assert_eq!(own("ssl=require").get_ssl_mode(), SslMode::Require);
    let socket = own("unix_sock=/run/x/.s.PGSQL.5433");
    assert_eq!(
        (socket.get_hosts(), socket.get_ports()),
        (&[Host::Unix("/run/x".into())][..], &[5433][..])
    );
}

#[test]
fn unsupported_option_suggests_alternative() {
    for (query, part) in [
        ("sslmode=verify-ca", "sslmode=verify-ca is not supported"),
        ("sslmode=verify-ca", "use sslmode=verify-full"),
        ("sslmode=allow", "use sslmode=prefer"),
        ("sslmode=full", "is not disable"),
        ("sslmode=require&sslrootcert=/x", "use sslmode=verify-full"),
        ("sslmode=verify-full", "needs sslrootcert"),
        ("sslmode=verify-full&sslrootcert=/no/such/file", "file: /no/such/file"),
        ("gssencmode=require", "use gssencmode=disable"),
        ("require_auth=scram-sha-256", "use channel_binding=require"),
        ("requirepeer=postgres", "use host=localhost"),
        ("requiressl=1", "use sslmode=require"),
        ("sslcrldir=/x", "use sslcrl=FILE"),
        ("sslkeylogfile=/x", "without sslkeylogfile"),
        ("ssl_max_protocol_version=TLSv1.1", "TLSv1.2 or TLSv1.3"),
        ("ssl_min_protocol_version=SSLv3", "must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"),
        ("target_session_attrs=hunter2", "must be any, read-write, read-only, primary"),
        ("channel_binding=hunter2", "must be disable, prefer or require"),
        ("sslsni=hunter2", "must be 0 or 1"),
        ("connect_timeout=hunter2", "must be a whole number"),
        ("hostaddr=hunter2", "must be an IP address"),
        ("hostaddr=127.0.0.1,127.0.0.2", "must be one address for each host"),
        ("port=1,2", "one port, or one for each host"),
        ("port=hunter2", "the number of a port"),
        ("replication=database", "without replication"),
        ("ssl=true", "sslmode=verify-full"),
        ("schema=t1", "use options=-csearch_path%3Dt1"),
        ("schema=My+App", "use options=-csearch_path%3DSCHEMA"),
        ("currentSchema=t1", "use options=-csearch_path%3Dt1"),
        ("timeout=3", "use connect_timeout=SECONDS"),
        ("unix_sock=/x", "use host=DIRECTORY"),
        ("sslcert=/no/such/file&sslkey=/no/such/file", "file: /no/such/file"),
        ("sslcert=/no/such/file", "file: /no/such/file has no private key"),
        ("service=none", "no service file has the service that service names"),
        ("servicefile=/no/such/file&service=x", "cannot read the service file"),
    ] {
        let url = format!("postgresql://u:hunter2@h/db?{query}");
        let error = fault(&url, &[("HOME", "/no/such/directory")]);
        assert!(error.contains(part) && !error.contains("hunter2"), "{query}: {error}");
    }
    for (variable, value, part) in [
        ("PGREQUIREAUTH", "scram-sha-256", "PGREQUIREAUTH is not supported"),
        ("PGGSSENCMODE", "require", "PGGSSENCMODE is not supported"),
        ("PGREQUIREPEER", "hunter2", "PGREQUIREPEER is not supported"),
        ("PGSSLCRLDIR", "/hunter2", "PGSSLCRLDIR is not supported"),
        ("PGCONNECT_TIMEOUT", "hunter2", "the value of PGCONNECT_TIMEOUT is invalid"),
        ("PGTARGETSESSIONATTRS", "hunter2", "the value of PGTARGETSESSIONATTRS is invalid"),
        ("PGPORT", "hunter2", "the value of PGPORT is invalid"),
        ("PGMINPROTOCOLVERSION", "3.2", "PGMINPROTOCOLVERSION is not supported"),
    ] {
        let error = fault("postgresql://u@h/db", &[(variable, value)]);
        assert!(error.contains(part) && !error.contains("hunter2"), "{variable}: {error}");
    }
}

#[test]
fn service_ranks_between_url_and_environment() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pg_service.conf");
    let text = "# ours\n[other]\nhost=no\n\n[app]\nhost=db.example.org\nport=6543\nuser=carol\n\
                password=hunter2\ndbname=app\n[app]\nhost=late\n";
    fs::write(&file, text).unwrap();
    let home = home.path().to_str().unwrap();
    let variables = [("HOME", home), ("PGSERVICE", "app"), ("PGUSER", "bob"), ("PGHOST", "none")];
    let config = config("postgresql:///mine", &variables);
    assert_eq!(config.get_hosts(), [Host::Tcp("db.example.org".to_owned())]);
    assert_eq!((config.get_ports(), config.get_user()), (&[6543][..], Some("carol")));
    assert_eq!((config.get_dbname(), config.get_password()), (Some("mine"), Some(&b"hunter2"[..])));
    let system =
        [("PGSYSCONFDIR", "/no/such/directory"), ("PGSERVICEFILE", file.to_str().unwrap())];
    assert_eq!(fault("postgresql://?service=other", &system), "");
    for (line, part) in [
        ("hunter2=1", "it is not a libpq setting"),
        ("hunter2", "it is not NAME=VALUE"),
        ("service=hunter2", "cannot refer to another one"),
        ("require_auth=hunter2", "require_auth of the service is not supported"),
    ] {
        fs::write(&file, format!("[app]\n{line}\n")).unwrap();
        let error = fault("postgresql://h", &variables);
        assert!(error.contains(part) && !error.contains("hunter2"), "{line}: {error}");
    }
}

#[test]
fn pgpass_line_has_five_fields() {
    let read = |line| fields(line).iter().map(|field| field.to_string()).collect::<Vec<_>>();
    assert_eq!(read(r"h\:1:5432:*:u:a:b\\c"), ["h:1", "5432", "*", "u", r"a:b\c"]);
    assert_eq!(read(""), [""]);
}
