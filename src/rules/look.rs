//! Questions that several rules ask.

use crate::at::At;
use crate::bits::fields::ContentRange;
use crate::bits::{AGENT, PacketType};
use crate::model::{Exchange, Outcome, Request, Response, Session, Text};
use crate::rules::Severity;
use crate::rules::lost;
use crate::rules::origin::Origin;
use crate::rules::page::{self, Reason};
use crate::stream::{Connection, Side};

/// The shortest of the round time-outs that gateways come with.
pub const ROUND_TIMEOUT_SECS: f64 = 10.0;

/// The range that a Fragment carries.
pub fn range(exchange: &Exchange) -> Option<&ContentRange> {
    exchange.range().filter(|_| exchange.kind == PacketType::Fragment)
}

/// Whether the range of a Fragment, its length and the total of the session agree; `None` where it has no range.
pub fn range_agrees(session: &Session, exchange: &Exchange) -> Option<bool> {
    let range = range(exchange)?;
    let length = exchange.content_length();
    Some(range.valid && range.total == session.bytes_total && range.len() == length)
}

/// Texts of one field, of which only a new one is looked at: most exchanges repeat that of the one before.
#[derive(Default)]
pub struct Fresh<'a>(Option<&'a Text>);

impl<'a> Fresh<'a> {
    /// The text, unless it is the last one again.
    pub fn text(&mut self, text: Option<&'a Text>) -> Option<&'a str> {
        let known = text.is_none() || self.0 == text;
        self.0 = text.or(self.0);
        text.filter(|_| !known).map(|text| &**text)
    }
}

/// The request, where the capture has all of its head: only of such a one can it be said what it lacks.
pub fn whole_request(exchange: &Exchange) -> Option<&Request> {
    exchange.request.as_ref().filter(|request| !request.is_cut())
}

/// The answer, where the capture has all of its head.
pub fn whole_answer(exchange: &Exchange) -> Option<&Response> {
    exchange.response.as_ref().filter(|answer| !answer.is_cut())
}

/// Whether a request shows what it is, and nothing was lost by which another answer could have been taken for its own.
pub fn is_answered(session: &Session, exchange: &Exchange) -> bool {
    let lossy = |connection: &Connection| {
        connection.client_side.lost_by_capture > 0 && connection.server_side.lost_by_capture > 0
    };
    exchange.request.is_some()
        && exchange.response.is_some()
        && !exchange.is_unclear()
        && !session.connection(exchange.connection).is_some_and(lossy)
}

/// Whether a request [is answered](is_answered), and both heads are whole.
pub fn is_whole(session: &Session, exchange: &Exchange) -> bool {
    is_answered(session, exchange) && has_whole_heads(exchange)
}

/// Whether the capture has all of both heads.
pub fn has_whole_heads(exchange: &Exchange) -> bool {
    whole_request(exchange).is_some() && whole_answer(exchange).is_some()
}

/// Whether a request may be of another session: the capture ends within its head before that shows an id.
pub fn may_be_anothers(exchange: &Exchange) -> bool {
    let nameless = |request: &Request| request.is_cut() && request.session_id.is_none();
    exchange.request.as_ref().is_some_and(nameless)
}

/// The status of an answer, not by BITS itself, that a server may give for want of a client certificate.
pub fn forbidden(exchange: &Exchange) -> Option<u16> {
    let answer = exchange.response.as_ref().filter(|answer| answer.error_value().is_none())?;
    let reason = || page::reason(answer).map(|(reason, _)| reason);
    let wants = answer.http_status == 403
        || answer.http_status == 400 && reason() == Some(Reason::Certificate);
    wants.then_some(answer.http_status)
}

/// Whether a BITS server gave the answer to an exchange.
pub fn is_by_bits(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(Response::is_ack)
}

/// Whether an exchange is a Create-Session that a BITS server answered with success.
pub fn creates(exchange: &Exchange) -> bool {
    exchange.kind == PacketType::CreateSession && exchange.succeeded() && is_by_bits(exchange)
}

/// The first Create-Session of a session that a BITS server answered with success.
pub fn created(session: &Session) -> Option<&Exchange> {
    session.exchanges.iter().find(|exchange| creates(exchange))
}

/// Whether an exchange is a Fragment that was answered with success.
pub fn succeeded_fragment(exchange: &Exchange) -> bool {
    exchange.kind == PacketType::Fragment && exchange.succeeded()
}

/// The answer of a BITS server that refused a Create-Session, for another reason than missing credentials.
pub fn refused_create(exchange: &Exchange) -> Option<&Response> {
    let answer = exchange.response.as_ref()?;
    let refused = answer.is_ack() && answer.refuses();
    (exchange.kind == PacketType::CreateSession && refused).then_some(answer)
}

/// Whether an error was the application's behind the server, or its context may be cut off.
pub fn may_be_of_application(answer: &Response) -> bool {
    answer.is_of_application() || answer.error_context.is_none() && answer.is_cut()
}

/// The exchanges behind one.
pub fn after<'a>(session: &'a Session, exchange: &Exchange) -> impl Iterator<Item = &'a Exchange> {
    let frame = exchange.span().first.frame;
    let place = session.exchanges.partition_point(|other| other.span().first.frame <= frame);
    session.exchanges.get(place..).unwrap_or_default().iter()
}

