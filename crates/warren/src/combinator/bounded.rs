//! Many, a few at a time.

use super::{all::in_order, crowd::Crowd};

/// Does something for each item, at most `limit` of them at a time (at least one), and returns the results in the order
/// of the items; the first failure ends it: what runs is dropped, what waits is never begun.
///
/// ```
/// # use warren::{Activity, Context, Failure, bounded};
/// # const IMPORT: Activity<String, u64> = Activity::new("import");
/// # async fn import(ctx: Context, files: Vec<String>) -> Result<u64, Failure> {
/// let rows = bounded(20, files, |file| ctx.call(IMPORT, file)).await?;
/// # Ok(rows.into_iter().sum())
/// # }
/// ```
pub fn bounded<T, F, R, E>(
    limit: usize,
    items: impl IntoIterator<Item = T>,
    mut begin: impl FnMut(T) -> F,
) -> impl Future<Output = Result<Vec<R>, E>>
where
    F: Future<Output = Result<R, E>>,
{
    let mut items = items.into_iter();
    let mut crowd = Crowd::gather(items.by_ref().take(limit.max(1)).map(&mut begin));
    async move {
        let mut results: Vec<Option<R>> = Vec::new();
        while let Some((at, result)) = crowd.next().await {
            results.resize_with(crowd.len(), || None);
            results[at] = Some(result?);
            if let Some(item) = items.next() {
                crowd.push(begin(item));
            }
        }
        Ok(in_order(results))
    }
}
