//! Files of uploads whose server takes parts of Fragments, refuses them, or goes back.

use std::fmt::Write;

use bitsleuth::observe::extract::Extract;
use bitsleuth::observe::extract::manifest::{Doubt, Entry, Proof};
use bitsleuth::{Analysis, Options, transcript};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes of the file.
const SIZE: usize = 12;

/// What becomes of a Fragment.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Taken,
    /// All but so many bytes.
    TakenLess(usize),
    Refused,
    /// 500, though so many bytes went in; the next answer tells.
    RefusedTook(usize),
    /// 416, which tells where the server stands.
    Corrected,
    /// The same, when so many bytes went in.
    CorrectedWithin(usize),
    /// The server lost all but so many bytes, and says so.
    Lost(usize),
    /// The connection broke when so many bytes had gone in.
    Broken(usize),
    /// It starts so far before the byte that the server wants.
    Again(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Taken),
        1 => (1_usize..4).prop_map(Fate::TakenLess),
        1 => Just(Fate::Refused),
        1 => (0_usize..4).prop_map(Fate::RefusedTook),
        1 => Just(Fate::Corrected),
        1 => (0_usize..4).prop_map(Fate::CorrectedWithin),
        1 => (0_usize..8).prop_map(Fate::Lost),
        2 => (0_usize..5).prop_map(Fate::Broken),
        1 => (1_usize..6).prop_map(Fate::Again),
    ]
}

/// A server that takes bytes in order only.
#[derive(Default)]
struct Server {
    has: Vec<u8>,
    /// It refuses what it has in part.
    strict: bool,
    /// It refuses the next Fragment, to tell where it stands.
    tells: bool,
    text: String,
}

impl Server {
    fn take(&mut self, start: usize, bytes: &[u8]) -> bool {
        let known = self.has.len() - start;
        let takes = known == 0 || !self.strict;
        if takes {
            self.has.extend(bytes.iter().skip(known));
        }
        takes
    }

    /// Where the client goes on.
    fn send(&mut self, start: usize, bytes: &[u8], fate: Fate) -> usize {
        let fate = if std::mem::take(&mut self.tells) { Fate::Corrected } else { fate };
        let start = if let Fate::Again(by) = fate { start.saturating_sub(by) } else { start };
        let bytes = &bytes[..bytes.len().min(SIZE - start)];
        let part = |len: usize| &bytes[..len.min(bytes.len())];
        let text = String::from_utf8_lossy(bytes);
        let end = start + bytes.len() - 1;
        write!(self.text, "> FRAGMENT {start}-{end}/{SIZE}\n  | {text}\n").unwrap();
        let took = match fate {
            Fate::Refused => None,
            Fate::RefusedTook(len) => {
                self.tells = self.take(start, part(len)) && len > 0;
                None
            }
            Fate::Broken(len) => {
                self.take(start, part(len));
                self.text += "! client resets\n= connection\n";
                return start;
            }
            Fate::Corrected => Some(false),
            Fate::CorrectedWithin(len) => {
                self.take(start, part(len.min(bytes.len() - 1)));
                Some(false)
            }
            Fate::Lost(left) => {
                self.has.truncate(left);
                Some(false)
            }
            Fate::TakenLess(less) => Some(self.take(start, part(bytes.len().saturating_sub(less)))),
            Fate::Taken | Fate::Again(_) => Some(self.take(start, bytes)),
        };
        match took {
            Some(took) => {
                let (status, next) = (if took { 200 } else { 416 }, self.has.len());
                writeln!(self.text, "< {status} received={next}").unwrap();
                next
            }
            None => {
                self.text += "< 500\n";
                start
            }
        }
    }
}

/// The conversation, and the file that the server has in the end.
fn history(strict: bool, fates: Vec<(Fate, Vec<u8>)>) -> (String, Vec<u8>) {
    let mut server = Server { strict, ..Server::default() };
    server.text += "> CREATE-SESSION\n< 200 session=1\n";
    let mut next = 0;
    for (fate, bytes) in fates {
        if next < SIZE {
            next = server.send(next, &bytes, fate);
        }
    }
    while next < SIZE {
        next = server.send(next, b"cccc", Fate::Taken);
    }
    server.text += "> CLOSE-SESSION\n< 200\n";
    (server.text, server.has)
}

/// What is extracted, its bytes, and the digest of the report.
fn extract(text: &str) -> (Entry, Vec<u8>, Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut extract = Extract::new(dir.path(), None).unwrap();
    let mut analysis = Analysis::new(Options { digest: true, ..Options::default() });
    for record in transcript::play(text).unwrap() {
        analysis.push(&record.frame(), &mut extract);
    }
    let report = analysis.finish(Vec::new(), &mut extract);
    let entry = extract.finish(&report).unwrap().files.remove(0);
    let bytes = std::fs::read(dir.path().join(entry.name.as_ref().unwrap())).unwrap();
    (entry, bytes, report.sessions[0].file.as_ref().unwrap().sha256.clone())
}

proptest! {
    #[test]
    fn a_file_that_is_called_proven_is_what_the_server_has(
        strict: bool,
        fates in vec((fate(), vec(b'a'..=b'b', 1..5)), 1..16)
    ) {
        let (text, has) = history(strict, fates);
        let (entry, bytes, digest) = extract(&text);
        if entry.proof == Proof::WholeProven {
            prop_assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&has), "{}", text);
        }
        let differs = digest.is_some() && digest != entry.sha256;
        prop_assert_eq!(entry.doubts.contains(&Doubt::OtherDigest), differs, "{}", text);
    }
}