/// Whether any exchange behind one succeeded.
pub fn goes_on(session: &Session, exchange: &Exchange) -> bool {
    session.succeeds_after(exchange.span().first.frame)
}

/// Whether the client made do with an answer: any exchange behind it succeeded, or the upload is done.
pub fn went_on(session: &Session, exchange: &Exchange) -> bool {
    session.outcome.is_done() || goes_on(session, exchange)
}

/// Whether a Fragment behind an exchange was answered with success.
pub fn fragment_follows(session: &Session, exchange: &Exchange) -> bool {
    session.last_success(&PacketType::Fragment) > exchange.span().first.frame
}

/// The exchanges ahead of one, the last one in front: as many as tell how far the file got, where anything does.
pub fn ahead<'a>(session: &'a Session, exchange: &Exchange) -> impl Iterator<Item = &'a Exchange> {
    before(session, exchange).iter().rev()
}

/// The exchanges ahead of one in order: as many as tell how far the file got, where anything does.
pub fn before<'a>(session: &'a Session, exchange: &Exchange) -> &'a [Exchange] {
    let frame = exchange.span().first.frame;
    let place = session.exchanges.partition_point(|other| other.span().first.frame < frame);
    session.exchanges.get(place.saturating_sub(LOOKED_AT)..place).unwrap_or_default()
}

/// Exchanges looked at for each one, so that a session of many is judged in time.
const LOOKED_AT: usize = 4_096;

/// The response to a packet that may open a session, where it is neither from BITS nor an authentication round.
pub fn foreign(exchange: &Exchange) -> Option<&Response> {
    stranger(exchange).filter(|_| exchange.kind.precedes_session())
}

/// Requests that IIS itself, not BITS, answered by 404, and these answers.
pub fn unknown_to_iis(session: &Session) -> impl Iterator<Item = (&Exchange, &Request, &Response)> {
    session.exchanges.iter().filter_map(|exchange| {
        let (request, response) = (exchange.request.as_ref()?, foreign(exchange)?);
        let by_iis = response.http_status == 404 && Origin::of_response(response) == Origin::Iis;
        by_iis.then_some((exchange, request, response))
    })
}

/// The response to any packet where it is neither from BITS nor an authentication round, nor about its size.
pub fn stranger(exchange: &Exchange) -> Option<&Response> {
    strange(exchange).filter(|_| exchange.request.is_some())
}

fn strange(exchange: &Exchange) -> Option<&Response> {
    let step = |answer: &Response| answer.is_challenge() || answer.http_status == 413;
    whole_answer(exchange).filter(|answer| !answer.is_ack() && !answer.accepts() && !step(answer))
}

/// As [`stranger`], of a request that the capture lacks, with the seconds that its client had waited at most.
pub fn stranger_alone<'a>(
    session: &Session,
    exchange: &'a Exchange,
) -> Option<(&'a Response, f64)> {
    let response = strange(exchange).filter(|_| exchange.request.is_none())?;
    let sent = session.connection(exchange.connection)?.client_side.last_data?;
    let first = response.span.first;
    (sent.frame < first.frame).then(|| (response, first.time.secs_since(sent.time)))
}

/// Whether a later packet that carries the upload on was answered with success.
fn is_made_good(session: &Session, exchange: &Exchange) -> bool {
    session.carried_on() > exchange.span().first.frame
        || is_opened_after(session, exchange)
        || lost::is_done_unheard(session, exchange)
}

