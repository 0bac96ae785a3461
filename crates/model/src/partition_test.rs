use super::*;

fn count(n: u16) -> PartitionCount {
    PartitionCount(NonZeroU16::new(n).unwrap())
}

#[test]
fn an_instance_never_changes_its_partition() {
    let ids = ["order-1", "order-2", "a", "00000000-0000-5000-8000-000000000000"];
    let found: Vec<u16> = ids.iter().map(|id| count(16).of(&InstanceId::new(id).unwrap()).0).collect();
    assert_eq!(found, [5, 11, 11, 4]);
}

#[test]
fn ids_that_differ_by_a_number_spread_evenly() {
    let mut hits = [0u32; 8];
    for n in 0..8000 {
        hits[usize::from(count(8).of(&InstanceId::new(&format!("order-{n}")).unwrap()).0)] += 1;
    }
    assert!(hits.iter().all(|h| (850..1150).contains(h)), "{hits:?}");
}
