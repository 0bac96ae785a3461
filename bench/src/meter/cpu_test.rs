use super::{Machine, Process, Stat};

#[test]
fn a_name_may_hold_anything() {
    let text = "4711 (a) S 2 (b) R 7 4711 4711 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 9 9 9";
    let Stat { parent, own, reaped } = Stat::parse(text).unwrap();
    assert_eq!((parent, own, reaped), (7, 120, 7));
    assert!(Stat::parse("4711 (cut) R 7").is_none());
}

#[test]
fn this_process_has_taken_some_time_and_its_child_counts_only_where_asked() {
    let me = std::process::id();
    let own = Process::one(me).cpu_us().unwrap();
    assert!(Process::with_children(me).cpu_us().unwrap() >= own);
    assert!(Process::one(u32::MAX).cpu_us().unwrap_err().to_string().contains("is gone"));
}

#[test]
fn idle_and_waiting_time_is_not_busy() {
    let since = Machine::parse("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n").unwrap();
    let now = Machine::parse("cpu  160 10 80 880 70 0 0 0 0 0\n").unwrap();
    assert_eq!(now.busy_us(since), 1_000_000);
    assert!((now.idle_share(since) - 0.5).abs() < 1e-9);
    assert!(Machine::parse("nothing").is_none());
}
