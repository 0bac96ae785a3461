//! Waiting for two or three things of different types.

use futures_util::future;

/// Waits for both and returns both outputs. Of calls, both results: neither failure ends the other.
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    future::join(a, b).await
}

/// Waits for all three and returns their outputs.
pub async fn join3<A: Future, B: Future, C: Future>(a: A, b: B, c: C) -> (A::Output, B::Output, C::Output) {
    future::join3(a, b, c).await
}
