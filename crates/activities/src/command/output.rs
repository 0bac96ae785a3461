//! What a program writes, in bounds.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of what a program complains about is kept: the end of it.
const COMPLAINT_BYTES_MAX: usize = 4096;

/// What a program has written so far.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) written: Written,
    pub(super) complaints: Complaints,
}

/// Its standard output, which may have so many bytes.
#[derive(Debug)]
pub(super) struct Written {
    bytes: Vec<u8>,
    max: usize,
}

/// The end of its standard error.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<u8>);

/// Why nothing more is read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("it writes more than output_kilobytes_max allows")]
    TooLarge,
    #[error(transparent)]
    Pipe(#[from] io::Error),
}

impl Output {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { written: Written { bytes: Vec::new(), max: bytes_max }, complaints: Complaints::default() }
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.written.bytes
    }

    pub(super) fn complaints(&self) -> String {
        String::from_utf8_lossy(&self.complaints.0).trim().to_owned()
    }
}

impl Written {
    pub(super) async fn read(&mut self, pipe: &mut Option<impl AsyncRead + Unpin>) -> Result<(), Broken> {
        let Some(pipe) = pipe else { return Ok(()) };
        let mut pipe = pipe.take(self.max as u64 + 1);
        pipe.read_to_end(&mut self.bytes).await?;
        if self.bytes.len() > self.max { Err(Broken::TooLarge) } else { Ok(()) }
    }
}

impl Complaints {
    pub(super) async fn read(&mut self, pipe: &mut Option<impl AsyncRead + Unpin>) -> Result<(), Broken> {
        let Some(pipe) = pipe else { return Ok(()) };
        while pipe.read_buf(&mut self.0).await? > 0 {
            let surplus = self.0.len().saturating_sub(COMPLAINT_BYTES_MAX);
            self.0.drain(..surplus);
        }
        Ok(())
    }
}
