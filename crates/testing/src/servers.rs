//! RabbitMQ and PostgreSQL: the repository's own, through the scripts in `deploy/local`, or those that the environment
//! names.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

/// Returns the root of the repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Returns the address of the RabbitMQ for tests: what `WARREN_TEST_AMQP` says, or the repository's own node, which is
/// started if need be.
pub fn amqp_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("WARREN_TEST_AMQP").unwrap_or_else(|_| Script::rabbitmq().run(&["ensure"])))
}

/// Returns the address of the PostgreSQL for tests: what `WARREN_TEST_POSTGRES` says, or the repository's own server,
/// which is started if need be.
pub fn postgres_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("WARREN_TEST_POSTGRES").unwrap_or_else(|_| Script::postgres().run(&["ensure"])))
}

/// A script of the repository, and what its environment has beside that of this process.
#[derive(Clone, Debug)]
pub struct Script {
    path: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Script {
    /// The one for a RabbitMQ node: the repository's own.
    pub fn rabbitmq() -> Self {
        Self::new("deploy/local/rabbitmq")
    }

    /// The one for a RabbitMQ node of this name.
    pub fn rabbitmq_named(name: &str) -> Self {
        Self::rabbitmq().with("WARREN_RABBITMQ_NAME", name)
    }

    /// The one for a PostgreSQL server: the repository's own.
    pub fn postgres() -> Self {
        Self::new("deploy/local/postgres")
    }

    /// The one for a PostgreSQL server of this name.
    pub fn postgres_named(name: &str) -> Self {
        Self::postgres().with("WARREN_POSTGRES_NAME", name)
    }

    /// The one at this path, from the root of the repository.
    pub fn new(path: &'static str) -> Self {
        Self { path, environment: Vec::new() }
    }

    /// Returns it with a variable.
    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    /// Runs it and returns what it prints, without the last newline.
    ///
    /// # Panics
    ///
    /// If it fails: with the arguments, and what it says of it.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {said}", self.path, arguments.join(" "));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs it and returns how it ended.
    pub fn output(&self, arguments: &[&str]) -> Output {
        let path = repository().join(self.path);
        let environment = self.environment.iter().map(|(variable, value)| (variable, value));
        let ran = Command::new(&path).args(arguments).envs(environment).stdin(Stdio::null()).output();
        ran.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_script_is_asked_for_the_server_of_a_name_and_its_failure_is_told() {
        let nobody = Script::postgres_named("of-nobody");
        let status = nobody.output(&["status"]);
        assert!(!status.status.success(), "{status:?}");
        let told = std::panic::catch_unwind(|| nobody.run(&["dance"])).unwrap_err();
        let told = told.downcast_ref::<String>().unwrap();
        assert!(told.starts_with("deploy/local/postgres dance: "), "{told}");
    }
}
