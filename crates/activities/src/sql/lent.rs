//! A connection of the pool, which goes back only if nothing of a statement is left on it.

use std::ops::{Deref, DerefMut};

use deadpool_postgres::Client;

/// A connection that is closed when it is dropped, unless it was given back.
pub(super) struct Lent(Option<Client>);

impl Lent {
    pub(super) fn new(client: Client) -> Self {
        Self(Some(client))
    }

    /// Gives the connection back to the pool.
    pub(super) fn give_back(&mut self) {
        drop(self.0.take());
    }
}

const HELD: &str = "a connection is given back at the end alone";

impl Deref for Lent {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.0.as_ref().expect(HELD)
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Client {
        self.0.as_mut().expect(HELD)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Client::take(client));
        }
    }
}
