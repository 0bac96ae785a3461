//! What the broker itself gives up on.

use super::{
    Backend,
    backend::{bodies, take},
};

/// The exact count differs between versions of RabbitMQ; that the message is not dropped is what matters.
pub(crate) async fn what_is_delivered_too_often_ends_in_the_dead_queue(backend: &impl Backend) {
    let (queue, dead) = (backend.queue().await, backend.topology().dead());
    backend.send(&queue, &["poison"]).await;
    for _ in 0..3 {
        let mut consumer = backend.consume(&queue, 1).await;
        assert_eq!(bodies(&take(&mut consumer, 1).await), ["poison"]);
        drop(consumer);
        // Gone from the consumer, to either queue.
        loop {
            let settled = backend.ready(&queue.name).await + backend.ready(&dead.name).await;
            if settled == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert_eq!(bodies(&take(&mut backend.consume(&dead, 1).await, 1).await), ["poison"]);
    assert_eq!(backend.ready(&queue.name).await, 0);
}
