use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};

use super::{Health, serve};
use crate::listen;

/// Asks over a real socket; returns the status line's code and the body.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn readiness_follows_the_checks_and_liveness_does_not() {
    let health = Health::new(&["broker", "store"]);
    let listener = listen::bind("127.0.0.1:0", "health.worker").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, health.clone(), async {
        let _ = stopped.await;
    }));

    assert_eq!(get(address, "/health/live").await, (200, "live\n".into()));
    let starting = r#"{"ready":false,"checks":{"broker":"starting","store":"starting"}}"#;
    assert_eq!(get(address, "/health/ready").await, (503, starting.into()));

    health.pass("broker");
    health.fail("store", "connect to postgres://warren:hunter2@db/warren: refused");
    let failing =
        r#"{"ready":false,"checks":{"broker":"ok","store":"connect to postgres://warren:***@db/warren: refused"}}"#;
    assert_eq!(get(address, "/health/ready").await, (503, failing.into()));
    assert_eq!(get(address, "/health/live").await.0, 200);

    health.pass_but("store", "slow at postgres://warren:hunter2@db/warren");
    let remarked =
        r#"{"ready":true,"checks":{"broker":"ok","store":"ok, but slow at postgres://warren:***@db/warren"}}"#;
    assert_eq!(get(address, "/health/ready").await, (200, remarked.into()));

    health.pass("store");
    let ready = r#"{"ready":true,"checks":{"broker":"ok","store":"ok"}}"#;
    assert_eq!(get(address, "/health/ready").await, (200, ready.into()));

    crate::metrics::begin();
    metrics::counter!("warren_test_asked_total").increment(1);
    let (status, counted) = get(address, "/metrics").await;
    assert!(status == 200 && counted.contains("warren_test_asked_total 1"), "{counted}");

    health.drain();
    let draining = r#"{"ready":false,"checks":{"broker":"ok","service":"draining","store":"ok"}}"#;
    assert_eq!(get(address, "/health/ready").await, (503, draining.into()));

    stop.send(()).unwrap();
    timeout(Duration::from_secs(10), server).await.expect("the server ends when told").unwrap().unwrap();
}

#[tokio::test]
async fn one_can_wait_for_readiness() {
    let health = Health::new(&["broker"]);
    let waiter = tokio::spawn({
        let health = health.clone();
        async move { health.ready().await }
    });
    assert!(!health.is_ready());
    health.pass("broker");
    timeout(Duration::from_secs(10), waiter).await.expect("readiness wakes who waits for it").unwrap();
}
