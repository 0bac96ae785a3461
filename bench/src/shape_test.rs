use super::{Shape, Work};

#[test]
fn a_client_without_an_owner_sends_every_message_of_a_fan_out_itself() {
    let fan = Work { shape: Shape::W3, instances: 20, inflight: 2 };
    assert_eq!((fan.messages(), fan.messages_inflight()), (20_000, 1_000));
    let many = Work { shape: Shape::W1, instances: 10_000, inflight: 1_000 };
    assert_eq!((many.messages(), many.messages_inflight()), (10_000, 1_000));
}

#[test]
fn arguments_say_what_they_came_from() {
    let work = Work { shape: Shape::W2, instances: 7, inflight: 3 };
    assert_eq!(work.arguments(), ["--shape", "w2", "--instances", "7", "--inflight", "3"]);
}

#[test]
fn something_always_warms_up_and_never_more_than_a_thousand() {
    let warm_up = |instances| Work { shape: Shape::W1, instances, inflight: 1 }.warm_up();
    assert_eq!([warm_up(1), warm_up(300), warm_up(1_000_000)], [1, 30, 1_000]);
}
