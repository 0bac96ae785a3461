use std::collections::BTreeSet;

use super::*;

#[test]
fn the_same_seed_gives_the_same_scripts() {
    for number in 0..50 {
        assert_eq!(format!("{:?}", script("r", 7, number)), format!("{:?}", script("r", 7, number)));
    }
    assert_ne!(format!("{:?}", script("r", 7, 0)), format!("{:?}", script("r", 8, 0)));
}

#[test]
fn a_run_has_every_shape_every_way_and_duplicates() {
    let scripts: Vec<Script> = (0..500).map(|number| script("r", 1, number)).collect();
    let shapes: BTreeSet<&str> = scripts.iter().map(|script| script.case.orchestrator.as_str()).collect();
    assert_eq!(shapes.len(), 12, "{shapes:?}");
    for way in WAYS {
        assert!(scripts.iter().any(|script| script.starts[0].1 == way), "{way:?} starts nothing");
        let raises = |script: &Script| script.events.iter().any(|event| event.sendings[0].1 == way);
        assert!(scripts.iter().any(raises), "{way:?} raises nothing");
    }
    assert!(scripts.iter().any(|script| script.starts.len() == 2));
    assert!(scripts.iter().flat_map(|script| &script.events).any(|event| event.sendings.len() == 2));
    assert!(scripts.iter().flat_map(|script| &script.events).any(|event| event.is_early));
    assert!(scripts.iter().any(|script| script.case.instance.is_none()));
    let is_addressed = |script: &Script| script.events.is_empty() && script.commands.is_empty();
    assert!(scripts.iter().filter(|script| script.case.instance.is_none()).all(is_addressed));
    let deeds = |deed| scripts.iter().flat_map(|script| &script.commands).any(|sent| sent.deed == deed);
    assert!(deeds(Deed::Suspend) && deeds(Deed::Resume) && deeds(Deed::Terminate));
}
