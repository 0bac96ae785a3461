//! The receiving end: hands on the parts of packs one by one.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, OptionFuture, join_all},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{Tally, Word, back::Back, pace::SharedPace};
use crate::{Acker, Broker, Consumer, Delivery, Published, Result};

/// What a queue holds, for whoever consumes it.
pub(super) enum Contents<B: Broker> {
    /// What other systems send is nobody's pack.
    Foreign,
    /// Messages of ours; of a control queue, with replies that are noted.
    Ours(Option<SharedPace>),
    /// Work items; those that find no slot are published again.
    Work(Back<B>),
}

/// Receives from one queue.
///
/// The prefetch bounds parts here, as it bounds messages at the broker: what is beyond it stays in its pack.
pub struct PackingConsumer<B: Broker> {
    consumer: B::Consumer,
    shared: Arc<Shared<B>>,
    parts_max: usize,
    has_ended: bool,
    /// Work items on their way back to their queue.
    returning: Option<BoxFuture<'static, ()>>,
}

/// Acknowledges parts; a pack once all of it is.
pub struct PackingAcker<B: Broker> {
    acker: <B::Consumer as Consumer>::Acker,
    shared: Arc<Shared<B>>,
}

struct Shared<B: Broker> {
    contents: Contents<B>,
    tally: Mutex<Tally>,
    /// Wakes the consumer when parts are done with.
    room: Notify,
    began: Instant,
}

impl<B: Broker> Shared<B> {
    /// What is inside is never half written.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time as the tally knows it.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn takes_packs(&self) -> bool {
        !matches!(self.contents, Contents::Foreign)
    }
}

impl<B: Broker> PackingConsumer<B> {
    pub(super) fn new(consumer: B::Consumer, prefetch: u16, contents: Contents<B>) -> Self {
        let parts_max = if prefetch == 0 { usize::MAX } else { prefetch.into() };
        let tally = match contents {
            Contents::Work(_) => Tally::of_work(parts_max),
            Contents::Foreign | Contents::Ours(_) => Tally::default(),
        };
        let shared = Shared { contents, tally: tally.into(), room: Notify::new(), began: Instant::now() };
        Self { consumer, shared: Arc::new(shared), parts_max, has_ended: false, returning: None }
    }

    fn take(&mut self, max: usize) -> Vec<Delivery> {
        let taken = self.shared.tally().take(max, self.parts_max, self.has_ended);
        if let Contents::Ours(Some(pace)) = &self.shared.contents {
            let mut pace = pace.lock();
            taken.iter().for_each(|delivery| pace.note(&delivery.message));
        }
        taken
    }

    /// Sends work items on their way back, if it is time to; returns when to look again.
    fn send_back(&mut self) -> Option<Instant> {
        if self.returning.is_none() {
            let overdue = self.shared.tally().overdue(self.shared.now());
            if !overdue.is_empty() {
                let acker = self.acker();
                self.returning = Some(async move { drop(acker.give_back(overdue).await) }.boxed());
            }
        }
        self.shared.tally().look_at().map(|at| self.shared.began + at)
    }
}

impl<B: Broker> Consumer for PackingConsumer<B> {
    type Acker = PackingAcker<B>;

    async fn next(&mut self, max: usize) -> Option<Vec<Delivery>> {
        if !self.shared.takes_packs() {
            return self.consumer.next(max).await;
        }
        loop {
            let shared = self.shared.clone();
            // Registered before the look, so that room made in between is not missed.
            let room = shared.room.notified();
            let taken = self.take(max.max(1));
            let look_at = self.send_back();
            if !taken.is_empty() {
                return Some(taken);
            }
            // Of a lost channel all comes again, whether or not some of it is back already: nobody waits for that.
            if self.has_ended && (self.returning.is_none() || !shared.tally().is_draining()) {
                return None;
            }
            // Even without room: the loss of the channel is to be known at once. The prefetch bounds what comes.
            let is_out_of_room = shared.tally().has_more();
            let look: OptionFuture<_> = look_at.filter(|_| self.returning.is_none()).map(sleep_until).into();
            let returned: OptionFuture<_> = self.returning.as_mut().into();
            tokio::select! {
                more = self.consumer.next(max), if !self.has_ended => match more {
                    Some(more) => shared.tally().add(more),
                    None => self.has_ended = true,
                },
                () = room, if is_out_of_room => {}
                Some(()) = returned => self.returning = None,
                Some(()) = look => {}
            }
        }
    }

    fn acker(&self) -> Self::Acker {
        PackingAcker { acker: self.consumer.acker(), shared: self.shared.clone() }
    }

    async fn restart(&mut self) -> Result<()> {
        self.shared.tally().restart();
        self.consumer.restart().await?;
        self.has_ended = false;
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.consumer.is_open()
    }
}

impl<B: Broker> Clone for PackingAcker<B> {
    fn clone(&self) -> Self {
        Self { acker: self.acker.clone(), shared: self.shared.clone() }
    }
}

impl<B: Broker> PackingAcker<B> {
    /// Tells the broker. All at once: another acknowledgement must not come in between.
    async fn say(&self, words: Vec<Word>) -> Result<()> {
        self.shared.room.notify_one();
        let say = |word| async move {
            match word {
                Word::Ack { tag, multiple } => self.acker.ack(tag, multiple).await,
                Word::Requeue(tag) => self.acker.requeue(tag).await,
            }
        };
        join_all(words.into_iter().map(say)).await.into_iter().collect()
    }

    /// Puts work items back into their queue as single messages; they are done with here once the broker has them (H5).
    async fn give_back(&self, parts: Vec<Delivery>) -> Result<()> {
        let Contents::Work(back) = &self.shared.contents else { return Ok(()) };
        let fates = back.publish(&parts).await;
        let mut words = Vec::new();
        for (part, fate) in parts.into_iter().zip(fates) {
            words.extend(self.shared.tally().went_back(part, fate == Published::Confirmed));
        }
        self.say(words).await
    }
}

impl<B: Broker> Acker for PackingAcker<B> {
    async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        if !self.shared.takes_packs() {
            return self.acker.ack(tag, multiple).await;
        }
        let words = self.shared.tally().ack(tag, multiple);
        self.say(words).await
    }

    async fn requeue(&self, tag: u64) -> Result<()> {
        if !self.shared.takes_packs() {
            return self.acker.requeue(tag).await;
        }
        let part = self.shared.tally().give_back(tag);
        if let Some(part) = part {
            return self.give_back(vec![part]).await;
        }
        let words = self.shared.tally().requeue(tag);
        self.say(words).await
    }

    /// What has no room then goes back to its queue at once: nobody here will begin it.
    async fn cancel(&self) -> Result<()> {
        self.acker.cancel().await?;
        let (words, overdue) = {
            let mut tally = self.shared.tally();
            (tally.drain(), tally.overdue(self.shared.now()))
        };
        self.say(words).await?;
        if overdue.is_empty() { Ok(()) } else { self.give_back(overdue).await }
    }
}
