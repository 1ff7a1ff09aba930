//! From lines to frames.

use etherparse::icmpv4::DestUnreachableHeader;

use super::line::{Line, Message, Scene, Tcp, lines};
use super::message::{self, State};
use super::names;
use super::wire::{How, Wire};
use super::{Error, Record};
use crate::bits::PacketType;
use crate::stream::Side;

/// Bytes of a transcript and of the bodies it stands for that are played.
const LONGEST: usize = 64 << 20;

/// What a line costs of that by itself, in bytes: the frames of a TCP event, or of an acknowledgement.
const LINE: usize = 128;

const TOO_LONG: &str = "the transcript is too long to play";

/// How often the lines above are repeated at most.
const REPEATS: u32 = 1_000;

/// The frames that a capture of the conversation would hold.
///
/// # Errors
///
/// [`Error`] with the line that cannot be understood, or that asks for more than 64 MiB.
pub fn play(text: &str) -> Result<Vec<Record>, Error> {
    let mut player = Player {
        wire: Wire::new(),
        state: State {
            host: "server".to_owned(),
            path: "/upload/file.bin".to_owned(),
            session: None,
            asked: PacketType::Unknown,
            range: None,
        },
        left: LONGEST,
    };
    let lines = lines(text)?;
    for (place, line) in lines.iter().enumerate() {
        player.number(line)?;
        if let (_, Line::Scene(Scene::Repeat(times))) = line {
            let above = lines.get(..place).unwrap_or_default();
            for _ in 0..(*times).min(REPEATS) {
                above.iter().try_for_each(|line| player.number(line))?;
            }
        }
    }
    Ok(player.wire.finish())
}

struct Player {
    wire: Wire,
    state: State,
    left: usize,
}

impl Player {
    fn number(&mut self, (line, what): &(usize, Line<'_>)) -> Result<(), Error> {
        let wrong = |problem: String| Error { line: *line, problem };
        let left = self.left.checked_sub(LINE).ok_or_else(|| wrong(TOO_LONG.to_owned()))?;
        self.left = left;
        self.line(what).map_err(wrong)
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), String> {
        match line {
            Line::Message(message) => self.message(message)?,
            Line::Wait(nanos) => self.wire.wait(*nanos),
            Line::Scene(scene) => self.scene(*scene)?,
            Line::Tcp(event) => self.tcp(*event)?,
        }
        Ok(())
    }

    fn message(&mut self, message: &Message<'_>) -> Result<(), String> {
        let bytes = match message.side {
            Side::Client => message::request(message, &mut self.state)?,
            Side::Server => message::response(message, &mut self.state)?,
        };
        let number = |key: &str| message.value(key).map(str::parse::<f64>).transpose();
        let sent = number("sent").map_err(|error| error.to_string())?;
        let pace = number("pace").map_err(|error| error.to_string())?.unwrap_or(0.0);
        // Conversions saturate.
        let sent = sent.map_or(bytes.body.len(), |sent| (sent as usize).min(bytes.body.len()));
        let body = bytes.body.get(..sent).unwrap_or_default();
        let cost = bytes.head.len() + body.len();
        self.left = self.left.checked_sub(cost).ok_or(TOO_LONG)?;
        let how = How {
            lost: message.has("lost"),
            dropped: message.has("dropped"),
            whole: message.has("whole"),
            pace: (pace * 1e9) as i64,
        };
        if let Some(held) = number("held").map_err(|error| error.to_string())? {
            self.wire.send(message.side, &bytes.head, how);
            self.wire.wait((held * 1e9) as i64);
            self.wire.send(message.side, body, how);
        } else {
            self.wire.send(message.side, &[&bytes.head[..], body].concat(), how);
        }
        Ok(())
    }

    fn scene(&mut self, scene: Scene<'_>) -> Result<(), String> {
        match scene {
            Scene::Repeat(_) => return Ok(()),
            Scene::Connection => {}
            Scene::Client(address) => self.wire.client = address,
            Scene::Server(address) => self.wire.server = address,
            Scene::Sees(side) => {
                self.wire.sees = side;
                return Ok(());
            }
            Scene::Url(url) => {
                let rest = url.strip_prefix("http://").ok_or("a URL begins with http://")?;
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                self.state.host = host.to_owned();
                self.state.path = if path.is_empty() { "/" } else { path }.to_owned();
                return Ok(());
            }
        }
        self.wire.leave();
        Ok(())
    }

    fn send(&mut self, side: Side, bytes: u64) -> Result<(), String> {
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.left);
        let bytes = bytes.ok_or(TOO_LONG)?;
        self.left -= bytes;
        self.wire.send(side, &vec![b'.'; bytes], How { dropped: true, ..How::default() });
        Ok(())
    }

