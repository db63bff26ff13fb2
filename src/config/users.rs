//! The `[[user]]` tables: each person, and what must hold between them.

use std::collections::HashMap;

use chrono_tz::Tz;

use crate::itip::Address;

use super::fault::{Wrong, quote};
use super::limits::{ADDRESSES_MAX, USERS_MAX};
use super::reader::Section;
use super::secret::Places;
use super::sections::{Master, secret};
use super::trust::{self, Trusting};
use super::value;
use super::{AutoAdd, Credentials, User};

/// What the other tables say for every user.
pub(super) struct Usual<'a> {
    pub master: Option<&'a Master>,
    pub auto_add: AutoAdd,
    pub trusting: &'a Trusting,
    pub places: &'a Places<'a>,
}

/// Who holds an address or a login, by the number of the table.
#[derive(Default)]
struct Taken {
    addresses: HashMap<Address, usize>,
    logins: HashMap<String, usize>,
}

/// Every user that is complete; what keeps one from being so is a fault.
pub(super) fn users(root: &Section<'_>, usual: &Usual<'_>) -> Vec<User> {
    root.demand("user", "add a table [[user]] with addresses = [\"name@example.com\"] for each user");
    let tables = root.sections("user");
    if tables.len() > USERS_MAX {
        let wrong = format!("stands there {} times", tables.len());
        root.fault("user", Wrong::new(wrong, format!("keep to {USERS_MAX} users")));
        return Vec::new();
    }
    let mut taken = Taken::default();
    let mut users = Vec::with_capacity(tables.len());
    for (at, table) in tables.into_iter().enumerate() {
        users.extend(user(&table, at + 1, usual, &mut taken));
        table.finish();
    }
    users
}

fn user(table: &Section<'_>, number: usize, usual: &Usual<'_>, taken: &mut Taken) -> Option<User> {
    let right = "write a list such as [\"name@example.com\"], the main address first";
    table.demand("addresses", right);
    let addresses = table.list("addresses", ADDRESSES_MAX, right, value::address).unwrap_or_default();
    let login = table.text("login", "write the login name at the IMAP server", value::line);
    let login = login.or_else(|| addresses.first().map(|main| main.as_str().to_owned()));
    taken.claim(table, number, &addresses, login.as_deref());
    let credentials = credentials(table, login.as_deref(), usual);
    let timezone = table.text("timezone", value::ZONE, value::zone).unwrap_or(Tz::UTC);
    let name = table.text("name", "write the name as mails should show it", value::line);
    let auto_add = trust::auto_add(table, usual.trusting).unwrap_or(usual.auto_add);
    let people = trust::people(table);
    Some(User { login: login?, credentials: credentials?, addresses, timezone, name, auto_add, people })
}

/// The user's own password when there is one, otherwise the master user's.
fn credentials(table: &Section<'_>, login: Option<&str>, usual: &Usual<'_>) -> Option<Credentials> {
    let own = secret(table, "password_file", usual.places);
    if table.has("password_file") {
        return Some(Credentials { username: login?.to_owned(), password: own? });
    }
    let Some(master) = usual.master else {
        table.demand("password_file", "name the file with this user's IMAP password, or set imap.master_user");
        return None;
    };
    let login = login?;
    // The server cuts at the separator; a login that holds one would open somebody else's mailbox.
    if login.contains(&master.separator) {
        let wrong = format!("{} holds the master separator {}", quote(login), quote(&master.separator));
        table.fault("login", Wrong::new(wrong, "give this user a password_file, or use another imap.master_separator"));
    }
    let credentials = master.credentials.as_ref()?;
    let username = format!("{login}{}{}", master.separator, credentials.username);
    Some(Credentials { username, password: credentials.password.clone() })
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
