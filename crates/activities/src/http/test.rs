use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ::http::{StatusCode, Uri};
use axum::{
    Json, Router,
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::testing::{TRACE, details, serve, task};

/// Settings that call `path` of the test's own server.
fn settings(port: u16, path: &str) -> HttpSettings {
    HttpSettings {
        url: format!("http://localhost:{port}{path}"),
        private_hosts: vec!["localhost".into()],
        ..HttpSettings::default()
    }
}

async fn run(settings: &HttpSettings, input: &Value) -> Result<Value, Failure> {
    let http = Http::new("charge", settings).unwrap();
    http.run(&task(input)).await.map(|result| result.parse().unwrap())
}

async fn answered(router: Router, change: impl FnOnce(&mut HttpSettings)) -> Result<Value, Failure> {
    let mut settings = settings(serve(router).await.port(), "/");
    change(&mut settings);
    run(&settings, &json!({"id": 7})).await
}

/// Answers everything with one answer.
fn always(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Router {
    Router::new().fallback(move || std::future::ready(answer.clone()))
}

/// Tells what it was asked.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: String) -> Json<Value> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    Json(json!({
        "method": method.as_str(), "uri": uri.to_string(), "body": body, "key": header("idempotency-key"),
        "content_type": header("content-type"), "secret": header("authorization"), "x": header("x-order"), "trace": header("traceparent"),
    }))
}

#[tokio::test]
async fn the_settings_say_what_is_sent() {
    let port = serve(Router::new().fallback(echo)).await.port();
    let mut settings = settings(port, "/orders/{/id}/{/name}?by={instance}");
    settings.headers = vec!["x-order: {/id}".into(), "authorization: Bearer {env:PATH}".into()];
    settings.body = "/order".into();
    let sent = run(&settings, &json!({"id": 7, "name": "a/b ?", "order": {"total": 12}})).await.unwrap();
    let path = std::env::var("PATH").unwrap();
    let expect = json!({
        "method": "POST", "uri": "/orders/7/a%2Fb%20%3F?by=order-7", "body": "{\"total\":12}", "key": "order-7:3",
        "content_type": "application/json", "secret": format!("Bearer {path}"), "x": "7", "trace": TRACE,
    });
    assert_eq!(sent, expect);
}

#[tokio::test]
async fn all_of_the_input_is_sent_unless_the_settings_say_otherwise_and_none_with_a_get() {
    let port = serve(Router::new().fallback(echo)).await.port();
    let input = json!({"id": 7});
    assert_eq!(run(&settings(port, "/"), &input).await.unwrap()["body"], "{\"id\":7}");
    let none = HttpSettings { body: "none".into(), ..settings(port, "/") };
    assert_eq!(run(&none, &input).await.unwrap()["body"], "");
    let get = HttpSettings { method: "GET".into(), ..settings(port, "/") };
    let sent = run(&get, &input).await.unwrap();
    assert_eq!((&sent["body"], &sent["content_type"]), (&json!(""), &Value::Null));
}

#[tokio::test]
async fn an_input_that_leaves_a_hole_open_is_refused_before_anything_is_sent() {
    let mut settings = settings(1, "/{/order/id}");
    let failure = run(&settings, &json!({"order": {}})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "url: {/order/id} is missing"));
    settings.url = "http://localhost:1/".into();
    settings.headers = vec!["x: {/x}".into()];
    let failure = run(&settings, &json!({"x": "a\r\nhost: b"})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "headers: what fills x may not stand in a header"));
    settings.headers.clear();
    settings.body = "/absent".into();
    let failure = run(&settings, &json!({})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "body: the input has no /absent"));
}

