//! Digests as they are written down: SHA-256 over a list of texts, and octets in hexadecimal.

use ring::digest::{Context, Digest, SHA256};

/// The SHA-256 of some texts, each with its length before it, so that no two lists give the same octets.
pub fn of_fields<'a>(fields: impl IntoIterator<Item = &'a str>) -> Digest {
    let mut context = Context::new(&SHA256);
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
    }
    context.finish()
}

/// Octets in hexadecimal, two lower-case digits each; whoever wants fewer takes fewer.
pub fn hexadecimal<'a>(octets: impl IntoIterator<Item = &'a u8>) -> String {
    octets.into_iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The first 160 bits of a digest in hexadecimal: what a Message-ID has room for on a line.
pub fn shortened(digest: &Digest) -> String {
    hexadecimal(digest.as_ref().iter().take(20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(of_fields(["a", "bc"]).as_ref(), of_fields(["ab", "c"]).as_ref());
        assert_ne!(of_fields(["a"]).as_ref(), of_fields(["a", ""]).as_ref());
        assert_eq!(hexadecimal(&[0, 10, 255]), "000aff");
    }
}
