//! Traces: which one an execution belongs to, and which spans its parts are.
//!
//! The ids of spans are made from what they are spans of, so whoever carries a task on after a failover, or replays its
//! turn, names the same span.

use std::{fmt, str::FromStr};

use crate::{ActionId, ExecutionId, id::derive};

/// Length of a W3C trace context of the one version there is: `00-{trace, 32}-{span, 16}-{flags, 2}`, hexadecimal.
const TEXT_BYTES: usize = 55;
/// The flag of a trace whose spans somebody wants.
const SAMPLED: u8 = 1;

/// A W3C trace context, as the header `traceparent` has it: a trace, and the span under which something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace; never 0.
    pub trace: u128,
    /// The span; never 0.
    pub span: u64,
    /// Flags, of which one says whether the trace is recorded.
    pub flags: u8,
}

/// Something that is no trace context. Its standard asks that it be ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTraceContext;

impl TraceContext {
    /// Returns the beginning of a trace that is recorded; `None` if one of the numbers is 0.
    pub fn begin(trace: u128, span: u64) -> Option<Self> {
        (trace != 0 && span != 0).then_some(Self { trace, span, flags: SAMPLED })
    }

    /// Returns whether somebody wants the spans of the trace.
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Returns the context of what happens under another span of the trace.
    #[must_use]
    pub fn under(self, span: u64) -> Self {
        Self { span, ..self }
    }
}

/// Returns the span of an execution.
pub fn execution_span(execution: ExecutionId) -> u64 {
    span(["execution", &execution.to_string()])
}

/// Returns the span of a turn.
pub fn turn_span(execution: ExecutionId, turn: u32) -> u64 {
    span(["turn", &execution.to_string(), &turn.to_string()])
}

/// Returns the span of one attempt of an action: from when it was asked for until its end is in the history.
pub fn action_span(execution: ExecutionId, action: ActionId, attempt: u32) -> u64 {
    span(["action", &execution.to_string(), &action.to_string(), &attempt.to_string()])
}

/// The lower half of a UUID is never 0: it begins with the bits of its variant.
fn span<const N: usize>(parts: [&str; N]) -> u64 {
    derive(&[&["span"], &parts[..]].concat()).as_u64_pair().1
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    fn from_str(text: &str) -> Result<Self, NoTraceContext> {
        let is_good = text.len() == TEXT_BYTES && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        let mut parts = text.split('-');
        let (Some("00"), Some(trace), Some(span), Some(flags), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoTraceContext);
        };
        if !is_good || (trace.len(), span.len()) != (32, 16) {
            return Err(NoTraceContext);
        }
        let context = Self {
            trace: u128::from_str_radix(trace, 16).map_err(|_| NoTraceContext)?,
            span: u64::from_str_radix(span, 16).map_err(|_| NoTraceContext)?,
            flags: u8::from_str_radix(flags, 16).map_err(|_| NoTraceContext)?,
        };
        if context.trace == 0 || context.span == 0 { Err(NoTraceContext) } else { Ok(context) }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

#[cfg(test)]
#[path = "trace_test.rs"]
mod test;
