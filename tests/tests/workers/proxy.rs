//! A way to the broker that can be cut.

use end_to_end::amqp_url;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes connections on to the broker for tests. Ends with the test's runtime.
pub(crate) struct Proxy {
    url: String,
    cuts: watch::Sender<()>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let address = amqp_url().split(['@', '/']).nth(3).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = amqp_url().replace(address, &listener.local_addr().unwrap().to_string());
        let (cuts, cut) = watch::channel(());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut cut = cut.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { url, cuts }
    }

    /// Returns the address of the broker by this way.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends all connections at once.
    pub(crate) fn cut(&self) {
        self.cuts.send_replace(());
    }
}
