//! A session from its exchanges: what was agreed, how far the file got, how it ended.

use super::exchange::{Body, Exchange, Request, Response};
use super::index::Index;
use super::negotiation::Negotiation;
use super::ranges::Ranges;
use super::replaced;
use super::scattered;
use super::session::{Client, File, Fragment, Missing, Server, Session, SessionError};
use super::text::Text;
use super::url;
use crate::at::Numbered;
use crate::bits::PacketType;
use crate::bits::hresult;

/// Puts a session together from its exchanges, in the order of their requests. `sha256` is that of the whole file,
/// where it was computed. `None` for no exchange at all.
pub fn fold(exchanges: Vec<Exchange>, sha256: Option<String>) -> Option<Session> {
    let (first, (started, ended)) = (exchanges.first()?, Exchange::times_of(&exchanges)?);
    let view = View::of(&exchanges);
    let (outcome, outcome_qualifiers) = view.outcome();
    let error = outcome.is_failure().then(|| view.error()).flatten();
    let origin = exchanges
        .iter()
        .find(|exchange| exchange.kind == PacketType::CreateSession)
        .unwrap_or(first);
    let urls = || requests(&exchanges).map(|(one, request)| (one, url::of(one, request)));
    // What it was before the server sent the client to another host.
    let at_origin = urls().filter(|(one, _)| one.server == origin.server).find_map(|(_, url)| url);
    let named = at_origin.or_else(|| urls().find_map(|(_, url)| url));
    let acks = || exchanges.iter().filter_map(|exchange| exchange.response.as_ref());
    let text = |pick: fn(&Request) -> &Option<Text>| {
        requests(&exchanges).find_map(|(_, request)| pick(request).clone())
    };
    Some(Session {
        id: view.id(),
        outcome,
        outcome_qualifiers,
        joined: view.joined,
        client: Client { address: origin.client.ip() },
        server: Server { host: named.map(|url| url.host.into()), ..Server::from(origin.server) },
        url: named.map(|url| url.text().into()),
        user_agent: text(|request| &request.user_agent),
        content_name: text(|request| &request.content_name),
        negotiation: view.negotiation(),
        host_id: acks().find_map(|ack| ack.host_id.clone()),
        host_id_fallback_timeout_seconds: acks()
            .find_map(|ack| ack.host_id_fallback_timeout_seconds),
        reply_url: acks().find_map(|ack| ack.reply_url.clone()),
        reply: None,
        notifications: Vec::new(),
        fragments: view.fragments(),
        bytes_total: view.total,
        bytes_sent: view.sent().map(|(_, body)| body.bytes).sum(),
        bytes_unique: view.unique().len(),
        bytes_acknowledged: view.confirmed(),
        file: view.file(sha256),
        error,
        started,
        ended,
        duration_seconds: ended.secs_since(started),
        superseded_by: None,
        diagnosis: None,
        findings: Vec::new(),
        connections: Vec::new(),
        exchanges,
        exchanges_omitted: 0,
        lacks_end: false,
        lacks_beside: 0,
        weight: 0,
        index: Index::default(),
    })
}

fn requests(exchanges: &[Exchange]) -> impl Iterator<Item = (&Exchange, &Request)> {
    exchanges.iter().filter_map(|exchange| Some((exchange, exchange.request.as_ref()?)))
}

/// Whether it is a Create-Session that does not say so: no other packet makes offers ([MC-BUP] 2.2.2.2).
fn opens_untyped(exchange: &Exchange) -> bool {
    let offers = |request: &Request| {
        request.packet_type.is_none() && request.supported_protocols.is_some() && !request.is_cut()
    };
    exchange.kind == PacketType::Unknown && exchange.request.as_ref().is_some_and(offers)
}

/// The length of the file, by the first Fragment that was not refused; where all were, by the first ([MC-BUP] 2.2.6.1).
pub(crate) fn length(exchanges: &[Exchange]) -> Option<u64> {
    let all = || own(exchanges).filter_map(|exchange| Some((exchange, exchange.range()?.total?)));
    let stands = |exchange: &Exchange| exchange.response.as_ref().is_none_or(Response::is_success);
    let first = all().find(|(exchange, _)| stands(exchange)).or_else(|| all().next());
    first.map(|(_, total)| total)
}

