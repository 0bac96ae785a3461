//! One of many.

use warren_model::{Failure, code};

use super::crowd::Crowd;

/// Waits for the first that succeeds, and drops the others. If none does, returns the failure that came last.
pub fn any<F, T>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = Result<T, Failure>>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut crowd = Crowd::gather(futures);
    async move {
        let mut last = Failure::permanent(code::INVALID_INPUT, "`any` was given nothing to wait for");
        while let Some((_, result)) = crowd.next().await {
            match result {
                Ok(value) => return Ok(value),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }
}

/// Waits for whichever is first and returns its number, from 0, and its output; the others are dropped.
///
/// Of nothing, nothing is ever first: the orchestration is then reported as stuck.
pub fn race_all<F: Future>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = (usize, F::Output)> {
    let mut crowd = Crowd::gather(futures);
    async move {
        match crowd.next().await {
            Some(first) => first,
            None => std::future::pending().await,
        }
    }
}