#[tokio::test]
async fn an_input_leads_to_no_other_path() {
    let port = serve(Router::new().fallback(echo)).await.port();
    let settings = settings(port, "/orders/{/id}/{/part}?by={/id}");
    for (id, part) in [("..", "admin"), (".", "x"), ("7", ".."), ("%2e%2E", "x")] {
        let sent = run(&settings, &json!({"id": id, "part": part})).await;
        match sent {
            Ok(sent) => assert_eq!(sent["uri"], "/orders/%252e%252E/x?by=%252e%252E", "it is no dot"),
            Err(failure) => {
                assert!(failure.message.starts_with("url: what fills it may be no `.` or `..`"), "{failure}")
            }
        }
    }
    let sent = run(&settings, &json!({"id": "a..b", "part": "?x#y\\z"})).await.unwrap();
    assert_eq!(sent["uri"], "/orders/a..b/%3Fx%23y%5Cz?by=a..b");
}

#[tokio::test]
async fn no_failure_shows_a_secret() {
    let secret = std::env::var("HOME").unwrap();
    let settings = |change: fn(&mut HttpSettings)| {
        let mut settings = settings(1, "/{env:HOME}?key={env:HOME}&id={/id}");
        settings.headers = vec!["authorization: Bearer {env:HOME}".into(), "x-id: {/id}".into()];
        change(&mut settings);
        settings
    };
    for settings in [settings(|_| ()), settings(|http| http.private_hosts.clear())] {
        for input in [json!({"id": 7}), json!({"id": "a\nb"}), json!({})] {
            let failure = run(&settings, &input).await.unwrap_err();
            assert!(!format!("{failure} {:?}", failure.details).contains(&secret), "{failure}");
        }
        assert!(!format!("{:?}", Http::new("charge", &settings).unwrap()).contains(&secret));
    }
}

#[tokio::test]
async fn a_body_is_json_if_it_says_so_and_text_otherwise() {
    assert_eq!(answered(always(Json(json!({"a": 1}))), |_| ()).await, Ok(json!({"a": 1})));
    let problem = ([(CONTENT_TYPE, "application/problem+json; charset=utf-8")], "[1]");
    assert_eq!(answered(always(problem), |_| ()).await, Ok(json!([1])));
    assert_eq!(answered(always("{\"a\": 1}"), |_| ()).await, Ok(json!("{\"a\": 1}")));
    assert_eq!(answered(always(StatusCode::NO_CONTENT), |_| ()).await, Ok(Value::Null));
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_or_too_large_is_invalid() {
    let check = |failure: Failure, why: &str| {
        assert!(failure.message.contains(why), "{failure}");
        assert_eq!((failure.code.as_str(), failure.retryable), ("http_invalid_response", false));
    };
    let garbage = ([(CONTENT_TYPE, "application/json")], "<html>");
    let failure = answered(always(garbage), |_| ()).await.unwrap_err();
    assert_eq!(details(&failure), json!({"status": 200, "body": "<html>"}));
    check(failure, "is no JSON");
    check(answered(always(vec![0xff_u8, 0xfe]), |_| ()).await.unwrap_err(), "nor text in UTF-8");
    let large = answered(always("x".repeat(1025)), |http| http.response_kilobytes_max = 1).await;
    check(large.unwrap_err(), "more than response_kilobytes_max allows");
    assert!(answered(always("x".repeat(1024)), |http| http.response_kilobytes_max = 1).await.is_ok());
}

#[tokio::test]
async fn a_status_is_a_failure_with_the_answer_in_it() {
    let failure = answered(always((StatusCode::NOT_FOUND, "no such order")), |_| ()).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("http_status", false));
    assert!(failure.message.ends_with("answers 404 Not Found"), "{failure}");
    assert_eq!(details(&failure), json!({"status": 404, "body": "no such order"}));
    let busy = (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")], "ä".repeat(4000));
    let failure = answered(always(busy), |_| ()).await.unwrap_err();
    assert!(failure.retryable);
    assert_eq!(details(&failure)["retry_after_seconds"], 7);
    assert_eq!(details(&failure)["body"], "ä".repeat(2048) + "…");
    let settled = answered(always(StatusCode::BAD_GATEWAY), |http| http.retryable_statuses = vec!["503".into()]).await;
    assert!(!settled.unwrap_err().retryable);
}

#[tokio::test]
async fn the_same_call_may_succeed_after_a_503() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let once_busy = move || {
        let busy = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if busy { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { "done".into_response() } }
    };
    let settings = settings(serve(Router::new().fallback(once_busy)).await.port(), "/");
    assert!(run(&settings, &json!(null)).await.unwrap_err().retryable);
    assert_eq!(run(&settings, &json!(null)).await, Ok(json!("done")));
}

