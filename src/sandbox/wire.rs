//! A TCP connection that can be told to misbehave below HTTP: to drip, to garble, to be reset.
//!
//! It knows nothing of requests: the server gives it orders through [`Orders`], and it carries them out on whatever
//! bytes the HTTP library writes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// What the wire shall do with the bytes of the answer. Shared by the connection and the code that answers.
#[derive(Clone, Default)]
pub(super) struct Orders(Arc<Mutex<Order>>);

#[derive(Clone, Copy, Default)]
struct Order {
    reset_at_end: bool,
    cut_after: Option<u64>,
    drip: Option<(usize, Duration)>,
    garble: bool,
}

impl Orders {
    fn with<T>(&self, act: impl FnOnce(&mut Order) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection ends with RST instead of FIN.
    pub(super) fn reset(&self) {
        self.with(|order| order.reset_at_end = true);
    }

    /// After this many more bytes were written, the connection is reset.
    pub(super) fn cut_after(&self, bytes: u64) {
        self.with(|order| order.cut_after = Some(bytes));
    }

    /// At most `bytes` are written at a time, then a pause.
    pub(super) fn drip(&self, bytes: usize, pause: Duration) {
        self.with(|order| order.drip = Some((bytes.max(1), pause)));
    }

    /// What is written from now on is no HTTP any more.
    pub(super) fn garble(&self) {
        self.with(|order| order.garble = true);
    }
}

/// The connection itself.
pub(super) struct Wire {
    stream: TcpStream,
    orders: Orders,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, orders: Orders) -> Self {
        Self { stream, orders, pause: None }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.orders.with(|order| order.reset_at_end) {
            // A linger of zero makes the close send RST and drop what is unsent. If the option cannot be set, the
            // peer sees an early end instead, which is as bad.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let order = self.orders.with(|order| *order);
        let mut take = buf.len();
        if let Some(left) = order.cut_after {
            if left == 0 {
                self.orders.reset();
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            take = take.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        if let Some((bytes, _)) = order.drip {
            take = take.min(bytes);
        }
        let written = if order.garble {
            let garbled: Vec<u8> = buf[..take].iter().map(|byte| byte ^ 0xA5).collect();
            ready!(Pin::new(&mut self.stream).poll_write(cx, &garbled))?
        } else {
            ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..take]))?
        };
        self.orders.with(|order| {
            if let Some(left) = &mut order.cut_after {
                *left = left.saturating_sub(written as u64);
            }
        });
        if let Some((_, pause)) = order.drip {
            self.pause = Some(Box::pin(sleep(pause)));
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