/// Whether Fragments with an id follow a Create: the client was let in, be it that the capture lacks every answer.
fn is_opened_after(session: &Session, exchange: &Exchange) -> bool {
    let opens = exchange.kind == PacketType::CreateSession;
    let frame = exchange.span().first.frame;
    opens && session.last_success(&PacketType::Fragment).max(session.asked_on()) > frame
}

/// Whether something in front of BITS answered, and let the same pass later: BITS answered that, whatever it said. Of
/// what may have been carried out, an unknown session may be a consequence.
pub fn is_let_pass(session: &Session, exchange: &Exchange) -> bool {
    let Some(answer) = whole_answer(exchange) else { return false };
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
        same && later.span().first.frame > exchange.span().first.frame
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

/// Whether fields of the protocol are there besides its type.
pub fn bears_bits(response: &Response) -> bool {
    response.session_id.is_some() || response.protocol.is_some() || response.next_offset.is_some()
}

/// Seconds from the end of the request to the answer; 0 for one that did not wait for the end.
pub fn wait_secs(exchange: &Exchange) -> f64 {
    match (&exchange.request, &exchange.response) {
        (Some(request), Some(response)) if !request.lacks_body_in_time() => {
            response.span.first.time.secs_since(request.span.last.time).max(0.0)
        }
        _ => 0.0,
    }
}

/// Whether it is known when the request ended: of a Fragment of which the head is cut, the length is unknown. One that
/// was answered before had not.
pub fn knows_end(exchange: &Exchange) -> bool {
    let early = exchange.request.as_ref().is_some_and(Request::lacks_body_in_time);
    !early && (exchange.kind != PacketType::Fragment || whole_request(exchange).is_some())
}

/// Who closed a connection first, and when.
pub fn first_fin(connection: &Connection) -> Option<(Side, At)> {
    let sides = [Side::Client, Side::Server];
    let fins = sides.into_iter().filter_map(|side| Some((side, connection.side(side).fin?)));
    fins.min_by_key(|(_, fin)| fin.frame)
}

/// Whether a Close or Cancel was answered with success before an exchange began.
pub fn is_over_before(session: &Session, exchange: &Exchange) -> bool {
    let over = session.over();
    over.is_some_and(|over| over < exchange.span().first.frame)
}

/// Whether an exchange [came behind the end](is_over_before), or an Ack that must be that of a Close that the capture
/// lacks.
pub fn is_likely_over_before(session: &Session, exchange: &Exchange) -> bool {
    let over = session.close_unseen();
    is_over_before(session, exchange) || over.is_some_and(|over| over < exchange.span().first.frame)
}

/// The Close before an exchange that had closed the session already, where the client had the answer.
pub fn closed_before<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    let done = session.first_success(&PacketType::CloseSession)?;
    let earlier = done.span().last.frame < exchange.span().first.frame;
    let arrived = |connection: &Connection| connection.server_side.unacked() == 0;
    let heard = done.connection == exchange.connection
        || session.connection(done.connection).is_some_and(arrived);
    (earlier && heard).then_some(done)
}

/// The answer that refused an exchange: one of 400 and above that is no authentication round, or an error of the
/// application.
pub fn refusal(exchange: &Exchange) -> Option<&Response> {
    let fails = |answer: &Response| answer.http_status >= 400 || answer.is_of_application();
    exchange.response.as_ref().filter(|answer| fails(answer) && answer.refuses())
}

/// Whether an exchange was [refused](refusal).
pub fn refused(exchange: &Exchange) -> bool {
    refusal(exchange).is_some()
}

/// Whether a later exchange of the same kind succeeded, a Fragment with what this one was to bring, though the capture
/// may lack that: a Fragment that did shows it of a Create before it, the whole file of a Fragment, or of what may be
/// one. Of a Ping, any packet that carries the upload on does.
pub fn recovered(session: &Session, exchange: &Exchange) -> bool {
    let last = |kind: &PacketType| session.last_success(kind);
    let frame = exchange.span().first.frame;
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

/// Whether a Fragment holds the last byte of the file.
pub fn is_final(exchange: &Exchange) -> bool {
    range(exchange).is_some_and(|range| range.total.is_some() && range.behind() == range.total)
}

/// Whether the client says that it is the one of Windows.
pub fn claims_windows(session: &Session) -> bool {
    session.user_agent.as_deref().is_some_and(|agent| agent.starts_with(AGENT))
}
