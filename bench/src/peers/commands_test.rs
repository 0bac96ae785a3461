use super::Commands;
use crate::shape::Shape;

#[test]
fn a_line_is_an_engine_a_kind_of_work_and_a_command() {
    let text = "celery serve env A=1 worker\n\ndbos w1 env DB={store} python bench.py w1 1000\n";
    let commands = Commands::parse(text, "postgres://warren@127.0.0.1:5434/warren").unwrap();
    let served: Vec<_> = commands.servers().map(|line| line.name.as_str()).collect();
    assert_eq!(served, ["celery"]);
    let lines = commands.of(Shape::W1);
    assert_eq!((lines[0].name.as_str(), lines[0].program.as_str()), ("dbos", "env"));
    assert_eq!(lines[0].arguments[0], "DB=postgresql://warren@127.0.0.1:5434/warren");
    assert_eq!(lines[0].arguments[1..], ["python", "bench.py", "w1", "1000"]);
    assert!(commands.of(Shape::W2).is_empty());
}

#[test]
fn a_line_that_makes_no_sense_is_refused_with_what_would() {
    for text in ["restate", "restate w1", "restate w9 run"] {
        let error = format!("{:#}", Commands::parse(text, "").unwrap_err());
        assert!(error.contains("expected NAME w1|w2|w3|l1|serve COMMAND"), "{error}");
    }
}
