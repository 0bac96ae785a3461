//! Instances and their turns.

use std::collections::BTreeMap;

use warren_model::{
    AnswerTo, Condition, ConditionKind, Event, ExecutionId, ExecutionTerminated, InstanceRecord, Parent, Status,
    Timestamp, TurnRecord,
};

use super::{Damage, Fixture, sample::*};
use crate::{Error, Filter, Load, Progress, Queries, Store, Sweep, TurnKey, TurnRow};

pub async fn h1_a_turn_is_written_once<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.turns.push(turn("order-1", 0))).await;
    let again = a.try_commit(|commit| commit.turns.push(turn("order-1", 0))).await;
    let Err(Error::Refused(why)) = &again else { panic!("{again:?}") };
    assert!(why.contains("history") && why.contains("order-1") && why.contains("turn 0"), "{why}");
    let twice = a.try_commit(|commit| commit.turns.extend([turn("order-1", 1), turn("order-1", 1)])).await;
    assert!(matches!(twice, Err(Error::Refused(_))), "{twice:?}");
}

pub async fn h12_an_instance_s_row_is_replaced<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let mut full = record("order-1", 0);
    full.version = Some("2".into());
    full.condition = Some(Condition {
        kind: ConditionKind::Blocked,
        message: "line 1\nline 2 \0 ä".into(),
        details: Some(json(r#"{"b":1,  "a":"\ud800"}"#)),
    });
    full.custom_status = Some(json(r#"{"z": 1.0e0,"a":"\u0000"}"#));
    full.parent = Some(Parent { instance: id("p"), execution: SECOND, task: warren_model::ActionId(3), attempt: 2 });
    full.answer_to =
        Some(AnswerTo { reply_to: "q".into(), correlation_id: Some("c".into()), stored: false, packs: false });
    full.tags = BTreeMap::from([("team".into(), "red 'quoted' \"x\"".into())]);
    (full.history_events, full.history_bytes) = (7, i64::MAX.cast_unsigned());
    full.created_at = "2026-11-24T10:00:00.123456Z".parse().unwrap();
    full.updated_at = "1969-12-31T23:59:59.999999Z".parse().unwrap();
    a.commit(|commit| commit.instances.push(full.clone())).await;
    assert_eq!(a.load("order-1").await.record, Some(full));
    let mut plain = record("order-1", 0);
    plain.execution = SECOND;
    a.commit(|commit| commit.instances.push(plain.clone())).await;
    assert_eq!(a.load("order-1").await.record, Some(plain.clone()));
    // Whole microseconds are kept, no more.
    plain.updated_at = "2026-11-24T10:00:00.123456789Z".parse().unwrap();
    a.commit(|commit| commit.instances.push(plain)).await;
    let cut: Timestamp = "2026-11-24T10:00:00.123456Z".parse().unwrap();
    assert_eq!(a.load("order-1").await.record.unwrap().updated_at, cut);
}

/// Returns a row, and the turn that brings its instance there.
fn come_so_far(instance: &str, turns: u32) -> (InstanceRecord, TurnRow) {
    let mut so_far = record(instance, turns);
    let second = i64::from(turns);
    (so_far.updated_at, so_far.history_events, so_far.history_bytes) = (at(1_000 + second), 3 * u64::from(turns), 700);
    let row = TurnRow { progress: Progress::of(&so_far), ..turn(instance, turns - 1) };
    (so_far, row)
}

pub async fn h12_a_turn_says_how_far_its_instance_has_come<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    a.commit(|commit| {
        commit.instances.extend([record("order-1", 1), record("order-2", 1)]);
        commit.turns.extend([turn("order-1", 0), turn("order-2", 0)]);
    })
    .await;
    for turns in 2..5 {
        let (expected, row) = come_so_far("order-1", turns);
        a.commit(|commit| commit.turns.push(row.clone())).await;
        let loaded = a.load("order-1").await;
        assert_eq!(loaded.record.as_ref(), Some(&expected));
        assert_eq!(loaded.turns.unwrap().len(), turns as usize);
        assert_eq!(reader.instance(&id("order-1")).await.unwrap().unwrap().record, expected);
        let listed = reader.list(&Filter::default()).await.unwrap().instances;
        assert_eq!(listed, [record("order-2", 1), expected.clone()]);
        let swept = a.store.sweep(P0, a.epoch, Sweep::One(id("order-1"))).await.unwrap();
        assert_eq!(swept.instances[0].record, Some(expected));
        let read = a.store.turns(P0, a.epoch, vec![row.key.clone()]).await.unwrap();
        assert_eq!(read, [row]);
    }
    // Two at once, of which the first writes the row.
    let ((fifth, one), (sixth, other)) = (come_so_far("order-1", 5), come_so_far("order-1", 6));
    let suspended = InstanceRecord { status: Status::Suspended, ..fifth };
    a.commit(|commit| {
        commit.instances.push(suspended);
        commit.turns.extend([one, other]);
    })
    .await;
    let expected = InstanceRecord { status: Status::Suspended, ..sixth };
    assert_eq!(a.load("order-1").await.record, Some(expected));
}

pub async fn the_turns_of_another_execution_say_nothing_of_the_present_one<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    let (_, second) = come_so_far("order-1", 2);
    a.commit(|commit| {
        commit.instances.push(record("order-1", 1));
        commit.turns.extend([turn("order-1", 0), second]);
    })
    .await;
    let next = InstanceRecord { execution: SECOND, ..record("order-1", 0) };
    a.commit(|commit| commit.instances.push(next.clone())).await;
    assert_eq!(a.load("order-1").await.record.as_ref(), Some(&next));
    assert_eq!(reader.instance(&id("order-1")).await.unwrap().unwrap().record, next);
}

pub async fn payloads_keep_every_byte<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let large = format!("\"{}\"", "é".repeat(512 * 1024));
    let texts = [
        r#"{"b":1,  "a":"\u0000"}"#,
        r#""\ud800""#,
        "1.0e0",
        r#"{"a":1,"a":2}"#,
        "\"\u{7f}ä\u{1F407}\"",
        "[ 1 ]",
        &large,
    ];
    for (number, text) in (0..).zip(texts) {
        let row = turn_of(key("order-1", number), &[started(text), completed(Ok(json(text)))]);
        assert!(row.body.contains(text));
        a.commit(|commit| {
            commit.instances.push(record("order-1", number + 1));
            commit.turns.push(row.clone());
        })
        .await;
        assert_eq!(a.store.turns(P0, a.epoch, vec![row.key.clone()]).await.unwrap(), [row]);
    }
    let turns = a.load("order-1").await.turns.unwrap();
    let expected = texts.map(|text| TurnRecord::new(vec![started(text), completed(Ok(json(text)))]));
    assert!(turns == expected);
}

