//! How an order ended, and whether that is what its entry expects.

use example_order::{Eur, contract::Receipt, sample::Entry};
use serde::Deserialize;
use serde_json::Value;

/// What an entry expects of an order that goes well.
pub(crate) const COMPLETED: &str = "completed";

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a receipt.
    Completed(Box<Receipt>),
    /// With a failure.
    Failed {
        /// Its code.
        code: String,
        /// What it says.
        message: String,
        /// The field that it names, if it names one.
        field: Option<String>,
    },
    /// Not at all, as far as is known; says why.
    Lost(String),
}

/// The parts of a status that matter here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    runtime_status: String,
    output: Value,
    failure: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: String,
    message: String,
    #[serde(default)]
    details: Value,
}

impl End {
    /// Reads how an instance ended from its status.
    pub(crate) fn of_status(body: &[u8]) -> Self {
        let status: Status = match serde_json::from_slice(body) {
            Ok(status) => status,
            Err(error) => return Self::Lost(format!("the status can't be read: {error}")),
        };
        match (status.runtime_status.as_str(), status.failure) {
            ("Completed", _) => match serde_json::from_value(status.output) {
                Ok(receipt) => Self::Completed(receipt),
                Err(error) => Self::Lost(format!("the output is no receipt: {error}")),
            },
            ("Failed", Some(Failure { code, message, details })) => {
                let field = details["field"].as_str().map(ToOwned::to_owned);
                Self::Failed { code, message, field }
            }
            (other, _) => Self::Lost(format!("it is {other}: {}", status.output)),
        }
    }

    /// Returns what an entry calls this end.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Completed(_) => COMPLETED,
            Self::Failed { code, .. } => code,
            Self::Lost(_) => "lost",
        }
    }

    /// Says in what the end differs from what the entry expects, if it does.
    pub(crate) fn difference(&self, entry: &Entry) -> Option<String> {
        if self.name() != entry.expect {
            let why = match self {
                Self::Completed(_) => String::new(),
                Self::Failed { message, .. } | Self::Lost(message) => format!(" ({message})"),
            };
            return Some(format!("expected {}, but it is {}{why}", entry.expect, self.name()));
        }
        match self {
            Self::Completed(receipt) => wrong_receipt(receipt, &entry.id),
            Self::Failed { message, field, .. } => wrong_field(entry.field.as_deref()?, field.as_deref(), message),
            Self::Lost(_) => None,
        }
    }
}

/// What can't be read has no field in its details: then the message names it, part by part.
fn wrong_field(expected: &str, field: Option<&str>, message: &str) -> Option<String> {
    let names_it = match field {
        Some(field) => field == expected,
        None => expected.split('.').all(|part| message.contains(part)),
    };
    (!names_it).then(|| format!("expected the failure to name {expected}, but it says {message}"))
}

fn wrong_receipt(receipt: &Receipt, order: &str) -> Option<String> {
    if receipt.order != order {
        return Some(format!("its receipt is that of {}", receipt.order));
    }
    let sum = receipt.net_cents + receipt.taxes.iter().map(|tax| tax.tax_cents).sum::<Eur>();
    (sum != receipt.gross_cents).then(|| format!("its receipt adds up to {sum} and says {}", receipt.gross_cents))
}

#[cfg(test)]
#[path = "verdict_test.rs"]
mod test;
