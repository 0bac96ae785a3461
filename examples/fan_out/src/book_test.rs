use super::*;

#[test]
fn chunks_are_the_whole_book_and_end_with_lines() {
    for chunks in [1, 2, 7, 64, 1_000] {
        let parts = split(BOOK, chunks);
        assert_eq!(parts.len(), chunks as usize);
        let text: String = parts.iter().map(|part| &BOOK[part.start..part.end]).collect();
        assert_eq!(text, BOOK);
        assert!(parts.iter().all(|part| BOOK[..part.end].ends_with('\n')));
    }
}

#[test]
fn a_text_of_few_lines_gives_few_chunks() {
    assert_eq!(split("one\ntwo", 9), [Chunk { start: 0, end: 4 }, Chunk { start: 4, end: 7 }]);
    assert_eq!(split("", 3), []);
}

#[test]
fn words_are_letters_with_apostrophes_between() {
    let counts = count("`Don't--' said ALICE; don't 'TIS \n 42 o'clock. ''");
    let expected = [("alice", 1), ("don't", 2), ("o'clock", 1), ("said", 1), ("tis", 1)];
    assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)).into());
}
