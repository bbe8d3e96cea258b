//! Where a server is, as libpq has it: a URL, and environment variables for what it leaves out.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use super::connection::CONNECT_TIMEOUT;
use super::tls::{self, Verification};

/// Where a socket is if no host is named, on Debian and as PostgreSQL itself has it.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The variables of libpq that are known here.
const VARIABLES: [&str; 11] = [
    "PGHOST",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGCONNECT_TIMEOUT",
    "HOME",
    "USER",
];

/// A database of a PostgreSQL server.
///
/// `Display` and `Debug` show the URL without its password.
///
/// # Syntax
///
/// ```text
/// postgresql://[user[:password]@][host[:port],…][/database][?parameter=value&…]
/// ```
///
/// The host may be a socket's directory, percent-encoded or as the parameter `host`. Of the
/// parameters of libpq those are known that the crate `tokio-postgres` knows, and `sslmode`
/// (`disable`, `prefer`, which is the default, `require` or `verify-full`), `sslrootcert` (a file
/// of PEM, or `system`) and `passfile`.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    url: Zeroizing<String>,
    environment: Vec<(&'static str, Zeroizing<String>)>,
}

impl Server {
    /// The server of a URL, whose scheme may name a driver as SQLAlchemy's does.
    pub(in crate::store) fn new(url: &str) -> Self {
        let (_, rest) = url.split_once("://").unwrap_or(("", url));
        let url = Zeroizing::new(format!("postgresql://{}", rest.trim_end()));
        Self { url, environment: Vec::new() }
    }

    /// Takes what the URL leaves out from the variables of libpq, which `variable` knows.
    #[must_use]
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).map(|value| (name, Zeroizing::new(value)));
        self.environment = VARIABLES.into_iter().filter_map(set).collect();
        self
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self.environment.iter().find(|(other, _)| *other == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// How to connect; the error says what is wrong, without a value of a parameter.
    pub(super) fn config(&self) -> Result<(Config, MakeRustlsConnect), String> {
        let (url, own) = self.split();
        let parameter = |name: &str, variable: &str| {
            let named = own.iter().find(|(other, _)| *other == name);
            named.map(|(_, value)| value.as_str()).or_else(|| self.variable(variable))
        };
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            let source = std::error::Error::source(&error);
            source.map_or_else(|| "its URL is malformed".to_owned(), ToString::to_string)
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match self.variable("PGHOST") {
                Some(host) => config.host(host),
                None => match SOCKET_DIRECTORIES.iter().find(|path| Path::new(path).is_dir()) {
                    Some(directory) => config.host_path(directory),
                    None => config.host("localhost"),
                },
            };
        }
        if config.get_ports().is_empty()
            && let Some(port) = self.variable("PGPORT")
        {
            config.port(port.parse().map_err(|_| "PGPORT is no number of a port".to_owned())?);
        }
        if config.get_user().is_none() {
            let user = self.variable("PGUSER").or_else(|| self.variable("USER"));
            config.user(user.ok_or("its URL names no user")?);
        }
        if config.get_dbname().is_none()
            && let Some(database) = self.variable("PGDATABASE")
        {
            config.dbname(database);
        }
        if config.get_connect_timeout().is_none() {
            let seconds = self.variable("PGCONNECT_TIMEOUT").map(str::parse);
            config.connect_timeout(match seconds {
                Some(Ok(seconds)) if seconds > 0 => std::time::Duration::from_secs(seconds),
                _ => CONNECT_TIMEOUT,
            });
        }
        if config.get_application_name().is_none() {
            config.application_name("dash-users");
        }
        if config.get_password().is_none() {
            if let Some(password) = self.variable("PGPASSWORD") {
                config.password(password);
            } else if let Some(password) =
                self.password_of_file(&config, parameter("passfile", "PGPASSFILE"))
            {
                config.password(password.as_bytes());
            }
        }
        let mode = parameter("sslmode", "PGSSLMODE").unwrap_or("prefer");
        let root = parameter("sslrootcert", "PGSSLROOTCERT");
        let verification = match (mode, root) {
            ("disable", _) => Verification::None,
            ("prefer" | "require", None) => Verification::None,
            ("prefer" | "require", Some(_)) => {
                return Err(format!(
                    "sslmode={mode} would not verify anything by sslrootcert: use sslmode=verify-full"
                ));
            }
            ("verify-full", Some("system")) => Verification::System,
            ("verify-full", Some(file)) => Verification::File(file.into()),
            ("verify-full", None) => {
                let home = self.variable("HOME").map(PathBuf::from);
                let file = home.map(|home| home.join(".postgresql/root.crt"));
                let file = file.filter(|file| file.exists());
                Verification::File(
                    file.ok_or("sslmode=verify-full needs sslrootcert, a file or system")?,
                )
            }
            _ => {
                return Err(
                    "its sslmode is none of disable, prefer, require and verify-full".to_owned()
                );
            }
        };
        config.ssl_mode(match mode {
            "disable" => postgres::config::SslMode::Disable,
            "prefer" => postgres::config::SslMode::Prefer,
            _ => postgres::config::SslMode::Require,
        });
        Ok((config, tls::connector(verification)?))
    }

    /// The URL without the parameters that the driver does not know, and these.
    fn split(&self) -> (Zeroizing<String>, Vec<(&str, String)>) {
        let Some((base, query)) = self.url.split_once('?') else {
            return (self.url.clone(), Vec::new());
        };
        let is_own = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            ["sslmode", "sslrootcert", "passfile"].contains(&name)
        };
        let (own, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_own);
        let own = own.into_iter().filter_map(|pair| pair.split_once('='));
        let decode = |value| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let own = own.map(|(name, value)| (name, decode(value))).collect();
        (Zeroizing::new(format!("{base}?{}", others.join("&"))), own)
    }

    /// The password that `~/.pgpass` has, where nobody else may read it.
    fn password_of_file(&self, config: &Config, file: Option<&str>) -> Option<Zeroizing<String>> {
        let file = match (file, self.variable("HOME")) {
            (Some(file), _) => PathBuf::from(file),
            (None, home) => Path::new(home?).join(".pgpass"),
        };
        let mode = fs::metadata(&file).ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            return None;
        }
        let text = Zeroizing::new(fs::read_to_string(file).ok()?);
        let host = match config.get_hosts().first()? {
            postgres::config::Host::Tcp(host) => host.clone(),
            postgres::config::Host::Unix(_) => "localhost".to_owned(),
        };
        let port = config.get_ports().first().unwrap_or(&5432).to_string();
        let user = config.get_user()?;
        let database = config.get_dbname().unwrap_or(user);
        let wanted = [host.as_str(), port.as_str(), database, user];
        text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut fields = fields(line);
            let password = fields.pop().filter(|_| fields.len() == wanted.len())?;
            let is_it = |(field, wanted): (&Zeroizing<String>, &&str)| {
                field.as_str() == "*" || field.as_str() == *wanted
            };
            fields.iter().zip(&wanted).all(is_it).then_some(password)
        })
    }
}

