use warren_broker::Message;
use warren_model::{Answer, ExecutionId, InstanceId, Status};

use super::*;

const WITHIN: Duration = Duration::from_secs(15);
const UNSENT: Duration = Duration::from_secs(2);

struct Table {
    requests: Requests,
    now: Instant,
}

type Caller = oneshot::Receiver<Result<ClientReply>>;

impl Table {
    fn new() -> Self {
        Self { requests: Requests::new("shop".into()), now: Instant::now() }
    }

    fn ask(&mut self) -> Caller {
        let (told, caller) = oneshot::channel();
        let to = Address::Queue("shop.control.00".into());
        let request = Request {
            publication: Publication { to, mandatory: true, packs: false, message: Message::default() },
            about: About::Instance(InstanceId::new("order-7").unwrap()),
            message: MessageId::new("m-1").unwrap(),
            since: self.now,
            within: WITHIN,
            unsent_within: UNSENT,
            told,
        };
        self.requests.add(request, self.now);
        caller
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn sends(&mut self) -> Vec<u64> {
        self.requests.tick(self.now, Way::Open).into_iter().map(|(id, _)| id).collect()
    }

    /// Lets time pass alarm by alarm until something is sent or nothing is open; confirms nothing.
    fn sends_later(&mut self) -> Vec<u64> {
        while let Some(alarm) = self.requests.alarm() {
            self.now = self.now.max(alarm);
            let sent = self.sends();
            if !sent.is_empty() {
                return sent;
            }
        }
        Vec::new()
    }

    fn published(&mut self, id: u64, published: Published) {
        self.requests.published(id, published, self.now);
    }

    #[track_caller]
    fn is_empty(&self) {
        assert_eq!((self.requests.len(), self.requests.alarm()), (0, None), "nothing is left behind");
    }
}

fn answer() -> ClientReply {
    ClientReply::Answer(Answer {
        instance: InstanceId::new("order-7").unwrap(),
        execution: ExecutionId::from_u128(1),
        status: Status::Running,
        warning: None,
    })
}

#[track_caller]
fn error(caller: &mut Caller) -> String {
    caller.try_recv().expect("the caller was told").unwrap_err().to_string()
}

#[test]
fn an_answered_request_is_gone() {
    let mut table = Table::new();
    let mut caller = table.ask();
    assert_eq!(table.sends(), [1]);
    table.published(1, Published::Confirmed);
    table.requests.answered("1", Ok(answer()));
    assert_eq!(caller.try_recv().unwrap().unwrap(), answer());
    table.is_empty();
}

#[test]
fn an_answer_may_overtake_the_confirm() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.requests.answered("1", Ok(answer()));
    table.published(1, Published::Confirmed);
    assert!(caller.try_recv().unwrap().is_ok());
    table.is_empty();
}

#[test]
fn answers_that_nobody_waits_for_are_dropped() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.requests.answered("1", Ok(answer()));
    table.requests.answered("1", Ok(answer()));
    table.requests.answered("2", Ok(answer()));
    table.requests.answered("not ours", Ok(answer()));
    assert!(caller.try_recv().unwrap().is_ok());
    table.is_empty();
}

#[test]
fn each_answer_finds_its_own_request() {
    let mut table = Table::new();
    let (mut first, mut second) = (table.ask(), table.ask());
    let sent = table.requests.tick(table.now, Way::Open);
    let ids: Vec<_> = sent.iter().map(|(_, sent)| sent.message.correlation_id.clone().unwrap()).collect();
    assert_eq!(ids, ["1", "2"]);
    table.requests.answered("2", Ok(answer()));
    assert!(first.try_recv().is_err());
    assert!(second.try_recv().unwrap().is_ok());
}

