//! The iTIP engine: pure, deterministic, with a reason for every decision (RFC 5546).

pub mod address;
pub mod method;

pub use address::Address;
pub use method::Method;
