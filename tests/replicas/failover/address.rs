//! The address that desks know the database by, as a virtual address or a proxy is for an operator:
//! it leads to one server today and to another one tomorrow.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
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
    at_work: JoinHandle<()>,
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
        let at_work = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut ways = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let server = ways.to;
                let way = tokio::spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(("127.0.0.1", server)).await {
                        // Either side may hang up; there is nobody to tell.
                        let _ = copy_bidirectional(&mut from, &mut to).await;
                    }
                });
                ways.open.retain(|way| !way.is_finished());
                ways.open.push(way.abort_handle());
            }
        });
        Self { port, ways, at_work }
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
