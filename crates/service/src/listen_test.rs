use super::bind;

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting_and_the_remedy() {
    let first = bind("127.0.0.1:0", "health.worker").await.unwrap();
    let address = first.local_addr().unwrap().to_string();
    let error = bind(&address, "health.worker").await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "listen on {address} (setting health.worker): the port is in use: stop what listens there, or set \
             health.worker to another (port 0: any that is free), e.g. --set health.worker=127.0.0.1:0"
        )
    );
}

#[tokio::test]
async fn a_foreign_address_is_explained() {
    let error = bind("192.0.2.1:0", "client_api.listen").await.unwrap_err().to_string();
    assert!(error.contains("this machine has no such address"), "{error}");
}
