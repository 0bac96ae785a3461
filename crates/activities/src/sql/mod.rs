//! `kind = "sql"`: runs one statement on a PostgreSQL database, in a transaction of its own, and gives its rows.
//!
//! Rows are made JSON by the server, which knows all of its types; parameters go there as text, and the server reads them
//! as what the statement takes them for.

mod failures;
mod lent;
mod parameter;

use std::{pin::pin, time::Duration};

use deadpool_postgres::{Pool, Transaction};
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::time::timeout;
use warren::{Failure, Payload, code};
use warren_service::{settings::SqlSettings, template::Template};
use warren_store::postgres::foreign;

use self::{lent::Lent, parameter::Parameter};
use crate::{
    Error, Result,
    task::{self, Kind, Task},
};

/// How much longer the worker waits than the server, whose word is clearer.
const SLACK: Duration = Duration::from_secs(2);

/// An activity that runs a statement.
#[derive(Debug)]
pub(crate) struct Sql {
    pool: Pool,
    statement: String,
    parameters: Vec<Template>,
    within: Duration,
    rows_max: i32,
    result_bytes_max: usize,
}

impl Kind for Sql {
    async fn run(&self, task: &Task) -> Result<Payload, Failure> {
        let parameters: Vec<Parameter> = self
            .parameters
            .iter()
            .map(|template| task.value("parameters", template).map(Parameter))
            .collect::<Result<_, _>>()?;
        match timeout(self.within + SLACK, self.transact(parameters)).await {
            Ok(result) => result,
            Err(_) => Err(failures::too_slow(self.within)),
        }
    }
}

impl Sql {
    /// Returns the activity of this name. It connects when it is first called.
    pub(crate) fn new(name: &str, settings: &SqlSettings) -> Result<Self> {
        let wrong = |setting, why: String| Error::Setting { name: name.into(), setting, why };
        let url = task::secret(name, "url", settings.url.as_str())?;
        let within = Duration::from_secs(settings.timeout_seconds.into());
        let pool = foreign(&url, settings.connections as usize, within);
        let parameters = settings.parameters.iter().map(|text| task::template(name, "parameters", text));
        Ok(Self {
            pool: pool.map_err(|why| wrong("url", format!("is wrong: {why}")))?,
            statement: settings.statement.trim().trim_end_matches(';').to_owned(),
            parameters: parameters.collect::<Result<_>>()?,
            within,
            rows_max: i32::try_from(settings.rows_max).map_err(|error| wrong("rows_max", error.to_string()))?,
            result_bytes_max: settings.result_kilobytes_max as usize * 1024,
        })
    }

    /// Nothing is written unless the result fits its limits.
    async fn transact(&self, parameters: Vec<Parameter>) -> Result<Payload, Failure> {
        let mut client = Lent::new(self.pool.get().await.map_err(|error| failures::no_connection(&error))?);
        let transaction = client.transaction().await.map_err(|error| failures::of(&error))?;
        let result = self.execute(&transaction, parameters).await;
        let ended = match &result {
            Ok(_) => transaction.commit().await,
            Err(_) => transaction.rollback().await,
        };
        if ended.is_ok() {
            client.give_back();
        }
        let result = result?;
        ended.map_err(|error| failures::of_commit(&error))?;
        Ok(result)
    }

    async fn execute(&self, transaction: &Transaction<'_>, parameters: Vec<Parameter>) -> Result<Payload, Failure> {
        let failed = |error: tokio_postgres::Error| failures::of(&error);
        let statement = transaction.prepare_cached(&self.statement).await.map_err(failed)?;
        check(&parameters, statement.params())?;
        if statement.columns().is_empty() {
            let rows = transaction.execute_raw(&statement, parameters).await.map_err(failed)?;
            return payload(&json!({"rows_affected": rows}).to_string());
        }
        let as_json = format!("WITH result AS ({}\n) SELECT to_json(result)::text FROM result", self.statement);
        let statement = transaction.prepare_cached(&as_json).await.map_err(failed)?;
        // One row more than there may be: then the server stops too.
        let portal = transaction.bind_raw(&statement, parameters).await.map_err(failed)?;
        let rows = transaction.query_portal_raw(&portal, self.rows_max.saturating_add(1)).await.map_err(failed)?;
        let mut rows = pin!(rows);
        let (mut list, mut count) = (String::from("["), 0);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let row: &str = row.try_get(0).map_err(failed)?;
            count += 1;
            if count > self.rows_max {
                return Err(failures::too_large("rows_max", self.rows_max));
            }
            if list.len() + row.len() + 2 > self.result_bytes_max {
                return Err(failures::too_large("result_kilobytes_max", self.result_bytes_max / 1024));
            }
            if count > 1 {
                list.push(',');
            }
            list.push_str(row);
        }
        list.push(']');
        payload(&list)
    }
}

fn check(parameters: &[Parameter], types: &[tokio_postgres::types::Type]) -> Result<(), Failure> {
    if parameters.len() != types.len() {
        let message = format!("the statement takes {} parameters, the settings give {}", types.len(), parameters.len());
        return Err(Failure::permanent(failures::ERROR, message));
    }
    let unfit = parameters.iter().zip(types).position(|(parameter, expected)| !parameter.fits(expected));
    unfit.map_or(Ok(()), |at| {
        let message = format!("parameters: ${} is a list or an object, but {} is expected", at + 1, types[at]);
        Err(Failure::permanent(code::INVALID_INPUT, message))
    })
}

fn payload(text: &str) -> Result<Payload, Failure> {
    Payload::from_bytes(text.as_bytes()).map_err(|error| Failure::permanent(code::INVALID_RESULT, error.to_string()))
}

#[cfg(test)]
mod test;
