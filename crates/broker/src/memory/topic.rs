//! Topic patterns, as AMQP matches them: `*` is one word, `#` is any number of words; words are parted by dots.

/// Returns whether the routing key matches the pattern.
pub(super) fn matches(pattern: &str, key: &str) -> bool {
    let pattern: Vec<&str> = words(pattern);
    match_words(&pattern, &words(key))
}

fn words(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split('.').collect() }
}

fn match_words(pattern: &[&str], key: &[&str]) -> bool {
    match pattern.split_first() {
        None => key.is_empty(),
        Some((&"#", rest)) => (0..=key.len()).any(|taken| match_words(rest, &key[taken..])),
        Some((&word, rest)) => match key.split_first() {
            Some((&first, others)) => (word == "*" || word == first) && match_words(rest, others),
            None => false,
        },
    }
}

#[cfg(test)]
#[path = "topic_test.rs"]
mod test;
