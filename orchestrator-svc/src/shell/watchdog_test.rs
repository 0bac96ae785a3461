use warren_engine::Progress;
use warren_model::{InstanceId, execution_id};

use super::*;

/// Looks at its own board in the middle of a turn.
struct Looks(Board, std::sync::mpsc::Sender<bool>);

impl Program for Looks {
    fn react(&mut self, _: &[Event], _: bool) -> Reaction {
        let is_shown = self.0.0.lock().unwrap().as_ref().is_some_and(|running| running.identity.name == "slow");
        let (pause, warn, limit) = (Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4));
        let look = || self.0.check(Partition(0), pause, warn, limit).is_some();
        let looks = [look(), look()];
        let is_reported = self.0.0.lock().unwrap().as_ref().is_some_and(|running| running.is_reported);
        let hangs = [look(), look()];
        self.1.send(is_shown && is_reported && looks == [false, false] && hangs == [false, true]).unwrap();
        Reaction { actions: Vec::new(), progress: Progress::Waiting }
    }
}

struct Known(Board, std::sync::mpsc::Sender<bool>);

impl Programs for Known {
    fn resolve(&self, _: &str, _: Option<&str>) -> Result<Option<String>, String> {
        Ok(None)
    }
    fn create(&self, _: &Identity) -> Result<Box<dyn Program>, String> {
        Ok(Box::new(Looks(self.0.clone(), self.1.clone())))
    }
}

#[test]
fn h18_a_turn_shows_on_the_board_for_as_long_as_it_runs_is_reported_once_and_given_up_at_the_limit() {
    let (board, (sent, seen)) = (Board::default(), std::sync::mpsc::channel());
    let watched = Watched { programs: Known(board.clone(), sent), board: board.clone() };
    let instance = InstanceId::new("i").unwrap();
    let execution = execution_id(&instance, "m");
    let identity = Identity { instance, execution, name: "slow".into(), version: None };
    watched.create(&identity).unwrap().react(&[], false);
    assert_eq!(seen.recv(), Ok(true));
    assert!(board.0.lock().unwrap().is_none(), "a turn that has ended is not shown");
}
