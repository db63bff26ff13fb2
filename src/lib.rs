//! imipd: an iMIP gateway. See ARCHITECTURE.md for the way of one mail through these modules.

pub mod calendar;
pub mod cli;
pub mod command;
pub mod config;
pub mod digest;
pub mod directory;
pub mod dkim;
pub mod gateway;
pub mod imip;
pub mod itip;
pub mod ledger;
pub mod mailbox;
pub mod outbox;
pub mod tls;
pub mod web;

/// PRODID of every calendar that imipd writes (RFC 5545 §3.7.3).
pub const PRODID: &str = "-//imipd//imipd//EN";
