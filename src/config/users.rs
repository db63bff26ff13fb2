//! The `[[user]]` tables, and those that stand elsewhere: each person, and what must hold between them.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono_tz::Tz;
use toml::de::DeTable;

use crate::imip::Language;
use crate::itip::Address;

use super::access::{self, UsualAccess};
use super::fault::{Wrong, quote};
use super::limits::{ADDRESSES_MAX, USERS_MAX};
use super::reader::{Findings, Section};
use super::secret::{Files, Places};
use super::sections::{auto_add, language};
use super::value;
use super::{AutoAdd, User};

/// What the other tables say for every user.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    pub access: UsualAccess,
    pub auto_add: AutoAdd,
    pub language: Language,
    /// Where relative paths start.
    pub base_dir: PathBuf,
    pub files: Files,
}

/// Who holds an address or a login, by the number of the table.
#[derive(Default)]
struct Taken {
    addresses: HashMap<Address, usize>,
    logins: HashMap<String, usize>,
}

/// Every user of the `[[user]]` tables that is complete; what keeps one from being so is a fault.
pub(super) fn users(root: &Section<'_>, usual: &Usual, places: &Places<'_>) -> Vec<User> {
    let tables = root.sections("user");
    if tables.len() > USERS_MAX {
        let wrong = format!("stands there {} times", tables.len());
        root.fault("user", Wrong::new(wrong, format!("keep to {USERS_MAX} users")));
        return Vec::new();
    }
    let mut taken = Taken::default();
    let mut users = Vec::with_capacity(tables.len());
    for (at, table) in tables.into_iter().enumerate() {
        let Draft { addresses, login, user } = draft(&table, usual, places);
        taken.claim(&table, at + 1, &addresses, login.as_deref());
        users.extend(user);
        table.finish();
    }
    users
}

/// A user of whom something may be missing.
struct Draft {
    addresses: Vec<Address>,
    login: Option<String>,
    user: Option<User>,
}

fn draft(table: &Section<'_>, usual: &Usual, places: &Places<'_>) -> Draft {
    let right = "write a list such as [\"name@example.com\"], the main address first";
    table.demand("addresses", right);
    let addresses = table.list("addresses", ADDRESSES_MAX, right, value::address).unwrap_or_default();
    let login = table.text("login", "write the login name at the IMAP server", value::line);
    let login = login.or_else(|| addresses.first().map(|main| main.as_str().to_owned()));
    let access = access::of_user(table, login.as_deref(), &usual.access, places);
    let timezone = table.text("timezone", value::ZONE, value::zone).unwrap_or(Tz::UTC);
    let name = table.text("name", "write the name as mails should show it", value::line);
    let auto_add = auto_add(table).unwrap_or(usual.auto_add);
    let language = language(table).unwrap_or(usual.language);
    let user = match (&login, access, addresses.is_empty()) {
        (Some(login), Some(access), false) => Some(User {
            login: login.clone(),
            access,
            addresses: addresses.clone(),
            timezone,
            language,
            name,
            auto_add,
        }),
        _ => None,
    };
    Draft { addresses, login, user }
}

/// The user of a table that stands elsewhere, and what is to be known about it; or everything that is wrong with it.
pub(super) fn user_of_row(row: &toml::Table, usual: &Usual) -> Result<(User, Vec<String>), String> {
    let document = toml::Table::from_iter([("user".to_owned(), vec![row.clone()].into())]);
    let text = toml::to_string(&document).map_err(|error| format!("it cannot be a table [[user]]: {error}"))?;
    let (document, syntax) = DeTable::parse_recoverable(&text);
    let findings = Findings::new(&text, &syntax);
    let root = Section::root(document.get_ref(), &findings);
    let places = Places { base_dir: &usual.base_dir, env: &|name| std::env::var_os(name), files: usual.files };
    let mut user = None;
    for table in root.sections("user") {
        user = draft(&table, usual, &places).user;
        table.finish();
    }
    let (faults, warnings, _) = findings.into_parts();
    let named = |key: &str| key.trim_start_matches("user[1].").to_owned();
    let told: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}; {}", named(&fault.key), fault.wrong, fault.right)).collect();
    match user {
        Some(user) if told.is_empty() => Ok((user, warnings.iter().map(|text| named(text)).collect())),
        _ => Err(told.join(", and ")),
    }
}

impl Taken {
    fn claim(&mut self, table: &Section<'_>, number: usize, addresses: &[Address], login: Option<&str>) {
        let mut shared = false;
        for address in addresses {
            if let Some(holder) = self.addresses.insert(address.clone(), number) {
                let wrong = if holder == number {
                    format!("names {address} twice")
                } else {
                    format!("names {address}, which is user[{holder}]'s already")
                };
                table.fault("addresses", Wrong::new(wrong, "give each address to one user, once"));
                shared = true;
            }
        }
        let Some(login) = login else { return };
        let holder = self.logins.insert(login.to_owned(), number);
        // Without a login of its own, the user who repeats an address repeats the login with it: one mistake, not two.
        if let Some(holder) = holder.filter(|_| !shared || table.has("login")) {
            let wrong = format!("is {}, which is user[{holder}]'s already", quote(login));
            table.fault("login", Wrong::new(wrong, "put all addresses of one mailbox into one [[user]]"));
        }
    }
}
