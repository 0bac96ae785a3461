//! What the owner would refuse anyway is refused before it is sent.

use warren_model::{Command, Payload, Refusal, RefusalCode, StartRequest, limits::SHORT_STRING_BYTES_MAX};

/// Fails with the refusal that the owner would send.
pub(crate) fn command(command: &Command, payload_bytes_max: usize) -> Result<(), Refusal> {
    match command {
        Command::Start(start) => self::start(start, payload_bytes_max),
        Command::Raise { event, input, keep_unseen: _ } => {
            name("event name", event)?;
            payload("event", input, payload_bytes_max)
        }
        Command::Terminate { reason, recursive: _ } | Command::Suspend { reason } | Command::Resume { reason } => {
            reason.as_deref().map_or(Ok(()), |reason| text("reason", reason))
        }
        Command::Complete { token: _, outcome: Ok(result) } => payload("result", result, payload_bytes_max),
        Command::Complete { token: _, outcome: Err(failure) } => text("message", &failure.message),
        Command::Purge { execution: _ } | Command::Wait => Ok(()),
    }
}

fn start(start: &StartRequest, payload_bytes_max: usize) -> Result<(), Refusal> {
    name("orchestrator name", &start.name)?;
    if let Some(version) = &start.version {
        name("version", version)?;
    }
    for (tag, value) in &start.tags {
        name("tag name", tag)?;
        text("tag", value)?;
    }
    payload("input", &start.input, payload_bytes_max)
}

/// A name goes into routing keys, queue names and rows of the store.
fn name(what: &str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(invalid(format!("{what} is empty")));
    }
    if let Some((at, character)) = text.char_indices().find(|(_, c)| c.is_control()) {
        return Err(invalid(format!("{what} has {character:?} at byte {at}: expected printable characters")));
    }
    if text.len() > SHORT_STRING_BYTES_MAX {
        let bytes = text.len();
        return Err(invalid(format!("{what} has {bytes} bytes: at most {SHORT_STRING_BYTES_MAX} are allowed")));
    }
    Ok(())
}

fn text(what: &str, text: &str) -> Result<(), Refusal> {
    match text.bytes().position(|byte| byte == 0) {
        None => Ok(()),
        Some(at) => Err(invalid(format!("{what} has a NUL at byte {at}: expected plain text"))),
    }
}

pub(crate) fn payload(what: &str, payload: &Payload, max: usize) -> Result<(), Refusal> {
    match payload.size() {
        size if size > max => Err(Refusal {
            code: RefusalCode::TooLarge,
            message: format!("{what} has {size} bytes: at most {max} are allowed"),
        }),
        _ => Ok(()),
    }
}

fn invalid(message: String) -> Refusal {
    Refusal { code: RefusalCode::Invalid, message }
}

#[cfg(test)]
#[path = "check_test.rs"]
mod test;
