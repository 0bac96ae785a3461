//! What every backend must do: one suite, one line per backend.
//!
//! A backend says how its hubs are made ([`Fixture`]) and takes every case with
//! [`store_conformance!`](crate::store_conformance). A mend in a backend begins with a case here.
#![allow(clippy::unwrap_used, reason = "the cases are tests, wherever they are run from")]
#![allow(missing_docs, reason = "a case's name says what it shows")]

pub mod commands;
pub mod commits;
mod fixture;
pub mod histories;
pub mod hubs;
pub mod leases;
pub mod outboxes;
pub mod partitions;
pub mod payloads;
pub mod pendings;
pub mod queries;
pub(crate) mod sample;
pub mod sweeps;
pub mod timers;
pub mod together;

pub use fixture::{Damage, Fixture};

/// Makes a test of each case for the backend of a [`Fixture`] type.
#[macro_export]
macro_rules! store_conformance {
    ($fixture:ty) => {
        $crate::store_conformance! { @ $fixture;
            hubs {
                a_new_hub_is_empty,
                a_hub_keeps_its_secret_and_does_not_print_it,
                another_hub_s_name_is_refused_with_both_names,
                another_partition_count_is_refused_with_both_counts,
                a_reader_finds_the_hub,
            }
            leases {
                a_free_lease_is_taken_once,
                a_lease_that_is_renewed_is_not_taken,
                a_lease_that_stands_still_is_taken,
                a_lost_lease_is_named_by_the_renewal,
                a_replica_is_seen_for_as_long_as_it_stands,
                a_released_lease_is_free_at_once_and_writes_no_more,
                h2_epochs_rise_with_each_owner,
                of_two_that_race_for_a_lease_one_gets_it,
            }
            commits {
                h2_a_commit_under_an_old_epoch_writes_nothing,
                h2_an_old_epoch_reads_nothing,
                h24_what_was_made_of_an_older_state_is_refused,
                h2_a_commit_that_meets_a_takeover_is_whole_or_absent,
                a_commit_number_counts_once,
                partitions_count_for_themselves,
                h3_a_refused_row_takes_everything_with_it,
                h4_an_event_its_timer_and_its_outbox_are_written_together,
                deletions_come_before_insertions,
                h12_a_purged_instance_is_gone_and_its_start_stays_known,
                h12_an_id_that_was_purged_is_used_again_in_the_same_commit,
                a_commit_outlives_its_process,
                many_rows_are_one_commit,
            }
            together {
                batches_of_partitions_are_written_together,
                h2_a_fenced_batch_takes_none_with_it,
                h1_nothing_is_written_if_what_is_taken_for_new_is_not,
                h18_a_refused_batch_takes_none_with_it,
                what_batches_need_is_read_together,
                h4_commits_go_behind_each_other,
                h4_nothing_is_written_behind_what_is_not,
                h18_what_goes_behind_a_neighbour_s_refusal_is_written,
                h2_what_was_on_its_way_is_superseded,
            }
            histories {
                h1_a_turn_is_written_once,
                h12_an_instance_s_row_is_replaced,
                h12_a_turn_says_how_far_its_instance_has_come,
                the_turns_of_another_execution_say_nothing_of_the_present_one,
                payloads_keep_every_byte,
                an_instance_that_has_ended_loads_its_last_turn_alone,
                only_the_present_execution_is_loaded,
                h19_forgotten_executions_are_gone,
                single_turns_are_read_as_they_were_written,
                a_row_that_can_t_be_read_is_named_and_others_load,
                a_newer_format_is_named,
                a_missing_turn_is_named,
            }
            timers {
                h11_timers_come_soonest_first_up_to_a_time_and_a_number,
                timers_go_one_by_one_or_all_at_once,
                a_timer_is_never_early_by_rounding,
            }
            pendings {
                h10_messages_keep_the_order_of_their_arrival,
                h10_messages_for_an_unseen_instance_expire,
                messages_for_an_instance_that_was_seen_do_not_expire,
                instances_that_may_go_on_are_found,
                every_kind_of_message_is_kept,
            }
            commands {
                h1_an_answer_is_remembered,
                h1_a_command_is_answered_once,
                answers_are_forgotten_after_the_window,
            }
            outboxes {
                h4_unconfirmed_batches_are_found_oldest_first,
                a_batch_is_narrowed_and_cleared,
            }
            partitions {
                h9_sequences_rise_and_gaps_are_kept,
                a_row_that_can_t_be_read_keeps_no_other_from_its_owner,
                h18_suspects_are_kept_until_they_have_proved_innocent,
                h18_suspected_tasks_are_kept_until_they_end_and_shown_once_quarantined,
            }
            payloads {
                a_payload_is_kept_once_with_every_byte,
                payloads_are_dropped_by_id,
                h19_the_payloads_of_a_forgotten_execution_go_with_it,
                payloads_that_nobody_refers_to_are_forgotten_after_the_window,
            }
            sweeps {
                open_instances_are_found_with_their_turns_each_once,
                a_page_of_long_histories_is_short,
                instances_that_ended_long_ago_are_found,
            }
            queries {
                an_instance_shows_its_input_and_outcome,
                an_unseen_instance_is_none,
                a_terminated_instance_says_why,
                a_history_is_read_in_pages,
                a_history_that_can_t_be_read_is_named,
                lists_have_no_gaps_and_no_repeats,
                lists_are_filtered,
                a_page_token_of_nowhere_is_refused,
                statuses_are_counted,
                leases_are_shown,
                h15_a_reader_sees_a_commit_as_soon_as_it_is_answered,
            }
        }
    };
    (@ $fixture:ty; $($theme:ident { $($case:ident,)* })*) => {
        $(mod $theme {
            #[allow(unused_imports, reason = "for the fixture's name")]
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                $crate::conformance::$theme::$case(&<$fixture as $crate::conformance::Fixture>::fresh()).await;
            })*
        })*
    };
}

#[cfg(test)]
mod test {
    #[test]
    fn every_case_is_run() {
        let this = include_str!("mod.rs");
        let themes = [
            include_str!("commands.rs"),
            include_str!("commits.rs"),
            include_str!("histories.rs"),
            include_str!("hubs.rs"),
            include_str!("leases.rs"),
            include_str!("outboxes.rs"),
            include_str!("partitions.rs"),
            include_str!("payloads.rs"),
            include_str!("pendings.rs"),
            include_str!("queries.rs"),
            include_str!("sweeps.rs"),
            include_str!("timers.rs"),
        ];
        let mut cases = 0;
        for line in themes.iter().flat_map(|theme| theme.lines()) {
            let Some((case, _)) = line.strip_prefix("pub async fn ").and_then(|rest| rest.split_once('<')) else {
                continue;
            };
            cases += 1;
            assert!(this.contains(&format!("                {case},\n")), "{case} is not in the list");
        }
        assert!(cases > 50, "{cases}");
    }
}