/// The fields of a line, which are separated by `:`; a backslash takes what follows as it is.
fn fields(line: &str) -> Vec<Zeroizing<String>> {
    let mut fields = vec![Zeroizing::new(String::new())];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(Zeroizing::new(String::new())),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(chars.next())),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

/// The URL without a password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.url.strip_prefix("postgresql://").unwrap_or_default();
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let end = base.find('/').unwrap_or(base.len());
        let (authority, path) = base.split_at(end);
        f.write_str("postgresql://")?;
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or_default();
                write!(f, "{user}@{host}{path}")?;
            }
            None => write!(f, "{authority}{path}")?,
        }
        let is_shown = |pair: &&str| !pair.is_empty() && !pair.starts_with("password");
        let query: Vec<_> = query.split('&').filter(is_shown).collect();
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("postgres://h/db", "postgresql://h/db"),
            ("postgresql+psycopg2://u:hunter2@h:5433/db", "postgresql://u@h:5433/db"),
            ("postgresql://u:hun@ter2@h/db?sslmode=disable", "postgresql://u@h/db?sslmode=disable"),
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
        let own = config("postgresql://u:p%40ss@h:1/db?connect_timeout=3");
        assert_eq!((own.get_ports(), own.get_user()), (&[1][..], Some("u")));
        assert_eq!((own.get_dbname(), own.get_password()), (Some("db"), Some(&b"p@ss"[..])));
    }

    #[test]
    fn a_weaker_verification_than_asked_for_is_refused_by_name() {
        for (query, part) in [
            ("sslmode=verify-ca", "none of disable"),
            ("sslmode=allow", "none of disable"),
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
}
