//! Legs of an upload that passes a proxy. The client of a leg behind it is the proxy: it leaves, speaks HTTP and
//! connects as its own settings have it, and what it meets is not what the log of the BITS client shows.

use std::net::SocketAddr;

use hashbrown::HashMap;

use crate::at::Span;
use crate::bits::protocol::is_unique;
use crate::model::{Exchange, Request, Session, Text};
use crate::rules::history::{Brief, Moved, canonical};
use crate::rules::{Around, Finding, named};

/// Whether the client of a session passes on what another asks of it: its requests bear marks of a hop, or the capture
/// has the leg in front of it, too.
pub fn is_relayed(session: &Session, around: &Around<'_>) -> bool {
    let marked = |exchange: &Exchange| exchange.request.as_ref().is_some_and(is_marked);
    session.exchanges.iter().any(marked) || front(session, around).is_some()
}

/// Whether a hop in front of whoever sent a request left its mark.
fn is_marked(request: &Request) -> bool {
    // Clients themselves write this one to their proxy.
    let own = "proxy-connection:";
    let is_own =
        |hop: &str| hop.get(..own.len()).is_some_and(|name| name.eq_ignore_ascii_case(own));
    request.hops.iter().any(|hop| !is_own(hop))
}

/// The leg in front of the proxy that is the client of a session: it went to that and was under way when this one
/// began. Where the proxy has another address on either side, it began before this one and ended behind it, and is not
/// the same connection behind an address translator, which keeps the port. A proxy may speak in the name of its client,
/// or be on the same machine.
fn front<'a>(session: &Session, around: &Around<'a>) -> Option<&'a Brief> {
    let Span { first, last } = session.span()?;
    let port = session.exchanges.first().map(|exchange| exchange.client.port());
    let is_in_front = |leg: &&Brief| {
        let under_way = leg.first.time <= first.time && first.time <= leg.last.time;
        let outlasts = last.time <= leg.last.time && leg.port != port;
        under_way && (leg.server.ip() == session.client.address || outlasts)
    };
    let same_client = |leg: &&Brief| {
        leg.client == session.client.address
            && leg.server != session.server.socket()
            && leg.has_path(session.url.as_deref())
    };
    let beside = around.other_legs().filter(same_client);
    around.same_id_elsewhere(session).chain(beside).find(is_in_front)
}

/// The two servers of which a proxy asked the second while an exchange waited, for a session that the first had made:
/// seen on the leg behind it.
pub fn moved_behind<'a>(
    session: &Session,
    exchange: &Exchange,
    around: &Around<'a>,
) -> Option<&'a Moved> {
    let waited = exchange.span();
    let mut moved = around.same_id_elsewhere(session).filter_map(|leg| leg.moved.as_deref());
    moved.find(|moved| {
        let asked = moved.lost.1.first.time;
        waited.first.time <= asked && asked <= waited.last.time
    })
}

/// Of earlier sessions leaves one leg each, the one that went to the server of `session` if any did, and of that none.
pub(super) fn leave_one_leg(earlier: &mut Vec<&Brief>, session: &Session) {
    if earlier.is_empty() {
        return;
    }
    let (Some(span), id, server) = (session.span(), canonical(session), session.server.socket())
    else {
        return;
    };
    earlier.sort_by_key(|brief| (brief.server != server, brief.last.time));
    let mut legs: HashMap<Text, &Brief> = HashMap::default();
    earlier.retain(|brief| {
        let Some(of) = brief.canonical_id().filter(|id| is_unique(id)) else { return true };
        let own = id.as_ref() == Some(&of) && is_beside(brief, server, span);
        let one = *legs.entry(of).or_insert(brief);
        !own && !is_beside(brief, one.server, one.span())
    });
}

/// Whether a session was under way at another server in the time of others.
fn is_beside(brief: &Brief, server: SocketAddr, span: Span) -> bool {
    brief.server != server && brief.span().meets(span)
}

/// What to say of a leg behind a proxy where a rule takes its client for the one of BITS.
struct Words {
    rule: &'static str,
    answerable: &'static str,
    advice: &'static str,
    confirm: &'static str,
}

const WORDS: [Words; 3] = [
    Words {
        rule: "request-abandoned",
        answerable: "the proxy that did not wait, or the server",
        advice: "The client of this leg is a proxy: raise its time-out for this path above 300 s, and see what kept the server busy; where its own client left first, look at that leg.",
        confirm: "The log of the proxy: its time-out, or that its client left. The server's log: whether it has the request, and its time-taken.",
    },
    Words { rule: "tcp-reset-by-client", answerable: LEFT, advice: OF_LEFT, confirm: LOG_OF_LEFT },
    Words {
        rule: "connection-closed-mid-request",
        answerable: LEFT,
        advice: OF_LEFT,
        confirm: LOG_OF_LEFT,
    },
];

const LEFT: &str = "the proxy that left, or the client in front of it";
const OF_LEFT: &str = "The client of this leg is a proxy: see whether a time-out or limit of its own made it leave, or its own client had left.";
const LOG_OF_LEFT: &str =
    "The log of the proxy at the same second; a capture of the leg in front of it.";

