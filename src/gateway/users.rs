//! Who the users are: the `[[user]]` tables and what the sources tell, put together and replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::Gateway;
use crate::config::{Config, DomainsFrom, SecretError, User, UserDatabase, UserSource};
use crate::directory::{Database, DirectoryError, Row, Source};
use crate::itip::Address;

/// All users at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    users: BTreeMap<String, Arc<User>>,
    by_address: BTreeMap<Address, Arc<User>>,
    domains: BTreeSet<String>,
}

/// A user, and where it says so.
#[derive(Clone, Debug)]
struct Told {
    user: Arc<User>,
    place: String,
}

/// The users, and what they were put together from.
#[derive(Debug, Default)]
pub struct Users {
    roster: RwLock<Arc<Roster>>,
    told: Mutex<ToldBySource>,
}

/// What each source has told when it last worked.
#[derive(Debug, Default)]
struct ToldBySource {
    configured: Vec<Told>,
    /// By the position of the source.
    sources: BTreeMap<usize, Vec<Told>>,
    /// Sources that have failed this time, each with its trouble.
    failing: Vec<String>,
    /// What has been warned of already.
    warned: BTreeSet<String>,
}

/// What a reload has led to.
#[derive(Debug)]
pub struct Reloaded {
    pub before: Arc<Roster>,
    pub after: Arc<Roster>,
    /// The sources that could not be asked, each with its trouble.
    pub failing: Vec<String>,
    /// What is wrong with single users and was not so the last time.
    pub warnings: Vec<String>,
}

/// Why a source told nothing.
#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("users.sql_password_file: {0}")]
    Password(#[from] SecretError),
    #[error("reading its rows broke off by a fault of imipd; please report it")]
    Bug,
}

impl Roster {
    /// Every user, by key.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The user of a key, see [`User::key`].
    pub fn get(&self, key: &str) -> Option<&Arc<User>> {
        self.users.get(key)
    }

    /// Puts users together; who has an address or a login that is another's already is left out, with a warning.
    fn of(config: &Config, told: &[&[Told]]) -> (Self, Vec<String>) {
        let (mut roster, mut warnings) = (Self::default(), Vec::new());
        let (mut addresses, mut logins) = (BTreeMap::<&Address, &str>::new(), BTreeMap::<&str, &str>::new());
        for Told { user, place } in told.iter().copied().flatten() {
            let taken = user.addresses.iter().find_map(|address| Some((address.as_str(), *addresses.get(address)?)));
            let taken = taken.or_else(|| Some((user.login.as_str(), *logins.get(user.login.as_str())?)));
            if let Some((what, holder)) = taken {
                let key = user.key();
                warnings.push(format!("{place} is left out: {key} has {what}, which belongs to {holder} already"));
                continue;
            }
            addresses.extend(user.addresses.iter().map(|address| (address, place.as_str())));
            logins.insert(&user.login, place);
            roster.by_address.extend(user.addresses.iter().map(|address| (address.clone(), Arc::clone(user))));
            roster.users.insert(user.key().to_owned(), Arc::clone(user));
        }
        roster.domains = match config.policy.domains_from {
            DomainsFrom::Policy => config.policy.domains.iter().cloned().collect(),
            DomainsFrom::Users => roster.by_address.keys().filter_map(|at| at.domain().map(str::to_owned)).collect(),
        };
        (roster, warnings)
    }
}

impl Users {
    /// The users of the configuration; the sources have not been asked yet.
    pub fn of(config: &Config) -> Self {
        let configured = configured(config);
        let (roster, _) = Roster::of(config, &[&configured]);
        let failing = config.more_users.sources.iter().map(|source| format!("{}: not asked yet", key(source)));
        let told = ToldBySource { configured, failing: failing.collect(), ..ToldBySource::default() };
        Self { roster: RwLock::new(Arc::new(roster)), told: Mutex::new(told) }
    }

    fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn told(&self) -> MutexGuard<'_, ToldBySource> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn configured(config: &Config) -> Vec<Told> {
    let numbered = config.users.iter().zip(1..);
    numbered.map(|(user, number)| Told { user: Arc::new(user.clone()), place: format!("user[{number}]") }).collect()
}

