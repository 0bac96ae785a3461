use tokio::{spawn, task::JoinHandle};
use warren_broker::memory::Memory;
use warren_model::{ActionId, Parent, Payload, TurnRecord};
use warren_store::InstanceView;

use super::*;
use crate::{
    Options,
    testing::{MemoryQueries, ScriptedOwner, topology, view},
};

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn child(instance: &str, action: u32, close: ClosePolicy) -> Event {
    let (id, instance, name) = (ActionId(action), id(instance), "child".into());
    let input = Payload::null();
    Event::SubOrchestrationInstanceCreated(SubOrchestrationCreated {
        id,
        instance,
        name,
        version: None,
        input,
        attempt: 1,
        close,
    })
}

fn of(mut view: InstanceView, parent: &str) -> InstanceView {
    let (instance, execution) = (id(parent), view.record.execution);
    view.record.parent = Some(Parent { instance, execution, task: ActionId(1), attempt: 1 });
    view
}

/// `root` has `a` and `b`, `a` has `aa`; `root` has named `foreign` too, which is another's; and `alone` may go on.
fn family(status_of_aa: Status) -> MemoryQueries {
    let queries = MemoryQueries::default();
    let put = |view, events: Vec<Event>| queries.put(view, vec![TurnRecord::new(vec![]), TurnRecord::new(events)]);
    let along = ClosePolicy::Terminate;
    let children = [("a", along), ("b", along), ("foreign", along), ("alone", ClosePolicy::Abandon), ("never", along)];
    let children = (1..).zip(children).map(|(n, (name, close))| child(name, n, close)).collect();
    put(view("root", Status::Completed, 0), children);
    put(of(view("a", Status::Failed, 1), "root"), vec![child("aa", 1, along)]);
    put(of(view("b", Status::Completed, 1), "root"), vec![]);
    put(of(view("aa", status_of_aa, 2), "a"), vec![]);
    put(of(view("foreign", Status::Completed, 3), "somebody"), vec![]);
    put(of(view("alone", Status::Running, 3), "root"), vec![]);
    queries
}

async fn purging(queries: MemoryQueries) -> (ScriptedOwner, JoinHandle<Result<u64>>) {
    let broker = Memory::new(topology());
    let owner = ScriptedOwner::start(&broker).await;
    let client = Client::connect(broker, queries, topology(), Options::default()).unwrap();
    (owner, spawn(async move { client.purge(&id("root")).recursive().send().await }))
}

#[tokio::test(start_paused = true)]
async fn h12_children_go_before_their_parents() {
    let (mut owner, purging) = purging(family(Status::Completed)).await;
    let mut purged = Vec::new();
    for _ in 0..4 {
        let command = owner.accept_next(Status::Completed).await;
        assert!(matches!(command.command, Command::Purge { .. }));
        purged.push(command.instance.to_string());
    }
    assert_eq!(purging.await.unwrap().unwrap(), 4);
    purged[1..3].sort();
    assert_eq!(purged, ["aa", "a", "b", "root"]);
}

#[tokio::test(start_paused = true)]
async fn h12_nothing_goes_while_a_child_has_not_ended() {
    let (mut owner, purging) = purging(family(Status::Suspended)).await;
    let error = purging.await.unwrap().unwrap_err();
    let Error::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.code, RefusalCode::Running);
    assert_eq!(refusal.message, "child aa of instance a is Suspended: terminate it first, then purge again");
    assert!(owner.try_next().is_none());
}

#[test]
fn a_filter_never_names_what_has_not_ended() {
    use Status::{Completed, Failed, Running, Terminated};
    assert_eq!(ended_of(&[]), [Completed, Failed, Terminated]);
    assert_eq!(ended_of(&[Running, Failed]), [Failed]);
    assert_eq!(ended_of(&[Running]), []);
}