pub async fn an_instance_that_has_ended_loads_its_last_turn_alone<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    for (status, count) in [
        (Status::Running, 2),
        (Status::Suspended, 2),
        (Status::Completed, 1),
        (Status::Failed, 1),
        (Status::Terminated, 1),
    ] {
        let name = status.as_str();
        let last = turn_of(key(name, 1), &[completed(Ok(json("7")))]);
        a.commit(|commit| {
            commit.instances.push(warren_model::InstanceRecord { status, ..record(name, 2) });
            commit.turns.extend([turn(name, 0), last]);
        })
        .await;
        let turns = a.load(name).await.turns.unwrap();
        assert_eq!((turns.len(), turns.last().unwrap().events.len()), (count, 1), "{status}");
        assert_eq!(turns.last(), Some(&TurnRecord::new(vec![completed(Ok(json("7")))])));
    }
    let ended = warren_model::InstanceRecord { status: Status::Terminated, ..record("no-turn", 0) };
    a.commit(|commit| commit.instances.push(ended)).await;
    assert_eq!(a.load("no-turn").await.turns.unwrap(), []);
    fixture.damage(&key("Failed", 1), Damage::Gone).await;
    let why = a.load("Failed").await.turns.unwrap_err();
    assert!(why.contains("instance Failed, ") && why.contains("turn 1: is missing"), "{why}");
}

pub async fn only_the_present_execution_is_loaded<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.turns.extend([turn("order-1", 0), turn("order-1", 1), turn("order-10", 0)])).await;
    let fresh = turn_of(TurnKey { execution: SECOND, ..key("order-1", 0) }, &[raised("9")]);
    a.commit(|commit| {
        commit.turns.push(fresh);
        commit.instances.push(warren_model::InstanceRecord { execution: SECOND, ..record("order-1", 1) });
    })
    .await;
    assert_eq!(a.load("order-1").await.turns.unwrap(), [TurnRecord::new(vec![raised("9")])]);
}

