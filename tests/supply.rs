//! What imipd is made of: deny.toml's word on licences, forbidden crates and sources holds for Cargo.lock.
//!
//! cargo-deny reads the same file, and asks for known weaknesses besides; but it is not everywhere, and takes minutes to build. This
//! test asks the same questions with its crate for licences, in a second and without the network.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};
use toml::Table;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn table(name: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("no {key} in {table}"))
}

/// The packages of a lock file, for all platforms.
fn locked(name: &str) -> Vec<Table> {
    let packages = table(name).remove("package").expect("packages");
    packages.try_into().expect("tables")
}

/// The list at `section.key` of deny.toml.
fn demanded(section: &str, key: &str) -> Vec<toml::Value> {
    let deny = table("deny.toml");
    let list = deny.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
    list.unwrap_or_else(|| panic!("no {section}.{key} in deny.toml")).clone()
}

#[test]
fn no_forbidden_crate_is_used_on_any_platform() {
    let names: Vec<String> = demanded("bans", "deny")
        .iter()
        .map(|ban| ban.get("crate").and_then(toml::Value::as_str).expect("a crate").to_owned())
        .collect();
    for wanted in ["openssl-sys", "aws-lc-sys", "native-tls"] {
        assert!(names.iter().any(|name| name == wanted), "deny.toml does not forbid {wanted}");
    }
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let packages = locked(lock);
        assert!(packages.len() > 50, "{lock} is read");
        let found: Vec<&str> = packages
            .iter()
            .map(|package| text(package, "name"))
            .filter(|name| names.iter().any(|ban| ban == name))
            .collect();
        assert!(
            found.is_empty(),
            "{lock} has what deny.toml forbids: {found:?}; is there a default feature to switch off?"
        );
    }
}

#[test]
fn everything_comes_from_crates_io_with_its_checksum() {
    for key in ["unknown-registry", "unknown-git"] {
        assert_eq!(table("deny.toml").get("sources").and_then(|sources| sources.get(key)?.as_str()), Some("deny"));
    }
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        for package in locked(lock).iter().filter(|package| package.contains_key("source")) {
            assert_eq!(text(package, "source"), CRATES_IO, "{lock}: {}", text(package, "name"));
            assert_eq!(text(package, "checksum").len(), 64, "{lock}: {}", text(package, "name"));
        }
        // Without a source are those of this repository.
        let own: Vec<Table> = locked(lock).into_iter().filter(|package| !package.contains_key("source")).collect();
        for package in own {
            assert!(text(&package, "name").starts_with("imipd"), "{lock}: {} has no source", text(&package, "name"));
        }
    }
}

/// What cargo knows of the packages that are built on this platform.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let version = Command::new(&cargo).arg("-vV").output().expect("cargo");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform");
    // Offline: those of other platforms need not be there.
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let output = Command::new(&cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    serde_json::from_value(metadata["packages"].take()).expect("packages")
}

/// Whether an expression can be met with the licences that are allowed.
fn is_allowed(license: &str, allowed: &[Licensee]) -> bool {
    let expression = Expression::parse_mode(license, ParseMode::LAX);
    expression.is_ok_and(|expression| expression.evaluate(|wanted| allowed.iter().any(|one| one.satisfies(wanted))))
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let allowed: Vec<Licensee> = demanded("licenses", "allow")
        .iter()
        .map(|license| Licensee::parse(license.as_str().expect("a text")).expect("a licence"))
        .collect();
    for (license, expected) in [
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("nonsense", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(license, &allowed), expected, "{license:?}");
    }
    let packages = packages();
    assert!(packages.len() > 200, "{} packages", packages.len());
    let wrong: Vec<String> = packages
        .iter()
        .map(|package| (&package["name"], package["license"].as_str().unwrap_or_default()))
        .filter(|(_, license)| !is_allowed(license, &allowed))
        .map(|(name, license)| format!("{name}: {license:?}"))
        .collect();
    assert!(wrong.is_empty(), "licences that deny.toml does not allow: {wrong:#?}");
}
