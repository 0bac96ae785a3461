use std::{fs, num::NonZeroU16, path::PathBuf, time::Duration};

use tempfile::TempDir;
use warren_model::PartitionCount;

use super::*;
use crate::{Commit, Error, HubSpec, Queries, Result, Store, conformance::Fixture};

/// A folder for one hub's file.
pub(crate) struct File {
    folder: TempDir,
}

impl File {
    fn path(&self) -> PathBuf {
        self.folder.path().join("hub.db")
    }

    fn sql(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(2)).unwrap();
        connection
    }
}

impl Fixture for File {
    type Store = Sqlite;
    type Reader = SqliteReader;

    fn fresh() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    async fn open(&self, spec: &HubSpec) -> Result<Sqlite> {
        Sqlite::open(&self.path(), spec)
    }

    async fn reader(&self, hub_name: &str) -> Result<SqliteReader> {
        SqliteReader::open(&self.path(), hub_name)
    }

    async fn sql(&self, sql: &str) {
        File::sql(self).execute_batch(sql).unwrap();
    }
}

mod conformance {
    use super::File;

    crate::store_conformance!(File);
}

fn spec() -> HubSpec {
    HubSpec { name: "orders".into(), partitions: PartitionCount(NonZeroU16::new(4).unwrap()) }
}

