//! Answers as bytes: JSON, pages, and the ones that no client should swallow whole.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

/// The body of any answer.
pub(super) type Body = BoxBody<Bytes, Infallible>;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// An answer before it goes out.
pub(super) struct Reply {
    response: Response<Body>,
    text: String,
}

impl Reply {
    fn new(status: u16, kind: &'static str, text: String, body: Body) -> Self {
        let mut response = Response::new(body);
        // An informational status would make the HTTP library wait for a final one.
        *response.status_mut() = StatusCode::from_u16(status)
            .ok()
            .filter(|status| !status.is_informational())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { response, text }
    }

    fn whole(status: u16, kind: &'static str, text: String) -> Self {
        let body = Full::new(Bytes::from(text.clone())).boxed();
        Self::new(status, kind, text, body)
    }

    pub(super) fn json(status: u16, value: Value) -> Self {
        Self::whole(status, JSON, value.to_string())
    }

    pub(super) fn html(status: u16, title: &str) -> Self {
        let page = format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{title}</body></html>\n");
        Self::whole(status, HTML, page)
    }

    pub(super) fn bytes(kind: &'static str, bytes: Bytes) -> Self {
        Self::new(200, kind, String::new(), Full::new(bytes).boxed())
    }

    /// The page that every API shows during maintenance, with status 200 (RAKUS help page).
    pub(super) fn maintenance() -> Self {
        let page = "Status: 503 Maintenance mode\n<html><head><title>メンテナンス中</title></head>\
                    <body>ただいまメンテナンス中です。</body></html>\n";
        Self::whole(200, HTML, page.to_owned())
    }

    pub(super) fn rubbish() -> Self {
        let bytes: Vec<u8> = (0..=255u8).rev().cycle().take(1_000).collect();
        Self::bytes(JSON, Bytes::from(bytes))
    }

    pub(super) fn empty() -> Self {
        Self::whole(200, JSON, String::new())
    }

    pub(super) fn endless() -> Self {
        let head = stream::iter([Bytes::from_static(b"{\"status\":\"success\",\"code\":\"200\",\"items\":[")]);
        let chunk = Bytes::from("0,".repeat(8 * 1024));
        Self::streamed("[endless]", head.chain(stream::repeat(chunk)))
    }

    /// A gzip stream of spaces: one literal, then "258 times the byte before" again and again, in fixed codes.
    pub(super) fn gzip_bomb() -> Self {
        let mut bits = Bits::default();
        for bit in [false, true, false] {
            bits.push(bit); // not the last block; fixed codes
        }
        bits.code(0x30 + u32::from(b' '), 8);
        let repeat = |bits: &mut Bits| {
            bits.code(0b1100_0101, 8); // length 258
            bits.code(0, 5); // distance 1
        };
        repeat(&mut bits); // 24 bits so far: from here on, eight repeats are thirteen whole bytes
        let mut head = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
        head.append(&mut bits.bytes);
        for _ in 0..8 * 1_024 {
            repeat(&mut bits);
        }
        let chunk = Bytes::from(bits.bytes);
        // One chunk unpacks to 2 MiB.
        let chunks = stream::iter([Bytes::from(head)]).chain(stream::repeat(chunk).take(2_100));
        let mut reply = Self::streamed("[gzip bomb]", chunks);
        reply.response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        reply
    }

    fn streamed(text: &str, chunks: impl stream::Stream<Item = Bytes> + Send + Sync + 'static) -> Self {
        let frames = chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
        let body = BodyExt::boxed(StreamBody::new(frames));
        Self::new(200, JSON, text.to_owned(), body)
    }

    /// Adds a header; a value that cannot stand in one is left out.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.response
    }
}

/// Bits in the order of RFC 1951: into each byte from its low end; codes from their high end.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u8,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    fn code(&mut self, code: u32, length: u32) {
        for place in (0..length).rev() {
            self.push(code >> place & 1 == 1);
        }
    }
}
