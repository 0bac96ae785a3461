//! The steps that run on workers. Each has the book linked in; a real one would read it where all workers can.

use warren::{ActivityContext, Failure};

use crate::{
    book::{self, BOOK},
    contract::{CHUNKS_MAX, Chunk, Counts},
};

pub(crate) async fn split_text(_: ActivityContext, chunks: u32) -> Result<Vec<Chunk>, Failure> {
    if !(1..=CHUNKS_MAX).contains(&chunks) {
        return Err(Failure::permanent("invalid_chunks", format!("{chunks} chunks, 1 to {CHUNKS_MAX} are allowed")));
    }
    Ok(book::split(BOOK, chunks))
}

pub(crate) async fn count_words(_: ActivityContext, Chunk { start, end }: Chunk) -> Result<Counts, Failure> {
    match BOOK.get(start..end) {
        Some(text) => Ok(book::count(text)),
        None => Err(Failure::permanent("invalid_chunk", format!("bytes {start} to {end} are no part of the book"))),
    }
}
