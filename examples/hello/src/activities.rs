//! The steps that run on workers.

use warren::{ActivityContext, Failure};

use crate::contract::Visit;

pub(crate) async fn greet(_: ActivityContext, Visit { name, city }: Visit) -> Result<String, Failure> {
    match city.as_str() {
        "Lisbon" => Ok(format!("Olá, {name}! The custard tarts of Lisbon are still warm.")),
        "Paris" => Ok(format!("Bonjour, {name}! In Paris it rains, and nobody minds.")),
        "Prague" => Ok(format!("Ahoj, {name}! The clock of Prague is about to strike.")),
        "Tallinn" => Ok(format!("Tere, {name}! There is a sauna free in Tallinn.")),
        "Athens" => Ok(format!("Γεια σου, {name}! The owls of Athens have been told.")),
        _ => Err(Failure::permanent("unknown_city", format!("nobody in {city:?} greets"))),
    }
}
