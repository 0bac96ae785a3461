use super::{count_queues, read_pid};
use crate::limit::Queues;

#[test]
fn a_status_names_the_process() {
    assert_eq!(read_pid("running: pid 8487, amqp://127.0.0.1:5675, logs in /x"), Some(8487));
    assert_eq!(read_pid("not running"), None);
}

#[test]
fn a_queue_of_another_kind_is_refused_by_name() {
    let table = "a.control.00\tquorum\ttrue\na.work.x\tquorum\ttrue\nb.dead\tclassic\ttrue\n";
    assert_eq!(count_queues(table, "a.", Queues::Quorum).unwrap(), 2);
    assert!(count_queues(table, "b.", Queues::Quorum).unwrap_err().to_string().contains("queue b.dead is classic"));
    assert!(count_queues(table, "c.", Queues::Quorum).unwrap_err().to_string().contains("no queue c."));
    assert!(count_queues("a.x\tquorum\tfalse\n", "a.", Queues::Quorum).is_err());
}
