//! The broker in one process.

use super::Backend;
use crate::{Topology, memory::Memory};

pub(crate) struct InMemory {
    broker: Memory,
    topology: Topology,
}

pub(crate) async fn open() -> InMemory {
    open_with(Topology::new("h").unwrap())
}

pub(crate) async fn open_with_delivery_limit() -> InMemory {
    open_with(Topology::new("h").unwrap().with_delivery_limit(2))
}

fn open_with(topology: Topology) -> InMemory {
    InMemory { broker: Memory::new(topology.clone()), topology }
}

impl Backend for InMemory {
    type Broker = Memory;

    fn broker(&self) -> &Memory {
        &self.broker
    }

    fn topology(&self) -> &Topology {
        &self.topology
    }

    async fn delete(&self, queue: &str) {
        self.broker.delete_queue(queue);
    }

    async fn ready(&self, queue: &str) -> usize {
        self.broker.ready(queue).len()
    }

    async fn close(self) {}
}
