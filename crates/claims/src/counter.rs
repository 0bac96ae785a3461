//! Where payloads are handed in and fetched.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};
use uuid::Uuid;
use warren_broker::{Parcel, Publication, Published, Topology, codec::claim::check_out};
use warren_model::Partition;
use warren_store::{PayloadRow, Payloads};

use crate::trouble::Trouble;

/// How long to wait before a payload store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// The payload store, and what goes there.
#[derive(Clone, Debug)]
pub(crate) struct Counter<P> {
    pub(crate) payloads: P,
    pub(crate) topology: Arc<Topology>,
    pub(crate) trouble: Trouble,
}

impl<P: Payloads> Counter<P> {
    /// Returns whether a message is looked at at all.
    pub(crate) fn may_be_large(&self, publication: &Publication) -> bool {
        publication.message.body.len() > self.topology.bodies().inline_bytes_max
    }

    /// Returns what is to be published, its payload kept if it is large; or that it can't be, as a broker would say it
    /// of what it does not take at the moment.
    pub(crate) async fn hand_in(&self, publication: Publication) -> Result<Publication, Published> {
        if !self.may_be_large(&publication) {
            return Ok(publication);
        }
        let topology = self.topology.clone();
        // To take it apart takes as long as it is large.
        let apart = spawn_blocking(move || (check_out(&topology, &publication), publication)).await;
        let (rest, parcel) = match apart {
            Ok((Some(apart), _)) => apart,
            Ok((None, whole)) => return Ok(whole),
            Err(error) => return Err(Published::Refused(format!("its payload can't be taken apart: {error}"))),
        };
        let Parcel { partition, id, instance, execution, body } = parcel;
        let kept = self.payloads.keep_payload(PayloadRow { partition, id, instance, execution, body }).await;
        self.trouble.note(&kept);
        match kept {
            Ok(()) => Ok(rest),
            Err(error) => Err(Published::Refused(format!("its payload can't be kept: {error}"))),
        }
    }

    /// Returns a payload, or `None` if it is not there (any more); asks until there is an answer, since what was delivered
    /// can't be handed on without.
    pub(crate) async fn fetch(&self, partition: Partition, id: Uuid) -> Option<Arc<[u8]>> {
        loop {
            let found = self.payloads.payload(partition, id).await;
            self.trouble.note(&found);
            match found {
                Ok(found) => return found,
                Err(error) => tracing::debug!(%error, payload = %id, "payload can't be fetched yet"),
            }
            sleep(AGAIN).await;
        }
    }
}
