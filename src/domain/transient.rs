//! Whether an agent's failure may pass by itself: then it is worth another try. Read from its final error, never from the rest of
//! its output, where such words may be about anything.

use super::outcome::Report;
use super::run::RunEnd;

/// What services and networks say when they are overloaded or out of reach for a moment.
const PASSING: [&str; 26] = [
    "too many requests",
    "rate limit",
    "rate_limit",
    "ratelimit",
    "overloaded",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "internal server error",
    "temporary failure",
    "temporarily unavailable",
    "connection reset",
    "connection refused",
    "connection error",
    "connection closed",
    "network error",
    "stream disconnected",
    "request timed out",
    "socket hang up",
    "fetch failed",
    "unable to connect",
    "cannot connect",
    "premature close",
    "resource_exhausted",
    "without a finish reason",
    "missing finish_reason",
];
/// The same, as statuses of HTTP and names of system errors.
const PASSING_WORDS: [&str; 10] =
    ["429", "500", "502", "503", "504", "529", "econnreset", "econnrefused", "etimedout", "eai_again"];
/// What no further try mends, whatever else is said beside it.
const LASTING: [&str; 7] =
    ["401", "403", "insufficient_quota", "credit balance", "invalid api key", "billing", "usage limit"];

/// Returns why a failed run is worth another try; nothing when it is not.
///
/// What Draft or a person ended is not: a run that was stopped for its time or its silence would take as long again.
pub fn may_pass(end: &RunEnd, report: &Report) -> Option<String> {
    let code = match end {
        RunEnd::Exited { code } => *code,
        RunEnd::Signaled { .. }
        | RunEnd::TimedOut
        | RunEnd::Silent
        | RunEnd::TooMuchOutput
        | RunEnd::Stopped
        | RunEnd::NotStarted { .. }
        | RunEnd::Lost => return None,
    };
    if code == 0 && report.ok != Some(false) {
        return None;
    }
    // An agent that gave up while it was trying again says so best itself.
    let told = [report.retrying.as_deref(), report.error.as_deref()];
    let found = told.into_iter().flatten().find(|text| is_passing(text));
    found.map(super::outcome::first_line)
}

fn is_passing(text: &str) -> bool {
    let text = text.to_lowercase();
    let words = || text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let lasting = LASTING.iter().any(|lasting| {
        if lasting.chars().all(|c| c.is_ascii_digit()) {
            words().any(|word| word == *lasting)
        } else {
            text.contains(lasting)
        }
    });
    !lasting
        && (PASSING.iter().any(|passing| text.contains(passing)) || words().any(|word| PASSING_WORDS.contains(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(error: &str) -> Option<String> {
        let report = Report { ok: Some(false), error: Some(error.to_owned()), ..Report::default() };
        may_pass(&RunEnd::Exited { code: 1 }, &report)
    }

    #[test]
    fn limits_and_networks_may_pass() {
        for error in [
            "API Error: 429 {\"type\":\"error\"}",
            "exceeded retry limit, last status: 429 Too Many Requests",
            "API Error: 529 overloaded_error",
            "unexpected status 503 Service Unavailable",
            "stream disconnected before completion: error sending request",
            "connect ECONNREFUSED 127.0.0.1:443",
            "scripted error 429 (HTTP 429)",
            "its model's provider answered HTTP 500",
            "[API Error: Model stream ended without a finish reason.]",
            "Cannot connect to API: Unable to connect. Is the computer able to access the url?",
            "Failed to get response from the AI model; retried 5 times. Last error: missing finish_reason for choice 0",
        ] {
            assert!(failed(error).is_some(), "{error}");
        }
    }

    #[test]
    fn what_no_further_try_mends_is_not_tried_again() {
        for error in [
            "API Error: 401 invalid x-api-key",
            "429: insufficient_quota, check your plan and billing details",
            "No conversation found with session ID 5",
            "the test of the timeout failed",
            "error in line 4290",
            "model not found",
            "scripted error 401 (HTTP 401)",
            "[API Error: 401 scripted error 401]",
            "Authentication failed with provider (HTTP 401).",
            "it is not signed in to its model's provider",
        ] {
            assert_eq!(failed(error), None, "{error}");
        }
    }

    #[test]
    fn only_a_run_that_ended_by_itself_and_failed_is_looked_at() {
        let report = Report { error: Some("429".into()), ok: Some(false), ..Report::default() };
        for end in [RunEnd::TimedOut, RunEnd::Silent, RunEnd::Stopped, RunEnd::Lost, RunEnd::Signaled { signal: 9 }] {
            assert_eq!(may_pass(&end, &report), None);
        }
        let overcome = Report { error: Some("429".into()), ok: Some(true), ..Report::default() };
        assert_eq!(may_pass(&RunEnd::Exited { code: 0 }, &overcome), None);
        let still_trying = Report { retrying: Some("attempt 3: 429 rate_limit".into()), ..Report::default() };
        assert!(may_pass(&RunEnd::Exited { code: 1 }, &still_trying).is_some());
    }
}
