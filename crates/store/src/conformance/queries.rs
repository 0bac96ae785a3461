//! What clients read.

use warren_model::{
    Event, ExecutionTerminated, Failure, InstanceRecord, Outcome, Partition, Status, Timestamp, TurnRecord,
};

use super::{Damage, Fixture, sample::*};
use crate::{Epoch, Error, Filter, InstanceView, Lease, Queries, TurnKey};

pub async fn an_instance_shows_its_input_and_outcome<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    let input = r#"{"b":1,  "a":"\ud800"}"#;
    let pending = InstanceRecord { status: Status::Pending, ..record("order-1", 0) };
    a.commit(|commit| commit.instances.push(pending.clone())).await;
    let view = |record, input, outcome| Some(InstanceView { record, input, outcome });
    assert_eq!(reader.instance(&id("order-1")).await.unwrap(), view(pending, None, None));

    a.commit(|commit| {
        commit.instances.push(record("order-1", 1));
        commit.turns.push(turn_of(key("order-1", 0), &[raised("0"), started(input), raised("1")]));
    })
    .await;
    let running = view(record("order-1", 1), Some(json(input)), None);
    assert_eq!(reader.instance(&id("order-1")).await.unwrap(), running);

    let ends: [(Status, Outcome); 2] = [
        (Status::Completed, Ok(json(r#"{"z":  "\u0000"}"#))),
        (Status::Failed, Err(Failure::new("broken", "it broke").with_details(&1))),
    ];
    for (number, (status, outcome)) in (1..).zip(ends) {
        let ended = InstanceRecord { status, ..record("order-1", number + 1) };
        a.commit(|commit| {
            commit.instances.push(ended.clone());
            commit.turns.push(turn_of(key("order-1", number), &[raised("1"), completed(outcome.clone())]));
        })
        .await;
        assert_eq!(reader.instance(&id("order-1")).await.unwrap(), view(ended, Some(json(input)), Some(outcome)));
    }
}

pub async fn an_unseen_instance_is_none<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.pending.push(pending("order-1", 0))).await;
    let reader = fixture.reader("orders").await.unwrap();
    assert_eq!(reader.instance(&id("order-1")).await.unwrap(), None);
    assert_eq!(reader.history(&id("order-1"), 0, 10).await.unwrap(), []);
    assert_eq!(reader.list(&Filter::default()).await.unwrap().instances, []);
}

pub async fn a_terminated_instance_says_why<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    for (name, reason) in [("order-1", Some("too late".to_owned())), ("order-2", None)] {
        let terminated = Event::ExecutionTerminated(ExecutionTerminated { reason: reason.clone(), recursive: true });
        a.commit(|commit| {
            commit.instances.push(InstanceRecord { status: Status::Terminated, ..record(name, 1) });
            commit.turns.push(turn_of(key(name, 0), &[started("1"), terminated]));
        })
        .await;
        let outcome = reader.instance(&id(name)).await.unwrap().unwrap().outcome;
        let message = reason.unwrap_or_else(|| "the instance was terminated".into());
        assert_eq!(outcome, Some(Err(Failure::permanent("terminated", message))));
    }
    // It may be ended before its first turn.
    let early = InstanceRecord { status: Status::Terminated, ..record("early", 0) };
    a.commit(|commit| commit.instances.push(early)).await;
    let view = reader.instance(&id("early")).await.unwrap().unwrap();
    assert!(view.input.is_none() && matches!(view.outcome, Some(Err(failure)) if failure.code == "terminated"));
}

pub async fn a_history_is_read_in_pages<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        commit.instances.push(record("order-1", 12));
        commit.turns.extend((0..12).map(|number| turn("order-1", number)));
        commit.turns.push(turn_of(TurnKey { execution: SECOND, ..key("order-1", 0) }, &[raised("77")]));
        commit.turns.push(turn("order-10", 0));
    })
    .await;
    let reader = fixture.reader("orders").await.unwrap();
    let turns = |range: std::ops::Range<u32>| {
        range.map(|number| TurnRecord::new(vec![raised(&number.to_string())])).collect::<Vec<_>>()
    };
    assert_eq!(reader.history(&id("order-1"), 0, 100).await.unwrap(), turns(0..12));
    assert_eq!(reader.history(&id("order-1"), 9, 2).await.unwrap(), turns(9..11));
    assert_eq!(reader.history(&id("order-1"), 12, 2).await.unwrap(), []);
}

pub async fn a_history_that_can_t_be_read_is_named<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        commit.instances.push(record("order-1", 1));
        commit.turns.push(turn("order-1", 0));
    })
    .await;
    fixture.damage(&key("order-1", 0), Damage::Body("{")).await;
    let reader = fixture.reader("orders").await.unwrap();
    let history = reader.history(&id("order-1"), 0, 10).await.unwrap_err();
    for error in [history, reader.instance(&id("order-1")).await.unwrap_err()] {
        let is_named = |what: &str| what == format!("history of instance order-1, execution {FIRST}, turn 0");
        assert!(matches!(&error, Error::Corrupt { what, .. } if is_named(what)), "{error}");
    }
}

