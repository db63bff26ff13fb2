//! The languages of mails, and the catalogues that hold their words.

mod catalogue;
mod inspect;
mod messages;

pub use catalogue::{Catalogue, Value};
pub use inspect::{MessageFault, inspect};
pub use messages::{MESSAGES, variables};

/// A language that mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    English,
    AmericanEnglish,
    German,
    French,
    Spanish,
    Italian,
    Dutch,
    Portuguese,
    Polish,
    Japanese,
    SimplifiedChinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 11] = [
        Language::English,
        Language::AmericanEnglish,
        Language::German,
        Language::French,
        Language::Spanish,
        Language::Italian,
        Language::Dutch,
        Language::Portuguese,
        Language::Polish,
        Language::Japanese,
        Language::SimplifiedChinese,
    ];

    /// The tag, which is also the name of the catalogue's file (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::AmericanEnglish => "en-US",
            Language::German => "de",
            Language::French => "fr",
            Language::Spanish => "es",
            Language::Italian => "it",
            Language::Dutch => "nl",
            Language::Portuguese => "pt",
            Language::Polish => "pl",
            Language::Japanese => "ja",
            Language::SimplifiedChinese => "zh-Hans",
        }
    }

    /// The language of a tag such as `de-AT`, as LANGUAGE has it (RFC 5545 §3.2.10); nothing for one without a catalogue.
    ///
    /// Whoever reads traditional Chinese characters is not given simplified ones, but what is chosen for the sender.
    pub fn of_tag(tag: &str) -> Option<Self> {
        // LANGUAGE comes from outside, and the longest honest tags have 35 characters (RFC 5646 §4.4.1).
        if tag.len() > 40 {
            return None;
        }
        let tag = tag.trim().replace('_', "-").to_ascii_lowercase();
        let mut subtags = tag.split('-');
        let (first, rest) = (subtags.next()?, subtags.collect::<Vec<_>>());
        match first {
            "en" if rest.contains(&"us") => Some(Language::AmericanEnglish),
            "zh" if rest.iter().any(|subtag| matches!(*subtag, "hant" | "tw" | "hk" | "mo")) => None,
            "zh" | "cmn" => Some(Language::SimplifiedChinese),
            _ => Language::ALL.into_iter().find(|language| language.tag() == first),
        }
    }

    /// The language whose words stand in where this one has none of its own.
    pub fn parent(self) -> Option<Self> {
        match self {
            Language::AmericanEnglish => Some(Language::English),
            Language::English
            | Language::German
            | Language::French
            | Language::Spanish
            | Language::Italian
            | Language::Dutch
            | Language::Portuguese
            | Language::Polish
            | Language::Japanese
            | Language::SimplifiedChinese => None,
        }
    }

    /// The catalogue that comes with imipd, as Fluent text.
    pub fn built_in(self) -> &'static str {
        match self {
            Language::English => include_str!("../../locales/en.ftl"),
            Language::AmericanEnglish => include_str!("../../locales/en-US.ftl"),
            Language::German => include_str!("../../locales/de.ftl"),
            Language::French => include_str!("../../locales/fr.ftl"),
            Language::Spanish => include_str!("../../locales/es.ftl"),
            Language::Italian => include_str!("../../locales/it.ftl"),
            Language::Dutch => include_str!("../../locales/nl.ftl"),
            Language::Portuguese => include_str!("../../locales/pt.ftl"),
            Language::Polish => include_str!("../../locales/pl.ftl"),
            Language::Japanese => include_str!("../../locales/ja.ftl"),
            Language::SimplifiedChinese => include_str!("../../locales/zh-Hans.ftl"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_finds_the_nearest_language() {
        for (tag, expected) in [
            ("de", Some(Language::German)),
            ("DE-at", Some(Language::German)),
            ("de_CH", Some(Language::German)),
            ("en", Some(Language::English)),
            ("en-GB", Some(Language::English)),
            ("en-US", Some(Language::AmericanEnglish)),
            ("pt-BR", Some(Language::Portuguese)),
            ("zh", Some(Language::SimplifiedChinese)),
            ("zh-CN", Some(Language::SimplifiedChinese)),
            ("zh-Hans-SG", Some(Language::SimplifiedChinese)),
            ("zh-TW", None),
            ("zh-Hant", None),
            ("deutsch", None),
            ("", None),
            ("ar", None),
        ] {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
        assert_eq!(Language::of_tag(&format!("de-{}", "x".repeat(10_000))), None);
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
    }
}
