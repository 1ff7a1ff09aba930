//! What an exchange is, as several rules ask it.

use crate::at::At;
use crate::bits::fields::ContentRange;
use crate::bits::{AGENT, PacketType};
use crate::model::{Exchange, Request, Response, Session, Text};
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
        let known = self.0 == text;
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

/// Who closed a connection first, and when. A FIN that was not captured, or is stored late, came before what acknowledged
/// it.
pub fn first_fin(connection: &Connection) -> Option<(Side, At)> {
    let sides = [Side::Client, Side::Server];
    let fins = sides.into_iter().filter_map(|side| Some((side, connection.side(side).fin?)));
    fins.min_by_key(|(side, fin)| {
        let known = &connection.side(*side).resent;
        (!known.fin_first, fin.frame, !known.fin_unseen)
    })
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

/// Whether a Fragment holds the last byte of the file.
pub fn is_final(exchange: &Exchange) -> bool {
    range(exchange).is_some_and(|range| range.total.is_some() && range.behind() == range.total)
}

/// Whether the client says that it is the one of Windows.
pub fn claims_windows(session: &Session) -> bool {
    session.user_agent.as_deref().is_some_and(|agent| agent.starts_with(AGENT))
}

#[cfg(test)]
mod tests {
    use crate::transcript;

    #[test]
    fn the_client_that_the_server_had_heard_of_closed_first() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n! server closes\n";
        let cause = |text: &str| {
            // The client's FIN is stored last.
            let records = transcript::delayed(text, 1_000_000_000, |data| {
                data[47] == 0x11 && data[36..38] == 80_u16.to_be_bytes()
            });
            let report = transcript::analyse(&records, &mut ());
            report.sessions[0].diagnosis.as_ref().unwrap().cause.to_string()
        };
        assert_eq!(cause(text), "request-abandoned");
        let by_server = text.replace("! client closes\n", "");
        assert_eq!(cause(&by_server), "response-cut-off");
    }
}