#[test]
fn an_unanswered_request_is_sent_again_with_the_same_ids_until_its_time_is_up() {
    let mut table = Table::new();
    let mut caller = table.ask();
    let begin = table.now;
    let mut sent_at = Vec::new();
    let mut sent = table.sends();
    while !sent.is_empty() {
        assert_eq!(sent, [1]);
        sent_at.push(table.now - begin);
        table.published(1, Published::Confirmed);
        sent = table.sends_later();
    }
    assert!((3..=5).contains(&sent_at.len()), "asked again after some seconds, then less often: {sent_at:?}");
    assert_eq!(table.now - begin, WITHIN);
    let error = caller.try_recv().unwrap().unwrap_err();
    let Error::Timeout { message, within, .. } = error else { panic!("{error}") };
    assert_eq!((message.as_str(), within), ("m-1", WITHIN));
    table.is_empty();
}

#[test]
fn a_missing_control_queue_is_told_at_once_and_says_what_mends_it() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.published(1, Published::Returned);
    let message = "reach hub shop: queue shop.control.00 is missing: no orchestrator-svc has created the hub on this \
                   broker yet, start one";
    assert_eq!(error(&mut caller), message);
    table.is_empty();
}

#[test]
fn a_refused_message_is_sent_again_soon_and_nothing_was_accepted() {
    let mut table = Table::new();
    let mut caller = table.ask();
    let begin = table.now;
    let mut sent = table.sends();
    let mut times = 0;
    while !sent.is_empty() {
        times += 1;
        table.published(1, Published::Refused("the queue is full".into()));
        sent = table.sends_later();
    }
    assert!((4..=10).contains(&times), "sent {times} times");
    assert_eq!(table.now - begin, UNSENT, "nobody has it, so nobody need be waited for");
    let message = "reach hub shop: the broker does not take the command: the queue is full";
    assert_eq!(error(&mut caller), message);
}

#[test]
fn a_lost_message_may_have_arrived_and_nobody_says_otherwise() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.published(1, Published::Lost("the channel broke".into()));
    assert_eq!(table.sends_later(), [1], "it is sent again");
    table.published(1, Published::Refused("the queue is full".into()));
    table.pass(WITHIN);
    table.sends();
    let told = caller.try_recv().unwrap().unwrap_err();
    assert!(matches!(told, Error::Timeout { .. }), "{told}");
}

#[test]
fn a_new_channel_sends_everything_anew() {
    let mut table = Table::new();
    let _callers = [table.ask(), table.ask()];
    table.sends();
    table.published(1, Published::Confirmed);
    assert_eq!(table.sends(), [0; 0], "one waits for its answer, the other for its confirm");
    table.requests.resend(table.now);
    assert_eq!(table.sends(), [1, 2]);
}

#[test]
fn while_the_broker_is_away_a_request_waits_briefly_and_nothing_was_accepted() {
    let mut table = Table::new();
    let mut caller = table.ask();
    let begin = table.now;
    while let Some(alarm) = table.requests.alarm() {
        table.now = table.now.max(alarm);
        assert_eq!(table.requests.tick(table.now, Way::Shut("connection refused")).len(), 0);
    }
    assert_eq!(table.now - begin, UNSENT);
    assert_eq!(error(&mut caller), "reach hub shop: connection refused");
    table.is_empty();
}

#[test]
fn a_request_that_was_sent_outlives_a_short_absence_of_the_broker() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.published(1, Published::Confirmed);
    table.pass(UNSENT * 3);
    table.requests.tick(table.now, Way::Shut("connection refused"));
    assert!(caller.try_recv().is_err(), "nothing is told yet");
    table.requests.resend(table.now);
    assert_eq!(table.sends(), [1]);
}

#[test]
fn a_request_whose_caller_has_gone_is_not_sent_again() {
    let mut table = Table::new();
    let caller = table.ask();
    table.sends();
    table.published(1, Published::Confirmed);
    drop(caller);
    assert_eq!(table.sends_later(), [0; 0]);
    table.is_empty();
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_of_its_own() {
    let mut table = Table::new();
    let mut caller = table.ask();
    table.sends();
    table.requests.answered("1", Err("property type is \"x\"".into()));
    assert_eq!(error(&mut caller), "understand the answer about instance order-7: property type is \"x\"");
}