/// How far the server had confirmed the file behind the last of these.
pub(crate) fn confirmed(exchanges: &[Exchange]) -> u64 {
    View::of(exchanges).confirmed()
}

/// All but the Fragments after a Close that succeeded: they are none of the upload. On another connection, frames that
/// were stored out of order still have their times.
pub(super) fn own(exchanges: &[Exchange]) -> impl DoubleEndedIterator<Item = &Exchange> {
    let closes =
        |exchange: &Exchange| exchange.kind == PacketType::CloseSession && exchange.succeeded();
    let end = exchanges.iter().position(closes).unwrap_or(exchanges.len());
    let closed = exchanges.get(end);
    let before = move |exchange: &Exchange| {
        closed.is_none_or(|close| {
            close.connection != exchange.connection
                && exchange.span().first.time < close.span().first.time
        })
    };
    let all = exchanges.iter().enumerate();
    all.filter(move |(place, exchange)| {
        *place < end || exchange.kind != PacketType::Fragment || before(exchange)
    })
    .map(|(_, exchange)| exchange)
}

/// Exchanges with what several answers need.
pub(super) struct View<'a> {
    pub exchanges: &'a [Exchange],
    pub total: Option<u64>,
    pub acknowledged: u64,
    pub joined: bool,
}

impl<'a> View<'a> {
    pub fn of(exchanges: &'a [Exchange]) -> Self {
        let total = length(exchanges);
        let start_seen = exchanges.iter().any(|exchange| {
            exchange.kind == PacketType::CreateSession
                || opens_untyped(exchange)
                || exchange.opens_session()
        });
        let start_seen = start_seen || exchanges.first().is_some_and(Exchange::is_unclear);
        let mut view = Self { exchanges, total, acknowledged: 0, joined: !start_seen };
        view.joined &= !view.is_bare();
        view.acknowledged = view.scattered().unwrap_or_else(|| view.last_offset());
        view
    }

