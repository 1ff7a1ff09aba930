//! What came before and behind an exchange in its session, and what that makes of a finding.

use crate::bits::PacketType;
use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Severity, look, lost};
use crate::stream::Connection;

/// The first Create-Session of a session that a BITS server answered with success.
pub fn created(session: &Session) -> Option<&Exchange> {
    session.exchanges.iter().find(|exchange| look::creates(exchange))
}

/// The exchanges behind one.
pub fn after<'a>(session: &'a Session, exchange: &Exchange) -> impl Iterator<Item = &'a Exchange> {
    let frame = exchange.begins();
    let place = session.exchanges.partition_point(|other| other.begins() <= frame);
    session.exchanges.get(place..).unwrap_or_default().iter()
}

/// Whether any exchange behind one succeeded.
pub fn goes_on(session: &Session, exchange: &Exchange) -> bool {
    session.succeeds_after(exchange.begins())
}

/// Whether the client made do with an answer: any exchange behind it succeeded, or the upload is done.
pub fn went_on(session: &Session, exchange: &Exchange) -> bool {
    session.outcome.is_done() || goes_on(session, exchange)
}

/// Whether a Fragment behind an exchange was answered with success.
pub fn fragment_follows(session: &Session, exchange: &Exchange) -> bool {
    session.last_success(&PacketType::Fragment) > exchange.begins()
}

/// The exchanges ahead of one, the last one in front: as many as tell how far the file got, where anything does.
pub fn ahead<'a>(session: &'a Session, exchange: &Exchange) -> impl Iterator<Item = &'a Exchange> {
    before(session, exchange).iter().rev()
}

/// The exchanges ahead of one in order: as many as tell how far the file got, where anything does.
pub fn before<'a>(session: &'a Session, exchange: &Exchange) -> &'a [Exchange] {
    let frame = exchange.begins();
    let place = session.exchanges.partition_point(|other| other.begins() < frame);
    session.exchanges.get(place.saturating_sub(REACH)..place).unwrap_or_default()
}

/// Exchanges looked at for each one, so that a session of many is judged in time.
const REACH: usize = 4_096;

/// Exchanges before or behind one that are looked at for something like it.
pub const LOOKED_AT: usize = 256;

/// Whether a later packet that carries the upload on was answered with success.
fn is_made_good(session: &Session, exchange: &Exchange) -> bool {
    session.carried_on() > exchange.begins()
        || is_opened_after(session, exchange)
        || lost::is_done_unheard(session, exchange)
}

/// Whether Fragments with an id follow a Create: the client was let in, be it that the capture lacks every answer.
fn is_opened_after(session: &Session, exchange: &Exchange) -> bool {
    let opens = exchange.kind == PacketType::CreateSession;
    let frame = exchange.begins();
    opens && session.last_success(&PacketType::Fragment).max(session.asked_on()) > frame
}

/// Whether something in front of BITS answered, and let the same pass later: BITS answered that, whatever it said. Of
/// what may have been carried out, an unknown session may be a consequence.
pub fn is_let_pass(session: &Session, exchange: &Exchange) -> bool {
    let Some(answer) = look::whole_answer(exchange) else { return false };
    if answer.is_ack() || answer.is_challenge() {
        return false;
    }
    let may_be_done =
        exchange.kind == PacketType::CloseSession || matches!(answer.http_status, 504 | 524);
    session.last_heard(&exchange.kind).is_some_and(|later| {
        let same = match (exchange.place(), later.place()) {
            // The client takes that one for accepted, and goes on behind it.
            (one, two) if answer.is_success() => one == two,
            (Some(one), Some(two)) => one <= two,
            (one, _) => one.is_none() && exchange.kind != PacketType::Fragment,
        };
        same && later.begins() > exchange.begins()
            && later.client.ip() == exchange.client.ip()
            && later.server == exchange.server
            && !(may_be_done && later.says_lost())
    })
}

/// What a finding about an answer from something in front of BITS is worth: as much as the rule says, a note where the
/// upload went on later, or it let the same pass.
pub fn unless_made_good(session: &Session, exchange: &Exchange, severity: Severity) -> Severity {
    let over = is_made_good(session, exchange) || is_let_pass(session, exchange);
    if over { Severity::Note } else { severity }
}

/// What a finding about a broken exchange is worth: as much as the rule says, a warning at most where the upload went
/// on later.
pub fn unless_overcome(session: &Session, exchange: &Exchange, severity: Severity) -> Severity {
    if is_made_good(session, exchange) { severity.min(Severity::Warning) } else { severity }
}

/// What a finding about a refused packet is worth: as much as the rule says, a note where the same was accepted later,
/// or what refused it let it pass.
pub fn unless_recovered(session: &Session, exchange: &Exchange, severity: Severity) -> Severity {
    let over = recovered(session, exchange) || is_let_pass(session, exchange);
    if over { Severity::Note } else { severity }
}

/// Whether a Close or Cancel was answered with success before an exchange began.
pub fn is_over_before(session: &Session, exchange: &Exchange) -> bool {
    let over = session.over();
    over.is_some_and(|over| over < exchange.begins())
}

/// Whether an exchange [came behind the end](is_over_before), or an Ack that must be that of a Close that the capture
/// lacks.
pub fn is_likely_over_before(session: &Session, exchange: &Exchange) -> bool {
    let over = session.close_unseen();
    is_over_before(session, exchange) || over.is_some_and(|over| over < exchange.begins())
}

/// The Close before an exchange that had closed the session already, where the client had the answer.
pub fn closed_before<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    let done = session.first_success(&PacketType::CloseSession)?;
    let earlier = done.ends() < exchange.begins();
    let arrived = |connection: &Connection| connection.server_side.unacked() == 0;
    let heard = done.connection == exchange.connection
        || session.connection(done.connection).is_some_and(arrived);
    (earlier && heard && !done.is_answered_for(exchange)).then_some(done)
}

/// Whether a later exchange of the same kind succeeded, a Fragment with what this one was to bring, though the capture
/// may lack that: a Fragment that did shows it of a Create before it, the whole file of a Fragment, or of what may be
/// one. Of a Ping, any packet that carries the upload on does.
pub fn recovered(session: &Session, exchange: &Exchange) -> bool {
    let last = |kind: &PacketType| session.last_success(kind);
    let frame = exchange.begins();
    let brings = match exchange.kind {
        PacketType::Fragment => true,
        PacketType::Unknown => session.carried_on() > frame,
        _ => false,
    };
    let closed = session.outcome == Outcome::Completed && !session.joined;
    let replayed = exchange.place().is_some_and(|start| session.bytes_acknowledged <= start);
    let pinged = exchange.kind == PacketType::Ping && session.carried_on() > frame;
    last(&exchange.kind) > frame && !(brings && replayed)
        || pinged
        || is_opened_after(session, exchange)
        || brings && (session.bytes_total == Some(session.bytes_acknowledged) || closed)
}
