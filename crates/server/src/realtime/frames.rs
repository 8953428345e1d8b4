//! WebSocket frames (RFC 6455 §5): those that go out, and messages put together from those that come in.

use std::io::Cursor;

use bytes::{Buf, Bytes};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control, Data, OpCode},
};

/// The largest message from a peer: clients say little.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The largest payload of a frame that controls the connection (RFC 6455 §5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// A frame as it goes out: the same bytes for all its receivers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Frame(Bytes);

impl Frame {
    /// A message.
    pub(super) fn text(text: &str) -> Self {
        Self::new(OpCode::Data(Data::Text), text.as_bytes())
    }

    /// A ping; who is asked answers with a pong.
    pub(super) fn ping() -> Self {
        Self::new(OpCode::Control(Control::Ping), &[])
    }

    /// The answer to a ping.
    pub(super) fn pong(payload: &[u8]) -> Self {
        Self::new(OpCode::Control(Control::Pong), payload)
    }

    /// The last frame.
    pub(super) fn close(code: CloseCode, reason: &str) -> Self {
        let payload = [&u16::from(code).to_be_bytes()[..], reason.as_bytes()].concat();
        Self::new(OpCode::Control(Control::Close), &payload)
    }

    fn new(opcode: OpCode, payload: &[u8]) -> Self {
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        let length = payload.len() as u64;
        let mut bytes = Vec::with_capacity(header.len(length) + payload.len());
        header.format(length, &mut bytes).expect("a vector takes everything");
        bytes.extend_from_slice(payload);
        Frame(bytes.into())
    }

    /// What is left to send.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Notes that the first `sent` bytes were sent.
    pub(super) fn advance(&mut self, sent: usize) {
        self.0.advance(sent);
    }
}

/// What a peer said.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// A text.
    Text(String),
    /// Something else that is a message, or an answer to a ping.
    Other,
    /// A question whether anybody is there.
    Ping(Vec<u8>),
    /// That it goes.
    Close,
}

/// What a peer sent is no WebSocket: why the connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Violation {
    /// The code of the last frame (RFC 6455 §7.4.1).
    pub(super) code: CloseCode,
    /// Why, in words.
    pub(super) reason: &'static str,
}

impl Violation {
    const fn protocol(reason: &'static str) -> Self {
        Violation { code: CloseCode::Protocol, reason }
    }

    const TOO_LARGE: Self = Violation { code: CloseCode::Size, reason: "a message has at most 64 KiB" };
}

/// What came from a peer and is no whole message yet. While nothing comes it holds no memory.
#[derive(Default, Debug)]
pub(super) struct Inbound {
    bytes: Vec<u8>,
    /// On the heap, since few messages come in several frames.
    begun: Option<Box<Begun>>,
    /// Whether the peer broke the protocol: nothing that comes means anything any more.
    is_broken: bool,
}

/// A message of several frames, as far as it came.
#[derive(Debug)]
struct Begun {
    is_text: bool,
    payload: Vec<u8>,
}

impl Inbound {
    /// Takes what came; [`Inbound::next`] says what it is.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if !self.is_broken {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The next thing that was said, if the whole of it is here.
    ///
    /// # Errors
    /// Once, when the peer does not keep to the protocol; nothing is said after that.
    pub(super) fn next(&mut self) -> Result<Option<Said>, Violation> {
        self.parse().inspect_err(|_| *self = Inbound { is_broken: true, ..Inbound::default() })
    }

    fn parse(&mut self) -> Result<Option<Said>, Violation> {
        while let Some((header, payload)) = self.frame()? {
            let said = match header.opcode {
                OpCode::Control(control) => Some(Self::control(&header, control, payload)?),
                OpCode::Data(data) => self.data(data, header.is_final, payload)?,
            };
            if said.is_some() {
                return Ok(said);
            }
        }
        Ok(None)
    }

