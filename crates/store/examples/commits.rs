//! How long a commit takes on each backend, in one run: `cargo run --release -p warren-store --example commits --
//! postgres://…`. Alternates between the two, so that what else the machine does falls on both.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people")]

use std::{
    num::NonZeroU16,
    time::{Duration, Instant},
};

use warren_model::{ExecutionId, InstanceId, InstanceRecord, MessageId, Partition, PartitionCount, Status, Timestamp};
use warren_store::{
    Commit, Epoch, HubSpec, OutboxEntry, OutboxRow, OutboxTurn, Progress, Store, TurnKey, TurnRow, postgres::Postgres,
    sqlite::Sqlite,
};

/// Turns per commit, and how many commits are measured.
const SIZES: [(usize, usize); 4] = [(1, 400), (10, 300), (100, 150), (500, 60)];

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let folder = std::path::PathBuf::from(std::env::args().nth(2).unwrap_or_else(|| ".".into()));
    let name = format!("commits-{}", std::process::id());
    let spec = HubSpec { name: name.clone(), partitions: PartitionCount(NonZeroU16::MIN) };
    let file = folder.join(format!("{name}.db"));
    let mut sqlite = Writer::new(Sqlite::open(&file, &spec).unwrap()).await;
    let mut postgres = Writer::new(Postgres::open(&url, &spec).await.unwrap()).await;
    println!("{:>6} {:>12} {:>12} {:>12} {:>6}", "turns", "sqlite", "postgres", "empty", "ratio");
    for (turns, commits) in SIZES {
        let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..commits {
            a.push(sqlite.commit(turns).await);
            b.push(postgres.commit(turns).await);
            c.push(postgres.commit(0).await);
        }
        let (a, b, c) = (median(a), median(b), median(c));
        println!("{turns:>6} {a:>12.1?} {b:>12.1?} {c:>12.1?} {:>6.2}", b.as_secs_f64() / a.as_secs_f64());
    }
    drop(sqlite);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("{name}.db{end}")));
    }
    println!("left in the database: schema warren_{name}");
}

struct Writer<S> {
    store: S,
    epoch: Epoch,
    number: u64,
    instance: u64,
}

impl<S: Store> Writer<S> {
    async fn new(store: S) -> Self {
        let seen = store.survey().await.unwrap().leases.remove(0);
        let epoch = store.acquire(&seen, "commits").await.unwrap().unwrap();
        Self { store, epoch, number: 0, instance: 0 }
    }

    /// Commits so many new instances with a turn each, and returns how long that took.
    async fn commit(&mut self, turns: usize) -> Duration {
        self.number += 1;
        let mut commit = Commit::new(Partition(0), self.epoch, self.number);
        let mut entries = Vec::new();
        for _ in 0..turns {
            self.instance += 1;
            // As random as the ids of real instances, so that keys go to random pages.
            let key = uuid::Uuid::new_v4().to_string();
            let (instance, execution) = (InstanceId::new(&key).unwrap(), ExecutionId::from_u128(self.instance.into()));
            let record = record(&instance, execution);
            let progress = Progress::of(&record);
            commit.instances.push(record);
            let body = format!("{{\"format\":1,\"events\":[{}]}}", "\"0123456789abcdef\",".repeat(40));
            commit.turns.push(TurnRow {
                key: TurnKey { instance: instance.clone(), execution, turn: 0 },
                body,
                progress,
            });
            entries.push(OutboxEntry::Turn(OutboxTurn {
                instance,
                execution,
                turn: 0,
                sequences: vec![],
                parent: None,
                answer_to: None,
                payload_max: None,
                traceparent: None,
                only_words: false,
            }));
        }
        if turns > 0 {
            commit.outbox.push(OutboxRow { number: self.number, entries });
        }
        commit.outbox_done.push(self.number - 1);
        let before = Instant::now();
        self.store.commit(commit).await.unwrap();
        before.elapsed()
    }
}

fn record(id: &InstanceId, execution: ExecutionId) -> InstanceRecord {
    InstanceRecord {
        id: id.clone(),
        execution,
        name: "order".into(),
        version: None,
        status: Status::Running,
        condition: None,
        turn: 1,
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
        custom_status: None,
        parent: None,
        answer_to: None,
        start_id: MessageId::new(id.as_str()).unwrap(),
        tags: Default::default(),
        history_events: 1,
        history_bytes: 700,
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
