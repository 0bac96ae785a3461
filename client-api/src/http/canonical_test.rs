use super::*;

#[track_caller]
fn becomes(from: &str, to: &str) {
    let uri = from.parse().unwrap();
    assert_eq!(canonical_uri(&uri).unwrap_or(uri), to);
}

#[test]
fn words_get_their_case_and_names_keep_theirs() {
    becomes("/Runtime/WebHooks/DurableTask/Instances/A-b", "/runtime/webhooks/durabletask/instances/A-b");
    becomes("/API/V1/INSTANCES/Terminate/TERMINATE?Reason=X", "/api/v1/instances/Terminate/terminate?Reason=X");
    becomes("/api/v1/instances/x/raiseevent/Approval", "/api/v1/instances/x/raiseEvent/Approval");
    becomes("/api/v1/orchestrators/INSTANCES/Hub", "/api/v1/orchestrators/INSTANCES/Hub");
}

#[test]
fn a_slash_at_the_end_is_dropped() {
    becomes("/api/v1/instances/?top=1", "/api/v1/instances?top=1");
}

#[test]
fn other_paths_stay_as_they_are() {
    for path in ["/", "/health/live", "/api/v1", "/api/v1/instances/a%2Fb", "/API/V2/Instances", "/api/v1x/Hub", "/é"]
    {
        let Ok(uri) = path.parse() else { continue };
        assert_eq!(canonical_uri(&uri), None, "{path}");
    }
}