    fn tcp(&mut self, event: Tcp<'_>) -> Result<(), String> {
        match event {
            Tcp::Reset(side, ttl, bare) => self.wire.reset(side, ttl, bare),
            Tcp::Send(side, bytes) => self.send(side, bytes)?,
            Tcp::Close(side) => self.wire.close(side),
            Tcp::Again(changed) => self.wire.again(changed, None),
            Tcp::AgainIn(bytes) => self.wire.again(false, Some(bytes)),
            Tcp::Mirrored => self.wire.mirrored(),
            Tcp::TooBig(mtu) => {
                let next_hop_mtu = mtu;
                self.wire.report(DestUnreachableHeader::FragmentationNeeded { next_hop_mtu });
            }
            Tcp::Unreachable(code) => {
                let header = DestUnreachableHeader::from_values(code, 0);
                self.wire.report(header.ok_or("no code of ICMP")?);
            }
            Tcp::Refused => self.wire.refused(),
            Tcp::Unanswered => self.wire.unanswered(),
            Tcp::Stall(side, secs) => self.wire.stall(side, (secs * 1e9) as i64),
            Tcp::Name(name, told) => {
                names::look_up(&mut self.wire, name, told).ok_or("no name for DNS")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;
    use crate::{Analysis, Options};

    fn sessions(text: &str) -> Vec<crate::model::Session> {
        let mut analysis = Analysis::new(Options { digest: true, ..Options::default() });
        for record in play(text).unwrap() {
            analysis.push(&record.frame(), &mut ());
        }
        analysis.finish(Vec::new(), &mut ()).sessions
    }

    #[test]
    fn a_dialogue_becomes_a_session() {
        let sessions = sessions(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-2999/5000\n< 200\n\
             = connection\n> PING\n< 200\n> FRAGMENT 3000-4999/5000\n< 200\n> CLOSE-SESSION\n< 200",
        );
        let [session] = &sessions[..] else { panic!("{} sessions", sessions.len()) };
        assert_eq!(session.outcome, Outcome::Completed);
        assert_eq!(session.id.as_deref(), Some("1"));
        assert_eq!(session.url.as_deref(), Some("http://server/upload/file.bin"));
        assert_eq!(session.bytes_acknowledged, 5000);
        assert!(session.file.as_ref().unwrap().sha256.is_some());
        assert_eq!(session.connections.len(), 2);
    }

    #[test]
    fn fields_can_be_set_added_and_taken_away() {
        let sessions = sessions(
            "> CREATE-SESSION\n  User-Agent: curl\n  Accept:\n< 403 plain\n  Server: nginx\n  | <h1>No</h1>",
        );
        let exchange = &sessions[0].exchanges[0];
        let (request, response) =
            (exchange.request.as_ref().unwrap(), exchange.response.as_ref().unwrap());
        assert_eq!(request.user_agent.as_deref(), Some("curl"));
        assert_eq!(response.server.as_deref(), Some("nginx"));
        assert_eq!(response.body_start, "<h1>No</h1>");
        assert!(!response.is_ack());
    }

    #[test]
    fn what_the_tap_missed_is_a_hole() {
        let sessions = sessions(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-2999/3000 lost\n< 200 received=3000",
        );
        assert!(sessions[0].connections[0].client_side.lost_by_capture > 3000);
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        let error = play("> CREATE-SESSION\n? what").unwrap_err();
        assert_eq!((error.line, error.problem.contains("begins with")), (2, true));
        assert_eq!(play("> PING\n\n> FRAGMENT 0-99999999/100000000").unwrap_err().line, 3);
    }
}
