//! The files of a report, made from the bodies that went by.

use std::io;
use std::net::IpAddr;

use hashbrown::HashMap;
use tempfile::NamedTempFile;

use super::assemble::{Build, Copy, Taken};
use super::contents::describe;
use super::manifest::{Doubt, Entry, Kind, Manifest, Part, Proof, Source, State};
use super::spool::Piece;
use super::{Body, Extract, kept, proof};
use crate::at::Span;
use crate::bits::protocol;
use crate::export::aside;
use crate::model::ranges::Ranges;
use crate::model::report::Tool;
use crate::model::url::normal;
use crate::model::{Report, Session};

/// Missing bytes that a file may have: beyond, it is only listed. Not every file system keeps holes for free.
const HOLES: u64 = 64 << 30;

/// Missing bytes that all files together may have where a hole is written out as zeros, as NTFS does.
pub(super) const ROOM: Option<u64> = if cfg!(windows) { Some(4 << 30) } else { None };

/// Sessions that an upload carries on and takes bytes of, the latest ones: few are lost in a row.
const EARLIER: usize = 16;

/// Places of bodies by connection and first frame.
type ByFrame = HashMap<(u64, u64), Vec<usize>>;

/// Sessions that another one carries on, with their numbers, by client, length of the file and id of that.
type Lost<'r> = HashMap<(IpAddr, Option<u64>, &'r str), Vec<(u64, &'r Session)>>;

/// Places of bodies of replies, by the numbers of the sessions that they are of.
type ByNumber = HashMap<u64, Vec<usize>>;

impl Extract {
    /// Makes the files of the sessions of `report`, and `manifest.json` beside them. With [`Options::digest`] set, a
    /// file of which the digest is another one is not proven.
    ///
    /// [`Options::digest`]: crate::Options::digest
    ///
    /// # Errors
    ///
    /// The first that keeping the bodies met, or where the manifest cannot be written. What is wrong with one file
    /// stands in its entry.
    pub fn finish(mut self, report: &Report) -> io::Result<Manifest> {
        std::mem::replace(&mut self.result, Ok(()))?;
        let mut files = Vec::new();
        let mut by_frame: ByFrame = HashMap::default();
        for (place, body) in self.bodies.iter().enumerate() {
            by_frame.entry((body.connection, body.span.first.frame)).or_default().push(place);
        }
        let (lost, fetched) = (lost(report), self.fetched(report));
        for (number, session) in (1_u64..).zip(&report.sessions) {
            files.extend(self.upload(number, session, report, (&by_frame, &lost)));
            files.extend(self.reply(number, session, report, &fetched));
        }
        let tool = Tool { ..report.tool.clone() };
        let manifest = Manifest {
            schema: "bitsleuth.manifest",
            schema_version: "1.0.0",
            tool,
            captures: report.captures.clone(),
            files,
        };
        if !self.spool.is_dry() {
            let mut file = aside::file(&self.dir)?;
            let out = file.as_file_mut();
            serde_json::to_writer_pretty(&mut *out, &manifest)?;
            io::Write::write_all(out, b"\n")?;
            aside::keep(file, &self.dir, "manifest", "json")?;
        }
        Ok(manifest)
    }

    fn upload(
        &mut self,
        number: u64,
        session: &Session,
        report: &Report,
        (by_frame, lost): (&ByFrame, &Lost<'_>),
    ) -> Option<Entry> {
        let size = session.bytes_total?;
        let (copies, spans) = self.copies(session, by_frame);
        let earlier: Vec<_> = earlier(number, session, lost)
            .into_iter()
            .flat_map(|session| self.copies(session, by_frame).0)
            .map(|(place, taken)| (place, Taken { state: State::Earlier, ..taken }))
            .collect();
        let url = session.url.clone().map(String::from);
        let mut entry = Entry::new(Kind::Upload, size, Source::of(number, session, url));
        let built = self.build(size, &copies, &earlier);
        let mut build = match built {
            Ok(build) => build,
            Err(error) => {
                entry.problem = Some(error.to_string());
                return Some(entry);
            }
        };
        (entry.proof, entry.doubts) = proof::of(session, &build);
        entry.coverage = build.coverage(&announced(session));
        entry.conflicts =
            build.conflicts.iter().map(|(from, to)| Part { start: from, end: to - 1 }).collect();
        entry.source.of_frames(&spans);
        self.keep(&mut entry, &mut build, &stem("upload", number, session));
        let digest = session.file.as_ref().and_then(|file| file.sha256.as_ref());
        if entry.sha256.is_some() && digest.is_some() && digest != entry.sha256.as_ref() {
            proof::lower(&mut entry, Doubt::OtherDigest);
        }
        if is_in_doubt(&spans, report) {
            proof::lower(&mut entry, Doubt::CaptureCorrupt);
        }
        Some(entry)
    }

    /// The bodies of a session in the order in which their bytes count; and their frames.
    fn copies(&self, session: &Session, by_frame: &ByFrame) -> (Vec<(usize, Taken)>, Vec<Span>) {
        let (mut copies, mut spans) = (Vec::new(), Vec::new());
        for (exchange, taken) in kept::of(session) {
            let Some(request) = &exchange.request else { continue };
            let start = request.content_range.as_ref().and_then(|range| range.start);
            let places = by_frame.get(&(exchange.connection, request.span.first.frame));
            let own = |place: &&usize| {
                self.bodies.get(**place).is_some_and(|body| Some(body.start) == start)
            };
            let Some(place) = places.and_then(|places| places.iter().find(own)) else { continue };
            copies.push((*place, taken));
            spans.push(request.span);
        }
        spans.sort_unstable_by_key(|span| span.frames());
        spans.dedup();
        (copies, spans)
    }

    fn build(
        &mut self,
        size: u64,
        copies: &[(usize, Taken)],
        earlier: &[(usize, Taken)],
    ) -> io::Result<Build> {
        if size > self.limit {
            return Err(io::Error::other(format!("longer than the limit of {} bytes", self.limit)));
        }
        if self.spool.is_dry() || self.room.is_some() {
            let build = self.fill(None, size, copies, earlier)?;
            self.take_room(&build)?;
            if self.spool.is_dry() {
                return Ok(build);
            }
        }
        self.fill(Some(aside::file(&self.dir)?), size, copies, earlier)
    }

    /// Counts the bytes that will be missing, where they have to be.
    fn take_room(&mut self, build: &Build) -> io::Result<()> {
        let Some(room) = self.room else { return Ok(()) };
        let there = build.all.len();
        // Without a byte there will be no file.
        let missing = if there == 0 { 0 } else { build.size - there };
        let left = room.checked_sub(missing).ok_or_else(|| {
            io::Error::other(format!(
                "{missing} bytes of it are missing, and there is room for {room}"
            ))
        })?;
        self.room = Some(left);
        Ok(())
    }

    fn fill(
        &mut self,
        file: Option<NamedTempFile>,
        size: u64,
        copies: &[(usize, Taken)],
        earlier: &[(usize, Taken)],
    ) -> io::Result<Build> {
        let mut build = Build::new(file, size);
        for copy in copies.iter().filter_map(|copy| copy_of(&self.bodies, *copy)) {
            build.add(&mut self.spool, copy)?;
        }
        if !build.is_whole() && !earlier.is_empty() {
            let earlier: Vec<Copy<'_>> =
                earlier.iter().filter_map(|copy| copy_of(&self.bodies, *copy)).collect();
            let mut agree = true;
            for copy in &earlier {
                agree &= build.agrees(&mut self.spool, *copy)?;
            }
            for copy in earlier.into_iter().filter(|_| agree) {
                build.add(&mut self.spool, copy)?;
            }
        }
        Ok(build)
    }

    /// The bodies of replies: each is of the last session of its client that named its URL before it was asked for.
    fn fetched(&self, report: &Report) -> ByNumber {
        let mut named: HashMap<(IpAddr, String), Vec<(u64, u64)>> = HashMap::default();
        for (number, session) in (1_u64..).zip(&report.sessions) {
            let mut answers = session.exchanges.iter().filter_map(|one| one.response.as_ref());
            let Some(url) = session.reply_url.as_deref() else { continue };
            let frame = answers.find(|answer| answer.reply_url.is_some());
            let frame = frame.map_or(0, |answer| answer.span.first.frame);
            named.entry((session.client.address, normal(url))).or_default().push((frame, number));
        }
        named.values_mut().for_each(|sessions| sessions.sort_unstable());
        let mut fetched = ByNumber::default();
        for (place, body) in self.bodies.iter().enumerate() {
            let Some(reply) = &body.reply else { continue };
            let Some(sessions) = named.get(&(body.client, reply.clone())) else { continue };
            let before = sessions.partition_point(|(frame, _)| *frame < body.span.first.frame);
            if let Some((_, number)) = sessions.get(before.saturating_sub(1)) {
                fetched.entry(*number).or_default().push(place);
            }
        }
        fetched
    }

    fn reply(
        &mut self,
        number: u64,
        session: &Session,
        report: &Report,
        fetched: &ByNumber,
    ) -> Option<Entry> {
        let url = session.reply_url.as_deref()?;
        let places = fetched.get(&number)?;
        let bodies = || places.iter().filter_map(|place| self.bodies.get(*place));
        let seen = |body: &Body| body.pieces.iter().map(Piece::end).max();
        let size =
            bodies().find_map(|body| body.total).or_else(|| bodies().filter_map(seen).max())?;
        let spans: Vec<Span> = bodies().map(|body| body.span).collect();
        let taken = |place: &usize| (*place, Taken::all(State::Acknowledged));
        let copies: Vec<(usize, Taken)> = places.iter().map(taken).collect();
        let source = Source::of(number, session, Some(url.to_owned()));
        let mut entry = Entry::new(Kind::Reply, size, source);
        entry.source.content_name = None;
        entry.source.of_frames(&spans);
        match self.build(size, &copies, &[]) {
            Ok(mut build) => {
                entry.proof = if build.is_whole() { Proof::WholeSent } else { Proof::Partial };
                entry.coverage = build.coverage(&Ranges::default());
                self.keep(&mut entry, &mut build, &stem("reply", number, session));
                if is_in_doubt(&spans, report) {
                    proof::lower(&mut entry, Doubt::CaptureCorrupt);
                }
            }
            Err(error) => entry.problem = Some(error.to_string()),
        }
        Some(entry)
    }

    /// Gives the file its name, or says why not.
    fn keep(&self, entry: &mut Entry, build: &mut Build, stem: &str) {
        if build.all.is_empty() && build.size > 0 {
            entry.problem = Some("no byte of it was captured".to_owned());
            return;
        }
        if build.size - build.all.len() > HOLES {
            entry.problem = Some(format!("more than {HOLES} bytes of it are missing"));
            return;
        }
        let extension = if build.is_whole() { "bin" } else { "partial" };
        let Some(mut file) = build.file.take() else {
            entry.name = Some(format!("{stem}.{extension}"));
            return;
        };
        let finished = file
            .as_file()
            .set_len(build.size)
            .and_then(|()| describe(file.as_file_mut(), build, entry))
            .and_then(|()| aside::keep(file, &self.dir, stem, extension));
        match finished {
            Ok(name) => entry.name = Some(name),
            Err(error) => entry.problem = Some(error.to_string()),
        }
    }
}

fn copy_of(bodies: &[Body], (place, taken): (usize, Taken)) -> Option<Copy<'_>> {
    bodies.get(place).map(|body| Copy { pieces: &body.pieces, taken })
}

/// Whether a capture that a message is from may hold wrong bytes.
fn is_in_doubt(spans: &[Span], report: &Report) -> bool {
    let ends = spans.iter().flat_map(|span| [span.first, span.last]);
    let mut inputs = ends.map(|at| at.input.saturating_sub(1) as usize);
    inputs.any(|input| report.captures.get(input).is_some_and(|capture| capture.corrupt))
}

fn lost(report: &Report) -> Lost<'_> {
    let mut lost = Lost::default();
    for (number, session) in (1_u64..).zip(&report.sessions) {
        if let Some(id) = session.superseded_by.as_deref() {
            let key = (session.client.address, session.bytes_total, id);
            lost.entry(key).or_default().push((number, session));
        }
    }
    lost
}

