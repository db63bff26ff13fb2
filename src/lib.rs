//! imipd: an iMIP gateway. See ARCHITECTURE.md for the way of one mail through these modules.

pub mod config;
pub mod imip;
pub mod itip;
pub mod mailbox;
pub mod outbox;
pub mod tls;
