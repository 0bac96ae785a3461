use warren::{Failure, Orchestrator, Payload, Registry, test::Hub};

use super::{
    contract::{Dimensions, VOLUME, Volume},
    register,
};

fn volume(length: f64, width: f64, height: f64) -> Result<Volume, Failure> {
    Hub::new(register(Registry::new())).run_blocking(VOLUME, Dimensions { length, width, height })
}

#[test]
fn a_volume_is_right_to_the_millilitre() {
    assert_eq!(volume(0.6, 0.4, 0.35), Ok(Volume { litres: 84.0 }));
    assert_eq!(volume(0.1, 0.2, 0.3), Ok(Volume { litres: 6.0 }));
    assert_eq!(volume(0.011, 0.013, 0.017), Ok(Volume { litres: 0.002 }));
}

#[test]
fn a_negative_side_is_refused() {
    assert_eq!(volume(1.0, -1.0, 1.0).unwrap_err().code, "invalid_dimensions");
}

#[test]
fn a_side_that_is_missing_or_no_number_is_named() {
    let untyped = Orchestrator::<Payload, Volume>::new(VOLUME.name());
    for (input, side) in [(r#"{"length": 1, "height": 1}"#, "width"), (r#"{"length": "long"}"#, "length")] {
        let input = Payload::from_bytes(input.as_bytes()).unwrap();
        let failure = Hub::new(register(Registry::new())).run_blocking(untyped, input).unwrap_err();
        assert_eq!(failure.code, "invalid_input");
        assert!(failure.message.contains(side), "{failure}");
    }
}

#[test]
fn replayed_after_every_turn_or_never_the_history_is_the_same() {
    let history = |hub: Hub| {
        let volume = hub.start(VOLUME, Dimensions { length: 1.0, width: 2.0, height: 3.0 });
        warren::test::block_on(volume.wait()).unwrap();
        volume.history()
    };
    let replayed = history(Hub::new(register(Registry::new())));
    assert_eq!(replayed, history(Hub::new(register(Registry::new())).keep_alive()));
    assert_eq!(replayed.last().map(|event| event.name()), Some("ExecutionCompleted"));
}
