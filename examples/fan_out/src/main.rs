//! Runs the example in this process: `cargo run -p example-fan-out -- 24`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use example_fan_out::{
    contract::{FAN_OUT, Request},
    register,
};
use warren::{Failure, Registry, test::Hub};

fn main() -> Result<(), Failure> {
    let chunks = std::env::args().nth(1).map_or(Ok(24), |text| text.parse())?;
    let hub = Hub::new(register(Registry::new()));
    let found = hub.run_blocking(FAN_OUT, Request { chunks, top: 12, letters_min: 5 })?;
    println!(
        "Alice's Adventures in Wonderland, in {chunks} chunks: {} words, {} different ones",
        found.words, found.distinct
    );
    println!("those of five letters and more that occur most:");
    let most = found.top.first().map_or(1, |frequency| frequency.count);
    for frequency in &found.top {
        let bar = "▇".repeat((frequency.count * 40).div_ceil(most) as usize);
        println!("{:>10} {:>4} {bar}", frequency.word, frequency.count);
    }
    Ok(())
}