    pub fn of_kind(&self, kind: &PacketType) -> impl DoubleEndedIterator<Item = &'a Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.kind == *kind)
    }

    fn id(&self) -> Option<Text> {
        let given = |exchange: &Exchange| {
            exchange.response.as_ref()?.session_id.clone().filter(|id| !id.is_empty())
        };
        let created = self.of_kind(&PacketType::CreateSession).find_map(given);
        let asked = || requests(self.exchanges).find_map(|(_, request)| request.session_id.clone());
        created.or_else(asked).or_else(|| self.exchanges.iter().find_map(given))
    }

    /// The Create-Session that counts: the one that succeeded, be it that only its answer was seen, else the last.
    pub fn create(&self) -> Option<&'a Exchange> {
        let succeeded = |exchange: &&Exchange| exchange.succeeded();
        let opens = |exchange: &&Exchange| exchange.opens_session();
        let answers = || self.of_kind(&PacketType::Unknown).filter(opens);
        let creates = || self.of_kind(&PacketType::CreateSession);
        creates()
            .find(succeeded)
            .or_else(|| answers().find(succeeded))
            .or_else(|| creates().next_back())
            .or_else(|| self.exchanges.iter().find(opens))
            .or_else(|| self.exchanges.iter().rfind(|exchange| opens_untyped(exchange)))
    }

    fn negotiation(&self) -> Option<Negotiation> {
        let create = self.create()?;
        let tried =
            self.of_kind(&PacketType::CreateSession).rfind(|one| one.begins() < create.begins());
        Some(Negotiation::of(create).or_offered_in(tried.filter(|_| create.request.is_none())))
    }

    /// Whether nothing of it needs a session.
    pub fn is_bare(&self) -> bool {
        self.exchanges.iter().all(Exchange::is_bare)
    }

    /// The server's last word on the offset. An answer that comes behind one to a later request was held up on a
    /// connection that the client had given up: how far the file got since, it does not tell.
    fn last_offset(&self) -> u64 {
        let replaced = replaced::since(self.exchanges);
        let offset = |exchange: &Exchange| {
            let is_of_page = |answer: &Response| {
                answer.packet_type.is_none()
                    && replaced.is_some_and(|since| exchange.begins() >= since)
            };
            let tells = |answer: &&Response| answer.tells_offset() && !exchange.is_answered_short();
            let response = exchange.response.as_ref().filter(tells)?;
            let announced = || exchange.range()?.behind();
            let untold = response.http_status == 416 || is_of_page(response);
            let implied = || if untold { None } else { announced() };
            let next = response.next_offset.or_else(implied)?;
            let answered = response.span.first.frame;
            // What comes behind its answer is repeated.
            let asked = exchange.request.as_ref().map(|_| exchange.begins());
            exchange.kind.may_be_fragment().then_some((asked, answered, next))
        };
        let told = || own(self.exchanges).filter_map(offset);
        let latest = told().max_by_key(|(asked, ..)| *asked);
        // An answer whose request the capture lacks may stand behind others that came later.
        let alone = told().filter(|(asked, ..)| asked.is_none());
        let last = latest.into_iter().chain(alone).max_by_key(|(_, frame, _)| *frame);
        let last = last.map_or(0, |(.., next)| next);
        self.total.map_or(last, |total| last.min(total))
    }

    /// How far the server has confirmed the file, be there holes that it was not seen to fill.
    fn confirmed(&self) -> u64 {
        let last = self.last_offset();
        let counts = last > self.acknowledged && !scattered::fills_holes(self.exchanges);
        if counts { last } else { self.acknowledged }
    }

    /// How many bytes a server has that takes them in any order, and confirms of each Fragment its own end only; `None`
    /// where nothing tells that it is such a one. It may have some that the capture does not show.
    fn scattered(&self) -> Option<u64> {
        let (mut had, mut astray) = (Ranges::default(), false);
        for exchange in self.of_kind(&PacketType::Fragment) {
            let Some(response) = &exchange.response else { continue };
            let (start, end) = exchange.bounds()?;
            if response.is_challenge() {
                continue;
            }
            if !exchange.succeeded() || response.next_offset.is_some_and(|next| next != end) {
                return None;
            }
            astray |= start > had.reach(0);
            had.add(start, end);
        }
        let whole = had.covers(0, self.total?);
        let may_have_more = !whole && (self.joined || self.may_lack_some());
        let len = if may_have_more { had.len().max(self.last_offset()) } else { had.len() };
        (astray && (whole || scattered::takes_any_order(self.exchanges))).then_some(len)
    }

    /// Whether there may be Fragments that the capture lacks: behind a hole, or on a connection that it has nothing of.
    fn may_lack_some(&self) -> bool {
        let first = self.exchanges.first().map(|exchange| exchange.connection);
        scattered::lacks_some(self.exchanges)
            || self.exchanges.iter().any(|exchange| Some(exchange.connection) != first)
    }

    fn fragments(&self) -> Vec<Fragment> {
        let fragments = self.of_kind(&PacketType::Fragment);
        fragments
            .filter_map(|exchange| {
                let request = exchange.request.as_ref()?;
                let range = request.content_range.as_ref();
                let response = exchange.response.as_ref();
                Some(Fragment {
                    start: range.and_then(|range| range.start),
                    end: range.and_then(|range| range.end),
                    total: range.and_then(|range| range.total),
                    http_status: response.map(|response| response.http_status),
                    next_offset: response.and_then(|response| response.next_offset),
                    request_frame: Numbered(request.span.first),
                    response_frame: response.map(|response| Numbered(response.span.first)),
                })
            })
            .collect()
    }

    /// Each Fragment whose request was seen, with its body.
    fn sent(&self) -> impl Iterator<Item = (&'a Exchange, &'a Body)> {
        self.of_kind(&PacketType::Fragment)
            .filter_map(|exchange| Some((exchange, &exchange.request.as_ref()?.body)))
    }

    fn unique(&self) -> Ranges {
        let mut ranges = Ranges::default();
        for (exchange, body) in self.sent() {
            if let Some(start) = exchange.place() {
                ranges.add(start, start.saturating_add(body.bytes));
            }
        }
        ranges
    }

    /// The bytes of the file that the capture holds, whatever the server made of them.
    fn captured(&self) -> Ranges {
        let mut all = Ranges::default();
        for (exchange, body) in self.sent() {
            let Some(start) = exchange.place() else { continue };
            let mut seen = Ranges::default();
            seen.add(start, start.saturating_add(body.bytes));
            for hole in &body.lacks.holes {
                let from = start.saturating_add(hole.offset);
                seen.remove(from, from.saturating_add(hole.bytes));
            }
            seen.iter().for_each(|(start, end)| all.add(start, end));
        }
        all
    }

    fn file(&self, sha256: Option<String>) -> Option<File> {
        let size = self.total?;
        let missing = self.captured().missing(size);
        let whole = missing.is_empty();
        let missing = missing.iter().map(|(start, end)| Missing { start, end: end - 1 }).collect();
        Some(File { size, sha256: sha256.filter(|_| whole), whole, missing })
    }

    fn error(&self) -> Option<SessionError> {
        let response = self
            .exchanges
            .iter()
            .rev()
            .filter_map(|exchange| exchange.response.as_ref())
            .enumerate()
            // What is no Ack is an error by itself only where nothing was answered behind it.
            .find(|(back, response)| !response.is_success() || *back == 0 && !response.accepts())?
            .1;
        let code = response.error_value();
        Some(SessionError {
            http_status: response.http_status,
            hresult: code.map(hresult::hex),
            symbol: code.and_then(hresult::symbol).map(str::to_owned),
            context: response.error_context.clone(),
            frame: Numbered(response.span.first),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, Qualifier};
    use crate::transcript;

    #[test]
    fn an_upload_takes_as_long_as_its_times_lie_apart() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... -5 s\n< 200\n";
        let report = transcript::analyse(&transcript::play(text).unwrap(), &mut ());
        let session = &report.sessions[0];
        assert!(session.started < session.ended);
        assert!((4.0..5.0).contains(&session.duration_seconds), "{}", session.duration_seconds);
    }

    #[test]
    fn the_last_word_is_the_answer_that_came_last() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n< 200\n";
        let records = transcript::play(text).unwrap();
        let mut exchanges = transcript::analyse(&records, &mut ()).sessions.remove(0).exchanges;
        // The request was lost, and its answer came behind the next one.
        let mut first = exchanges.remove(1);
        first.request = None;
        exchanges.push(first);
        assert_eq!(fold(exchanges, None).unwrap().bytes_acknowledged, 20);
    }

    #[test]
    fn an_answer_to_a_request_that_was_given_up_takes_nothing_back() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 9 s\n< 200\n... -6 s\n\
                    = connection\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 200\n... 8 s\n\
                    > CLOSE-SESSION\n< 200\n";
        let records = transcript::delayed(text, 0, |_| false);
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        assert_eq!(session.outcome, Outcome::Completed, "{:?}", session.findings);
        assert_eq!((session.bytes_acknowledged, session.exchanges.len()), (20, 5));
    }

    #[test]
    fn an_answer_or_a_fragment_that_is_stored_late_is_none_that_came_later() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 200\n\
                    > CLOSE-SESSION\n< 200\n";
        let records = transcript::play(text).unwrap();
        let mut exchanges = transcript::analyse(&records, &mut ()).sessions.remove(0).exchanges;
        exchanges[1].response.as_mut().unwrap().span.first.frame = 1_000;
        exchanges.swap(2, 3);
        exchanges[3].connection = 2;
        let session = fold(exchanges, None).unwrap();
        assert_eq!((session.bytes_acknowledged, session.outcome.name()), (20, "completed"));
    }

    #[test]
    fn what_was_answered_behind_it_leaves_200_no_error() {
        let status = |rest: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 plain\n{rest}"
            );
            let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut ());
            report.sessions[0].error.as_ref().map(|error| error.http_status)
        };
        assert_eq!(status("> CLOSE-SESSION\n< 200\n"), None);
        assert_eq!(status("> CLOSE-SESSION\n< 500\n"), Some(500));
    }

    #[test]
    fn a_server_that_names_last_bytes_closes_what_is_likely_whole() {
        let told = |acks: [u32; 2]| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 received={}\n\
                 > FRAGMENT 10-19/20\n< 200 received={}\n> CLOSE-SESSION\n< 200\n",
                acks[0], acks[1]
            );
            let session =
                transcript::analyse(&transcript::play(&text).unwrap(), &mut ()).sessions.remove(0);
            (session.outcome, session.outcome_qualifiers)
        };
        assert_eq!(told([9, 19]), (Outcome::Completed, vec![Qualifier::Likely]));
        assert_eq!(told([10, 19]).0, Outcome::Failed);
    }
}
