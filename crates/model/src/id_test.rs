use super::*;

#[test]
fn an_instance_id_is_printable_ascii_of_at_most_128_bytes() {
    assert!(InstanceId::new("order-7 (retry)").is_ok());
    assert!(InstanceId::new(&"x".repeat(128)).is_ok());
    assert_eq!(InstanceId::new(""), Err(IdError::Empty { what: "instance id" }));
    assert_eq!(
        InstanceId::new(&"x".repeat(129)).unwrap_err().to_string(),
        "instance id has 129 bytes, at most 128 are allowed"
    );
    assert_eq!(
        InstanceId::new("a\nb").unwrap_err().to_string(),
        "instance id has '\\n' at byte 1, only printable ASCII is allowed"
    );
    assert!(InstanceId::new("größe").is_err());
    assert_eq!(InstanceId::new("@cart@7"), Err(IdError::Reserved { what: "instance id" }));
}

#[test]
fn a_bad_id_is_refused_when_read_from_json_too() {
    assert!(serde_json::from_str::<InstanceId>(r#""a\u0000b""#).is_err());
    assert!(serde_json::from_str::<ExecutionId>(r#""12""#).is_err());
}

#[test]
fn derived_ids_are_stable_for_ever() {
    let message = MessageId::new("m-1").unwrap();
    let instance = instance_id_for(&message);
    assert_eq!(instance, instance_id_for(&message));
    let execution = execution_id(&instance, message.as_str());
    assert_eq!(execution.to_string().len(), 32);
    assert_eq!(execution.to_string().parse::<ExecutionId>().unwrap(), execution);
    assert_ne!(execution, execution_id(&instance, "m-2"));
    assert_eq!(child_id(execution, ActionId(10)).as_str(), format!("{execution}:000a"));
}
