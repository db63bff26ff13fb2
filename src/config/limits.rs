//! Limits on what a configuration may hold, in one place.

/// Size of the configuration file.
pub(super) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Size of one text value.
pub(super) const TEXT_BYTES_MAX: usize = 4096;

/// Size of one secret, wherever it comes from.
pub(super) const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The shortest token that nobody can guess, in hexadecimal digits 128 bits.
pub(super) const PUSH_TOKEN_BYTES_MIN: usize = 32;

/// `[[user]]` tables.
pub(super) const USERS_MAX: usize = 100_000;

/// Addresses of one user.
pub(super) const ADDRESSES_MAX: usize = 1000;

/// Folders in `imap.watch`.
pub(super) const FOLDERS_MAX: usize = 100;

/// Domains in `policy.domains`.
pub(super) const DOMAINS_MAX: usize = 10_000;

/// Faults that are printed; the rest is counted.
pub(super) const FAULTS_SHOWN_MAX: usize = 1000;

/// Longest key for which a nearest known one is looked for.
pub(super) const GUESS_CHARS_MAX: usize = 64;

/// Words of a command.
pub(super) const WORDS_MAX: usize = 100;
/// Addresses and domains in `known` and in `strangers`.
pub(super) const KNOWN_MAX: usize = 10_000;

/// Name servers in `policy.dns_servers`.
pub(super) const DNS_SERVERS_MAX: usize = 10;

/// Proxies whose word is taken for where a request comes from.
pub(super) const PROXIES_MAX: usize = 100;
