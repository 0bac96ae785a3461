//! The book, where to cut it, and what a word is.

use crate::contract::{Chunk, Counts};

/// *Alice's Adventures in Wonderland*; see `text/README.md`.
pub const BOOK: &str = include_str!("../text/alice.txt");

/// Returns at most so many chunks of nearly the same size; they end with lines, so that no word is cut.
pub fn split(text: &str, chunks: u32) -> Vec<Chunk> {
    let chunks = chunks as usize;
    let mut cuts = Vec::from_iter((1..chunks).map(|index| line_end(text, text.len() / chunks * index)));
    cuts.push(text.len());
    let mut start = 0;
    let mut parts = Vec::new();
    for end in cuts {
        if end > start {
            parts.push(Chunk { start, end });
            start = end;
        }
    }
    parts
}

/// Returns where the line ends that holds the byte.
fn line_end(text: &str, byte: usize) -> usize {
    let rest = &text.as_bytes()[byte..];
    rest.iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| byte + newline + 1)
}

/// Counts the words: letters, in small ones, with apostrophes between them (`don't` is one word, `'tis` is `tis`).
pub fn count(text: &str) -> Counts {
    let mut counts = Counts::new();
    for run in text.split(|c: char| !c.is_alphabetic() && c != '\'') {
        let word = run.trim_matches('\'');
        if !word.is_empty() {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
#[path = "book_test.rs"]
mod test;
