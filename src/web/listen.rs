//! Connections: accepted up to a limit, each bounded in time and size, and brought to an end when the daemon stops.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};

use super::client::Peer;
use super::limits::{CONNECTION_TIME_MAX, CONNECTIONS_MAX, GRACE, HEAD_BYTES_MAX, HEAD_TIMEOUT, HEADERS_MAX};
use crate::config::Listen;

/// Why the web server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("the web server cannot listen on {place}: {source}; check [web] listen")]
pub struct ListenError {
    place: String,
    source: io::Error,
}

/// Where connections come in.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    /// With the path, which is removed in the end.
    Unix(UnixListener, PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    /// Listens where the configuration says.
    pub async fn bind(place: &Listen) -> Result<Self, ListenError> {
        match place {
            Listen::Tcp { host, port } => {
                let bound = TcpListener::bind((host.as_str(), *port)).await;
                bound.map(Self::Tcp).map_err(|source| ListenError { place: format!("{host} port {port}"), source })
            }
            Listen::Unix(path) => {
                let failed = |source| ListenError { place: path.display().to_string(), source };
                bind_unix(path).map(|listener| Self::Unix(listener, path.clone())).map_err(failed)
            }
        }
    }

    /// Answers requests until the daemon stops; those in hand are finished.
    pub async fn serve(self, router: Router, mut stop: watch::Receiver<bool>) {
        let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let graceful = GracefulShutdown::new();
        loop {
            let accepting = async {
                let permit = Arc::clone(&free).acquire_owned().await;
                (permit, self.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepting => accepted,
                // A sender that is gone means the same.
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let service = FromPeer { service: TowerToHyperService::new(router.clone()), peer };
                    let connection = graceful.watch(builder().serve_connection(TokioIo::new(stream), service));
                    tokio::spawn(async move {
                        // What goes wrong with a connection is the client's business.
                        let _ = tokio::time::timeout(CONNECTION_TIME_MAX, connection).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the web server does not accept a connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        drop(self);
        // Connections that do not end in time end with the daemon.
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }

    /// A connection, and who stands at its other end.
    async fn accept(&self) -> io::Result<(Box<dyn Stream>, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Peer::Address(from.ip().to_canonical())))
            }
            Self::Unix(listener, _) => Ok((Box::new(listener.accept().await?.0), Peer::Local)),
        }
    }
}

/// A service that tells of each request from whom it comes.
struct FromPeer<S> {
    service: S,
    peer: Peer,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for FromPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // The next daemon removes it as well.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Listens on a socket; one that a killed daemon has left behind gives way.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket = path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    builder
}
