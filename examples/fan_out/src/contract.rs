//! What the side that calls and the side that serves share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warren::{Activity, Orchestrator};

/// Counts the words of a book, many chunks at once.
pub const FAN_OUT: Orchestrator<Request, WordCount> = Orchestrator::new("fan_out");
/// Says where to cut the book into so many chunks.
pub const SPLIT_TEXT: Activity<u32, Vec<Chunk>> = Activity::new("split_text");
/// Counts the words of one chunk.
pub const COUNT_WORDS: Activity<Chunk, Counts> = Activity::new("count_words");

/// How often each word occurs.
pub type Counts = BTreeMap<String, u32>;

/// Most chunks: beyond it they hold a few lines each, and their messages cost more than the counting.
pub const CHUNKS_MAX: u32 = 1_000;
/// Most chunks that are counted at once, so that one book leaves room for others in the workers' queue.
pub const CHUNKS_AT_ONCE: usize = 32;

/// What to count, and what to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Into how many chunks to cut the book, 1 to [`CHUNKS_MAX`].
    pub chunks: u32,
    /// How many of the most frequent words to return.
    #[serde(default = "ten")]
    pub top: usize,
    /// The fewest letters of a word that is returned: 1 finds `the`, 5 finds `alice`.
    #[serde(default = "one")]
    pub letters_min: usize,
}

/// A part of the book. Only its place travels: every worker has the book itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCount {
    /// How many words the book has.
    pub words: u32,
    /// How many different ones.
    pub distinct: usize,
    /// The most frequent ones, most frequent first.
    pub top: Vec<Frequency>,
}

/// A word and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// The word, in small letters.
    pub word: String,
    /// How often.
    pub count: u32,
}

fn ten() -> usize {
    10
}
fn one() -> usize {
    1
}
