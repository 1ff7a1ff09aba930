//! The pcapng format (draft-ietf-opsawg-pcapng).

use std::ops::Range;

use pcap_parser::pcapng::{
    Block, InterfaceDescriptionBlock, OptionCode, SecretsType, SimplePacketBlock, parse_block_be,
    parse_block_le, parse_enhancedpacketblock_be, parse_enhancedpacketblock_le,
};

use super::Error;
use super::blocks::{
    BYTE_ORDER, ENHANCED_PACKET, INTERFACE, OLD_PACKET, SECRETS, SECTION, SIMPLE_PACKET, STATISTICS,
};
use super::interface::{Interface, dropped};
use super::record::{Decode, Kind, Order, Record, Step};
use crate::at::Timestamp;

/// Room in a block for its header and options, beside the packet.
const OVERHEAD: usize = 256 << 10;

/// Interfaces of a section that are believed; each costs memory, and packets may follow or not.
const INTERFACES: usize = 1 << 16;

/// The section being read.
#[derive(Default)]
pub struct Section {
    order: Order,
    interfaces: Vec<Interface>,
    least_snaplen: Option<u32>,
    dropped: u64,
    /// Time of the last frame, taken over for simple packets, which have none.
    time: Timestamp,
}

impl Section {
    /// The order of its numbers.
    pub fn is_big_endian(&self) -> bool {
        self.order == Order::Big
    }

    /// The least length at which an interface cuts frames.
    pub const fn snaplen(&self) -> Option<u32> {
        self.least_snaplen
    }

    /// Frames that were dropped on all interfaces, as far as the blocks read so far tell.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn begin(&mut self, head: &[u8]) -> Option<()> {
        self.order = [Order::Little, Order::Big]
            .into_iter()
            .find(|order| order.u32(head, 8) == Some(BYTE_ORDER))?;
        self.interfaces.clear();
        Some(())
    }

    fn body(&mut self, kind: u32, block: &[u8], record: &mut Record) -> Result<(), &'static str> {
        // Only what is used is decoded, lest a mistake in a list of names end the reading.
        match kind {
            ENHANCED_PACKET | OLD_PACKET => return self.packet(kind, block, record),
            STATISTICS => {
                self.statistics(block);
                return Ok(());
            }
            INTERFACE | SIMPLE_PACKET | SECRETS => {}
            _ => return Ok(()),
        }
        let decoded = match self.order {
            Order::Little => parse_block_le(block),
            Order::Big => parse_block_be(block),
        };
        match decoded.map_err(|_| "fields exceed the block")?.1 {
            Block::InterfaceDescription(interface) => return self.interface(&interface),
            Block::SimplePacket(packet) => return self.simple(&packet, record),
            Block::DecryptionSecrets(secrets) if secrets.secrets_type == SecretsType::TlsKeyLog => {
                record.kind = Kind::Secrets;
                record.data = 16..16 + secrets.data.len().min(secrets.secrets_len as usize);
            }
            _ => {}
        }
        Ok(())
    }

    fn interface(&mut self, block: &InterfaceDescriptionBlock<'_>) -> Result<(), &'static str> {
        if self.interfaces.len() >= INTERFACES {
            return Err("more than 65536 interfaces");
        }
        let interface = Interface::of(block, self.order);
        let snaplen = interface.snaplen;
        if snaplen != 0 {
            self.least_snaplen =
                Some(self.least_snaplen.map_or(snaplen, |least| least.min(snaplen)));
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Counters run on: the last block of an interface has the sum.
    fn statistics(&mut self, block: &[u8]) {
        let number = self.order.u32(block, 8).unwrap_or(u32::MAX);
        let Some(interface) = self.interfaces.get_mut(number as usize) else { return };
        let options = block.get(..block.len() - 4).unwrap_or_default();
        let Some(now) = dropped(options, self.order) else { return };
        let before = std::mem::replace(&mut interface.dropped, now);
        self.dropped = self.dropped.saturating_sub(before).saturating_add(now);
    }

    /// An enhanced packet block, or the packet block of the first drafts, which differs in the width of the interface
    /// number.
    fn packet(&mut self, kind: u32, block: &[u8], record: &mut Record) -> Result<(), &'static str> {
        let field = |at| self.order.u32(block, at).ok_or("short packet block");
        let number = match kind {
            OLD_PACKET => self.order.u16(block, 8).map(u32::from).ok_or("short packet block")?,
            _ => field(8)?,
        };
        let ticks = u64::from(field(12)?) << 32 | u64::from(field(16)?);
        let (len, wire_len) = (field(20)?, field(24)?);
        let data = 28..28_usize.saturating_add(len as usize);
        let end = block.len() - 4;
        if data.end > end {
            return Err("packet exceeds the block");
        }
        let interface =
            self.interfaces.get(number as usize).ok_or("packet of an undescribed interface")?;
        self.time = interface.time(ticks);
        let options = data.end.next_multiple_of(4);
        record.set_frame(data, self.time, interface.link, wire_len);
        if kind == ENHANCED_PACKET && options < end {
            record.comment = self.comment(block, options)?;
        }
        Ok(())
    }

    /// Place of the comment in an enhanced packet block, whose options begin at `at`; empty where it has none.
    fn comment(&self, block: &[u8], mut at: usize) -> Result<Range<usize>, &'static str> {
        let decoded = match self.order {
            Order::Little => parse_enhancedpacketblock_le(block),
            Order::Big => parse_enhancedpacketblock_be(block),
        };
        let packet = decoded.map_err(|_| "packet exceeds the block")?.1;
        let options = packet.options.iter();
        for option in options.take_while(|option| option.code != OptionCode::EndOfOpt) {
            if option.code == OptionCode::Comment {
                return Ok(at + 4..at + 4 + usize::from(option.len));
            }
            at += 4 + option.value.len();
        }
        Ok(0..0)
    }

    fn simple(
        &self,
        block: &SimplePacketBlock<'_>,
        record: &mut Record,
    ) -> Result<(), &'static str> {
        let interface = self.interfaces.first().ok_or("packet of an undescribed interface")?;
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let len = (block.origlen.min(snaplen) as usize).min(block.data.len());
        record.set_frame(12..12 + len, self.time, interface.link, block.origlen);
        Ok(())
    }
}