#[test]
fn a_missing_folder_is_made() {
    let file = File::fresh();
    let path = file.folder.path().join("a/b/hub.db");
    Sqlite::open(&path, &spec()).unwrap();
    assert!(path.exists());
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_as_it_is() {
    let file = File::fresh();
    let text = "not a database, ".repeat(100);
    fs::write(file.path(), &text).unwrap();
    for error in [Sqlite::open(&file.path(), &spec()).err(), SqliteReader::open(&file.path(), "orders").err()] {
        let error = error.unwrap();
        let path = file.path().display().to_string();
        assert!(matches!(&error, Error::Corrupt { what, .. } if what.contains(&path)), "{error}");
    }
    assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
}

#[test]
fn another_program_s_database_is_refused_and_left_as_it_is() {
    let file = File::fresh();
    file.sql().execute_batch("CREATE TABLE hub (name TEXT); INSERT INTO hub VALUES ('orders')").unwrap();
    let before = fs::read(file.path()).unwrap();
    for error in [Sqlite::open(&file.path(), &spec()).err(), SqliteReader::open(&file.path(), "orders").err()] {
        let error = error.unwrap();
        assert!(matches!(&error, Error::Mismatch(why) if why.contains("another program")), "{error}");
    }
    assert_eq!(fs::read(file.path()).unwrap(), before);
}

#[test]
fn tables_of_another_version_are_refused_by_number() {
    let file = File::fresh();
    Sqlite::open(&file.path(), &spec()).unwrap();
    file.sql().pragma_update(None, "user_version", 7).unwrap();
    let error = Sqlite::open(&file.path(), &spec()).err().unwrap();
    let says = |text| error.to_string().contains(text);
    assert!(matches!(error, Error::Mismatch(_)) && says("version 7") && says("has 1"), "{error}");
}

#[test]
fn an_empty_file_becomes_a_hub() {
    let file = File::fresh();
    fs::write(file.path(), "").unwrap();
    assert!(matches!(SqliteReader::open(&file.path(), "orders").err(), Some(Error::Unavailable(_))));
    Sqlite::open(&file.path(), &spec()).unwrap();
    SqliteReader::open(&file.path(), "orders").unwrap();
}

#[test]
fn owners_that_start_at_once_share_one_hub() {
    for _ in 0..10 {
        let file = File::fresh();
        let hubs: Vec<_> = std::thread::scope(|scope| {
            let open = || Sqlite::open(&file.path(), &spec()).map(|store| Store::hub(&store).clone());
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(hubs.iter().all(|hub| hub == &hubs[0]));
    }
}

#[tokio::test]
async fn a_reader_may_come_before_the_owner() {
    let file = File::fresh();
    let path = file.path();
    let waiting = tokio::spawn(async move { SqliteReader::wait(&path, "orders").await });
    tokio::task::yield_now().await;
    let store = Sqlite::open(&file.path(), &spec()).unwrap();
    let reader = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(Queries::hub(&reader), Store::hub(&store));
    // What does not pass is not waited for.
    let other = tokio::time::timeout(Duration::from_secs(10), SqliteReader::wait(&file.path(), "invoices")).await;
    assert!(matches!(other.unwrap().err(), Some(Error::Mismatch(_))));
}

#[tokio::test]
async fn a_reader_reads_on_while_owners_come_and_go() {
    let file = File::fresh();
    drop(Sqlite::open(&file.path(), &spec()).unwrap());
    let reader = SqliteReader::open(&file.path(), "orders").unwrap();
    for epoch in 1..=3 {
        let store = Sqlite::open(&file.path(), &spec()).unwrap();
        let seen = Store::survey(&store).await.unwrap().leases.remove(0);
        let taken = store.acquire(&seen, "owner").await.unwrap().unwrap();
        assert_eq!((taken.0, reader.survey().await.unwrap().leases[0].epoch), (epoch, taken));
        drop(store);
        assert_eq!(reader.survey().await.unwrap().leases[0].epoch, taken);
    }
}

#[tokio::test]
async fn a_reader_can_t_write() {
    let file = File::fresh();
    Sqlite::open(&file.path(), &spec()).unwrap();
    let (connection, _) = file::reader(&file.path(), "orders").unwrap();
    assert!(connection.execute("UPDATE lease SET counter = 7", []).is_err());
}

#[tokio::test]
async fn a_lock_that_is_not_given_is_unavailable_and_passes() {
    let file = File::fresh();
    let store = Sqlite::open(&file.path(), &spec()).unwrap();
    let seen = Store::survey(&store).await.unwrap().leases.remove(0);
    let epoch = store.acquire(&seen, "owner").await.unwrap().unwrap();
    let other = file.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commit = || store.commit(Commit::new(seen.partition, epoch, 1));
    let busy = commit().await;
    assert!(matches!(busy, Err(Error::Unavailable(_))), "{busy:?}");
    other.execute_batch("ROLLBACK").unwrap();
    commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_goes_on_when_its_caller_stops_waiting() {
    let file = File::fresh();
    let store = Sqlite::open(&file.path(), &spec()).unwrap();
    let seen = Store::survey(&store).await.unwrap().leases.remove(0);
    let epoch = store.acquire(&seen, "owner").await.unwrap().unwrap();
    let sent = tokio::time::timeout(Duration::ZERO, store.commit(Commit::new(seen.partition, epoch, 1))).await;
    // Whether it was answered in time or not: what is read next was read after it.
    drop(sent);
    assert_eq!(store.partition(seen.partition, epoch).await.unwrap().number, 1);
}

#[tokio::test]
async fn files_as_a_kill_leaves_them_have_every_answered_commit() {
    let file = File::fresh();
    let store = Sqlite::open(&file.path(), &spec()).unwrap();
    let seen = Store::survey(&store).await.unwrap().leases.remove(0);
    let epoch = store.acquire(&seen, "owner").await.unwrap().unwrap();
    for number in 1..=5 {
        store.commit(Commit::new(seen.partition, epoch, number)).await.unwrap();
        let left = File::fresh();
        fs::copy(file.path(), left.path()).unwrap();
        let log = |file: &File| file.path().with_extension("db-wal");
        // And a commit that was being written.
        let mut bytes = fs::read(log(&file)).unwrap();
        bytes.extend([7; 5_000]);
        fs::write(log(&left), bytes).unwrap();
        let found = Sqlite::open(&left.path(), &spec()).unwrap();
        assert_eq!(found.partition(seen.partition, epoch).await.unwrap().number, number);
    }
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let file = File::fresh();
    let store = Sqlite::open(&file.path(), &spec()).unwrap();
    let seen = Store::survey(&store).await.unwrap().leases.remove(0);
    let epoch = store.acquire(&seen, "owner").await.unwrap().unwrap();
    let sql = file.sql();
    sql.execute_batch(
        "INSERT INTO pending VALUES (0, 'order-1', 3, '{\"Nonsense\":1}', 7);
         INSERT INTO instance VALUES (0, 'order-2', 'x', 'n', NULL, 'Running', NULL, 0, 0, 0, NULL, NULL, NULL, 's', '{}', 0, 0);
         INSERT INTO sent VALUES (0, 1, -1);",
    )
    .unwrap();
    let instances = ["order-1", "order-2", "order-3"].map(|id| warren_model::InstanceId::new(id).unwrap()).into();
    let loaded = store.load(seen.partition, epoch, crate::Load { instances, commands: vec![] }).await.unwrap();
    assert_eq!(loaded.instances[0].next_position, 4, "what comes later goes behind a row that can't be read");
    let turns: Vec<_> = loaded.instances.into_iter().map(|instance| instance.turns).collect();
    assert!(
        turns[0].as_ref().is_err_and(|why| why.starts_with("pending message 3 of instance order-1: ")),
        "{turns:?}"
    );
    assert!(turns[1].as_ref().is_err_and(|why| why.starts_with("instance order-2: ")), "{turns:?}");
    assert_eq!(turns[2], Ok(vec![]));
    let now = warren_model::Timestamp::now();
    let expired = store.expire(seen.partition, epoch, now, now, 10).await.unwrap();
    assert_eq!(expired, crate::Expired::default(), "nor does it keep others from expiring");
    let state = store.partition(seen.partition, epoch).await;
    assert!(matches!(&state, Err(Error::Corrupt { what, .. }) if what == "state of partition 00"), "{state:?}");
}
