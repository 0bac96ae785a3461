//! History, a row a turn.

use warren_model::{ExecutionId, InstanceId, InstanceRecord, Timestamp};

/// Names one turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnKey {
    /// The instance.
    pub instance: InstanceId,
    /// The execution.
    pub execution: ExecutionId,
    /// Its number in the execution, from 0.
    pub turn: u32,
}

/// One turn of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Which turn.
    pub key: TurnKey,
    /// The JSON of a [`TurnRecord`](warren_model::TurnRecord), byte for byte.
    pub body: String,
    /// How far its instance has come with it.
    pub progress: Progress,
}

/// What every turn changes of its instance's row, besides how many turns there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// When the instance last changed.
    pub updated_at: Timestamp,
    /// How many events the execution's history has.
    pub history_events: u64,
    /// How many bytes they take.
    pub history_bytes: u64,
}

impl Progress {
    /// Returns that of a row.
    pub fn of(record: &InstanceRecord) -> Self {
        let InstanceRecord { updated_at, history_events, history_bytes, .. } = *record;
        Self { updated_at, history_events, history_bytes }
    }
}

impl TurnRow {
    /// Notes in the row of its instance how far that has come, unless the row is of another execution or knows.
    pub fn note_in(&self, record: &mut InstanceRecord) {
        if record.execution == self.key.execution && record.turn <= self.key.turn {
            record.turn = self.key.turn + 1;
            let Progress { updated_at, history_events, history_bytes } = self.progress;
            (record.updated_at, record.history_events, record.history_bytes) =
                (updated_at, history_events, history_bytes);
        }
    }
}
