use warren_broker::Topology;

use super::{INSTANCE, Messages, read_token};
use crate::shape::Shape;

fn messages(shape: Shape) -> Messages {
    Messages::new(&Topology::new("bench").unwrap(), shape).unwrap()
}

#[test]
fn a_token_is_as_long_as_a_real_one_and_says_whose_it_is() {
    let messages = messages(Shape::W2);
    let token = messages.token(4_711, 3);
    assert_eq!(read_token(&token).unwrap(), (4_711, 3));
    assert_eq!(Some(token.len()), messages.work_item.properties.message_id().as_ref().map(|id| id.as_str().len()));
    assert!(read_token("no token").is_err());
}

#[test]
fn messages_are_those_that_our_codec_makes() {
    let Messages { start, work_item, reply, outcome, steps, .. } = messages(Shape::W2);
    assert_eq!(steps, 5);
    assert_eq!([start.mandatory, work_item.mandatory, reply.mandatory, outcome.mandatory], [true, true, true, false]);
    for template in [&start, &work_item, &reply, &outcome] {
        assert_eq!(*template.properties.delivery_mode(), Some(2), "persistent");
        assert!(template.properties.headers().as_ref().unwrap().inner().contains_key("warren"));
        assert!((180..320).contains(&template.body.len()), "{} bytes", template.body.len());
    }
    assert_eq!(start.properties.kind().as_ref().unwrap().as_str(), "start");
    assert_eq!(work_item.properties.kind().as_ref().unwrap().as_str(), "bench_pass");
    assert_eq!(start.properties.message_id().as_ref().unwrap().as_str(), INSTANCE);
}
