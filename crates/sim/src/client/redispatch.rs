//! Work queues that somebody purges, and the orders to send again what was lost.

use warren_broker::{Publication, RedispatchOrder};
use warren_model::{MessageId, Partition, Redispatch};

use super::{Ask, ClientStep};
use crate::{
    broker::Stored,
    fault::Fault,
    time::SECOND,
    world::{Step, World},
};

impl World {
    /// Purges a work queue: what is ready in it is gone. Sooner or later somebody notices.
    pub(crate) fn purge_a_work_queue(&mut self) {
        let queues =
            self.broker.queues.iter().filter(|(name, queue)| name.contains(".work.") && !queue.ready.is_empty());
        let names: Vec<String> = queues.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let name = self.random.pick(&names).clone();
        let Some(queue) = self.broker.queues.get_mut(&name) else { return };
        let gone = std::mem::take(&mut queue.ready);
        self.faults.count(Fault::QueuePurged);
        self.note(format_args!("DISASTER: queue {name} is purged of {} messages", gone.len()));
        for message in gone.values().flat_map(Stored::messages) {
            if let Some(id) = &message.message_id {
                self.ledger.nonsense.remove(&id[..]);
            }
            self.ledger.lost.extend(message.correlation_id.map(|token| (token, self.now)));
        }
        let pause = self.random.below(5 * SECOND);
        self.later(pause, Step::Client(ClientStep::Redispatch));
    }

    /// A control queue loses the words of partitions that are ready in it, confirmed as they are: the owners know.
    pub(crate) fn lose_words(&mut self) {
        let is_word = |stored: &Stored| {
            stored.messages().iter().all(|message| {
                let is_nonsense = message.message_id.as_deref().is_some_and(|id| id.starts_with("nonsense"));
                !is_nonsense && matches!(message.kind.as_deref(), Some("partition" | "taken"))
            })
        };
        let topology = self.hub.codec.topology();
        let queues =
            self.broker.queues.iter().filter(|(name, queue)| {
                topology.partition_of_control(name).is_some() && queue.ready.values().any(is_word)
            });
        let names: Vec<String> = queues.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let name = self.random.pick(&names).clone();
        let Some(queue) = self.broker.queues.get_mut(&name) else { return };
        let before = queue.ready.len();
        queue.ready.retain(|_, stored| !is_word(stored));
        let gone = before - queue.ready.len();
        self.faults.count(Fault::WordsLost);
        self.note(format_args!("DISASTER: queue {name} loses {gone} words of partitions"));
    }

    pub(super) fn ask_to_redispatch(&mut self) {
        for partition in 0..self.store.partitions.len() as u64 {
            self.ask(Ask::Redispatch { partition }, None);
        }
    }

    pub(super) fn redispatch_publication(&self, partition: u64, number: u64) -> Publication {
        let answer_to = super::answer_to(number);
        let id = MessageId::new(&format!("m{number}")).expect("a letter and digits are an id");
        let order = RedispatchOrder { id, what: Redispatch::default(), answer_to: Some(answer_to) };
        let count = self.store.partitions.len() as u64;
        let partition = u16::try_from(partition % count).expect("there are few partitions");
        self.hub.codec.redispatch(Partition(partition), &order)
    }

    /// A redispatch is done: what was lost before it was asked for is on its way again.
    pub(super) fn redispatched(&mut self, number: u64) {
        let Some(request) = self.clients.requests.get(&number) else { return };
        let Ask::Redispatch { partition } = request.ask else { return };
        let (asked_at, count) = (request.asked_at, self.store.partitions.len() as u64);
        let partitions = self.hub.codec.partitions();
        self.ledger.lost.retain(|token, lost_at| {
            let home = token.parse::<warren_model::Token>().map(|token| partitions.of(&token.instance));
            *lost_at >= asked_at || home.is_ok_and(|home| u64::from(home.0) != partition % count)
        });
        self.finish(number);
    }
}
