//! One TCP connection, packet by packet.

use std::collections::VecDeque;
use std::io;

use etherparse::PacketBuilder;

use super::Tape;
use super::seal::Seal;

/// Payload of a full segment.
const SEGMENT: usize = 1_460;

/// Bytes that one side sends.
pub struct Message {
    client: bool,
    pub head: Vec<u8>,
    body: usize,
    from: usize,
    is_sealed: bool,
}

impl Message {
    pub fn raw(client: bool, head: Vec<u8>) -> Self {
        Self { client, head, body: 0, from: 0, is_sealed: false }
    }

    pub fn ask(head: String) -> Self {
        Self::raw(true, head.into_bytes())
    }

    pub fn answer(head: String) -> Self {
        Self::raw(false, head.into_bytes())
    }

    /// With a body of `len` bytes, from some place of the pool.
    pub fn with_body(self, len: usize, from: usize) -> Self {
        Self { body: len, from, ..self }
    }
}

/// Where a connection stands.
pub struct Talk {
    ends: [([u8; 4], u16); 2],
    next: [u32; 2],
    ids: [u16; 2],
    stage: u8,
    messages: VecDeque<Message>,
    /// Messages in front that stay in the clear, and the keys for the others.
    clear: usize,
    seals: Option<[Seal; 2]>,
    sent: usize,
    unacked: u8,
}

const SYN: u8 = 1;
const ACK: u8 = 2;
const FIN: u8 = 4;
const PSH: u8 = 8;

impl Talk {
    pub fn new(number: u64, port: u16, messages: Vec<Message>) -> Self {
        let [.., a, b] = (number as u16 % 5_000).to_be_bytes();
        let client = ([10, 20, a, b], 49_152 + (number / 5_000 % 16_000) as u16);
        let server = ([10, 1, 0, (number % 4) as u8 + 1], port);
        let next = [number as u32 ^ 0x1234_5678, number as u32 ^ 0x8765_4321];
        let messages = messages.into();
        Self {
            ends: [client, server],
            next,
            ids: [1, 1],
            stage: 0,
            messages,
            clear: 0,
            seals: None,
            sent: 0,
            unacked: 0,
        }
    }

    /// A connection to port 443 whose messages are sealed, but for the hellos in front.
    pub fn sealed(
        number: u64,
        hellos: [Message; 2],
        messages: Vec<Message>,
        seals: [Seal; 2],
    ) -> Self {
        let clear = hellos.len();
        let messages = hellos.into_iter().chain(messages).collect();
        Self { clear, seals: Some(seals), ..Self::new(number, 443, messages) }
    }

    /// Writes the next packet; false when there is none left.
    pub fn step(&mut self, tape: &mut Tape<'_>) -> io::Result<bool> {
        let (side, flags) = match self.stage {
            0 => (0, SYN),
            1 => (1, SYN | ACK),
            2 | 6 => (0, ACK),
            3 => return self.data(tape).map(|()| true),
            4 => (0, FIN | ACK),
            5 => (1, FIN | ACK),
            _ => return Ok(false),
        };
        let frame = self.packet(side, flags, &[]);
        self.next[side] = self.next[side].wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        self.stage += 1;
        tape.frame(frame, false)?;
        Ok(self.stage < 7)
    }

    /// Seals the message in front before its first byte is sent.
    fn seal(&mut self, tape: &Tape<'_>) {
        let (Some(seals), Some(message)) = (&mut self.seals, self.messages.front_mut()) else {
            return;
        };
        if self.clear == 0 && self.sent == 0 && !message.is_sealed {
            let body: Vec<_> = tape.body(message.from, message.body).collect();
            let text = [&message.head[..], &body.concat()].concat();
            let head = seals[usize::from(!message.client)].seal(&text);
            *message = Message { is_sealed: true, ..Message::raw(message.client, head) };
        }
    }

    fn data(&mut self, tape: &mut Tape<'_>) -> io::Result<()> {
        self.seal(tape);
        let Some(message) = self.messages.front() else {
            self.stage = 4;
            return Ok(());
        };
        let side = usize::from(!message.client);
        if self.unacked >= 2 {
            self.unacked = 0;
            let frame = self.packet(1 - side, ACK, &[]);
            return tape.frame(frame, false);
        }
        let (head, whole) = (message.head.len(), message.head.len() + message.body);
        let end = whole.min(self.sent + SEGMENT);
        let mut payload = Vec::with_capacity(SEGMENT);
        payload.extend_from_slice(&message.head[self.sent.min(head)..end.min(head)]);
        let body = self.sent.max(head) - head..end.max(head) - head;
        for part in tape.body(message.from + body.start, body.len()) {
            payload.extend_from_slice(part);
        }
        let (last, of_body) = (end == whole, self.sent >= head);
        let frame = self.packet(side, if last { ACK | PSH } else { ACK }, &payload);
        self.next[side] = self.next[side].wrapping_add(payload.len() as u32);
        (self.sent, self.unacked) = (end, self.unacked + 1);
        if last {
            self.messages.pop_front();
            self.clear = self.clear.saturating_sub(1);
            (self.sent, self.unacked) = (0, 0);
        }
        tape.frame(frame, of_body)
    }

    fn packet(&mut self, side: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
        let ((from, from_port), (to, to_port)) = (self.ends[side], self.ends[1 - side]);
        self.ids[side] = self.ids[side].wrapping_add(1);
        let mac = |[_, a, b, c]: [u8; 4]| [2, 0, 0, a, b, c];
        let ip = etherparse::IpHeaders::Ipv4(
            etherparse::Ipv4Header {
                identification: self.ids[side],
                dont_fragment: true,
                time_to_live: 64,
                source: from,
                destination: to,
                ..etherparse::Ipv4Header::default()
            },
            etherparse::Ipv4Extensions::default(),
        );
        let mut tcp = PacketBuilder::ethernet2(mac(from), mac(to)).ip(ip).tcp(
            from_port,
            to_port,
            self.next[side],
            u16::MAX,
        );
        if flags & SYN != 0 {
            tcp = tcp.syn();
        }
        if flags & ACK != 0 {
            tcp = tcp.ack(self.next[1 - side]);
        }
        if flags & FIN != 0 {
            tcp = tcp.fin();
        }
        if flags & PSH != 0 {
            tcp = tcp.psh();
        }
        let mut frame = Vec::with_capacity(tcp.size(payload.len()));
        // Writing to memory cannot fail, and no payload here is too long for IPv4.
        let _ = tcp.write(&mut frame, payload);
        frame
    }
}
