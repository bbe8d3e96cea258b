//! Where a server is, as libpq has it: a URL, and environment variables for what it leaves out.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// How the URL begins, whatever the user wrote.
const SCHEME: &str = "postgresql://";

/// The parameters of a URL that are shown: those that are known and hold no secret.
const SHOWN: [&str; 20] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "passfile",
    "port",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// How long a server may be silent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

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
/// The first `@` ends the password, which may hold any other character as it is; a further `@`
/// anywhere is to be written `%40`.
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
        let url = Zeroizing::new(format!("{SCHEME}{}", rest.trim_end()));
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
        let [_, base, query] = self.parts();
        if base.contains('@') || query.contains('@') {
            return Err("its URL has an @ too many: write %40 for it in a password".to_owned());
        }
        let port = self.variable("PGPORT").map(str::parse).transpose();
        let port: Option<u16> = port.map_err(|_| "PGPORT is no number of a port".to_owned())?;
        let (url, own) = self.split(port);
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
            && let Some(port) = port
        {
            config.port(port);
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
                Some(Ok(seconds)) if seconds > 0 => Duration::from_secs(seconds),
                _ => CONNECT_TIMEOUT,
            });
        }
        if config.get_application_name().is_none() {
            config.application_name("dash-users");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if query.split('&').all(|pair| !pair.starts_with("keepalives")) {
            config.keepalives_idle(SILENCE / 3).keepalives_interval(SILENCE / 3);
            config.keepalives_retries(2);
        }
        if config.get_password().is_none() {
            if let Some(password) = self.variable("PGPASSWORD") {
                config.password(password);
            } else if let Some(password) = self.password_of_file(&config) {
                config.password(password.as_bytes());
            }
        }
        let mode = parameter("sslmode", "PGSSLMODE").unwrap_or("prefer");
        let root = parameter("sslrootcert", "PGSSLROOTCERT");
        let verification = self.verification(mode, root)?;
        // As libpq has it, a socket needs none.
        let is_socket =
            |host: &postgres::config::Host| matches!(host, postgres::config::Host::Unix(_));
        let is_local =
            config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_socket);
        let mode = if is_local { "disable" } else { mode };
        config.ssl_mode(match mode {
            "disable" => postgres::config::SslMode::Disable,
            "prefer" => postgres::config::SslMode::Prefer,
            _ => postgres::config::SslMode::Require,
        });
        Ok((config, tls::connector(verification)?))
    }

    /// By what a mode of TLS has the server verified; an error where libpq would verify more.
    fn verification(&self, mode: &str, root: Option<&str>) -> Result<Verification, String> {
        Ok(match (mode, root) {
            ("disable", _) | ("prefer", None) => Verification::None,
            ("require", None) if self.root_certificates().is_none() => Verification::None,
            ("prefer" | "require", root) => {
                let root = root.map_or("~/.postgresql/root.crt", |_| "sslrootcert");
                return Err(format!(
                    "sslmode={mode} would not verify by {root} who the server is: \
                     use sslmode=verify-full"
                ));
            }
            ("verify-full", Some("system")) => Verification::System,
            ("verify-full", Some(file)) => Verification::File(file.into()),
            ("verify-full", None) => Verification::File(
                self.root_certificates()
                    .ok_or("sslmode=verify-full needs sslrootcert, a file or system")?,
            ),
            ("allow" | "verify-ca", _) => {
                return Err(format!(
                    "sslmode={mode} is not known here: disable, prefer, require and verify-full are"
                ));
            }
            _ => {
                return Err(
                    "its sslmode is none of disable, prefer, require and verify-full".to_owned()
                );
            }
        })
    }

    /// The credentials, the hosts and the database, and the parameters, each as it is written.
    fn parts(&self) -> [&str; 3] {
        let rest = self.url.strip_prefix(SCHEME).unwrap_or_default();
        let (credentials, rest) = rest.split_once('@').unwrap_or(("", rest));
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        [credentials, base, query]
    }

    /// The URL without the parameters that the driver does not know, and these. Hosts without a
    /// port get this one: the driver would take 5432.
    fn split(&self, port: Option<u16>) -> (Zeroizing<String>, Vec<(&str, String)>) {
        let [credentials, base, query] = self.parts();
        let is_own = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            ["sslmode", "sslrootcert", "passfile"].contains(&name)
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let (own, others): (Vec<&str>, Vec<&str>) = pairs.partition(is_own);
        let own = own.into_iter().filter_map(|pair| pair.split_once('='));
        let decode = |value| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let own = own.map(|(name, value)| (name, decode(value))).collect();

        let (hosts, database) = base.split_at(base.find('/').unwrap_or(base.len()));
        let with_port = |host: &str| {
            let has_port = host.rsplit(']').next().unwrap_or_default().contains(':');
            match port {
                Some(port) if !host.is_empty() && !has_port => format!("{host}:{port}"),
                _ => host.to_owned(),
            }
        };
        let hosts: Vec<_> = hosts.split(',').map(with_port).collect();
        let at = if credentials.is_empty() { "" } else { "@" };
        let mark = if others.is_empty() { "" } else { "?" };
        let url = [SCHEME, credentials, at, &hosts.join(","), database, mark, &others.join("&")];
        (Zeroizing::new(url.concat()), own)
    }

    /// The authorities that libpq verifies by where no others are named.
    fn root_certificates(&self) -> Option<PathBuf> {
        let file = Path::new(self.variable("HOME")?).join(".postgresql/root.crt");
        Some(file).filter(|file| file.exists())
    }

    /// The file of passwords, which need not be there.
    fn password_file(&self) -> Option<PathBuf> {
        let (_, own) = self.split(None);
        let named = own.into_iter().find(|(name, _)| *name == "passfile").map(|(_, file)| file);
        let named = named.or_else(|| self.variable("PGPASSFILE").map(str::to_owned));
        named.map(PathBuf::from).or_else(|| Some(Path::new(self.variable("HOME")?).join(".pgpass")))
    }

    /// The file of passwords, if it is not looked into since others may read it.
    pub(super) fn exposed_password_file(&self) -> Option<PathBuf> {
        self.password_file().filter(|file| is_exposed(file) == Some(true))
    }

    /// The password that `~/.pgpass` has, where nobody else may read it.
    fn password_of_file(&self, config: &Config) -> Option<Zeroizing<String>> {
        let file = self.password_file().filter(|file| is_exposed(file) == Some(false))?;
        let text = Zeroizing::new(fs::read_to_string(file).ok()?);
        let host = match config.get_hosts().first()? {
            postgres::config::Host::Tcp(host) => host.clone(),
            postgres::config::Host::Unix(path) => match path.to_str()? {
                path if SOCKET_DIRECTORIES.contains(&path) => "localhost".to_owned(),
                path => path.to_owned(),
            },
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

/// Whether others may read or write a file; none if it is not there.
fn is_exposed(file: &Path) -> Option<bool> {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o077 != 0)
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
        let [credentials, base, query] = self.parts();
        // With an @ too many, who knows what is of a password.
        let base = base.rsplit('@').next().unwrap_or_default();
        let query = if query.contains('@') { "" } else { query };
        f.write_str(SCHEME)?;
        match credentials.split(':').next().unwrap_or_default() {
            "" => write!(f, "{base}")?,
            user => write!(f, "{user}@{base}")?,
        }
        let is_shown = |pair: &&str| SHOWN.contains(&pair.split('=').next().unwrap_or_default());
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
mod tests;
