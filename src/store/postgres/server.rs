//! PostgreSQL servers, located as by libpq: with a URL, a service, and environment variables.

mod config;
mod files;
mod settings;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use nix::unistd::{Uid, User};
use zeroize::Zeroizing;

pub(super) use self::config::{Fault, Names, Plan, Session, host_and_port, shuffle};
pub(super) use self::settings::BadSetting;
use self::settings::Settings;
pub(super) use self::settings::Source;
use self::url::Url;
use crate::store::LocationError;

/// A database on a PostgreSQL server.
///
/// `Display` and `Debug` show the URL without its password.
///
/// # Syntax
///
/// ```text
/// postgresql://[user[:password]@][host[:port],…][/database][?parameter=value&…]
/// ```
///
/// The first `@` ends the password, which can contain most other characters unencoded. A `%`, a
/// blank and any other `@` must be percent-encoded.
///
/// The host can be the directory of a socket, percent-encoded or given as the parameter `host`. The
/// parameters are libpq's, and those of SQLAlchemy and its drivers. Each is applied, ignored if it
/// makes no difference, or rejected. `sslmode` is `disable`, `prefer` (the default), `require` or
/// `verify-full`; `sslrootcert` is a PEM file, or `system`.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    url: Arc<Url>,
    /// `None` without [`with_environment`](Self::with_environment).
    environment: Option<Vec<(&'static str, Zeroizing<String>)>>,
}

impl Server {
    /// Parses the part after the `://` of a URL.
    pub(in crate::store) fn parse(text: &str) -> Result<Self, LocationError> {
        Ok(Self { url: Arc::new(Url::parse(text)?), environment: None })
    }

    /// Takes settings that the URL does not give from libpq's environment variables, which
    /// `variable` looks up.
    #[must_use]
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).map(|value| (name, Zeroizing::new(value)));
        self.environment = Some(settings::variables().filter_map(set).collect());
        self
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self.environment.iter().flatten().find(|(other, _)| *other == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The settings from all sources.
    fn settings(&self) -> Result<Settings, BadSetting> {
        let mut settings = Settings::default();
        let url = &*self.url;
        for (name, value) in &url.parameters {
            settings.set(name, value, Source::Url);
        }
        let secret = |text: &Option<Zeroizing<String>>| {
            text.as_ref().map(|text| text.to_string()).map(Zeroizing::new).unwrap_or_default()
        };
        settings.set("user", &secret(&url.user), Source::Url);
        settings.set("password", &secret(&url.password), Source::Url);
        settings.set("dbname", url.database.as_deref().unwrap_or_default(), Source::Url);
        let joined = |part: fn(&(String, String)) -> &str| {
            url.hosts.iter().map(part).collect::<Vec<_>>().join(",")
        };
        let ports = joined(|(_, port)| port);
        settings.set("host", &joined(|(host, _)| host), Source::Url);
        settings.set(
            "port",
            if ports.trim_matches(',').is_empty() { "" } else { &ports },
            Source::Url,
        );
        add_of_drivers(&mut settings)?;
        for name in ["service", "servicefile"] {
            let variable = if name == "service" { "PGSERVICE" } else { "PGSERVICEFILE" };
            settings.set(name, self.variable(variable).unwrap_or_default(), Source::Environment);
        }
        let home = self.home();
        files::add_service(&mut settings, home.as_deref(), self.variable("PGSYSCONFDIR"))?;
        settings.set_from(|name| self.variable(name));
        settings.check()?;
        Ok(settings)
    }

    /// Whether the URL, a service or a variable sets the search path.
    pub(super) fn names_search_path(&self) -> bool {
        let settings = self.settings().unwrap_or_default();
        settings.get("options").is_some_and(|options| options.contains("search_path"))
    }

    /// Where the `options` are that are in force, if anywhere: those of a variable are not read
    /// beside those of a service, nor these beside those of a URL.
    pub(super) fn source_of_options(&self) -> Option<Source> {
        self.settings().unwrap_or_default().source("options")
    }

    /// The home directory, from the system's user list if the variable is not set.
    fn home(&self) -> Option<PathBuf> {
        self.environment.as_ref()?;
        match self.variable("HOME") {
            Some(home) => Some(home.into()),
            None => passwd_entry().map(|user| user.dir),
        }
    }

    /// The password file, which may not exist.
    fn password_file(&self, settings: &Settings) -> Option<PathBuf> {
        match settings.get("passfile") {
            Some(file) => Some(file.into()),
            None => self.home().map(|home| home.join(".pgpass")),
        }
    }

    /// The password file, if it is ignored because others can read it.
    pub(super) fn exposed_password_file(&self) -> Option<PathBuf> {
        let file = self.password_file(&self.settings().ok()?);
        file.filter(|file| files::is_exposed(file) == Some(true))
    }
}

/// Converts parameters that SQLAlchemy's drivers name differently than libpq.
fn add_of_drivers(settings: &mut Settings) -> Result<(), BadSetting> {
    let ssl_modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    match settings.get("ssl").map(str::to_owned) {
        Some(mode) if ssl_modes.contains(&&*mode) => settings.set("sslmode", &mode, Source::Url),
        Some(_) => {
            let instead = "sslmode=verify-full, or sslmode=require to encrypt only";
            return Err(settings.cannot("ssl", instead));
        }
        None => {}
    }
    if let Some(socket) = settings.get("unix_sock").map(str::to_owned) {
        let Some((directory, port)) = socket.rsplit_once("/.s.PGSQL.") else {
            return Err(settings.cannot("unix_sock", "host=DIRECTORY"));
        };
        settings.set("host", directory, Source::Url);
        settings.set("port", port, Source::Url);
    }
    Ok(())
}

/// The current user's entry in the system's user list.
fn passwd_entry() -> Option<User> {
    User::from_uid(Uid::effective()).ok().flatten()
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

#[cfg(test)]
mod tests;