pub async fn h19_forgotten_executions_are_gone<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let of = |execution: ExecutionId, instance: &str, turn| TurnKey { execution, ..key(instance, turn) };
    let keys = [
        of(FIRST, "order-1", 0),
        of(FIRST, "order-1", 1),
        of(SECOND, "order-1", 0),
        of(first("order-2"), "order-2", 0),
    ];
    a.commit(|commit| commit.turns.extend(keys.iter().map(|key| turn_of(key.clone(), &[raised("1")])))).await;
    a.commit(|commit| commit.forget.push((id("order-1"), FIRST))).await;
    let left = a.store.turns(P0, a.epoch, keys.to_vec()).await.unwrap();
    assert_eq!(left.into_iter().map(|row| row.key).collect::<Vec<_>>(), keys[2..]);
    // Nothing to forget is no trouble: a batch may be computed twice.
    a.commit(|commit| commit.forget.push((id("nobody"), FIRST))).await;
}

pub async fn single_turns_are_read_as_they_were_written<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let rows = [turn("order-1", 0), turn("order-1", 1), turn("order-2", 0)];
    a.commit(|commit| commit.turns.extend(rows.clone())).await;
    let keys = vec![key("order-2", 0), key("gone", 0), key("order-1", 1), key("order-1", 9)];
    assert_eq!(a.store.turns(P0, a.epoch, keys).await.unwrap(), [rows[2].clone(), rows[1].clone()]);
}

pub async fn a_row_that_can_t_be_read_is_named_and_others_load<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    for name in ["order-1", "order-2"] {
        a.commit(|commit| {
            commit.instances.push(record(name, 2));
            commit.turns.extend([turn(name, 0), turn(name, 1)]);
            commit.pending.push(pending(name, 0));
        })
        .await;
    }
    for body in ["", "{", "{}", "null", r#"{"format":1,"events":[{"Nonsense":{}}]}"#] {
        fixture.damage(&key("order-1", 1), Damage::Body(body)).await;
        let load = Load { instances: vec![id("order-1"), id("order-2")], commands: vec![] };
        let loaded = a.store.load(P0, a.epoch, load).await.unwrap().instances;
        let why = loaded[0].turns.clone().unwrap_err();
        assert!(why.starts_with(&format!("history of instance order-1, execution {FIRST}, turn 1: ")), "{why}");
        assert_eq!((&loaded[0].record, loaded[0].pending.len()), (&Some(record("order-1", 2)), 1));
        assert_eq!(loaded[1].turns.as_ref().unwrap().len(), 2);
    }
}

pub async fn a_newer_format_is_named<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        commit.instances.push(record("order-1", 1));
        commit.turns.push(turn("order-1", 0));
    })
    .await;
    for body in [r#"{"format":2,"events":[]}"#, r#"{"format":999,"events":[{"Unheard":1}],"more":true}"#] {
        fixture.damage(&key("order-1", 0), Damage::Body(body)).await;
        let why = a.load("order-1").await.turns.unwrap_err();
        assert!(why.contains("turn 0: format") && why.contains("newer"), "{why}");
    }
}

pub async fn a_missing_turn_is_named<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    for (name, missing) in [("first", 0), ("middle", 1), ("last", 2)] {
        a.commit(|commit| {
            commit.instances.push(record(name, 3));
            commit.turns.extend([turn(name, 0), turn(name, 1), turn(name, 2)]);
        })
        .await;
        fixture.damage(&key(name, missing), Damage::Gone).await;
        let why = a.load(name).await.turns.unwrap_err();
        let turn = format!("turn {missing}: is missing");
        assert!(why.contains(&format!("instance {name}, ")) && why.contains(&turn), "{why}");
    }
    // All events of a terminated instance may be one.
    let terminated = Event::ExecutionTerminated(ExecutionTerminated { reason: None, recursive: false });
    a.commit(|commit| {
        commit.instances.push(record("whole", 1));
        commit.turns.push(turn_of(key("whole", 0), &[terminated]));
    })
    .await;
    assert_eq!(a.load("whole").await.turns.unwrap().len(), 1);
}
