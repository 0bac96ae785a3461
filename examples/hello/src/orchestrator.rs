//! The order of things. Nothing here runs twice with another outcome: whatever was answered once is recorded.

use warren::{Context, Failure};

use crate::contract::{GREET, Visit};

/// The way of the night train.
const CITIES: [&str; 5] = ["Lisbon", "Paris", "Prague", "Tallinn", "Athens"];

pub(crate) async fn hello(ctx: Context, name: String) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in CITIES {
        let visit = Visit { name: name.clone(), city: city.to_owned() };
        greetings.push(ctx.call(GREET, visit).await?);
    }
    Ok(greetings)
}
