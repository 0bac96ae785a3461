use futures_util::FutureExt;

use super::*;

#[test]
fn every_clone_hears_the_first_reason() {
    let cancellation = Cancellation::default();
    assert!(!cancellation.is_watched());
    let (mut one, mut other) = (Cancelled::new(cancellation.clone()), Cancelled::new(cancellation.clone()));
    assert!(cancellation.is_watched());
    assert_eq!(((&mut one).now_or_never(), (&mut other).now_or_never()), (None, None));
    cancellation.cancel(CancelReason::WorkerStops);
    cancellation.cancel(CancelReason::Cancelled);
    let stops = Some(CancelReason::WorkerStops);
    assert_eq!((one.now_or_never(), other.now_or_never(), cancellation.reason()), (stops, stops, stops));
}

#[test]
fn whoever_waits_is_woken() {
    let cancellation = Cancellation::default();
    let waits = std::thread::spawn({
        let cancelled = Cancelled::new(cancellation.clone());
        move || crate::test::block_on(cancelled)
    });
    cancellation.cancel(CancelReason::Cancelled);
    assert_eq!(waits.join().ok(), Some(CancelReason::Cancelled));
}
