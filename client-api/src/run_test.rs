use std::future::pending;

use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_port_in_use_is_told_with_the_setting_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings::default();
    settings.client_api.listen = taken.local_addr().unwrap().to_string();
    let error = run(&settings, pending()).await.unwrap_err().to_string();
    assert!(error.contains("the port is in use: stop what listens there, or set client_api.listen"), "{error}");
}

#[tokio::test]
async fn a_broker_address_that_makes_no_sense_is_refused_at_once() {
    let mut settings = Settings::default();
    settings.client_api.listen = "127.0.0.1:0".into();
    settings.broker.url = "amqp://host:port/".into();
    let error = run(&settings, pending()).await.unwrap_err().to_string();
    assert!(error.contains("amqp://host:port/"), "{error}");
}
