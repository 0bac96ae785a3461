//! Any backend, with packs.

use super::Backend;
use crate::{Topology, packing::Packing};

pub(crate) struct Packed<T: Backend> {
    broker: Packing<T::Broker>,
    backend: T,
}

pub(crate) async fn on<T: Backend>(backend: impl Future<Output = T>) -> Packed<T> {
    let backend = backend.await;
    Packed { broker: Packing::new(backend.broker().clone(), backend.topology().clone()), backend }
}

impl<T: Backend> Backend for Packed<T> {
    type Broker = Packing<T::Broker>;

    fn broker(&self) -> &Self::Broker {
        &self.broker
    }

    fn topology(&self) -> &Topology {
        self.backend.topology()
    }

    async fn delete(&self, queue: &str) {
        self.backend.delete(queue).await;
    }

    async fn ready(&self, queue: &str) -> usize {
        self.backend.ready(queue).await
    }

    async fn close(self) {
        self.backend.close().await;
    }
}
