//! What tests of several parts share.

use clap::{Args, Parser};

#[derive(Parser)]
struct Arguments<P: Args> {
    #[command(flatten)]
    plan: P,
}

/// Returns what a part makes of these arguments, besides those of the servers.
pub(crate) fn parse<P: Args>(arguments: &str) -> Result<P, clap::Error> {
    let all = ["bench", "--broker", "amqp://b", "--store", "postgres://s"].into_iter();
    Arguments::try_parse_from(all.chain(arguments.split_whitespace())).map(|arguments| arguments.plan)
}
