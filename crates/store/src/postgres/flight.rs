//! Several statements in one round trip.

use std::array;

use deadpool_postgres::Client;
use futures_util::{future::try_join_all, try_join};
use tokio_postgres::{Error, Row, Statement, types::ToSql};

use super::pool::discard;
use crate::Result as Stored;

/// Begins a transaction whose statements all see the same rows.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Begins a transaction each of whose statements sees what was committed before it.
pub(super) const READ_COMMITTED: &str = "BEGIN";

/// Returns the statements, prepared; without a round trip if the connection has done so before.
pub(super) async fn prepare<const N: usize>(client: &Client, sql: [&str; N]) -> Result<[Statement; N], Error> {
    let statements = try_join_all(sql.map(|sql| client.prepare_cached(sql))).await?;
    let mut statements = statements.into_iter();
    Ok(array::from_fn(|_| statements.next().expect("one statement for each text")))
}

/// Asks for rows. Sends the question when it is first polled.
pub(super) async fn ask<const N: usize>(
    client: &Client,
    statement: &Statement,
    values: [&(dyn ToSql + Sync); N],
) -> Result<Vec<Row>, Error> {
    client.query(statement, &values).await
}

/// Sends BEGIN, what `work` asks for, and COMMIT without waiting in between.
///
/// `work` must send all it has when it is first polled (a `try_join!` of [`ask`]s does). Then the
/// transaction is whole on its way from that moment on, whatever becomes of the caller; and an error of one statement
/// turns the COMMIT into a ROLLBACK. If a statement can't even be sent, the COMMIT is not either: after an error without
/// a word from the server, the connection must be discarded.
pub(super) async fn fly<T>(
    client: &Client,
    begin: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let ((), result, ()) = try_join!(client.batch_execute(begin), work, client.batch_execute("COMMIT"))?;
    Ok(result)
}

/// Ends a flight of reads: gives the connection back, or closes it if it may still be inside the transaction.
pub(super) fn land<T>(client: Client, result: Result<T, Error>) -> Stored<T> {
    if result.as_ref().is_err_and(|error| error.as_db_error().is_none()) {
        discard(client);
    }
    result.map_err(Into::into)
}
