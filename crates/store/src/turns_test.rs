use warren_model::{ExecutionId, InstanceId};

use super::*;

fn reading(body: &str) -> Result<TurnRecord, String> {
    let key = TurnKey { instance: InstanceId::new("order-1").unwrap(), execution: ExecutionId::from_u128(10), turn: 4 };
    parse(&key, body)
}

#[test]
fn a_row_that_can_t_be_read_names_itself_and_the_fault() {
    let name = "history of instance order-1, execution 0000000000000000000000000000000a, turn 4: ";
    let why = reading("{").unwrap_err();
    assert!(why.starts_with(name) && why.contains("EOF"), "{why}");
    let why = reading(r#"{"format":7,"events":[{"Later":1}]}"#).unwrap_err();
    assert_eq!(why, format!("{name}format 7 is newer than 1: run the Warren that wrote it"));
    assert_eq!(reading(r#"{"format":1,"events":[]}"#), Ok(TurnRecord::new(vec![])));
}
