//! How much a page of a sweep holds, whatever the backend.

use warren_model::{InstanceId, InstanceRecord};

use crate::{LoadedInstance, Sweep, Swept};

/// How many rows a page looks at: a short read, also where few of them match.
pub(crate) const ROWS: usize = 1_000;
/// Most bytes of history in a page that has any, but for the last of its instances.
const HISTORY_BYTES: u64 = 16 << 20;

/// What a page of rows comes to.
pub(crate) enum Page {
    /// These are to be read with their turns.
    Open { ids: Vec<InstanceId>, next: Option<InstanceId> },
    /// These are all.
    Ended(Swept),
}

impl Sweep {
    /// Returns behind which id the page begins.
    pub(crate) fn after(&self) -> &str {
        match self {
            Self::One(_) => "",
            Self::Open { after } | Self::EndedBefore { after, .. } => after.as_ref().map_or("", InstanceId::as_str),
        }
    }

    /// Returns what is wanted of [`ROWS`] rows, in the order of their ids; `None` stands for a row that can't be read,
    /// of which the id is known.
    pub(crate) fn page(&self, rows: Vec<(InstanceId, Option<InstanceRecord>)>) -> Page {
        let mut next = rows.last().filter(|_| rows.len() >= ROWS).map(|(id, _)| id.clone());
        let rows = rows.into_iter().filter_map(|(_, record)| record);
        match self {
            Self::One(_) | Self::Open { .. } => {
                let (mut ids, mut bytes) = (Vec::new(), 0);
                for record in rows.filter(|record| !record.status.is_terminal()) {
                    if bytes >= HISTORY_BYTES {
                        next = ids.last().cloned();
                        break;
                    }
                    bytes += record.history_bytes;
                    ids.push(record.id);
                }
                Page::Open { ids, next }
            }
            Self::EndedBefore { time, .. } => {
                let is_old = |record: &InstanceRecord| record.status.is_terminal() && record.updated_at < *time;
                let instances = rows.filter(is_old).map(alone).collect();
                Page::Ended(Swept { instances, next })
            }
        }
    }
}

fn alone(record: InstanceRecord) -> LoadedInstance {
    LoadedInstance {
        id: record.id.clone(),
        record: Some(record),
        turns: Ok(Vec::new()),
        pending: Vec::new(),
        next_position: 0,
    }
}