impl Decode for Section {
    fn decode(
        &mut self,
        data: &[u8],
        offset: u64,
        cap: usize,
        record: &mut Record,
    ) -> Result<Step, Error> {
        let damaged = |why| Error::Damaged { offset, why };
        // Twelve bytes reach to the byte order mark of a section header; no block is shorter.
        let Some(head) = data.get(..12) else { return Ok(Step::More(12)) };
        if self.order.u32(head, 0) == Some(SECTION) {
            self.begin(head).ok_or(damaged("no byte order mark"))?;
        }
        let (kind, len) = self.order.u32(head, 0).zip(self.order.u32(head, 4)).unwrap_or_default();
        let size = len as usize;
        if size < 12 || !size.is_multiple_of(4) {
            return Err(damaged("impossible block length"));
        }
        if size > cap.saturating_add(OVERHEAD) {
            return Err(Error::TooLong { offset, len: u64::from(len), cap: cap as u64 });
        }
        let Some(block) = data.get(..size) else { return Ok(Step::More(size)) };
        if self.order.u32(block, size - 4) != Some(len) {
            return Err(damaged("block lengths differ"));
        }
        record.kind = Kind::Other;
        self.body(kind, block, record).map_err(damaged)?;
        record.size = size;
        Ok(Step::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pcap::tests::read;
    use crate::capture::Reader;
    use crate::limits::Limits;

    /// Builds blocks in one endianness.
    struct Writer(bool, Vec<u8>);

    impl Writer {
        fn u32(&self, value: u32) -> [u8; 4] {
            if self.0 { value.to_be_bytes() } else { value.to_le_bytes() }
        }

        fn u16s(&self, first: u16, second: u16) -> Vec<u8> {
            let bytes = |v: u16| if self.0 { v.to_be_bytes() } else { v.to_le_bytes() };
            [bytes(first), bytes(second)].concat()
        }

        fn block(mut self, kind: u32, parts: &[Vec<u8>]) -> Self {
            let mut body = parts.concat();
            body.resize(body.len().next_multiple_of(4), 0);
            let len = self.u32(body.len() as u32 + 12);
            let block = [&self.u32(kind)[..], &len, &body, &len].concat();
            self.1.extend(block);
            self
        }

        fn section(big: bool) -> Self {
            let w = Self(big, Vec::new());
            let magic = w.u32(0x1a2b_3c4d).to_vec();
            w.block(0x0a0d_0d0a, &[magic, vec![1, 0, 0, 0], vec![0xff; 8]])
        }

        fn interface(self, link: u16, snaplen: u32, resolution: u8) -> Self {
            let parts = [
                self.u16s(link, 0),
                self.u32(snaplen).to_vec(),
                self.u16s(9, 1),
                vec![resolution, 0, 0, 0],
                self.u16s(0, 0),
            ];
            self.block(1, &parts)
        }

        fn packet(self, interface: u32, ticks: u32, data: &[u8; 4], comment: &str) -> Self {
            let words = [interface, 0, ticks, 4, 6].map(|word| self.u32(word)).concat();
            let mut options = Vec::new();
            if !comment.is_empty() {
                options.extend(self.u16s(1, comment.len() as u16));
                options.extend(comment.as_bytes());
            }
            self.block(6, &[words, data.to_vec(), options])
        }
    }

    #[test]
    fn interfaces_have_their_own_link_type_and_clock() {
        let w =
            Writer::section(false).interface(1, 0, 6).interface(113, 0, 9).interface(101, 0, 0x8a);
        let w =
            w.packet(0, 7, b"abcd", "").packet(1, 8, b"efgh", "why?").packet(2, 1536, b"ijkl", "");
        let lines = [
            "1 7000 link 1 abcd of 6",
            "2 8 link 113 efgh of 6 # why?",
            "3 1500000000 link 101 ijkl of 6",
        ];
        assert_eq!(read(&w.1, 4096), lines);
        assert_eq!(read(&w.1, 16), lines);
    }

    #[test]
    fn sections_of_either_endianness_follow_each_other() {
        let mut bytes = Writer::section(true).interface(1, 0, 6).packet(0, 7, b"abcd", "").1;
        bytes.extend(Writer::section(false).interface(101, 0, 0).packet(0, 2, b"efgh", "").1);
        assert_eq!(
            read(&bytes, 4096),
            ["1 7000 link 1 abcd of 6", "2 2000000000 link 101 efgh of 6"]
        );
    }

    #[test]
    fn clock_offset_is_added() {
        let w = Writer::section(true);
        let parts =
            [w.u16s(1, 0), vec![0; 4], w.u16s(14, 8), 3_i64.to_be_bytes().to_vec(), w.u16s(0, 0)];
        let w = w.block(1, &parts).packet(0, 7, b"abcd", "");
        assert_eq!(read(&w.1, 4096), ["1 3000007000 link 1 abcd of 6"]);
    }

    #[test]
    fn simple_packet_ends_at_the_snap_length_and_takes_the_last_time() {
        let w = Writer::section(false).interface(1, 2, 6).packet(0, 7, b"abcd", "");
        let parts = [w.u32(9).to_vec(), b"xy".to_vec()];
        assert_eq!(read(&w.block(3, &parts).1, 4096)[1], "2 7000 link 1 xy of 9");
    }

    #[test]
    fn old_packet_block_has_a_short_interface_number() {
        let w = Writer::section(false).interface(1, 0, 6);
        let words = [0, 7, 3, 5].map(|word| w.u32(word)).concat();
        let parts = [w.u16s(0, 9), words, b"abc".to_vec()];
        assert_eq!(read(&w.block(2, &parts).1, 4096), ["1 7000 link 1 abc of 5"]);
    }

    #[test]
    fn what_was_dropped_is_the_last_count_of_each_interface() {
        let w = Writer::section(true).interface(1, 0, 6).interface(1, 0, 6);
        let statistics = |w: Writer, interface: u32, counts: &[(u16, u64)]| {
            let mut parts = vec![[interface, 0, 7].map(|word| w.u32(word)).concat()];
            for (code, count) in counts {
                parts.push([w.u16s(*code, 8), count.to_be_bytes().to_vec()].concat());
            }
            w.block(5, &parts)
        };
        let w = statistics(w, 0, &[(4, 900), (5, 20)]);
        let w = statistics(w, 1, &[(5, u64::MAX), (7, 3)]);
        let w = statistics(w, 0, &[(5, 30), (7, 1)]);
        // Of no interface, and too short.
        let w = statistics(w, 9, &[(5, 8)]);
        let Writer(_, bytes) = w.block(5, &[vec![0; 4]]);
        let mut reader = Reader::new(&bytes[..], &Limits::default()).unwrap();
        assert!(reader.next().unwrap().is_none());
        assert_eq!(reader.dropped(), 34);
    }

    #[test]
    fn tls_key_log_is_lent_and_other_secrets_are_not() {
        let w = Writer::section(false);
        let keys = [w.u32(0x544c_534b).to_vec(), w.u32(3).to_vec(), b"CLI".to_vec()];
        let other = [w.u32(0x5747_4b4c).to_vec(), w.u32(3).to_vec(), b"CLI".to_vec()];
        assert_eq!(read(&w.block(10, &other).block(10, &keys).1, 4096), ["secrets CLI"]);
    }

    #[test]
    fn packet_that_exceeds_its_block_is_damage() {
        let w = Writer::section(false).interface(1, 0, 6);
        let words = [0, 0, 7, 500, 500].map(|word| w.u32(word)).concat();
        let lines = read(&w.block(6, &[words]).1, 4096);
        assert_eq!(lines, ["record at byte 60 is damaged: packet exceeds the block"]);
    }

    #[test]
    fn interfaces_without_end_are_damage() {
        let mut bytes = Writer::section(false).interface(1, 0, 6).packet(0, 7, b"abcd", "").1;
        let more = Writer(false, Vec::new()).interface(1, 0, 6).1;
        bytes.extend(more.repeat(super::INTERFACES));
        let [_, damage] = &read(&bytes, 4096)[..] else { panic!() };
        assert!(damage.ends_with(" is damaged: more than 65536 interfaces"), "{damage}");
    }

    #[test]
    fn cut_off_block_is_told_by_its_frame() {
        let bytes = Writer::section(false)
            .interface(1, 0, 6)
            .packet(0, 7, b"abcd", "")
            .packet(0, 8, b"efgh", "")
            .1;
        let lines = read(&bytes[..bytes.len() - 2], 4096);
        assert_eq!(lines, ["1 7000 link 1 abcd of 6", "cut off within frame 2, at byte 96"]);
    }
}
