//! What stands before several replicas: each new connection goes to the next one that takes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A replica that takes no connection within this time gets none.
const PATIENCE: Duration = Duration::from_millis(300);

pub struct Balancer {
    pub url: String,
    at_work: JoinHandle<()>,
}

impl Balancer {
    pub async fn before(replicas: Vec<SocketAddr>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (replicas, next) = (Arc::new(replicas), Arc::new(AtomicUsize::new(0)));
        let at_work = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (replicas, next) = (replicas.clone(), next.clone());
                tokio::spawn(async move {
                    for _ in 0..replicas.len() {
                        let nth = next.fetch_add(1, Ordering::Relaxed) % replicas.len();
                        let connecting = TcpStream::connect(replicas[nth]);
                        let connected = tokio::time::timeout(PATIENCE, connecting).await;
                        if let Ok(Ok(mut to)) = connected {
                            // Either side may hang up; there is nobody to tell.
                            let _ = copy_bidirectional(&mut from, &mut to).await;
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { url, at_work })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.at_work.abort();
    }
}
