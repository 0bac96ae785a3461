//! What a broker must do for Warren, as tests that every backend passes.
//!
//! A fix in one backend begins with a case here. Each case has a hub of its own, so that they may run side by side.

pub(crate) mod backend;
mod bulk;
mod consuming;
mod dead_letters;
mod memory;
pub(crate) mod packed;
mod packing;
mod publishing;
pub(crate) mod rabbit;
mod requests;
mod topology;

pub(crate) use backend::Backend;
pub(crate) use rabbit::Rabbit;

/// Makes a test of each case, for one backend.
macro_rules! cases {
    ($open:expr; $($file:ident: $($case:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $case() {
                let backend = $open.await;
                crate::conformance::$file::$case(&backend).await;
                crate::conformance::Backend::close(backend).await;
            }
        )+)+
    };
}

/// The suite for one backend.
macro_rules! suite {
    ($name:ident, $open:expr) => {
        mod $name {
            cases! { $open;
                publishing:
                    a_batch_is_confirmed_and_arrives_in_order,
                    h6_a_mandatory_message_without_a_queue_returns_and_arrives_after_a_declare,
                    h6_returns_find_their_publication_among_many,
                    a_message_that_is_not_mandatory_may_vanish,
                    any_bytes_and_a_megabyte_arrive_intact,
                    properties_and_headers_arrive_intact;
                consuming:
                    prefetch_bounds_what_one_consumer_holds,
                    a_multiple_ack_reaches_to_its_tag_only,
                    h1_what_a_lost_consumer_held_comes_again_in_order_and_first,
                    one_delivery_can_be_given_back,
                    a_cancelled_consumer_drains_and_acks,
                    a_cancelled_consumer_consumes_again_and_keeps_what_it_holds,
                    h2_the_ingress_has_one_active_consumer,
                    a_deleted_queue_ends_its_consumer;
                topology:
                    to_declare_twice_is_harmless,
                    the_ingress_takes_every_routing_key,
                    a_missing_queue_can_t_be_consumed;
                requests:
                    a_request_is_answered_to_whoever_asked,
                    a_request_without_a_queue_returns;
                bulk:
                    ten_thousand_messages_arrive_once_each;
            }
        }
    };
}

/// What only brokers with a delivery limit do, and classic queues do not.
macro_rules! delivery_limit_suite {
    ($name:ident, $open:expr) => {
        mod $name {
            cases! { $open;
                dead_letters:
                    what_is_delivered_too_often_ends_in_the_dead_queue;
            }
        }
    };
}

/// What only a broker with packs does.
macro_rules! packing_suite {
    ($name:ident, $open:expr) => {
        mod $name {
            cases! { $open;
                packing:
                    a_batch_is_one_message_and_arrives_as_many,
                    a_lone_message_is_as_it_always_was,
                    h1_a_pack_that_was_not_acknowledged_as_a_whole_comes_again_as_a_whole,
                    the_prefetch_bounds_parts,
                    a_cancelled_consumer_hands_on_the_rest_of_its_packs,
                    h21_a_cancelled_consumer_of_work_items_gives_back_what_has_no_slot,
                    h21_work_items_behind_slow_ones_go_to_another_consumer,
                    a_cancelled_consumer_of_packs_consumes_again,
                    h6_a_pack_without_a_queue_returns_with_all_its_parts,
                    what_many_publish_at_once_arrives_once_each_in_few_messages,
                    h21_work_items_share_messages_as_the_replies_of_their_queue_say,
                    what_makes_no_sense_in_a_pack_stays_by_itself,
                    requests_and_answers_travel_together,
                    nobody_takes_a_pack_from_other_systems;
            }
        }
    };
}

suite!(on_memory, crate::conformance::memory::open());
suite!(on_rabbitmq_quorum, crate::conformance::Rabbit::quorum());
suite!(on_rabbitmq_classic, crate::conformance::Rabbit::classic());
delivery_limit_suite!(limited_on_memory, crate::conformance::memory::open_with_delivery_limit());
delivery_limit_suite!(limited_on_rabbitmq, crate::conformance::Rabbit::quorum_with_delivery_limit());
suite!(on_memory_with_packs, crate::conformance::packed::on(crate::conformance::memory::open()));
suite!(on_rabbitmq_with_packs, crate::conformance::packed::on(crate::conformance::Rabbit::quorum()));
packing_suite!(packed_on_memory, crate::conformance::packed::on(crate::conformance::memory::open()));
packing_suite!(packed_on_rabbitmq_quorum, crate::conformance::packed::on(crate::conformance::Rabbit::quorum()));
packing_suite!(packed_on_rabbitmq_classic, crate::conformance::packed::on(crate::conformance::Rabbit::classic()));
