//! What to say about a name that is not registered.

/// How many known names a message lists; a registry of hundreds must not fill a log line.
const LISTED_MAX: usize = 20;

/// How alike two names must be (Jaro–Winkler, 0 to 1) for one to be taken for the other mistyped.
const ALIKE: f64 = 0.8;

/// Returns a message that names what is unknown, the nearest known name, what else is known, and the remedy.
pub(crate) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = nearest(name, &known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let listed: Vec<String> = known.iter().take(LISTED_MAX).map(|known| format!("`{known}`")).collect();
    let more = if known.len() > LISTED_MAX { format!(" and {} more", known.len() - LISTED_MAX) } else { String::new() };
    let known = if listed.is_empty() { "nothing".into() } else { listed.join(", ") + &more };
    format!("{kind} `{name}` is not registered{nearest} (registered: {known}); add it with Registry::{kind}")
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = known.iter().map(|known| (strsim::jaro_winkler(name, known), *known));
    likeness.filter(|(alike, _)| *alike >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

#[cfg(test)]
#[path = "unknown_test.rs"]
mod test;
