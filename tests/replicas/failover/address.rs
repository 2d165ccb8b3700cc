//! The address that desks know the database by, as a virtual address or a proxy is for an operator:
//! it leads to one server today and to another one tomorrow.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// What becomes of the connections that there are when the address moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Established {
    Cut,
    /// They go on to the old server, and nobody tells the desks that it is the old one.
    Kept,
}

pub struct Address {
    pub port: u16,
    ways: Arc<Mutex<Ways>>,
    carries: watch::Sender<Carries>,
    at_work: JoinHandle<()>,
}

/// Whether what is said at one end arrives at the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    Everything,
    /// As through a cable that somebody has pulled out: neither end is told.
    Nothing,
}

struct Ways {
    to: u16,
    open: Vec<AbortHandle>,
}

impl Address {
    pub async fn leading_to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ways = Arc::new(Mutex::new(Ways { to: server, open: Vec::new() }));
        let shared = ways.clone();
        let carries = watch::Sender::new(Carries::Everything);
        let watching = carries.clone();
        let at_work = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut ways = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let (server, mut carries) = (ways.to, watching.subscribe());
                let way = tokio::spawn(async move {
                    let mut to = None;
                    let carrying = async {
                        if let Ok(there) = TcpStream::connect(("127.0.0.1", server)).await {
                            // Either side may hang up; there is nobody to tell.
                            let _ = copy_bidirectional(&mut from, to.insert(there)).await;
                        }
                    };
                    let pulled_out = carries.wait_for(|carries| *carries == Carries::Nothing);
                    tokio::select! {
                        () = carrying => return,
                        _ = pulled_out => {}
                    }
                    // Both ends stay open. When the cable is back they have lost count of each other,
                    // and are cut.
                    let _ = carries.wait_for(|carries| *carries == Carries::Everything).await;
                });
                ways.open.retain(|way| !way.is_finished());
                ways.open.push(way.abort_handle());
            }
        });
        Self { port, ways, carries, at_work }
    }

    pub fn falls_silent(&self) {
        self.carries.send_replace(Carries::Nothing);
    }

    pub fn is_heard_again(&self) {
        self.carries.send_replace(Carries::Everything);
    }

    /// What an operator writes under `store`.
    pub fn store(&self) -> String {
        format!("postgres://desk@127.0.0.1:{}/postgres", self.port)
    }

    pub fn moves_to(&self, server: u16, established: Established) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.to = server;
        if established == Established::Cut {
            ways.open.drain(..).for_each(|way| way.abort());
        }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.at_work.abort();
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.open.drain(..).for_each(|way| way.abort());
    }
}
