//! What an owner can be told to do otherwise.

use jiff::SignedDuration;
use warren_engine::Limits;

/// Bounds of one owner; most come from the setting of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Most messages and timers in one commit.
    pub batch: usize,
    /// How many messages must wait for a batch to begin while another is written. A smaller one would have to wait for that
    /// commit anyway, and by then may be larger: what a commit costs besides its rows is as much as ten instances' rows.
    pub overlap_min: usize,
    /// Most instances in memory, per partition.
    pub cache_instances: usize,
    /// Most bytes that they may take, per partition, as estimated.
    pub cache_bytes: u64,
    /// How large an instance may grow.
    pub limits: Limits,
    /// Most messages that are kept for one instance that can't run.
    pub mailbox_messages: usize,
    /// How long an event waits for an instance that nobody has seen.
    pub unseen_event: SignedDuration,
    /// How long a command's id is remembered.
    pub duplicate_window: SignedDuration,
    /// How long an instance is kept once it has ended; for ever if there is no such time.
    pub purge_after: Option<SignedDuration>,
    /// How often expired rows are removed.
    pub expiry_interval: SignedDuration,
    /// How long a new session looks for the ids of every start, also of one whose sender vouches for them.
    pub doubt: SignedDuration,
    /// The same of the session that follows one which a sender has ended by vouching wrongly.
    pub distrust: SignedDuration,
    /// Most timers in memory, per partition.
    pub timers_max: usize,
    /// How often workers may begin a work item that came again, before its task is quarantined.
    pub begins_max: u32,
    /// Whether such a task fails, instead of waiting until somebody lets it begin again.
    pub fails_quarantined: bool,
    /// Whether somebody wants the spans of traced instances.
    pub traces: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch: 500,
            overlap_min: 100,
            cache_instances: 10_000,
            cache_bytes: 64 << 20,
            limits: Limits::default(),
            mailbox_messages: 100_000,
            unseen_event: SignedDuration::from_hours(1),
            duplicate_window: SignedDuration::from_hours(24 * 7),
            purge_after: None,
            expiry_interval: SignedDuration::from_secs(30),
            doubt: SignedDuration::from_secs(10),
            distrust: SignedDuration::from_hours(1),
            timers_max: 50_000,
            begins_max: 5,
            fails_quarantined: false,
            traces: false,
        }
    }
}
