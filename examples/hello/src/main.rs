//! Runs the example in this process: `cargo run -p example-hello -- Alice`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use example_hello::{contract::HELLO, register};
use warren::{Failure, Registry, test::Hub};

fn main() -> Result<(), Failure> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "Alice".to_owned());
    let hub = Hub::new(register(Registry::new()));
    for greeting in hub.run_blocking(HELLO, name)? {
        println!("{greeting}");
    }
    Ok(())
}
