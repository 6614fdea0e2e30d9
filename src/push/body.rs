//! A request's body as the connection takes it, watched: whether it was ever asked for tells "no byte was written"
//! from "something was", and how much was taken tells whether an upload still moves.

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// Whether the connection asked for the first piece. It does so before it writes anything at all, the request's
    /// head included, since head and first piece leave together; so `false` proves that nothing was written.
    pub(super) asked: bool,
    /// Body bytes that the connection has taken; some may still wait in buffers.
    pub(super) taken: u64,
}

/// A body that tells its [`Progress`].
pub(super) struct Watched {
    inner: reqwest::Body,
    progress: watch::Sender<Progress>,
}

impl Watched {
    pub(super) fn new(inner: reqwest::Body, progress: watch::Sender<Progress>) -> Self {
        Self { inner, progress }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        if !self.progress.borrow().asked {
            self.progress.send_modify(|progress| progress.asked = true);
        }
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            let size = frame.data_ref().map_or(0, Bytes::len) as u64;
            self.progress.send_modify(|progress| progress.taken += size);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
