use std::collections::BTreeSet;

use axum::{Router, body::Body, middleware::from_fn, routing::get};
use futures_util::FutureExt;
use tokio::runtime::Builder;
use tower::ServiceExt;
use warren_service::metrics::counted;

use super::*;

async fn stuck() {
    std::future::pending().await
}

/// Asks a router for these, each at most once, and returns what was counted.
fn asked(requests: &[(Method, &str)]) -> String {
    counted(|| {
        describe();
        let app = Router::new()
            .route("/api/v1/instances/{id}", get(|| async { StatusCode::NOT_FOUND }))
            .route("/api/v1/stuck", get(stuck))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(from_fn(count));
        let ask = async {
            for (method, path) in requests {
                let request = Request::builder().method(method).uri(*path).body(Body::empty()).unwrap();
                let _ = app.clone().oneshot(request).now_or_never(); // who waits no longer than that has left
            }
        };
        Builder::new_current_thread().build().unwrap().block_on(ask);
        drop(waits());
    })
}

#[test]
fn requests_count_by_template_whatever_their_paths_are() {
    let page = asked(&[
        (Method::GET, "/api/v1/instances/order-7"),
        (Method::GET, "/api/v1/instances/order-8"),
        (Method::DELETE, "/api/v1/instances/order-8"),
        (Method::GET, "/api/v1/stuck"),
        (Method::TRACE, "/any/where"),
    ]);
    for line in [
        r#"warren_http_requests_total{route="/instances/{id}",method="GET",status="4xx"} 2"#,
        r#"warren_http_requests_total{route="/instances/{id}",method="DELETE",status="4xx"} 1"#,
        r#"warren_http_requests_total{route="/stuck",method="GET",status="none"} 1"#,
        r#"warren_http_requests_total{route="none",method="other",status="4xx"} 1"#,
        r#"warren_http_request_seconds_count{route="/instances/{id}",method="GET"} 2"#,
        "warren_waits_open 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}

#[test]
fn everything_that_is_exported_is_described() {
    let page = asked(&[(Method::GET, "/")]);
    let names = |prefix: &str| -> BTreeSet<String> {
        let lines = page.lines().filter_map(|line| line.strip_prefix(prefix));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    assert_eq!(names("# TYPE "), names("# HELP "));
}
