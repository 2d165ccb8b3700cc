//! A program that calls the API over a real socket, as `curl` would.

use std::net::SocketAddr;

use countersign::demo::API_KEY;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::office::Office;

/// A request to make.
#[derive(Clone)]
pub struct Asking {
    key: String,
    headers: Vec<(&'static str, String)>,
    body: Value,
    /// What the client takes in before it reads: small, for one that reads slowly.
    receive_buffer: u32,
}

pub fn asking(message: &str) -> Asking {
    Asking {
        key: API_KEY.to_owned(),
        headers: Vec::new(),
        body: json!({ "message": message }),
        receive_buffer: 256 * 1024,
    }
}

impl Asking {
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body[field] = value.into();
        self
    }

    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn key(mut self, key: &str) -> Self {
        self.key = key.to_owned();
        self
    }

    pub fn slowly(mut self) -> Self {
        self.receive_buffer = 4096;
        self
    }

    /// `POST /agent/stream`.
    pub async fn post(&self, office: &Office) -> Stream {
        self.send(office, "POST", "/agent/stream", &self.body.to_string()).await
    }

    /// `GET /agent/stream/{run}` after the event with number `after`.
    pub async fn follow(&self, office: &Office, run: &str, after: Option<u64>) -> Stream {
        let again = match after {
            Some(after) => self.clone().header("Last-Event-ID", after),
            None => self.clone(),
        };
        again.send(office, "GET", &format!("/agent/stream/{run}"), "").await
    }

    async fn send(&self, office: &Office, method: &str, path: &str, body: &str) -> Stream {
        let url = office.world.desk_url().unwrap();
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(self.receive_buffer).unwrap();
        let mut socket = socket.connect(address).await.unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n",
            body.len()
        );
        if !self.key.is_empty() {
            head.push_str(&format!("Authorization: Bearer {}\r\n", self.key));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        socket.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
        Stream::open(socket).await
    }
}

/// One `data:` frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub id: u64,
    pub data: Value,
    /// The bytes after `data: `.
    pub text: String,
}

impl Frame {
    pub fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap_or_default()
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said that this is all.
    Whole,
    /// The connection broke.
    CutOff,
}

/// An answer that is being read.
pub struct Stream {
    socket: TcpStream,
    pub status: u16,
    /// Names in lower case.
    pub head: String,
    /// Bytes as they came over the wire, and how far they are unpacked.
    raw: Vec<u8>,
    /// The body so far, out of its chunks, and how much of it was read.
    body: String,
    read: usize,
    pub end: Option<End>,
    pub heartbeats: usize,
}

impl Stream {
    async fn open(mut socket: TcpStream) -> Self {
        let mut raw = Vec::new();
        let head = loop {
            if let Some(at) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
                break String::from_utf8(raw.drain(..at + 4).collect()).unwrap().to_lowercase();
            }
            let read = socket.read_buf(&mut raw).await.unwrap();
            assert!(read > 0, "no answer: {}", String::from_utf8_lossy(&raw));
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { socket, status, head, raw, body: String::new(), read: 0, end: None, heartbeats: 0 }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn run(&self) -> String {
        self.header("countersign-run").unwrap().to_owned()
    }

    /// The next frame; nothing at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        assert_eq!(self.status, 200, "{}", self.head);
        loop {
            if let Some(length) = self.body[self.read..].find("\n\n") {
                let block = self.body[self.read..self.read + length + 2].to_owned();
                self.read += block.len();
                if block.starts_with(':') {
                    self.heartbeats += 1;
                    continue;
                }
                return Some(frame(&block));
            }
            if !self.read_more().await {
                return None;
            }
        }
    }

    /// Reads on until a heartbeat has come.
    pub async fn heartbeat(&mut self) {
        while !self.body.contains(": heartbeat\n\n") {
            assert!(self.read_more().await, "the stream ended: {:?}", self.end);
        }
    }

    /// Reads until a frame of this type.
    pub async fn until(&mut self, kind: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            let found = frame.kind() == kind;
            frames.push(frame);
            if found {
                return frames;
            }
        }
        panic!("the stream ended before {kind}: {frames:?}")
    }

    /// Everything until the end.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }

    /// The body of an answer that is no stream.
    pub async fn json(mut self) -> Value {
        let mut body = self.raw.split_off(0);
        self.socket.read_to_end(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// Reads from the socket unless a whole chunk is there already, and says whether there may be
    /// more.
    async fn read_more(&mut self) -> bool {
        if self.unpack() {
            return true;
        }
        if self.end.is_some() {
            return false;
        }
        match self.socket.read_buf(&mut self.raw).await {
            Ok(0) | Err(_) => {
                self.end = Some(End::CutOff);
                false
            }
            Ok(_) => true,
        }
    }

    /// Moves the chunks that are whole into the body.
    fn unpack(&mut self) -> bool {
        let mut any = false;
        while let Some(line) = self.raw.windows(2).position(|two| two == b"\r\n") {
            let size = std::str::from_utf8(&self.raw[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if self.raw.len() < line + 2 + size + 2 {
                break;
            }
            let chunk: Vec<u8> = self.raw.drain(..line + 2 + size + 2).collect();
            self.body.push_str(std::str::from_utf8(&chunk[line + 2..line + 2 + size]).unwrap());
            any = true;
            if size == 0 {
                self.end = Some(End::Whole);
                break;
            }
        }
        any
    }
}

fn frame(block: &str) -> Frame {
    let lines: Vec<&str> = block.trim_end_matches('\n').split('\n').collect();
    let [id, data] = lines[..] else { panic!("two lines make a frame: {block:?}") };
    let text = data.strip_prefix("data: ").expect("`data: ` begins the second").to_owned();
    let id = id.strip_prefix("id: ").expect("`id: ` begins the first").parse().unwrap();
    Frame { id, data: serde_json::from_str(&text).unwrap(), text }
}

/// The types of frames, in order.
pub fn kinds(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(Frame::kind).collect()
}

/// Numbered without a gap and without a repetition, from `first` on.
pub fn in_order(frames: &[Frame], first: u64) {
    let ids: Vec<u64> = frames.iter().map(|frame| frame.id).collect();
    let expected: Vec<u64> = (first..first + frames.len() as u64).collect();
    assert_eq!(ids, expected);
}