#[tokio::test]
async fn a_server_that_hangs_is_a_timeout() {
    let hangs = Router::new().fallback(|| async { pending::<String>().await });
    let failure = answered(hangs, |http| http.timeout_seconds = 1).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("http_timeout", true));
}

/// A server that takes a connection, waits for the request, and says this.
async fn says(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(words).await.unwrap();
    });
    port
}

#[tokio::test]
async fn garbage_is_invalid_and_a_broken_connection_unreachable() {
    let code = async |port| run(&settings(port, "/"), &json!(null)).await.unwrap_err();
    let garbage = code(says(b"SSH-2.0-OpenSSH_9.2\r\n").await).await;
    assert_eq!((garbage.code.as_str(), garbage.retryable), ("http_invalid_response", false), "{garbage}");
    let half = code(says(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await).await;
    assert_eq!((half.code.as_str(), half.retryable), ("http_unreachable", true), "{half}");
    let silent = code(says(b"").await).await;
    assert_eq!((silent.code.as_str(), silent.retryable), ("http_unreachable", true), "{silent}");
    let nobody = code(1).await;
    assert_eq!((nobody.code.as_str(), nobody.retryable), ("http_unreachable", true), "{nobody}");
    assert!(nobody.message.contains("connect to localhost"), "{nobody}");
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_by_whatever_name() {
    let port = serve(always("secret")).await.port();
    for host in ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"] {
        let url = format!("http://{host}:{port}/");
        let failure = run(&HttpSettings { url, ..HttpSettings::default() }, &json!(null)).await.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), ("http_refused_address", false), "{host}: {failure}");
    }
}

fn redirects_to(status: StatusCode, place: String) -> Router {
    let target = move || std::future::ready((status, [("location", place.clone())]));
    Router::new().route("/", any(target)).route("/next", any(echo))
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_host_and_keeps_what_is_to_be_done() {
    let redirect = |status: StatusCode, method: &'static str| async move {
        answered(redirects_to(status, "/next".into()), |http| http.method = method.into()).await
    };
    for (status, method, expect) in [
        (StatusCode::TEMPORARY_REDIRECT, "POST", "POST"),
        (StatusCode::PERMANENT_REDIRECT, "PUT", "PUT"),
        (StatusCode::SEE_OTHER, "POST", "GET"),
        (StatusCode::FOUND, "GET", "GET"),
    ] {
        let sent = redirect(status, method).await.unwrap();
        assert_eq!((&sent["method"], &sent["key"]), (&json!(expect), &json!("order-7:3")), "{status}");
    }
    let lost = redirect(StatusCode::FOUND, "POST").await.unwrap_err();
    assert_eq!((lost.code.as_str(), details(&lost)["status"].as_u64()), ("http_status", Some(302)));
}

