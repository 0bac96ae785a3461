use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    spawn,
};
use uuid::Uuid;
use warren_testing::{Server, postgres_url};

use super::*;
use crate::{
    Error, Queries, Store,
    postgres::{
        Postgres, PostgresReader,
        testing::{DEADLINE, P0, Place, Role, empty, spec, take},
    },
};

fn is_unavailable<T>(result: &Result<T>, why: &str) -> bool {
    matches!(result, Err(Error::Unavailable(said)) if said.contains(why))
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let opened = Postgres::open("postgres://warren@127.0.0.1:1/warren", &spec()).await.map(drop);
    assert!(is_unavailable(&opened, "refused"), "{opened:?}");
}

#[tokio::test]
async fn a_database_or_a_user_that_is_not_there_is_unavailable() {
    let place = Place::new();
    let role = Role::new(&place.sql().await, "").await;
    for (url, code) in [
        (role.url(&place).replace(&role.name, "nobody_of_this_name"), "28"),
        (role.url(&place).replace("?schema=", "_of_nobody?schema="), "3D000"),
    ] {
        let opened = Postgres::open(&url, &spec()).await.map(drop);
        assert!(is_unavailable(&opened, &format!("SQLSTATE {code}")), "{opened:?}");
    }
}

#[tokio::test]
async fn a_server_out_of_connections_is_unavailable() {
    let place = Place::new();
    let role = Role::new(&place.sql().await, "CONNECTION LIMIT 0").await;
    let opened = Postgres::open(&role.url(&place), &spec()).await.map(drop);
    assert!(is_unavailable(&opened, "53300"), "{opened:?}");
}

#[tokio::test]
async fn a_database_that_is_read_only_is_unavailable_to_owners_and_serves_readers() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let url = place.url_with("&options=-c%20default_transaction_read_only=on");
    let reading = Postgres::open(&url, &spec()).await.unwrap();
    let seen = Store::survey(&reading).await.unwrap().leases.remove(0);
    for refused in [
        reading.commit(empty(epoch, 1)).await,
        reading.acquire(&seen, "b").await.map(drop),
        reading.renew("a", true, &[(P0, epoch)]).await.map(drop),
    ] {
        assert!(is_unavailable(&refused, "25006"), "{refused:?}");
    }
    assert_eq!(Queries::survey(&reading).await.unwrap().leases, [seen]);
    store.commit(empty(epoch, 1)).await.unwrap();
}

#[tokio::test]
async fn a_reader_can_t_write() {
    let place = Place::new();
    place.owned().await;
    let address = Address::parse(&place.url(), "orders").unwrap();
    let client = pool(&address, Use::Queries).unwrap().get().await.unwrap();
    assert_eq!(client.execute("UPDATE lease SET counter = 7", &[]).await.unwrap_err().code().unwrap().code(), "25006");
}

#[tokio::test]
async fn a_restart_of_the_server_breaks_connections_for_a_moment_and_loses_nothing() {
    let server = Server::postgres(&format!("test-{}", Uuid::new_v4().simple())); // others must not be restarted
    let url = server.url();
    let store = Postgres::open(url, &spec()).await.unwrap();
    let epoch = take(&store).await;
    store.commit(empty(epoch, 1)).await.unwrap();
    let reader = PostgresReader::open(url, "orders").await.unwrap();
    server.stop();
    let away = store.renew("a", true, &[(P0, epoch)]).await;
    assert!(is_unavailable(&away, ""), "{away:?}");
    let read = Queries::survey(&reader).await;
    assert!(is_unavailable(&read, ""), "{read:?}");
    assert!(store.commit(empty(epoch, 2)).await.is_err());
    server.start();
    assert_eq!(store.renew("a", true, &[(P0, epoch)]).await.unwrap().lost, []);
    assert_eq!(store.partition(P0, epoch).await.unwrap().number, 1);
    store.commit(empty(epoch, 2)).await.unwrap();
    assert_eq!(Queries::survey(&reader).await.unwrap().leases[0].epoch, epoch);
}

/// Passes bytes on until it is told to be deaf: then the next word of the server breaks the connection instead.
async fn proxy(is_deaf: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server: tokio_postgres::Config = postgres_url().parse().unwrap();
    let target = server.get_ports()[0];
    spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
            let is_deaf = is_deaf.clone();
            spawn(pass(client, server, is_deaf));
        }
    });
    let user = server.get_user().unwrap();
    format!("postgres://{user}@127.0.0.1:{port}/{}?sslmode=disable", server.get_dbname().unwrap())
}

async fn pass(mut client: TcpStream, mut server: TcpStream, is_deaf: Arc<AtomicBool>) -> std::io::Result<()> {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let back = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let read = from_server.read(&mut bytes).await?;
            if read == 0 || is_deaf.load(Ordering::SeqCst) {
                return Err::<(), _>(std::io::ErrorKind::ConnectionAborted.into());
            }
            to_client.write_all(&bytes[..read]).await?;
        }
    };
    let forth = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    tokio::select! { done = back => done, done = forth => done }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_unknown_and_is_found() {
    let place = Place::new();
    let (direct, epoch) = place.owned().await;
    let is_deaf = Arc::new(AtomicBool::new(false));
    let store = Postgres::open(&place.url_at(&proxy(is_deaf.clone()).await, ""), &spec()).await.unwrap();
    store.commit(empty(epoch, 1)).await.unwrap();
    is_deaf.store(true, Ordering::SeqCst);
    let unknown = store.commit(empty(epoch, 2)).await;
    assert!(matches!(unknown, Err(Error::Unknown(_))), "{unknown:?}");
    is_deaf.store(false, Ordering::SeqCst);
    assert_eq!(direct.partition(P0, epoch).await.unwrap().number, 2);
    // The next one has a new connection.
    let deadline = Instant::now() + DEADLINE;
    while store.commit(empty(epoch, 3)).await.is_err() {
        assert!(Instant::now() < deadline);
    }
}