    fn frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, Violation> {
        let mut cursor = Cursor::new(&self.bytes);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| Violation::protocol("an unknown kind of frame"))?;
        let Some((header, length)) = header else { return Ok(None) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::protocol("no extension was agreed on"));
        }
        let Some(mask) = header.mask else { return Err(Violation::protocol("frames of clients are masked")) };
        let length = usize::try_from(length).ok().filter(|length| *length <= MESSAGE_BYTES_MAX);
        let length = length.ok_or(Violation::TOO_LARGE)?;
        let start = usize::try_from(cursor.position()).expect("a position in memory");
        let Some(payload) = self.bytes.get(start..start + length) else { return Ok(None) };
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.bytes.drain(..start + length);
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        Ok(Some((header, payload)))
    }

    fn control(header: &FrameHeader, control: Control, payload: Vec<u8>) -> Result<Said, Violation> {
        if !header.is_final || payload.len() > CONTROL_BYTES_MAX {
            return Err(Violation::protocol("a control frame is one frame of at most 125 bytes"));
        }
        Ok(match control {
            Control::Close => Said::Close,
            Control::Ping => Said::Ping(payload),
            _ => Said::Other,
        })
    }

    fn data(&mut self, data: Data, is_final: bool, payload: Vec<u8>) -> Result<Option<Said>, Violation> {
        let message = match (self.begun.take(), data) {
            (Some(mut begun), Data::Continue) => {
                begun.payload.extend_from_slice(&payload);
                *begun
            }
            (None, Data::Text | Data::Binary) => Begun { is_text: data == Data::Text, payload },
            _ => return Err(Violation::protocol("frames of a message follow one another")),
        };
        if message.payload.len() > MESSAGE_BYTES_MAX {
            return Err(Violation::TOO_LARGE);
        }
        if !is_final {
            self.begun = Some(Box::new(message));
            return Ok(None);
        }
        if !message.is_text {
            return Ok(Some(Said::Other));
        }
        let text = String::from_utf8(message.payload);
        let text = text.map_err(|_| Violation { code: CloseCode::Invalid, reason: "a text is not UTF-8" })?;
        Ok(Some(Said::Text(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it.
    fn masked(opcode: u8, is_final: bool, payload: &[u8]) -> Vec<u8> {
        let (mask, mut bytes) = ([1, 2, 3, 4], vec![opcode | u8::from(is_final) << 7]);
        match payload.len() {
            length @ 0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            length => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn told(inbound: &mut Inbound, bytes: &[u8]) -> Result<Option<Said>, CloseCode> {
        inbound.take(bytes);
        inbound.next().map_err(|violation| violation.code)
    }

    fn refused(bytes: &[u8]) -> CloseCode {
        told(&mut Inbound::default(), bytes).unwrap_err()
    }

    #[test]
    fn a_message_is_the_same_however_its_bytes_come() {
        let text = "é".repeat(300);
        let bytes = masked(1, true, text.as_bytes());
        let mut inbound = Inbound::default();
        let (last, rest) = bytes.split_last().unwrap();
        for byte in rest {
            assert_eq!(told(&mut inbound, &[*byte]), Ok(None));
        }
        assert_eq!(told(&mut inbound, &[*last]), Ok(Some(Said::Text(text))));
        assert_eq!(inbound.bytes.capacity(), 0, "an idle connection holds no buffer");
    }

    #[test]
    fn several_messages_in_one_read_come_one_after_the_other() {
        let bytes = [masked(1, true, b"a"), masked(2, true, b"b"), masked(9, true, b"c"), masked(8, true, b"")];
        let mut inbound = Inbound::default();
        inbound.take(&bytes.concat());
        let said: Vec<_> = std::iter::from_fn(|| inbound.next().unwrap()).collect();
        assert_eq!(said, [Said::Text("a".into()), Said::Other, Said::Ping(b"c".into()), Said::Close]);
    }

    #[test]
    fn a_message_may_have_several_frames_with_a_ping_between_them() {
        let mut inbound = Inbound::default();
        assert_eq!(told(&mut inbound, &masked(1, false, b"he")), Ok(None));
        assert_eq!(told(&mut inbound, &masked(9, true, b"")), Ok(Some(Said::Ping(Vec::new()))));
        assert_eq!(told(&mut inbound, &masked(0, true, b"llo")), Ok(Some(Said::Text("hello".into()))));
    }

    #[test]
    fn frames_that_break_the_protocol_are_refused() {
        assert_eq!(refused(&[0x81, 0x01, b'a']), CloseCode::Protocol, "not masked");
        assert_eq!(refused(&masked(0x41, true, b"")), CloseCode::Protocol, "an extension");
        assert_eq!(refused(&masked(3, true, b"")), CloseCode::Protocol, "an unknown kind");
        assert_eq!(refused(&masked(0, true, b"")), CloseCode::Protocol, "goes on with nothing");
        assert_eq!(refused(&masked(9, false, b"")), CloseCode::Protocol, "half a ping");
        assert_eq!(refused(&masked(9, true, &[0; 126])), CloseCode::Protocol, "a long ping");
        assert_eq!(refused(&masked(1, true, &[0xff])), CloseCode::Invalid);
        let two_begun = [masked(1, false, b"a"), masked(1, true, b"b")].concat();
        assert_eq!(refused(&two_begun), CloseCode::Protocol);
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_it_is_taken() {
        let announced = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4];
        assert_eq!(refused(&announced), CloseCode::Size, "one frame of 64 KiB and a byte");
        let mut inbound = Inbound::default();
        assert_eq!(told(&mut inbound, &masked(2, false, &[0; 65_000])), Ok(None));
        assert_eq!(told(&mut inbound, &masked(0, true, &[0; 65_000])), Err(CloseCode::Size), "two frames");
    }

    #[test]
    fn nothing_is_said_after_the_protocol_was_broken() {
        let mut inbound = Inbound::default();
        told(&mut inbound, &[0x81, 0x01, b'a']).unwrap_err();
        assert_eq!(told(&mut inbound, &masked(1, true, b"a")), Ok(None));
    }

    #[test]
    fn what_goes_out_is_not_masked() {
        assert_eq!(Frame::text("hi").bytes(), [0x81, 2, b'h', b'i']);
        assert_eq!(Frame::ping().bytes(), [0x89, 0]);
        assert_eq!(Frame::close(CloseCode::Policy, "no").bytes(), [0x88, 4, 3, 0xf0, b'n', b'o']);
    }
}
