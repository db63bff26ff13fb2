//! Any text as an Authentication-Results field: it is read without a panic, and what it says stands in it.

use imipd::imip::authentication_results::{authserv_id, parse};

/// Reads a field; an authserv-id that is read as a whole is the one that is read alone.
pub fn authentication_results(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    let id = authserv_id(&value);
    let Some(read) = parse(&value) else { return };
    assert_eq!(id, Some(read.authserv_id), "{value}");
    let bare = value.to_lowercase();
    for result in read.results {
        assert!(bare.contains(&result.method) && bare.contains(&result.result), "{result:?} is not in {value}");
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        assert!(is_word(&result.method) && is_word(&result.result), "{result:?}");
        assert!(result.properties.iter().all(|(name, _)| is_word(name) && name.contains('.')), "{result:?}");
    }
}
