//! The headers of a message.

use std::ops::Index;

use crate::Text;

/// What an AMQP header may hold, as far as Warren writes or reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// Text.
    Text(Text),
    /// A number.
    Number(i64),
    /// A truth value.
    Bool(bool),
}

/// Headers by name, in the order of their names.
///
/// A message has a handful: a list that is searched from its beginning takes one allocation and less time than a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Text, HeaderValue)>);

impl Headers {
    /// Returns the value of a header.
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns whether there is a header of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a header; returns what it was before.
    pub fn insert(&mut self, name: impl Into<Text>, value: HeaderValue) -> Option<HeaderValue> {
        let name = name.into();
        if self.0.last().is_none_or(|(last, _)| last[..] < name[..]) {
            self.0.push((name, value));
            return None;
        }
        match self.0.binary_search_by(|(known, _)| known[..].cmp(&name)) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes a header away; returns what it was.
    pub fn remove(&mut self, name: &str) -> Option<HeaderValue> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Keeps those of which `is_kept` says so.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&Text, &HeaderValue) -> bool) {
        self.0.retain(|(name, value)| is_kept(name, value));
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns their names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.iter().map(|(name, _)| name)
    }

    /// Returns them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl Index<&str> for Headers {
    type Output = HeaderValue;
    fn index(&self, name: &str) -> &HeaderValue {
        self.get(name).unwrap_or_else(|| panic!("there is no header {name}"))
    }
}

impl<N: Into<Text>> FromIterator<(N, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, HeaderValue)>>(headers: I) -> Self {
        let headers = headers.into_iter();
        let mut taken = Self(Vec::with_capacity(headers.size_hint().0));
        for (name, value) in headers {
            taken.insert(name, value);
        }
        taken
    }
}

impl<N: Into<Text>, const COUNT: usize> From<[(N, HeaderValue); COUNT]> for Headers {
    fn from(headers: [(N, HeaderValue); COUNT]) -> Self {
        headers.into_iter().collect()
    }
}

#[cfg(test)]
#[path = "headers_test.rs"]
mod test;