/// The sessions that this one carries on, the latest first, as far as they are of a file of the same length.
fn earlier<'r>(number: u64, session: &Session, lost: &Lost<'r>) -> Vec<&'r Session> {
    let id = session.id.as_deref().unwrap_or_default();
    let all = lost.get(&(session.client.address, session.bytes_total, id));
    let all = all.map(Vec::as_slice).unwrap_or_default();
    let before = all.partition_point(|(other, _)| *other < number);
    all.iter().take(before).rev().take(EARLIER).map(|(_, session)| *session).collect()
}

fn announced(session: &Session) -> Ranges {
    let mut ranges = Ranges::default();
    for fragment in &session.fragments {
        if let (Some(start), Some(end)) = (fragment.start, fragment.end) {
            ranges.add(start, end.saturating_add(1));
        }
    }
    ranges
}

/// A name of ours: what it is, its number, and the first digits of a session id that is a GUID. Nothing of the wire but
/// these digits goes in, so no name is a path, a device or too long.
fn stem(kind: &str, number: u64, session: &Session) -> String {
    match session.id.as_deref().and_then(protocol::guid) {
        Some(guid) => format!("{kind}-{number:04}-{:08x}", guid.as_fields().0),
        None => format!("{kind}-{number:04}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    #[test]
    fn where_holes_take_room_those_of_all_files_count() {
        let first = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/20\n  | abcd\n< 200\n";
        let second = first.replace("session=1", "session=2");
        let text = format!("{first}= url http://server/upload/b.bin\n{second}");
        let records = transcript::play(&text).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for mut extract in [Extract::new(dir.path(), None).unwrap(), Extract::dry(None)] {
            extract.room = Some(25);
            let report = transcript::analyse(&records, &mut extract);
            let files = extract.finish(&report).unwrap().files;
            let problems: Vec<_> = files.iter().map(|file| file.problem.as_deref()).collect();
            let second = "16 bytes of it are missing, and there is room for 9";
            assert_eq!(problems, [None, Some(second)]);
            assert!(files[0].name.is_some() && files[1].name.is_none());
        }
    }

    #[test]
    fn a_reply_is_of_the_last_upload_that_named_it() {
        let upload = |id: u64, reply: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-3/4\n< 200 reply=/r\n\
                 > GET /r\n< 200 plain\n  | {reply}\n"
            )
        };
        let text = upload(1, "one") + &upload(2, "second");
        let mut extract = Extract::dry(None);
        let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut extract);
        let files = extract.finish(&report).unwrap().files;
        let replies = files.iter().filter(|file| file.kind == Kind::Reply);
        let told: Vec<_> = replies.map(|file| (file.size, file.conflicts.len())).collect();
        assert_eq!(told, [(3, 0), (6, 0)]);
    }

    /// Bytes of the file of each of `count` uploads that came over from those before it, each lost at its eighth byte.
    fn carried_over(count: u64, id: impl Fn(u64) -> u64) -> Vec<u64> {
        let upload = |n: u64| {
            let (id, at) = (id(n), n * 8);
            format!(
                "= connection\n> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT {at}-{}/999\n< 200\n\
                 > FRAGMENT {}-{}/999\n< 500 error=0x8020001F context=0x5\n",
                at + 3,
                at + 4,
                at + 7
            )
        };
        let text: String = (0..count).map(upload).collect();
        let mut extract = Extract::dry(None);
        let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut extract);
        let files = extract.finish(&report).unwrap().files;
        let earlier = |file: &Entry| {
            let parts = file.coverage.iter().filter(|part| part.state == State::Earlier);
            parts.map(|part| part.part.end - part.part.start + 1).sum()
        };
        files.iter().map(earlier).collect()
    }

    #[test]
    fn a_file_carries_on_only_earlier_ones() {
        assert_eq!(carried_over(3, |n| n + 1), [0, 8, 8]);
        assert_eq!(carried_over(3, |_| 1), [0, 8, 16]);
    }

    #[test]
    fn a_file_carries_on_the_latest_ones() {
        let carried = carried_over(20, |_| 1);
        assert_eq!(carried.last(), Some(&(EARLIER as u64 * 8)));
    }
}
