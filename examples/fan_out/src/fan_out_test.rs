use std::collections::BTreeMap;

use warren::{Failure, Registry, test::Hub};

use super::{
    book::{self, BOOK},
    contract::{CHUNKS_AT_ONCE, CHUNKS_MAX, COUNT_WORDS, FAN_OUT, Request, WordCount},
    register,
};

fn hub() -> Hub {
    Hub::new(register(Registry::new()))
}

fn request(chunks: u32) -> Request {
    Request { chunks, top: 5, letters_min: 1 }
}

fn top(found: &WordCount) -> Vec<(&str, u32)> {
    found.top.iter().map(|frequency| (frequency.word.as_str(), frequency.count)).collect()
}

#[test]
fn the_count_does_not_depend_on_the_chunks() {
    let whole = book::count(BOOK);
    let words: u32 = whole.values().sum();
    for chunks in [1, 2, 50, CHUNKS_MAX] {
        let hub = hub().keep_alive(); // a thousand turns of a thousand tasks are much to replay
        let found = hub.run_blocking(FAN_OUT, request(chunks)).unwrap();
        assert_eq!(hub.calls(COUNT_WORDS).len(), chunks as usize);
        assert_eq!((found.words, found.distinct), (words, whole.len()), "{chunks} chunks");
        assert!(found.top.iter().all(|frequency| whole[&frequency.word] == frequency.count));
    }
}

#[test]
fn alice_is_who_it_is_about() {
    let found = hub().run_blocking(FAN_OUT, request(24)).unwrap();
    assert_eq!(top(&found)[0], ("the", book::count(BOOK)["the"]));
    let found = hub().run_blocking(FAN_OUT, Request { letters_min: 5, top: 1, ..request(24) }).unwrap();
    assert_eq!(top(&found), [("alice", book::count(BOOK)["alice"])]);
}

#[test]
fn of_words_that_are_as_frequent_the_first_by_the_alphabet_is_told() {
    let counts = BTreeMap::from([("b", 2), ("c", 3), ("a", 2)].map(|(word, count)| (word.to_owned(), count)));
    let hub = hub().mock(COUNT_WORDS, move |_| Ok(counts.clone()));
    let found = hub.run_blocking(FAN_OUT, Request { top: 2, ..request(2) }).unwrap();
    assert_eq!(top(&found), [("c", 6), ("a", 4)]);
    assert_eq!((found.words, found.distinct), (14, 3));
}

#[test]
fn only_so_many_chunks_are_counted_at_once() {
    let hub = hub().mock_taking(warren::seconds(1), COUNT_WORDS, |_| Ok(BTreeMap::new()));
    let _counting = hub.start(FAN_OUT, request(100));
    warren::test::block_on(hub.settle()).unwrap();
    assert_eq!(hub.calls(COUNT_WORDS).len(), CHUNKS_AT_ONCE);
    warren::test::block_on(hub.advance(warren::seconds(1))).unwrap();
    assert_eq!(hub.calls(COUNT_WORDS).len(), 2 * CHUNKS_AT_ONCE);
}

#[test]
fn no_chunks_and_too_many_are_refused() {
    for chunks in [0, CHUNKS_MAX + 1] {
        assert_eq!(hub().run_blocking(FAN_OUT, request(chunks)).unwrap_err().code, "invalid_chunks");
    }
}

#[test]
fn a_chunk_that_fails_fails_the_count() {
    let hub = hub().mock(COUNT_WORDS, |_| Err(Failure::permanent("page_torn", "a page is missing")));
    assert_eq!(hub.run_blocking(FAN_OUT, request(8)).unwrap_err().code, "page_torn");
}

#[test]
fn replayed_after_every_turn_or_never_the_history_is_the_same() {
    let history = |hub: Hub| {
        let counting = hub.start(FAN_OUT, request(100));
        warren::test::block_on(counting.wait()).unwrap();
        counting.history()
    };
    let replayed = history(hub());
    assert_eq!(replayed, history(hub().keep_alive()));
    assert_eq!(replayed.iter().filter(|event| event.name() == "TaskCompleted").count(), 101);
}
