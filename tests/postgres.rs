//! Users from a real PostgreSQL with the tables of postfixadmin, by the query that the README gives.

mod live;

use imipd_lab::{Behaviour, Lab, Postgres};
use live::{Plan, Site, mail, meeting, wait_until, with_method};

/// As postfixadmin makes them, as far as the query looks at them.
const TABLES: &str = "
CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255), name varchar(255) NOT NULL DEFAULT '',
                      maildir varchar(255), quota bigint NOT NULL DEFAULT 0, domain varchar(255),
                      active boolean NOT NULL DEFAULT true);
CREATE TABLE alias (address varchar(255) PRIMARY KEY, goto text NOT NULL, domain varchar(255),
                    active boolean NOT NULL DEFAULT true);
CREATE ROLE imipd LOGIN PASSWORD 'sql-secret';
GRANT SELECT ON mailbox, alias TO imipd;
INSERT INTO mailbox (username, name) VALUES ('a@example.com', 'Anna Smith');
INSERT INTO mailbox (username, active) VALUES ('c@example.com', false);
INSERT INTO alias (address, goto) VALUES ('a@example.com', 'a@example.com'), ('anna@example.com', 'a@example.com'),
                                         ('all@example.com', 'a@example.com,b@example.com'),
                                         ('@example.net', 'a@example.com');
INSERT INTO alias (address, goto, active) VALUES ('old@example.com', 'a@example.com', false);
";

/// The section as the README has it, with the port of this server.
fn section(port: u16) -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = readme.split_once("    [users]\n    sql_url").expect("the example");
    let (example, _) = rest.split_once("\n\n").expect("its end");
    let example = format!("[users]\nsql_url{example}\n");
    example.replace("@localhost/", &format!("@127.0.0.1:{port}/"))
}

fn deliver(site: &Site, user: &str, attendee: &str, uid: &str) {
    let calendar = with_method(&meeting(uid, "x@example.org", &[attendee]), "REQUEST");
    let raw = mail("x@example.org", attendee, &format!("<{uid}@example.org>"), "REQUEST", &calendar);
    site.lab.deliver(user, raw.as_bytes()).unwrap();
}

fn watched(site: &Site) -> Vec<String> {
    let status = site.status();
    let rows = status["mailboxes"].as_array().cloned().unwrap_or_default();
    let is_watched = |row: &&serde_json::Value| row["folder"] == "INBOX" && row["phase"] == "watching";
    rows.iter().filter(is_watched).map(|row| row["user"].as_str().unwrap_or_default().to_owned()).collect()
}

fn database(lab: &Lab) -> Option<Postgres> {
    let postgres = Postgres::start_or_skip(lab)?;
    postgres.sql("postgres", "CREATE DATABASE postfix").unwrap();
    postgres.sql("postfix", TABLES).unwrap();
    Some(postgres)
}

#[test]
fn users_of_postfixadmin_come_and_go_and_what_they_owe_is_sent() {
    let plan = Plan { watched: &[], ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let Some(postgres) = database(&site.lab) else { return };
    site.secret("sql-password", "sql-secret");
    site.configure(&Plan { more: &section(postgres.port), ..plan });
    site.start();
    wait_until("A is watched", || watched(&site) == ["a@example.com"]);
    // The alias of one recipient is A's own address; the others are not.
    deliver(&site, "a", "anna@example.com", "alias");
    assert_eq!(site.decision("a", "<alias@example.org>")["verdict"], "applied");
    deliver(&site, "a", "all@example.com", "list");
    assert_ne!(site.decision("a", "<list@example.org>")["reason"], "invited");
    postgres.sql("postfix", "INSERT INTO mailbox (username) VALUES ('b@example.com')").unwrap();
    site.reload();
    wait_until("B is watched as well", || watched(&site) == ["a@example.com", "b@example.com"]);
    deliver(&site, "b", "b@example.com", "new");
    assert_eq!(site.decision("b", "<new@example.org>")["verdict"], "applied");
    // A goes, and owes C a mail that the server does not take yet.
    let relay = site.lab.relay().expect("the relay");
    relay.set_behaviour(Behaviour { defer_data: 1, ..Behaviour::default() });
    site.put("a", &meeting("owed", "a@example.com", &["c@example.com"]));
    postgres.sql("postfix", "DELETE FROM mailbox WHERE username = 'a@example.com'").unwrap();
    site.reload();
    wait_until("A is watched no more", || watched(&site) == ["b@example.com"]);
    wait_until("what A owed arrives", || site.inbox("c").len() == 1);
    // A database that is gone takes nobody away.
    drop(postgres);
    site.reload();
    wait_until("the trouble is told", || site.log().contains("users.sql"));
    deliver(&site, "b", "b@example.com", "still");
    assert_eq!(site.decision("b", "<still@example.org>")["verdict"], "applied");
}