fn key(source: &UserSource) -> &'static str {
    match source {
        UserSource::File(_) => "users.file",
        UserSource::Command(_) => "users.command",
        UserSource::Sql { .. } => "users.sql",
    }
}

impl Gateway {
    /// All users there are.
    pub fn roster(&self) -> Arc<Roster> {
        self.users.roster()
    }

    /// The user who has an address.
    pub fn user(&self, address: &Address) -> Option<Arc<User>> {
        self.roster().by_address.get(address).cloned()
    }

    /// Whether a domain, in lower case, is the site's own.
    pub fn is_own_domain(&self, domain: &str) -> bool {
        self.roster().domains.contains(domain)
    }

    /// The sources of users that could not be asked, each with its trouble.
    pub fn failing_sources(&self) -> Vec<String> {
        self.users.told().failing.clone()
    }

    /// Takes over the `[[user]]` tables of a configuration that was read anew; they count from the next reload on.
    pub fn reconfigure_users(&self, config: &Config) {
        self.users.told().configured = configured(config);
    }

    /// Asks all sources and puts the users together anew. A source that fails keeps the users of its last success.
    pub async fn reload_users(self: &Arc<Self>) -> Reloaded {
        let (mut failing, mut warnings) = (Vec::new(), Vec::new());
        for (at, source) in self.config.more_users.sources.iter().enumerate() {
            match self.ask(source).await {
                Ok((told, faults)) => {
                    warnings.extend(faults);
                    self.users.told().sources.insert(at, told);
                }
                Err(error) => failing.push(format!("{}: {error}", key(source))),
            }
        }
        let mut told = self.users.told();
        let parts: Vec<&[Told]> =
            std::iter::once(told.configured.as_slice()).chain(told.sources.values().map(Vec::as_slice)).collect();
        let (roster, refused) = Roster::of(&self.config, &parts);
        let after = Arc::new(roster);
        let before = self.users.roster();
        *self.users.roster.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&after);
        let all: BTreeSet<String> = warnings.into_iter().chain(refused).collect();
        let warnings = all.difference(&told.warned).cloned().collect();
        (told.warned, told.failing) = (all, failing.clone());
        Reloaded { before, after, failing, warnings }
    }

    async fn ask(self: &Arc<Self>, source: &UserSource) -> Result<(Vec<Told>, Vec<String>), SourceError> {
        let source = driver(source)?;
        let rows = source.rows().await?;
        let gateway = Arc::clone(self);
        // Ten thousand rows take a moment, in which others want to go on.
        let reading = tokio::task::spawn_blocking(move || gateway.read_rows(source.key(), rows));
        reading.await.map_err(|_| SourceError::Bug)
    }

    /// The users of rows, and what is wrong with those that are none.
    fn read_rows(&self, key: &str, rows: Vec<Row>) -> (Vec<Told>, Vec<String>) {
        let (mut told, mut faults) = (Vec::with_capacity(rows.len()), Vec::new());
        for Row { place, table } in rows {
            let place = format!("{key}, {place}");
            match table.and_then(|table| self.config.user_of_row(&table)) {
                Ok((user, warnings)) => {
                    faults.extend(warnings.into_iter().map(|warning| format!("{place}: {warning}")));
                    told.push(Told { user: Arc::new(user), place });
                }
                Err(fault) => faults.push(format!("{place} is left out: {fault}")),
            }
        }
        (told, faults)
    }
}

/// The source as its driver has it, with the password read now.
fn driver(source: &UserSource) -> Result<Source, SecretError> {
    Ok(match source {
        UserSource::File(path) => Source::File(path.clone()),
        UserSource::Command(words) => Source::Command(words.clone()),
        UserSource::Sql { database, query } => {
            let database = match database {
                UserDatabase::Sqlite(path) => Database::Sqlite(path.clone()),
                UserDatabase::Postgres { url, password } => Database::Postgres {
                    url: url.clone(),
                    password: password.as_ref().map(|password| password.read()).transpose()?,
                },
            };
            Source::Sql { database, query: query.clone() }
        }
    })
}