/// Gives findings about a client that left other words, where that is a proxy.
pub(super) fn reword(session: &Session, around: &Around<'_>, findings: &mut [Finding]) {
    if !findings.iter().any(|finding| of(finding).is_some()) || !is_relayed(session, around) {
        return;
    }
    for finding in findings {
        let (Some(words), Some(rule)) = (of(finding), named(&finding.rule)) else { continue };
        // A rule that has words of its own for the case knows better.
        if finding.advice == rule.read.advice {
            finding.message.push_str("; this client is a proxy");
            finding.turn_to(words.answerable).advise(words.advice).confirm_by(words.confirm);
        }
    }
}

fn of(finding: &Finding) -> Option<&'static Words> {
    WORDS.iter().find(|words| finding.rule == words.rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Report;
    use crate::rules::tests::report;

    /// The leg in front of a proxy.
    const FRONT: &str =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 2 s\n< 504 plain\n... -2 s\n";
    const BEHIND: &str = "= client 192.0.2.80\n= server 10.0.9.80:80\n";
    const LEFT_ALONE: &str =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 1900 ms\n! client resets\n";

    fn last(text: &str) -> Session {
        let Report { mut sessions, .. } = report(text);
        sessions.sort_by_key(|session| session.client.address);
        sessions.pop().unwrap()
    }

    #[test]
    fn every_rule_that_has_words_exists() {
        assert!(WORDS.iter().all(|words| named(words.rule).is_some()));
    }

    #[test]
    fn a_proxy_that_leaves_is_not_the_client_of_bits() {
        let told = |text: &str| last(text).diagnosis.unwrap();
        let marked = LEFT_ALONE.replace("20\n", "20\n  Via: 1.1 proxy\n");
        for text in [marked, format!("{FRONT}{BEHIND}{LEFT_ALONE}")] {
            let told = told(&text);
            assert_eq!(told.cause, "request-abandoned", "{text}");
            assert!(told.summary.contains("; this client is a proxy ("), "{}", told.summary);
            assert!(told.advice.unwrap().contains("raise its time-out"));
            assert!(!told.confirm.unwrap().contains("Event 61"));
        }
        let unique = format!("{FRONT}= server 10.0.9.80:80\n{LEFT_ALONE}")
            .replace("session=1", "session={11111111-2222-3333-4444-555555555555}");
        assert_eq!(told(&unique).cause, "request-abandoned");
        assert!(told(&unique).summary.contains("; this client is a proxy ("));
        let own = LEFT_ALONE.replace("20\n", "20\n  Proxy-Connection: Keep-Alive\n");
        for text in [LEFT_ALONE, &own] {
            assert_eq!(told(text).cause, "tcp-reset-by-client");
        }
    }

    #[test]
    fn both_legs_of_a_lost_session_are_one_attempt() {
        let attempt = |id: &str| {
            let open = format!("> CREATE-SESSION\n< 200 session={id}\n");
            let lost = "> FRAGMENT 0-9/20\n... 40 ms\n< 500 error=0x8020001F\n";
            let front = format!("= server 192.0.2.80:80\n{open}... 1 s\n{lost}");
            format!("{front}... -900 ms\n= server 10.0.9.80:80\n{open}... 700 ms\n{lost}... 9 s\n")
        };
        let first = attempt("{11111111-2222-3333-4444-555555555555}");
        let second = attempt("{22222222-2222-3333-4444-555555555555}");
        let third = attempt("{33333333-2222-3333-4444-555555555555}");
        let counted = |text: &str| {
            let found = report(text).sessions.into_iter().flat_map(|session| session.findings);
            let mut loops: Vec<_> =
                found.filter(|one| one.rule == "restart-loop").map(|one| one.message).collect();
            loops.sort();
            loops
        };
        assert_eq!(counted(&format!("{first}{second}")), Vec::<String>::new());
        let loops = counted(&format!("{first}{second}{third}"));
        let said = "attempt 3 at this upload after lost sessions, 20 bytes sent for nothing";
        let said = format!("{said}; same address and Server each time");
        assert_eq!(loops, [said.clone(), said]);
    }

    #[test]
    fn what_a_proxy_meets_is_in_no_log_of_the_client() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n! server closes\n! refused\n";
        let code = |text: &str| last(text).diagnosis.unwrap().client_error;
        assert_eq!(code(text).as_deref(), Some("0x80072EFD"));
        assert_eq!(code(&text.replace("20\n", "20\n  X-Forwarded-For: 10.0.0.7\n")), None);
        let front = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n... 1 s\n< 502 plain\n... -1 s\n";
        assert_eq!(code(&format!("{front}{BEHIND}... -3 ms\n{text}")), None);
        // What the server says comes through.
        let lost = "> CREATE-SESSION\n  Via: 1.1 proxy\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F\n";
        assert_eq!(code(lost).as_deref(), Some("0x8020001F"));
    }
}
