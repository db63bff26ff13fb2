//! What is owed to others by mail, and how it leaves.

pub mod smtp;
