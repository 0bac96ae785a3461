//! Words to owners and from them: whether work items that have come again may begin, what runs, what is to end.
//!
//! They travel at most once: the loop says again what has no answer.

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{select, sync::mpsc, task::JoinSet};
use warren_broker::{Broker, OwnerWord, Publication, Requester, decode_owner_word};

/// How many questions may wait to be sent, and answers to be heard. What is beyond is asked again.
const WAITING_MAX: usize = 1_000;

/// The questions on their way.
pub(super) struct Asking {
    questions: mpsc::Sender<Publication>,
    answers: mpsc::Receiver<OwnerWord>,
    /// Ends with this.
    _task: JoinSet<()>,
}

impl Asking {
    /// Starts the task that owns the channel. It opens one with the first question.
    pub(super) fn start<B: Broker>(broker: B) -> Self {
        let (questions, asked) = mpsc::channel(WAITING_MAX);
        let (told, answers) = mpsc::channel(WAITING_MAX);
        let mut task = JoinSet::new();
        task.spawn(ask(broker, asked, told));
        Self { questions, answers, _task: task }
    }

    /// Sends a question off.
    pub(super) fn send(&self, question: Publication) {
        if self.questions.try_send(question).is_err() {
            tracing::debug!("too many questions wait, this one is asked again later");
        }
    }

    /// Waits for the next word of an owner. Safe to cancel.
    pub(super) async fn next(&mut self) -> OwnerWord {
        match self.answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// Asks what comes, on a new channel after each loss.
async fn ask<B: Broker>(broker: B, mut questions: mpsc::Receiver<Publication>, answers: mpsc::Sender<OwnerWord>) {
    while let Some(question) = questions.recv().await {
        match broker.requester().await {
            Ok(requester) => ask_on(&requester, question, &mut questions, &answers).await,
            Err(error) => tracing::debug!(%error, "owners can't be asked yet"),
        }
    }
}

/// Asks on one channel until it is lost.
async fn ask_on<R: Requester>(
    requester: &R,
    first: Publication,
    questions: &mut mpsc::Receiver<Publication>,
    answers: &mpsc::Sender<OwnerWord>,
) {
    let mut sending = FuturesUnordered::new();
    sending.push(requester.send(first));
    loop {
        select! {
            // What became of it shows by its answer.
            Some(published) = sending.next() => tracing::debug!(?published, "owner is asked"),
            question = questions.recv() => match question {
                Some(question) => sending.push(requester.send(question)),
                None => return,
            },
            answer = requester.next() => {
                let Some(delivery) = answer else {
                    tracing::debug!("the channel on which owners are asked is lost");
                    return;
                };
                match decode_owner_word(&delivery) {
                    Ok(answer) => drop(answers.send(answer).await),
                    Err(malformed) => tracing::warn!(reason = malformed.reason, "answer of an owner makes no sense"),
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "asking_test.rs"]
mod test;
