//! What users were asked by notices, so that their answers are understood.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{Ledger, LedgerError, Transaction};

/// What a notice asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// Whether the user comes.
    Invitation,
    /// Whether the user believes the sender of a message.
    Unproven,
    /// Whether the user takes what an attendee proposes.
    Counter,
    /// Whether somebody may come who was not invited.
    Crasher,
}

/// A question to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The Message-ID of the notice.
    pub message_id: String,
    pub user: String,
    pub kind: QuestionKind,
    pub cal_uid: String,
    /// As [`DecisionRecord::instance`](super::DecisionRecord) has it.
    pub instance: String,
    /// The SEQUENCE of the invitation.
    pub sequence: i64,
    /// Whose message it is about.
    pub sender: String,
    /// The Message-ID of the mail that it came in.
    pub about: String,
    /// Unix milliseconds.
    pub at: i64,
}

impl QuestionKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Unproven => "unproven",
            Self::Counter => "counter",
            Self::Crasher => "crasher",
        }
    }

    fn parse(text: &str) -> Result<Self, LedgerError> {
        let all = [Self::Invitation, Self::Unproven, Self::Counter, Self::Crasher];
        let known = all.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| LedgerError::Unreadable { what: "the kind of a question", value: text.to_owned() })
    }
}

impl Transaction {
    /// Keeps a question; the same notice is kept once.
    pub async fn add_question(&mut self, question: &Question) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO question (message_id, user, kind, cal_uid, instance, sequence, sender, about, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING",
        )
        .bind(&question.message_id)
        .bind(&question.user)
        .bind(question.kind.as_str())
        .bind(&question.cal_uid)
        .bind(&question.instance)
        .bind(question.sequence)
        .bind(&question.sender)
        .bind(&question.about)
        .bind(question.at)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("keep a question"))?;
        Ok(())
    }

    /// What a user was asked by a notice.
    pub async fn question(&mut self, user: &str, message_id: &str) -> Result<Option<Question>, LedgerError> {
        let row = sqlx::query(
            "SELECT message_id, user, kind, cal_uid, instance, sequence, sender, about, at FROM question
             WHERE user = ? AND message_id = ?",
        )
        .bind(user)
        .bind(message_id)
        .fetch_optional(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for a question"))?;
        let Some(row) = row else { return Ok(None) };
        let kind: String = row.get(2);
        Ok(Some(Question {
            message_id: row.get(0),
            user: row.get(1),
            kind: QuestionKind::parse(&kind)?,
            cal_uid: row.get(3),
            instance: row.get(4),
            sequence: row.get(5),
            sender: row.get(6),
            about: row.get(7),
            at: row.get(8),
        }))
    }
}

impl Ledger {
    /// Which of these Message-IDs are those of notices to a user.
    pub async fn questions_among(&self, user: &str, of: &BTreeSet<String>) -> Result<BTreeSet<String>, LedgerError> {
        self.message_ids_among("SELECT message_id FROM question WHERE user = ", user, of).await
    }
}
