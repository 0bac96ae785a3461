//! Runs the example in this process: `cargo run -p example-volume`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use example_volume::{
    contract::{Dimensions, VOLUME},
    register,
};
use warren::{Failure, Registry, test::Hub};

fn main() -> Result<(), Failure> {
    let hub = Hub::new(register(Registry::new()));
    let volume = hub.run_blocking(VOLUME, Dimensions { length: 0.6, width: 0.4, height: 0.35 })?;
    println!("a box of 60 by 40 by 35 centimetres holds {} litres", volume.litres);
    Ok(())
}
