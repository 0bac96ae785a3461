//! Requests and their answers.

use super::{
    Backend,
    backend::{bodies, take, to, within},
};
use crate::{Broker, Publication, Published, Publisher, Requester};

pub(crate) async fn a_request_is_answered_to_whoever_asked(backend: &impl Backend) {
    let queue = backend.queue().await;
    let mut server = backend.consume(&queue, 10).await;
    let publisher = backend.broker().publisher().await.unwrap();
    let (anna, bert) = (backend.broker().requester().await.unwrap(), backend.broker().requester().await.unwrap());
    for (requester, question) in [(&anna, "a"), (&bert, "b"), (&anna, "c")] {
        let mut request = to(&queue.name, question);
        request.message.correlation_id = Some(question.into());
        assert_eq!(within(requester.send(request)).await, Published::Confirmed);
        let asked = take(&mut server, 1).await.remove(0).message;
        let reply_to = asked.reply_to.expect("a request says where its answer goes");
        let mut answer = Publication { mandatory: false, ..to(&reply_to, &format!("re: {question}")) };
        answer.message.correlation_id = asked.correlation_id;
        assert_eq!(within(publisher.publish(vec![answer])).await, [Published::Confirmed]);
    }
    for (requester, question) in [(&anna, "a"), (&anna, "c"), (&bert, "b")] {
        let answer = within(requester.next()).await.unwrap();
        assert_eq!(answer.message.correlation_id.as_deref(), Some(question));
        assert_eq!(bodies(&[answer]), [format!("re: {question}")]);
    }
}

pub(crate) async fn a_request_without_a_queue_returns(backend: &impl Backend) {
    let missing = backend.topology().work("missing").unwrap();
    let requester = backend.broker().requester().await.unwrap();
    assert_eq!(within(requester.send(to(&missing.name, "x"))).await, Published::Returned);
}
