//! Domains that are made to be taken for others: letters of another script, digits for letters.
//!
//! Two domains are never equal here because they look alike; equality is that of the bytes. What looks like a domain that
//! matters, and is not, is what a person would fall for, so it is said (Unicode Technical Standard 39 §4 and §5, in small).

use std::borrow::Cow;

/// Whether a label of the domain mixes letters of scripts that are not written together, such as Latin and Cyrillic.
pub fn is_mixed(domain: &str) -> bool {
    let readable = readable(domain);
    readable.split('.').any(|label| {
        let mut scripts = label.chars().filter_map(script);
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    })
}

/// Whether two different domains look the same to a hasty reader.
pub fn looks_like(domain: &str, other: &str) -> bool {
    domain != other && skeleton(domain) == skeleton(other)
}

/// The domain in letters where it is written as `xn--`; as it stands where it cannot be decoded.
fn readable(domain: &str) -> Cow<'_, str> {
    if !domain.split('.').any(|label| label.starts_with("xn--")) {
        return Cow::Borrowed(domain);
    }
    let (unicode, outcome) = idna::domain_to_unicode(domain);
    if outcome.is_ok() { Cow::Owned(unicode) } else { Cow::Borrowed(domain) }
}

/// The scripts whose letters are taken for one another. Others are written with Latin letters beside them, as Japanese is.
#[derive(PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

fn script(c: char) -> Option<Script> {
    match c {
        'a'..='z' | '\u{00df}'..='\u{024f}' | '\u{1e00}'..='\u{1eff}' => Some(Script::Latin),
        '\u{0370}'..='\u{03ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
        '\u{0400}'..='\u{052f}' => Some(Script::Cyrillic),
        '\u{0530}'..='\u{058f}' => Some(Script::Armenian),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Script::Cherokee),
        _ => None,
    }
}

/// What is left of a domain when all that looks alike is the same.
fn skeleton(domain: &str) -> String {
    let plain: String = readable(domain).chars().filter_map(plain).collect();
    plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}

/// The Latin letter that a character is taken for; nothing for what is not seen.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => return None,
        '0' | 'о' | 'ο' | 'օ' | 'ö' | 'ó' | 'ò' | 'ô' | 'ø' | 'õ' | 'ọ' | 'ő' => 'o',
        '1' | 'i' | 'і' | 'ι' | 'ı' | 'í' | 'ì' | 'ï' | 'î' | '|' | 'ӏ' | 'ĺ' | 'ł' => 'l',
        'а' | 'α' | 'á' | 'à' | 'ä' | 'â' | 'ã' | 'å' | 'ạ' | 'ɑ' => 'a',
        'е' | 'ё' | 'ε' | 'é' | 'è' | 'ë' | 'ê' | 'ė' | 'ẹ' | 'ę' => 'e',
        'с' | 'ϲ' | 'ç' | 'ć' | 'č' => 'c',
        'р' | 'ρ' => 'p',
        'у' | 'υ' | 'ý' | 'ÿ' | 'γ' => 'y',
        'х' | 'χ' => 'x',
        'ѕ' | 'ś' | 'š' | 'ş' | '5' => 's',
        'ј' => 'j',
        'һ' | 'հ' => 'h',
        'ԁ' => 'd',
        'ԛ' => 'q',
        'ԝ' | 'ω' => 'w',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'т' | 'τ' => 't',
        'в' | 'β' | 'ß' => 'b',
        'н' => 'h',
        'ν' | 'ѵ' => 'v',
        'ո' | 'η' | 'ñ' | 'ń' => 'n',
        'ս' | 'ü' | 'ú' | 'ù' | 'û' | 'μ' => 'u',
        'ɡ' | 'ğ' => 'g',
        'ź' | 'ż' | 'ž' => 'z',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalikes_are_told_from_their_models() {
        for (fake, model) in [
            ("examp1e.com", "example.com"),
            ("exarnple.com", "example.com"),
            ("ехаmple.com", "example.com"),
            ("xn--xample-2of.com", "example.com"),
            ("g00gle.com", "google.com"),
            ("exam\u{200b}ple.com", "example.com"),
            ("éxample.com", "example.com"),
        ] {
            assert!(looks_like(fake, model), "{fake}");
        }
        for (one, other) in
            [("example.com", "example.com"), ("example.org", "example.com"), ("a.example.com", "example.com")]
        {
            assert!(!looks_like(one, other), "{one}");
        }
    }

    #[test]
    fn mixed_scripts_are_seen_in_either_spelling() {
        assert!(is_mixed("ехаmple.com") && is_mixed("xn--xample-2of.com"));
        for honest in
            ["example.com", "bücher.example", "пример.рф", "xn--e1afmkfd.xn--p1ai", "日本の.example", "пример.com"]
        {
            assert!(!is_mixed(honest), "{honest}");
        }
    }
}
