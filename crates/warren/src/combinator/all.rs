//! All of many.

use super::crowd::Crowd;

/// Waits for all and returns their results in the order of declaration; the first failure ends it, and the others are
/// dropped.
///
/// ```
/// # use warren::{Activity, Context, Failure, all};
/// # const RESIZE: Activity<String, u64> = Activity::new("resize");
/// # async fn resize(ctx: Context, images: Vec<String>) -> Result<u64, Failure> {
/// let sizes = all(images.into_iter().map(|image| ctx.call(RESIZE, image))).await?;
/// # Ok(sizes.into_iter().sum())
/// # }
/// ```
pub fn all<F, T, E>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = Result<Vec<T>, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut crowd = Crowd::gather(futures); // here, so that what is asked for is asked for at once
    async move {
        let mut results: Vec<Option<T>> = (0..crowd.len()).map(|_| None).collect();
        while let Some((at, result)) = crowd.next().await {
            results[at] = Some(result?);
        }
        Ok(in_order(results))
    }
}

/// Waits for all, whether they fail or not, and returns their outputs in the order of declaration.
///
/// ```
/// # use warren::{Activity, Context, Failure, settled};
/// # const NOTIFY: Activity<String, ()> = Activity::new("notify");
/// # async fn notify(ctx: Context, users: Vec<String>) -> Result<usize, Failure> {
/// let sent = settled(users.into_iter().map(|user| ctx.call(NOTIFY, user))).await;
/// Ok(sent.iter().filter(|sent| sent.is_ok()).count())
/// # }
/// ```
pub fn settled<F: Future>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    let mut crowd = Crowd::gather(futures);
    async move {
        let mut outputs: Vec<Option<F::Output>> = (0..crowd.len()).map(|_| None).collect();
        while let Some((at, output)) = crowd.next().await {
            outputs[at] = Some(output);
        }
        in_order(outputs)
    }
}

/// Returns the outputs of a crowd whose members have all ended.
pub(super) fn in_order<T>(outputs: Vec<Option<T>>) -> Vec<T> {
    outputs.into_iter().map(|output| output.expect("every member of the crowd has ended")).collect()
}
