//! What is owed to others by mail, and how it leaves.

pub mod limits;
pub mod rate;
pub mod smtp;
pub mod status;
