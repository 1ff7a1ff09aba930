//! Look-ups of names.

use std::net::SocketAddr;

use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Name, Packet, Question, RCODE, ResourceRecord, TYPE};

use super::line::Told;
use super::wire::Wire;

const NAME_SERVER: ([u8; 4], u16) = ([10, 0, 0, 53], 53);
const CLIENT_PORT: u16 = 53_000;

/// A question, repeated where it is not answered; `None` where the name is none.
pub(super) fn look_up(wire: &mut Wire, name: &str, told: Told) -> Option<()> {
    let (client, server) =
        (SocketAddr::new(wire.client, CLIENT_PORT), SocketAddr::from(NAME_SERVER));
    let kind = if told == Told::NoSix { TYPE::AAAA } else { TYPE::A };
    let question = Question::new(Name::new(name).ok()?, kind.into(), CLASS::IN.into(), false);
    let mut asked = Packet::new_query(7);
    asked.questions.push(question);
    let tries = if told == Told::Nothing { 3 } else { 1 };
    for _ in 0..tries {
        wire.datagram(client, server, &asked.build_bytes_vec().ok()?);
        wire.wait(1_000_000_000);
    }
    let mut answer = asked.into_reply();
    match told {
        Told::Nothing => return Some(()),
        Told::Error(code) => *answer.rcode_mut() = code,
        Told::NoSix => *answer.rcode_mut() = RCODE::ServerFailure,
        Told::Address => {
            *answer.rcode_mut() = RCODE::NoError;
            let address = RData::A(A { address: u32::from_be_bytes([192, 0, 2, 80]) });
            let name = Name::new(name).ok()?;
            answer.answers.push(ResourceRecord::new(name, CLASS::IN, 60, address));
        }
    }
    wire.datagram(server, client, &answer.build_bytes_vec().ok()?);
    Some(())
}