#[tokio::test]
async fn a_redirect_leads_to_allowed_hosts_alone_and_never_to_a_private_address() {
    let target = serve(Router::new().fallback(echo)).await.port();
    let router = || redirects_to(StatusCode::TEMPORARY_REDIRECT, format!("http://127.0.0.1:{target}/next"));
    let failure = answered(router(), |_| ()).await.unwrap_err();
    assert_eq!(failure.code, "http_refused_address");
    assert!(failure.message.contains("redirect_hosts"), "{failure}");
    let failure = answered(router(), |http| http.redirect_hosts = vec!["127.0.0.1".into()]).await.unwrap_err();
    assert_eq!(failure.code, "http_refused_address");
    assert!(failure.message.contains("no public address"), "{failure}");
    let followed = answered(router(), |http| {
        http.headers = vec!["authorization: Bearer {env:PATH}".into()];
        http.redirect_hosts = vec!["127.0.0.1".into()];
        http.private_hosts.push("127.0.0.1".into());
    });
    let sent = followed.await.unwrap();
    assert_eq!((&sent["body"], &sent["secret"]), (&json!("{\"id\":7}"), &Value::Null), "another server gets no secret");
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let circle = Router::new().fallback(|| std::future::ready(Redirect::temporary("/")));
    let failure = answered(circle, |_| ()).await.unwrap_err();
    assert_eq!(failure.code, "http_invalid_response");
    assert!(failure.message.contains("redirects more than 5 times"), "{failure}");
}

/// Accepts a job, which is still at work, busy, or done by the number of times that it was asked after.
fn job(answers: &'static [StatusCode]) -> Router {
    let asked = Arc::new(AtomicUsize::new(0));
    let accepted = || async { (StatusCode::ACCEPTED, [("location", "/jobs/1"), ("retry-after", "0")]) };
    let look = move || -> std::future::Ready<Response> {
        let status = answers.get(asked.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or(StatusCode::OK);
        let answer = (status, [("retry-after", "0")], Json(json!({"done": true})));
        std::future::ready(answer.into_response())
    };
    Router::new().route("/", post(accepted)).route("/jobs/1", get(look))
}

#[tokio::test]
async fn a_result_that_is_promised_is_asked_after_until_it_is_there() {
    assert_eq!(answered(job(&[]), |_| ()).await, Ok(json!({"done": true})));
    const LONG: &[StatusCode] = &[StatusCode::ACCEPTED, StatusCode::BAD_GATEWAY, StatusCode::ACCEPTED];
    assert_eq!(answered(job(LONG), |http| http.poll_interval_seconds = 1).await, Ok(json!({"done": true})));
    let failed = answered(job(&[StatusCode::CONFLICT]), |_| ()).await.unwrap_err();
    assert_eq!(details(&failed)["status"], 409);
    assert_eq!(answered(job(&[]), |http| http.poll_seconds_max = 0).await, Ok(Value::Null));
}

#[tokio::test]
async fn a_result_that_never_comes_is_a_timeout() {
    let never = || async { (StatusCode::ACCEPTED, [("location", "/"), ("retry-after", "3600")]) };
    let failure = answered(Router::new().fallback(never), |http| http.poll_seconds_max = 1).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("http_timeout", true));
    assert_eq!(details(&failure), json!({"status": 202, "body": "", "retry_after_seconds": 3600}));
}

#[tokio::test]
async fn a_result_is_promised_by_allowed_hosts_alone() {
    let elsewhere = || async { (StatusCode::ACCEPTED, [("location", "http://169.254.169.254/latest/meta-data")]) };
    let failure = answered(Router::new().fallback(elsewhere), |_| ()).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("http_refused_address", false));
}

#[test]
fn settings_that_can_t_work_are_refused_by_name() {
    let refused = |http: HttpSettings| Http::new("charge", &http).unwrap_err().to_string();
    let mut http = settings(1, "/");
    http.headers = vec!["authorization: {env:OF_NOBODY_AT_ALL}".into()];
    let expect = "serve activities.charge: its setting headers needs the environment variable OF_NOBODY_AT_ALL, \
                  which is not set";
    assert_eq!(refused(http.clone()), expect);
    http.headers.clear();
    http.root_certificates = "/nowhere/ca.pem".into();
    assert!(refused(http).starts_with("serve activities.charge: its setting root_certificates = \"/nowhere/ca.pem\""));
}
