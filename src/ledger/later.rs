//! Statements of a transaction that are carried out together.
//!
//! A statement goes to the thread that the connection lives on, and its outcome comes back: that costs more than most statements do
//! there. What only writes, and tells nothing, waits for the next question or the commit.

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{AssertSqlSafe, Encode, Type};

use super::limits::DELAYED_MAX;
use super::{LedgerError, Transaction};

/// What is attempted when they are carried out.
const WRITE: &str = "write what was decided";

/// What waits to be carried out.
#[derive(Debug, Default)]
pub(super) struct Delayed {
    /// One behind the other; there is nothing in them that was not written here.
    statements: String,
    parameters: SqliteArguments,
    count: usize,
}

/// A statement that is being given its values, for plain `?` in their order.
pub(super) struct Later<'a> {
    transaction: &'a mut Transaction,
    fault: Option<BoxDynError>,
}

impl Transaction {
    /// Adds a statement to those that are carried out together, before the next question or at the commit.
    pub(super) fn later(&mut self, statement: &'static str) -> Later<'_> {
        self.delayed.statements.push_str(statement);
        self.delayed.statements.push(';');
        self.delayed.count += 1;
        Later { transaction: self, fault: None }
    }

    /// Carries out what waits.
    pub(super) async fn write_delayed(&mut self) -> Result<(), LedgerError> {
        if self.delayed.count == 0 {
            return Ok(());
        }
        let Delayed { statements, parameters, .. } = std::mem::take(&mut self.delayed);
        let written = sqlx::query_with(AssertSqlSafe(statements), parameters).execute(&mut *self.inner).await;
        written.map(drop).map_err(LedgerError::while_trying(WRITE))
    }
}

impl Later<'_> {
    /// The next value.
    pub(super) fn bind<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(mut self, value: T) -> Self {
        if let Err(fault) = self.transaction.delayed.parameters.add(value) {
            self.fault.get_or_insert(fault);
        }
        self
    }

    /// The statement is complete. Carries all of them out when they are many, and fails then as any of them does.
    pub(super) async fn enter(self) -> Result<(), LedgerError> {
        if let Some(fault) = self.fault {
            return Err(LedgerError::while_trying(WRITE)(sqlx::Error::Encode(fault)));
        }
        if self.transaction.delayed.count < DELAYED_MAX {
            return Ok(());
        }
        self.transaction.write_delayed().await
    }
}
