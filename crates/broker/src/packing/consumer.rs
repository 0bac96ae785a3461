//! The receiving end: hands on the parts of packs one by one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::{Tally, Word, pace::SharedPace};
use crate::{Acker, Consumer, Delivery, Result};

/// Receives from one queue.
///
/// The prefetch bounds parts here, as it bounds messages at the broker: what is beyond it stays in its pack.
#[derive(Debug)]
pub struct PackingConsumer<C> {
    consumer: C,
    /// What the broker has handed over, as it came.
    waiting: VecDeque<Delivery>,
    shared: Arc<Shared>,
    takes_packs: bool,
    parts_max: usize,
    has_ended: bool,
    /// Where replies are noted; `None` if the queue has none.
    pace: Option<SharedPace>,
}

/// Acknowledges parts; a pack once all of it is.
#[derive(Clone, Debug)]
pub struct PackingAcker<A> {
    acker: A,
    /// `None` if the queue has no packs.
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    tally: Mutex<Tally>,
    /// Wakes the consumer when parts are done with.
    room: Notify,
}

impl Shared {
    /// What is inside is never half written.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Consumer> PackingConsumer<C> {
    pub(super) fn new(consumer: C, prefetch: u16, takes_packs: bool, pace: Option<SharedPace>) -> Self {
        let parts_max = if prefetch == 0 { usize::MAX } else { prefetch.into() };
        let (waiting, shared) = (VecDeque::new(), Arc::default());
        Self { consumer, waiting, shared, takes_packs, parts_max, has_ended: false, pace }
    }

    fn take(&mut self, max: usize) -> Vec<Delivery> {
        let taken = self.shared.tally().take(&mut self.waiting, max, self.parts_max, self.has_ended);
        if let Some(pace) = &self.pace {
            let mut pace = pace.lock();
            taken.iter().for_each(|delivery| pace.note(&delivery.message));
        }
        taken
    }

    fn is_out_of_room(&self) -> bool {
        !self.waiting.is_empty() || self.shared.tally().has_parts()
    }
}

impl<C: Consumer> Consumer for PackingConsumer<C> {
    type Acker = PackingAcker<C::Acker>;

    async fn next(&mut self, max: usize) -> Option<Vec<Delivery>> {
        if !self.takes_packs {
            return self.consumer.next(max).await;
        }
        loop {
            let shared = self.shared.clone();
            // Registered before the look, so that room made in between is not missed.
            let room = shared.room.notified();
            let taken = self.take(max.max(1));
            if !taken.is_empty() {
                return Some(taken);
            }
            if self.has_ended {
                return None;
            }
            // Even without room: the loss of the channel is to be known at once. The prefetch bounds what comes.
            let is_out_of_room = self.is_out_of_room();
            tokio::select! {
                more = self.consumer.next(max) => match more {
                    Some(more) => self.waiting.extend(more),
                    None => self.has_ended = true,
                },
                () = room, if is_out_of_room => {}
            }
        }
    }

    fn acker(&self) -> Self::Acker {
        PackingAcker { acker: self.consumer.acker(), shared: self.takes_packs.then(|| self.shared.clone()) }
    }
}

impl<A: Acker> PackingAcker<A> {
    /// Tells the broker. All at once: another acknowledgement must not come in between.
    async fn say(&self, words: Vec<Word>, shared: &Shared) -> Result<()> {
        shared.room.notify_one();
        let say = |word| async move {
            match word {
                Word::Ack { tag, multiple } => self.acker.ack(tag, multiple).await,
                Word::Requeue(tag) => self.acker.requeue(tag).await,
            }
        };
        join_all(words.into_iter().map(say)).await.into_iter().collect()
    }
}

impl<A: Acker> Acker for PackingAcker<A> {
    async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        let Some(shared) = &self.shared else { return self.acker.ack(tag, multiple).await };
        let words = shared.tally().ack(tag, multiple);
        self.say(words, shared).await
    }

    async fn requeue(&self, tag: u64) -> Result<()> {
        let Some(shared) = &self.shared else { return self.acker.requeue(tag).await };
        let word = shared.tally().requeue(tag);
        self.say(word.into_iter().collect(), shared).await
    }

    async fn cancel(&self) -> Result<()> {
        self.acker.cancel().await
    }
}
