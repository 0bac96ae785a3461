use warren_client::testing::MemoryQueries;
use warren_store::Epoch;

use super::*;

const LAPSE: Duration = Duration::from_secs(12);

fn lease(partition: u16, counter: i64) -> Lease {
    Lease { partition: Partition(partition), owner: Some("a".into()), epoch: Epoch(1), counter }
}

#[test]
fn commands_are_taken_as_long_as_anybody_renews() {
    let mut leases = Leases { lapse: LAPSE, seen: BTreeMap::new() };
    let begin = Instant::now();
    let mut at = |second: u64, counters: [i64; 2]| {
        let leases_then = vec![lease(0, counters[0]), lease(1, counters[1])];
        leases.judge(leases_then, begin + Duration::from_secs(second)).is_none()
    };
    assert!(at(0, [5, 5]), "who has just begun to look knows nothing");
    assert!(at(11, [5, 5]));
    assert!(!at(12, [5, 5]), "nobody has renewed anything");
    assert!(at(13, [5, 6]), "somebody does");
    assert!(at(24, [5, 6]), "also while another partition has nobody");
    assert!(!at(25, [5, 6]));
    assert!(at(26, [6, 6]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_told_and_so_is_its_return() {
    let (queries, (told, mut hears)) = (MemoryQueries::default(), watch::channel(None));
    queries.set_away(Some("gone fishing"));
    let looking = tokio::spawn(look(queries.clone(), LAPSE, told));
    let why = hears.wait_for(Option::is_some).await.unwrap().clone();
    assert!(why.unwrap().contains("gone fishing"));
    queries.set_away(None);
    hears.wait_for(Option::is_none).await.unwrap();
    drop(hears);
    looking.await.unwrap();
}
