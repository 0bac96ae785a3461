//! The order of things: cut, count side by side, add up.

use std::cmp::Reverse;

use warren::{Context, Failure, bounded};

use crate::contract::{CHUNKS_AT_ONCE, COUNT_WORDS, Counts, Frequency, Request, SPLIT_TEXT, WordCount};

pub(crate) async fn fan_out(ctx: Context, request: Request) -> Result<WordCount, Failure> {
    let chunks = ctx.call(SPLIT_TEXT, request.chunks).await?;
    let counts = bounded(CHUNKS_AT_ONCE, chunks, |chunk| ctx.call(COUNT_WORDS, chunk)).await?;
    Ok(report(merge(counts), &request))
}

/// Adds up what the chunks gave. It's quick and always gives the same, so it needs no activity of its own: as one, it
/// would send every count over the wire a second time.
fn merge(counts: Vec<Counts>) -> Counts {
    let mut sums = Counts::new();
    for (word, count) in counts.into_iter().flatten() {
        *sums.entry(word).or_default() += count;
    }
    sums
}

/// Picks the most frequent words; of those that occur equally often the first by the alphabet.
fn report(counts: Counts, request: &Request) -> WordCount {
    let (words, distinct) = (counts.values().sum(), counts.len());
    let mut top: Vec<_> = counts.into_iter().filter(|(word, _)| letters(word) >= request.letters_min).collect();
    top.sort_by_key(|(_, count)| Reverse(*count)); // stable, and the map was in order
    top.truncate(request.top);
    WordCount { words, distinct, top: top.into_iter().map(|(word, count)| Frequency { word, count }).collect() }
}

fn letters(word: &str) -> usize {
    word.chars().filter(|c| c.is_alphabetic()).count()
}
