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

#[test]
fn derived_ids_are_as_old_as_their_cause() {
    let (older, newer) = ("0190c0de-0000-7abc-8000-00000000ffff", "0190c0de-0001-7abc-8000-000000000000");
    let derived = |message: &str| {
        let message = MessageId::new(message).unwrap();
        let instance = instance_id_for(&message);
        let first = execution_id(&instance, message.as_str());
        let continued = execution_id(&instance, &first.to_string());
        let child = child_id(first, ActionId(1));
        let childs = execution_id(&child, &format!("{first}:0001:1"));
        (instance.to_string(), [first, continued, childs].map(|id| id.to_string()))
    };
    let ((one, ones), (other, others)) = (derived(older), derived(newer));
    assert_eq!(one, "0190c0de-0000-8794-92ab-761e896a4c76");
    assert_eq!((&one[..15], &other[..15]), ("0190c0de-0000-8", "0190c0de-0001-8"));
    assert!(ones.iter().all(|id| id.starts_with("0190c0de00008")), "{ones:?}");
    assert!(ones.iter().all(|one| others.iter().all(|other| one < other)));
    // What does not begin with a time has none to keep.
    for message in ["m-1", "0190c0de-0000-4abc-8000-00000000ffff"] {
        let (instance, executions) = derived(message);
        assert_eq!(&instance[14..15], "5");
        assert!(executions.iter().all(|id| &id[12..13] == "5"), "{executions:?}");
    }
}
