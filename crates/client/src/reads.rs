//! What the store knows.

use warren_model::{InstanceId, TurnRecord};
use warren_store::{Filter, InstanceView, Page, Queries};

use crate::{Client, Result};

/// How many turns are read in one short transaction.
const TURNS_READ: usize = 500;

impl<Q: Queries> Client<Q> {
    /// Returns an instance, or `None` if nobody has seen it.
    pub async fn status(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        Ok(self.queries().instance(id).await?)
    }

    /// Returns the first `most` turns of the instance's present execution, in order; none if nobody has seen it.
    pub async fn history(&self, id: &InstanceId, most: usize) -> Result<Vec<TurnRecord>> {
        let mut turns = Vec::new();
        while turns.len() < most {
            let wanted = TURNS_READ.min(most - turns.len());
            let from = u32::try_from(turns.len()).unwrap_or(u32::MAX);
            let read = self.queries().history(id, from, wanted).await?;
            let is_last = read.len() < wanted;
            turns.extend(read);
            if is_last {
                break;
            }
        }
        Ok(turns)
    }

    /// Returns a page of instances, newest first.
    pub async fn list(&self, filter: &Filter) -> Result<Page> {
        Ok(self.queries().list(filter).await?)
    }
}
