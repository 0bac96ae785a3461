//! What happened, step by step: a hash of all of it, and its last lines.

use std::{
    collections::VecDeque,
    fmt::{self, Write},
};

use crate::time::Time;

/// How many lines are kept for whoever looks into a violation.
const TAIL: usize = 80;

/// The steps of one run. Every line is hashed, so two runs with the same hash did the same.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    tail: VecDeque<String>,
    keeps_all: bool,
}

impl Trace {
    pub(crate) fn new(keeps_all: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, tail: VecDeque::new(), keeps_all }
    }

    pub(crate) fn line(&mut self, at: Time, text: fmt::Arguments<'_>) {
        let is_full = !self.keeps_all && self.tail.len() >= TAIL;
        let mut line = if is_full { self.tail.pop_front().unwrap_or_default() } else { String::new() };
        line.clear();
        write!(line, "{at} {text}").expect("a string takes every text");
        self.hash = fnv1a(self.hash, line.as_bytes());
        self.tail.push_back(line);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.tail.into()
    }
}

/// FNV-1a, 64 bits (public domain constants of Fowler, Noll and Vo).
pub(crate) fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
