use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Name, Question as Asked, ResourceRecord, TYPE};

use super::*;
use crate::at::Timestamp;

fn ask(resolver: &mut Resolver, number: u64, name: &str, code: Option<RCODE>) {
    let mut message = Packet::new_query(number as u16);
    if let Some(code) = code {
        message = Packet::new_reply(number as u16);
        *message.rcode_mut() = code;
    }
    let name = Name::new(name).unwrap();
    if code == Some(RCODE::NoError) {
        let found = RData::A(A { address: 0x0a00_0005 });
        message.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 60, found));
    }
    message.questions.push(Asked::new(name, TYPE::A.into(), CLASS::IN.into(), false));
    let payload = message.build_bytes_vec().unwrap();
    let (client, server) = ("10.0.0.1:4000".parse().unwrap(), "10.0.0.53:53".parse().unwrap());
    let (from, to) = if code.is_some() { (server, client) } else { (client, server) };
    let at = At { frame: number, time: Timestamp::from_nanos(0), input: 0, input_frame: 0 };
    resolver.push(&Datagram { at, from, to, payload: &payload });
}

#[test]
fn what_waits_too_long_is_not_forgotten() {
    let mut resolver = Resolver::new(1_000);
    ask(&mut resolver, 1, "other.example", Some(RCODE::NameError));
    for number in 2..5 {
        ask(&mut resolver, number, "wsus.example", None);
    }
    for number in 5..5 + 2 * WAITING as u64 {
        ask(&mut resolver, number, &format!("h{number}.example"), None);
    }
    resolver.end();
    let of = |lookup: &&Lookup| lookup.name == "wsus.example";
    let failures = resolver.failures();
    let lookup = failures.iter().find(of).unwrap();
    assert_eq!((lookup.tries, lookup.span.frames()), (3, [2, 4]));
}

#[test]
fn an_answer_is_for_the_question_with_its_number() {
    let mut resolver = Resolver::new(1_000);
    ask(&mut resolver, 7, "wsus.example", None);
    ask(&mut resolver, 7, "wsus.example", Some(RCODE::NameError));
    resolver.end();
    let failures = resolver.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].failure, failures[0].tries), (Failure::NoSuchName, 1));
}

#[test]
fn a_name_that_is_found_in_the_end_did_not_fail() {
    let mut resolver = Resolver::new(1_000);
    ask(&mut resolver, 1, "wsus.example", Some(RCODE::Refused));
    assert_eq!(resolver.failures()[0].failure, Failure::Refused);
    ask(&mut resolver, 2, "wsus.example", None);
    ask(&mut resolver, 3, "wsus.example", None);
    ask(&mut resolver, 2, "wsus.example", Some(RCODE::NoError));
    resolver.end();
    assert_eq!(resolver.failures(), []);
}

#[test]
fn failures_beyond_the_cap_are_counted() {
    let mut resolver = Resolver::new(1);
    for name in ["a.example", "b.example", "a.example"] {
        ask(&mut resolver, 1, name, Some(RCODE::NameError));
    }
    assert_eq!((resolver.failures().len(), resolver.omitted()), (1, 1));
}
