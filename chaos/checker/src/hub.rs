//! What a hub holds, as it was read.

/// A hub's rows, and what rests in its queues.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    /// Every instance.
    pub instances: Vec<InstanceRow>,
    /// Every turn of history, in order.
    pub turns: Vec<TurnRow>,
    /// Rows of tables that must be empty once all has ended.
    pub rest: Vec<Rest>,
    /// How many large payloads rest in the store: those of messages that never came wait for the duplicate window.
    pub payloads: i64,
    /// The hub's queues.
    pub queues: Vec<Queue>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// The partition.
    pub partition: i32,
    /// Its id.
    pub id: String,
    /// Its present or last execution, 32 hexadecimal digits.
    pub execution: String,
    /// Which orchestrator.
    pub name: String,
    /// How it stands.
    pub status: String,
    /// What keeps it from going on, as JSON.
    pub condition: Option<String>,
    /// How many turns the row says that the execution has.
    pub turn: i64,
    /// How many events the row says that they have.
    pub history_events: i64,
    /// The message that started it.
    pub start_id: String,
    /// Its parent, as JSON.
    pub parent: Option<String>,
}

/// Returns whether an instance with this status has ended.
pub(crate) fn is_over(status: &str) -> bool {
    matches!(status, "Completed" | "Failed" | "Terminated")
}

/// A turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Whose.
    pub instance: String,
    /// Which execution's.
    pub execution: String,
    /// Its number.
    pub turn: i64,
    /// Its JSON.
    pub body: String,
}

/// A row that should not be there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The table.
    pub table: &'static str,
    /// The instance, where the table has one; else the partition.
    pub of: String,
    /// What it says.
    pub what: String,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// How many messages rest in it, delivered and unacknowledged ones included.
    pub messages: u64,
    /// What they say, where somebody looked.
    pub samples: Vec<String>,
}
