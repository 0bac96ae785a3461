//! A TCP proxy in front of the broker, for tests: it cuts, refuses, holds back, and speaks for the broker.

use std::sync::Arc;

use lapin::uri::AMQPUri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::{broadcast, watch},
};

/// What happens to connections and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All bytes pass.
    Pass,
    /// Connections are closed, and new ones too.
    Refuse,
    /// No bytes pass, connections stay open.
    Hold,
}

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    address: String,
    mode: watch::Sender<Mode>,
    words: broadcast::Sender<Arc<[u8]>>,
}

impl Proxy {
    /// Starts a proxy in front of the broker at `url`.
    pub(crate) async fn start(url: &str, mode: Mode) -> Self {
        let mut uri: AMQPUri = url.parse().unwrap();
        let target = format!("{}:{}", uri.authority.host, uri.authority.port);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        uri.authority.host = "127.0.0.1".into();
        uri.authority.port = listener.local_addr().unwrap().port();
        let proxy =
            Self { address: uri.to_string(), mode: watch::Sender::new(mode), words: broadcast::Sender::new(16) };
        let (modes, words) = (proxy.mode.clone(), proxy.words.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *modes.borrow() != Mode::Refuse {
                    tokio::spawn(serve(client, target.clone(), modes.subscribe(), words.subscribe()));
                }
            }
        });
        proxy
    }

    /// Returns the broker's address by way of the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Says `connection.blocked` to every client. No other bytes may be under way.
    pub(crate) fn say_blocked(&self, reason: &str) {
        let mut arguments = vec![u8::try_from(reason.len()).unwrap()];
        arguments.extend(reason.as_bytes());
        self.say(60, &arguments);
    }

    /// Says `connection.unblocked` to every client.
    pub(crate) fn say_unblocked(&self) {
        self.say(61, &[]);
    }

    fn say(&self, method: u16, arguments: &[u8]) {
        const METHOD_FRAME: u8 = 1;
        const CONNECTION_CLASS: u16 = 10;
        const FRAME_END: u8 = 0xce;
        let mut frame = vec![METHOD_FRAME, 0, 0];
        frame.extend(u32::try_from(4 + arguments.len()).unwrap().to_be_bytes());
        frame.extend(CONNECTION_CLASS.to_be_bytes());
        frame.extend(method.to_be_bytes());
        frame.extend(arguments);
        frame.push(FRAME_END);
        self.words.send(frame.into()).unwrap();
    }
}

async fn serve(
    client: TcpStream,
    target: String,
    mut modes: watch::Receiver<Mode>,
    words: broadcast::Receiver<Arc<[u8]>>,
) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let silent = broadcast::Sender::new(1);
    tokio::select! {
        () = pass(from_client, to_server, modes.clone(), silent.subscribe()) => {}
        () = pass(from_server, to_client, modes.clone(), words) => {}
        _ = modes.wait_for(|mode| *mode == Mode::Refuse) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
    mut words: broadcast::Receiver<Arc<[u8]>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let bytes = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 => &buffer[..count],
                Ok(_) | Err(_) => return,
            },
            Ok(word) = words.recv() => &word.clone(),
        };
        if modes.wait_for(|mode| *mode != Mode::Hold).await.is_err() || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
