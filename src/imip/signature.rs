//! What came of checking the DKIM signatures of a mail here (RFC 6376), as far as it says something about its author.

/// The signatures of a mail, after the check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// Nobody has looked at them.
    #[default]
    NotChecked,
    /// One of this domain holds for From and for the whole body.
    Holds(String),
    /// None counts.
    Lacking(Lack),
}

/// Why no signature counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// There is none.
    Missing,
    /// There are only such of other domains than that of From, and those above it.
    OfAnother,
    /// The mail is too large to be fetched as a whole, and the signature is over the whole.
    Abridged,
    /// A field by which the mail is read stands in it twice, and only one of them may be signed.
    Doubled,
    /// It covers a part of the body only (`l=`), to which anybody can add.
    Partial,
    /// It does not cover From, or was made in a way that does not count any more (RFC 8301 §3).
    Weak,
    Expired,
    BodyChanged,
    /// It does not fit its header or its key.
    Broken,
    /// The signer's domain publishes no such key.
    NoKey,
    /// The signer's domain says that it is only trying (`t=y`), and is to be taken as if it had not signed (RFC 6376 §3.6.1).
    Testing,
    /// The DNS did not answer in time.
    NoAnswer,
    /// It cannot be read.
    Unreadable,
}

impl Lack {
    /// The stable kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::OfAnother => "of-another",
            Self::Abridged => "not-checked",
            Self::Doubled => "doubled",
            Self::Partial => "partial",
            Self::Weak => "weak",
            Self::Expired => "expired",
            Self::BodyChanged => "body-changed",
            Self::Broken => "broken",
            Self::NoKey => "no-key",
            Self::Testing => "testing",
            Self::NoAnswer => "no-answer",
            Self::Unreadable => "unreadable",
        }
    }

    /// The end of a sentence for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Missing => "the mail has no DKIM signature",
            Self::OfAnother => "its DKIM signatures are not of the domain of From",
            Self::Abridged => "the mail is too large for its DKIM signature to be checked",
            Self::Doubled => {
                "the mail has From or a field about its content twice, so its DKIM signature may be about the other"
            }
            Self::Partial => "its DKIM signature covers only a part of the body (l=)",
            Self::Weak => "its DKIM signature does not cover From, or is of a kind that does not count any more",
            Self::Expired => "its DKIM signature has expired",
            Self::BodyChanged => "its body is not the one that was signed by DKIM",
            Self::Broken => "its DKIM signature does not fit the header or the key",
            Self::NoKey => "the DNS has no key for its DKIM signature",
            Self::Testing => "the signer says that its DKIM key is only a trial (t=y)",
            Self::NoAnswer => "the DNS did not answer in time with the key of its DKIM signature",
            Self::Unreadable => "its DKIM signature cannot be read",
        }
    }
}
