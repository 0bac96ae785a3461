//! Commands that were answered: what makes a duplicate harmless.

use warren_model::{Answer, MessageId, Refusal, RefusalCode, Status};

use super::{Fixture, sample::*};
use crate::{CommandRow, Error, Load, Store};

fn command(name: &str, second: i64) -> CommandRow {
    let answer =
        Answer { instance: id("order-1"), execution: FIRST, status: Status::Pending, warning: Some("w".into()) };
    CommandRow { id: message_id(name), answer: Ok(answer), at: at(second) }
}

async fn find<S: Store>(a: &Owned<S>, names: &[&str]) -> Vec<CommandRow> {
    let commands: Vec<MessageId> = names.iter().map(|name| message_id(name)).collect();
    a.store.load(P0, a.epoch, Load { instances: vec![], commands }).await.unwrap().commands
}

pub async fn h1_an_answer_is_remembered<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let refusal = Refusal { code: RefusalCode::Gone, message: "it has \"ended\"".into() };
    let refused = CommandRow { answer: Err(refusal), ..command("m2", 20) };
    a.commit(|commit| commit.commands.extend([command("m1", 10), refused.clone()])).await;
    assert_eq!(find(&a, &["m2", "m3", "m1"]).await, [refused, command("m1", 10)]);
}

pub async fn h1_a_command_is_answered_once<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.commands.push(command("m1", 10))).await;
    let again = a.try_commit(|commit| commit.commands.push(command("m1", 20))).await;
    assert!(matches!(&again, Err(Error::Refused(why)) if why.contains("command m1")), "{again:?}");
    assert_eq!(find(&a, &["m1"]).await, [command("m1", 10)]);
}

pub async fn answers_are_forgotten_after_the_window<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.commands.extend([command("m3", 30), command("m1", 10), command("m2", 20)])).await;
    let all = ["m1", "m2", "m3"];
    let expire = async |before, limit| a.store.expire(P0, a.epoch, at(before), at(0), limit).await.unwrap();
    assert!(!expire(10, 100).await.has_more);
    assert_eq!(find(&a, &all).await.len(), 3);
    // The oldest go first.
    assert!(expire(1_000, 1).await.has_more);
    assert_eq!(find(&a, &all).await, [command("m2", 20), command("m3", 30)]);
    assert!(!expire(30, 100).await.has_more);
    assert_eq!(find(&a, &all).await, [command("m3", 30)]);
}
