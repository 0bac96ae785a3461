//! What a batch adds or replaces.

use rusqlite::{Connection, Params, params};
use warren_model::InstanceRecord;

use super::{
    columns::{Json, Micros, Text},
    error::of_row,
};
use crate::{Aside, CommandRow, Commit, OutboxRow, PendingRow, Progress, Result, Suspect, TaskNote, TimerRow, TurnRow};

/// Adds everything that the batch names. A row that may not be there yet and is, is refused by name.
pub(super) fn all(transaction: &Connection, commit: &Commit) -> Result<()> {
    let into = Target { transaction, partition: commit.partition.0 };
    commit.instances.iter().try_for_each(|row| into.instance(row))?;
    commit.turns.iter().try_for_each(|row| into.turn(row))?;
    commit.timers.iter().try_for_each(|row| into.timer(row))?;
    commit.pending.iter().try_for_each(|row| into.pending(row))?;
    commit.commands.iter().try_for_each(|row| into.command("INSERT", row))?;
    commit.tombstones.iter().try_for_each(|row| into.command("INSERT OR REPLACE", row))?;
    commit.outbox.iter().try_for_each(|row| into.outbox(row))?;
    commit.aside.iter().try_for_each(|row| into.aside(row))?;
    commit.suspects.iter().try_for_each(|row| into.suspect(row))?;
    commit.task_notes.iter().try_for_each(|row| into.task_note(row))?;
    for (target, sequence) in &commit.sent {
        into.watermark(
            "INSERT OR REPLACE INTO sent (partition, target, sequence) VALUES (?1, ?2, ?3)",
            target.0,
            *sequence,
        )?;
    }
    for (source, sequence) in &commit.received {
        into.watermark(
            "INSERT OR REPLACE INTO received (partition, source, sequence) VALUES (?1, ?2, ?3)",
            source.0,
            *sequence,
        )?;
    }
    Ok(())
}

struct Target<'t> {
    transaction: &'t Connection,
    partition: u16,
}

impl Target<'_> {
    fn instance(&self, row: &InstanceRecord) -> Result<()> {
        let name = || format!("instance {}", row.id);
        let values = params![
            self.partition,
            row.id.as_str(),
            Text(row.execution),
            row.name,
            row.version,
            row.status.as_str(),
            row.condition.as_ref().map(Json),
            row.turn,
            Micros(row.created_at),
            Micros(row.updated_at),
            row.custom_status.as_ref().map(|payload| payload.as_str()),
            row.parent.as_ref().map(Json),
            row.answer_to.as_ref().map(Json),
            row.start_id.as_str(),
            Json(&row.tags),
            row.history_events,
            row.history_bytes,
        ];
        let sql = "INSERT OR REPLACE INTO instance (partition, id, execution, name, version, status, condition, turn,
                created_at, updated_at, custom_status, parent, answer_to, start_id, tags, history_events, history_bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        self.run(sql, values, name)
    }

    fn turn(&self, row: &TurnRow) -> Result<()> {
        let key = &row.key;
        let sql = "INSERT INTO history (partition, instance, execution, turn, updated_at, history_events, history_bytes, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let Progress { updated_at, history_events, history_bytes } = row.progress;
        let values = params![
            self.partition,
            key.instance.as_str(),
            Text(key.execution),
            key.turn,
            Micros(updated_at),
            history_events,
            history_bytes,
            row.body
        ];
        self.run(sql, values, || key.to_string())
    }

    fn timer(&self, row: &TimerRow) -> Result<()> {
        let sql = "INSERT INTO timer (partition, instance, id, execution, fire_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let due = Micros::not_before(row.fire_at);
        let values = params![self.partition, row.instance.as_str(), row.id.0, Text(row.execution), due];
        self.run(sql, values, || format!("timer {} of instance {}", row.id, row.instance))
    }

    fn pending(&self, row: &PendingRow) -> Result<()> {
        let name = || format!("pending message {} of instance {}", row.position, row.instance);
        let sql =
            "INSERT INTO pending (partition, instance, position, message, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let expires_at = row.expires_at.map(Micros);
        let values = params![self.partition, row.instance.as_str(), row.position, Json(&row.message), expires_at];
        self.run(sql, values, name)
    }

    fn command(&self, insert: &str, row: &CommandRow) -> Result<()> {
        let sql = format!("{insert} INTO command (partition, id, answer, at) VALUES (?1, ?2, ?3, ?4)");
        let values = params![self.partition, row.id.as_str(), Json(&row.answer), Micros(row.at)];
        self.run(&sql, values, || format!("command {}", row.id))
    }

    fn outbox(&self, row: &OutboxRow) -> Result<()> {
        let name = || format!("outbox of commit {}", row.number);
        let sql = "INSERT OR REPLACE INTO outbox (partition, number, entries) VALUES (?1, ?2, ?3)";
        self.run(sql, params![self.partition, row.number, Json(&row.entries)], name)
    }

    fn aside(&self, row: &Aside) -> Result<()> {
        let name = || format!("message {} from partition {}", row.sequence, row.source);
        let sql = "INSERT INTO aside (partition, source, sequence, message) VALUES (?1, ?2, ?3, ?4)";
        let values = params![self.partition, row.source.0, row.sequence, Json(&row.message)];
        self.run(sql, values, name)
    }

    fn suspect(&self, row: &Suspect) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO suspect (partition, instance, count, reason) VALUES (?1, ?2, ?3, ?4)";
        let values = params![self.partition, row.instance.as_str(), row.count, row.reason];
        self.run(sql, values, || format!("suspect {}", row.instance))
    }

    fn task_note(&self, row: &TaskNote) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO task_note (partition, instance, id, quarantined, mark)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let is_quarantined = row.quarantine.is_some();
        let values = params![self.partition, row.instance.as_str(), row.id.0, is_quarantined, Json(row)];
        self.run(sql, values, || format!("suspected task {} of instance {}", row.id, row.instance))
    }

    fn watermark(&self, sql: &str, other: u16, sequence: u64) -> Result<()> {
        let name = || format!("sequence of partition {other}");
        self.run(sql, params![self.partition, other, sequence], name)
    }

    fn run(&self, sql: &str, values: impl Params, name: impl Fn() -> String) -> Result<()> {
        let done = self.transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map(|_| ()).map_err(|error| of_row(error, name))
    }
}
