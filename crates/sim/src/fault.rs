//! What can go wrong.

use std::fmt;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each name says what goes wrong")]
pub enum Fault {
    ReplicaKilled,
    ReplicaFrozen,
    ReplicaDrained,
    WorkerKilled,
    WorkerFrozen,
    WorkerDrained,
    ConsumerLost,
    PublisherLost,
    BrokerRestarted,
    StoreAway,
    QueueDeleted,
    QueuePurged,
    WordsLost,
    HeartbeatMissed,
    CommitFailed,
    CommitUnknownWritten,
    CommitUnknownLost,
    CommitLate,
    CommitSlow,
    ReadFailed,
    HistoryUnreadable,
    PublicationRefused,
    PublicationReturned,
    PublicationLost,
    PublicationDuplicated,
    AnswerLost,
    CommandLost,
    CommandDuplicated,
    StartNotFresh,
    ActivityFailed,
    WorkerPoisoned,
    ItemGivenBack,
    QueuePaused,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 33] = [
        Self::ReplicaKilled,
        Self::ReplicaFrozen,
        Self::ReplicaDrained,
        Self::WorkerKilled,
        Self::WorkerFrozen,
        Self::WorkerDrained,
        Self::ConsumerLost,
        Self::PublisherLost,
        Self::BrokerRestarted,
        Self::StoreAway,
        Self::QueueDeleted,
        Self::QueuePurged,
        Self::WordsLost,
        Self::HeartbeatMissed,
        Self::CommitFailed,
        Self::CommitUnknownWritten,
        Self::CommitUnknownLost,
        Self::CommitLate,
        Self::CommitSlow,
        Self::ReadFailed,
        Self::HistoryUnreadable,
        Self::PublicationRefused,
        Self::PublicationReturned,
        Self::PublicationLost,
        Self::PublicationDuplicated,
        Self::AnswerLost,
        Self::CommandLost,
        Self::CommandDuplicated,
        Self::StartNotFresh,
        Self::ActivityFailed,
        Self::WorkerPoisoned,
        Self::ItemGivenBack,
        Self::QueuePaused,
    ];
}

/// How often each kind happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults([u64; Fault::ALL.len()]);

impl Default for Faults {
    fn default() -> Self {
        Self([0; Fault::ALL.len()])
    }
}

impl Faults {
    pub(crate) fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// Adds what another run has counted.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// Returns how often this kind happened.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Returns how often anything happened.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in Fault::ALL {
            writeln!(f, "{:>12}  {fault:?}", self.of(fault))?;
        }
        Ok(())
    }
}
