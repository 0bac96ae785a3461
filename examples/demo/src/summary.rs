//! What became of the orders, in few lines, and which ended otherwise than expected.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use example_order::{contract::code, sample::Entry};

use crate::{
    drive::Driven,
    verdict::{COMPLETED, End},
};

/// How many differences are listed.
const LISTED_MAX: usize = 20;

/// Writes the summary; returns whether every order ended as its entry expects.
pub(crate) fn write(out: &mut impl Write, entries: &[Entry], driven: &Driven) -> io::Result<bool> {
    let seconds = driven.took.as_secs_f64();
    let all = driven.orders.len();
    #[expect(clippy::cast_precision_loss, reason = "nobody sends so many orders that a float could not count them")]
    let rate = all as f64 / seconds.max(0.001);
    writeln!(out, "\n{all} orders in {seconds:.1} s, {rate:.0} per second; {}", times(driven))?;
    let mut ends = BTreeMap::<&str, usize>::new();
    for order in &driven.orders {
        *ends.entry(order.end.name()).or_default() += 1;
    }
    let completed = ends.remove(COMPLETED).unwrap_or(0);
    let rejected = ends.remove(code::NOT_APPROVED).unwrap_or(0);
    let lost = driven.orders.iter().filter(|order| matches!(order.end, End::Lost(_))).count();
    ends.remove("lost");
    let failed: usize = ends.values().sum();
    let codes: Vec<_> = ends.iter().map(|(code, count)| format!("{code} {count}")).collect();
    writeln!(out, "  completed {completed:>6}")?;
    writeln!(out, "  rejected  {rejected:>6}  (a person said no: {})", code::NOT_APPROVED)?;
    writeln!(out, "  failed    {failed:>6}  {}", codes.join(", "))?;
    if lost > 0 {
        writeln!(out, "  lost      {lost:>6}")?;
    }
    write_differences(out, entries, driven)
}

/// Most orders are quick; those whose payment is tried again wait for that.
fn times(driven: &Driven) -> String {
    let mut times: Vec<_> = driven.orders.iter().map(|order| order.took.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let text = |percent| at(percent).map_or_else(String::new, |seconds| format!("{seconds:.2} s"));
    format!("half of them within {}, nine of ten within {}, the slowest in {}", text(50), text(90), text(100))
}

fn write_differences(out: &mut impl Write, entries: &[Entry], driven: &Driven) -> io::Result<bool> {
    let ended = entries.iter().zip(&driven.orders);
    let differences: Vec<_> =
        ended.filter_map(|(entry, order)| Some((&order.instance, order.end.difference(entry)?))).collect();
    if differences.is_empty() {
        writeln!(out, "every order ended as expected: the right code, the right field, a receipt that adds up")?;
        return Ok(true);
    }
    writeln!(out, "\n{} of {} orders did not end as expected:", differences.len(), entries.len())?;
    for (instance, difference) in differences.iter().take(LISTED_MAX) {
        writeln!(out, "  {instance}: {difference}")?;
    }
    if let more @ 1.. = differences.len().saturating_sub(LISTED_MAX) {
        writeln!(out, "  … and {more} more")?;
    }
    Ok(false)
}

#[cfg(test)]
#[path = "summary_test.rs"]
mod test;