pub async fn lists_have_no_gaps_and_no_repeats<F: Fixture>(fixture: &F) {
    let store = fixture.open(&wide(3)).await.unwrap();
    let mut expected: Vec<(Timestamp, String)> = Vec::new();
    for partition in 0..3 {
        let mut owned = take(store.clone(), Partition(partition)).await;
        let names = (0..14).map(|n| (at(1_000 + i64::from(n / 4)), format!("order.{partition}.{n:02}")));
        let rows: Vec<_> = names.collect();
        expected.extend(rows.clone());
        owned
            .commit(|commit| {
                let record = |(created_at, name): (_, String)| InstanceRecord { created_at, ..record(&name, 0) };
                commit.instances.extend(rows.into_iter().map(record));
            })
            .await;
    }
    expected.sort_by(|(a, x), (b, y)| b.cmp(a).then(y.cmp(x)));
    let reader = fixture.reader("orders").await.unwrap();
    for top in [1, 5, 6, 41, 42, 43, 0] {
        let (mut found, mut filter) = (Vec::new(), Filter { top, ..Filter::default() });
        loop {
            let page = reader.list(&filter).await.unwrap();
            assert!(top == 0 || page.instances.len() <= top);
            found.extend(page.instances.into_iter().map(|record| (record.created_at, record.id.to_string())));
            assert!(found.len() <= expected.len(), "pages repeat: {found:?}");
            match page.next {
                Some(token) => filter.after = Some(token),
                None => break,
            }
        }
        assert_eq!(found, expected, "by {top}");
    }
}

pub async fn lists_are_filtered<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let rows = [
        InstanceRecord { created_at: at(10), ..record("a_1", 0) },
        InstanceRecord { created_at: at(20), status: Status::Failed, ..record("a%1", 0) },
        InstanceRecord { created_at: at(30), name: "ship".into(), ..record("a_~", 0) },
        InstanceRecord { created_at: at(40), status: Status::Suspended, ..record("A_1", 0) },
        InstanceRecord { created_at: at(50), name: "ship".into(), ..record("b", 0) },
        InstanceRecord { created_at: at(60), ..record("a_", 0) },
    ];
    a.commit(|commit| commit.instances.extend(rows)).await;
    let reader = fixture.reader("orders").await.unwrap();
    let list = async |filter: Filter| {
        let page = reader.list(&filter).await.unwrap();
        assert_eq!(page.next, None);
        page.instances.into_iter().map(|record| record.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let none = Filter::default;
    assert_eq!(list(none()).await, "a_ b A_1 a_~ a%1 a_1");
    assert_eq!(list(Filter { prefix: Some("a_".into()), ..none() }).await, "a_ a_~ a_1");
    assert_eq!(list(Filter { prefix: Some("a%".into()), ..none() }).await, "a%1");
    assert_eq!(list(Filter { prefix: Some("'".into()), ..none() }).await, "");
    assert_eq!(list(Filter { prefix: Some(String::new()), ..none() }).await, "a_ b A_1 a_~ a%1 a_1");
    assert_eq!(list(Filter { statuses: vec![Status::Failed, Status::Suspended], ..none() }).await, "A_1 a%1");
    assert_eq!(list(Filter { name: Some("ship".into()), ..none() }).await, "b a_~");
    assert_eq!(list(Filter { created_from: Some(at(20)), created_to: Some(at(50)), ..none() }).await, "A_1 a_~ a%1");
    let all = Filter {
        prefix: Some("a".into()),
        statuses: vec![Status::Running],
        name: Some("checkout".into()),
        created_from: Some(at(11)),
        created_to: Some(at(1_000)),
        ..none()
    };
    assert_eq!(list(all).await, "a_");
}

pub async fn a_page_token_of_nowhere_is_refused<F: Fixture>(fixture: &F) {
    fixture.open(&spec()).await.unwrap();
    let reader = fixture.reader("orders").await.unwrap();
    let filter = Filter { after: Some("'; DROP".into()), ..Filter::default() };
    let error = reader.list(&filter).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(why) if why.contains("page token")), "{error}");
}

pub async fn statuses_are_counted<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    assert_eq!(reader.counts().await.unwrap(), Status::ALL.map(|status| (status, 0)));
    a.commit(|commit| {
        let of = |status, name| InstanceRecord { status, ..record(name, 0) };
        commit.instances.extend([of(Status::Running, "a"), of(Status::Running, "b"), of(Status::Failed, "c")]);
    })
    .await;
    a.commit(|commit| commit.instances.push(InstanceRecord { status: Status::Completed, ..record("a", 0) })).await;
    let counts: Vec<u64> = reader.counts().await.unwrap().into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [0, 1, 0, 1, 1, 0]);
}

pub async fn leases_are_shown<F: Fixture>(fixture: &F) {
    let store = fixture.open(&wide(2)).await.unwrap();
    take(store, Partition(1)).await;
    let leases = fixture.reader("orders").await.unwrap().survey().await.unwrap().leases;
    let free = Lease { partition: P0, owner: None, epoch: Epoch(0), counter: 0 };
    let held = Lease { partition: Partition(1), owner: Some("owner".into()), epoch: Epoch(1), counter: 1 };
    assert_eq!(leases, [free, held]);
}

pub async fn h15_a_reader_sees_a_commit_as_soon_as_it_is_answered<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    for number in 0..20 {
        a.commit(|commit| {
            commit.instances.push(record("order-1", number + 1));
            commit.turns.push(turn("order-1", number));
        })
        .await;
        let view = reader.instance(&id("order-1")).await.unwrap().unwrap();
        let turns = reader.history(&id("order-1"), 0, 100).await.unwrap();
        assert_eq!((view.record.turn, turns.len()), (number + 1, usize::try_from(number + 1).unwrap()));
    }
}
