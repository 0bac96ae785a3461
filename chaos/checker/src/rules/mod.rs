//! The rules, one idea per file. Each looks at everything that is known and names what breaks it.

pub(crate) mod children;
pub(crate) mod ended;
pub(crate) mod once;
pub(crate) mod ran;
pub(crate) mod rest;
pub(crate) mod stopped;
pub(crate) mod timers;
pub(crate) mod told;
pub(crate) mod turns;
