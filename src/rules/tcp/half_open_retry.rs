//! The rule `half-open-retry`.

use crate::at::{At, Span};
use crate::model::{Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, icmp, look, reset, wording};
use crate::stream::{Connection, Side, vain};

rule! {
    /// Data was repeated without any acknowledgement until the client gave up, or to the end.
    ///
    /// The other side was gone, or the path to it. So it may be with answers of the server, as a capture beside that shows.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// = connection
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ! again
    /// ... 20 s
    /// = connection
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ... 1 s
    /// ! again
    /// ... 2 s
    /// ! again
    /// ... 4 s
    /// ! again
    /// ... 8 s
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// ! client resets
    /// ```
    /// Answers that do not arrive:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// = connection
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 dropped
    /// ! again
    /// ! again
    /// ```
    /// What a router reports of it tells why:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! unreachable 13
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-1999/20000 whole dropped
    /// ! too big 1000
    /// ! again
    /// ! unreachable 13
    /// ! again
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! unreachable 13
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! unreachable 1
    /// ! again
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look for an outage at this time: a failover, a route that changed, a VPN that came up, a host that moved.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the server shows whether the repeated segments arrive.
    /// Reference: RFC 9293 3.8.3
    Warning, belief 39, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for connection in session.connections() {
        let client = &connection.client_side;
        answers(session, connection, notes);
        let Some(last) = client.last_data.filter(|_| !connection.is_one_sided()) else { continue };
        let icmp = icmp::explains(session, connection);
        let since = client.waits.unwrap_or(last);
        let reported = icmp.is_some();
        let Some((end, what)) = end(session, connection, (since, last), reported) else { continue };
        // An RST or FIN of the server would explain the silence.
        let reset = connection.reset.filter(|reset| reset.side == Side::Server);
        let told = [reset.map(|reset| reset.at), connection.server_side.fin];
        let told = told.into_iter().flatten().any(|at| at.frame < end.frame);
        if told || icmp.is_none() && !vain::repeats(connection) {
            continue;
        }
        let message = format!(
            "no acknowledgement of {} in spite of {}; {what}",
            wording::counted(client.unacked(), "byte"),
            wording::counted(client.repeats, "repeated segment"),
        );
        let span = Span { first: since, last: end };
        let Some(icmp) = icmp else {
            let finding = notes.note(notes.severity(), Confidence::Likely, &[span], message);
            if let Some(finding) = finding.filter(|_| was_idle(session, connection)) {
                finding.advise(OF_IDLE);
            }
            continue;
        };
        let spans = [Span::at(icmp.at), span];
        let message = format!("{}; {message}", icmp::told(&icmp));
        let sure = if vain::repeats(connection) { Confidence::Certain } else { Confidence::Likely };
        let finding = notes.note(notes.severity(), sure, &spans, message);
        finding.into_iter().for_each(|finding| icmp::turn(finding, &icmp));
    }
}

/// Notes answers of the server that did not reach the client.
fn answers(session: &Session, connection: &Connection, notes: &mut Notes<'_>) {
    let server = &connection.server_side;
    let ends = server.waits.zip(server.last_data).filter(|_| vain::answers(connection));
    let Some((since, last)) = ends.filter(|_| !connection.is_one_sided()) else { return };
    let next = session.begun_after(since.frame);
    let then = match next {
        Some(next) => later(since, next.first, "a new connection"),
        None => TO_THE_END.to_owned(),
    };
    let repeated = match vain::is_one_way(connection) {
        true => format!(
            ", while the client repeated {} that the server had acknowledged",
            wording::counted(connection.client_side.resent.needless, "segment")
        ),
        false if next.is_some() => String::new(),
        // The client may just have left.
        false => return,
    };
    let message = format!(
        "no acknowledgement of {} of the server in spite of {}{repeated}; {then}",
        wording::counted(server.unacked(), "byte"),
        wording::counted(server.repeats, "repeated segment"),
    );
    let span = Span { first: since, last };
    let one_way = vain::is_one_way(connection);
    // A client that slept and came back has lost nothing.
    let severity = match session.outcome {
        Outcome::Completed if !one_way => Severity::Note,
        _ => notes.severity(),
    };
    let secs = connection.last.time.secs_since(since.time);
    let brief = next.is_none() && server.repeats < LASTING && secs < LASTING_SECS;
    // What is on its way when the capture ends may arrive.
    let sure = if brief { Confidence::Possible } else { Confidence::Likely };
    let finding = notes.note(severity, sure, &[span], message);
    if let Some(finding) = finding {
        finding.confirm_by("A capture on the client shows whether the answers arrive.");
        match one_way {
            true => finding.advise(OF_WAY_BACK),
            false => finding.advise(OF_SILENCE).turn_to("the network, or the client"),
        };
    }
}

/// What to do where answers do not arrive.
const OF_WAY_BACK: &str = "What the server sent did not reach the client: look at the way back for an outage at this time, a firewall or an address translator that dropped the connection, a route that differs from the way there.";

/// What to do where nothing comes from the client, either.
const OF_SILENCE: &str = "What the server sent did not reach the client, or the client slept, restarted or changed its network: look at what it did at this time, and at the way back for an outage, a firewall or an address translator that dropped the connection.";

/// What to do where the silence began behind a pause.
const OF_IDLE: &str = "The connection had been idle before: look for an idle timer on the way (a firewall, an address translator, a balancer) that drops connections without a word, and raise it above the pauses of the job; else for an outage at this time.";

/// Whether a pause that an idle timer may not outlive came before the last request of a connection.
fn was_idle(session: &Session, connection: &Connection) -> bool {
    let mut latest = session.on(connection.id).rev();
    let (last, before) = (latest.next(), latest.next());
    last.zip(before).is_some_and(|(last, before)| {
        last.span().first.time.secs_since(before.span().last.time) >= reset::IDLE_SECS
    })
}

/// What ended the wait that began at `since`, and how to say it. A host goes on to repeat, up to the `last` data, what
/// its client gave up. Where a router `reported` it, no long wait is needed.
fn end(
    session: &Session,
    connection: &Connection,
    (since, last): (At, At),
    reported: bool,
) -> Option<(At, String)> {
    // Beside a connection under way, another may begin whatever a single repeat tells.
    let gives_up =
        |next: &&Connection| next.first.frame > last.frame || vain::repeats_long(connection);
    let next = session.begun_after(since.frame).filter(gives_up);
    let next = next.map(|next| (next.first, later(since, next.first, "a new connection")));
    let reset = connection.reset.filter(|reset| reset.side == Side::Client);
    let over = connection.reset.is_some() || look::first_fin(connection).is_some();
    let lasts = || reported && !over || is_lasting(session, connection, last);
    let resets = |at: At| (at, later(since, at, "the client reset the connection"));
    next.or_else(|| reset.map(|reset| resets(reset.at)))
        .or_else(|| lasts().then(|| (last, TO_THE_END.to_owned())))
}

/// How long after `since` something happened.
fn later(since: At, at: At, what: &str) -> String {
    format!("{} later {what}", wording::lasting(at.time.secs_since(since.time)))
}

const TO_THE_END: &str = "nothing more was captured of the connection";

/// Whether the client repeats for so long that it would have heard of a single loss: it sends again only what nobody
/// acknowledged to it, whatever the capture lacks.
fn is_lasting(session: &Session, connection: &Connection, last: At) -> bool {
    let since = session.on(connection.id).next_back().map(|one| one.span().first.time);
    let secs = since.map_or(0.0, |since| last.time.secs_since(since));
    connection.client_side.repeats >= LASTING && secs >= LASTING_SECS
}

/// A host waits twice as long before each repeat (RFC 6298 5.5).
const LASTING: u32 = 4;
const LASTING_SECS: f64 = 10.0;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::at::At;
    use crate::rules::tests::{diagnosed, report};
    use crate::rules::{Confidence, Notes, Severity};
    use crate::transcript;

    #[test]
    fn a_host_repeats_what_its_client_gave_up() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n! again\n! again\n\
                    ! again\n... 4 s\n= connection\n> PING\n< 200\n> FRAGMENT 0-19/20\n< 200\n";
        let seen = Cell::new(0);
        // The last repeat comes behind the new connection.
        let records = transcript::delayed(text, 5_000_000_000, |data| {
            let repeats = data.windows(7).any(|bytes| bytes == b"0-9/20\r");
            seen.set(seen.get() + u32::from(repeats));
            repeats && seen.get() == 4
        });
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        let worst = |rule: &str| {
            let of = session.findings.iter().filter(|finding| finding.rule == rule);
            of.map(|finding| finding.severity).max()
        };
        assert_eq!(worst("half-open-retry"), Some(Severity::Warning));
        assert_eq!(worst("request-abandoned"), Some(Severity::Note));
    }

    #[test]
    fn who_reports_that_there_is_no_way_is_named() {
        let told = |code: u8| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n! unreachable {code}\n! again\n! again\n"
            ))
        };
        let filter = told(13);
        assert_eq!(filter.confidence, Confidence::Certain);
        let said = "ICMP 3/13, administratively prohibited, from 192.0.2.1; no acknowledgement of";
        assert!(filter.summary.contains(said), "{}", filter.summary);
        assert_eq!(filter.answerable.as_deref(), Some("the firewall that reported it"));
        assert_eq!(told(1).answerable.as_deref(), Some("the network"));
    }

    #[test]
    fn a_client_that_is_silent_may_have_slept() {
        let text = |then: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 dropped\n! again\n! again\n... 600 s\n\
                 = connection\n> FRAGMENT 10-19/20\n< 200\n{then}"
            )
        };
        let told = diagnosed(&text(""));
        assert_eq!(told.cause, "half-open-retry");
        assert_eq!(told.answerable.as_deref(), Some("the network, or the client"));
        let report = report(&text("> CLOSE-SESSION\n< 200\n"));
        let of = report.sessions[0].findings.iter().find(|one| one.rule == "half-open-retry");
        assert_eq!(of.map(|finding| finding.severity), Some(Severity::Note));
    }

    #[test]
    fn what_is_on_its_way_when_the_capture_ends_may_arrive() {
        let sure = |wait: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 dropped\n! again\n! again\n{wait}! again\n"
            );
            let mut session = report(&text).sessions.remove(0);
            let since = session.connections[0].server_side.waits.unwrap();
            let resent = session.connection_mut(0).client_side.resent.edit();
            resent.needless = 2;
            resent.needless_last = Some(At { frame: since.frame + 1, ..since });
            let (omitted, mut findings) = (Cell::new(0), Vec::new());
            let rule = &super::RULE;
            let notes = &mut Notes { rule, cap: 9, omitted: &omitted, findings: &mut findings };
            super::check(&session, notes);
            findings[0].confidence
        };
        assert_eq!(sure(""), Confidence::Possible);
        assert_eq!(sure("... 11 s\n"), Confidence::Likely);
        assert_eq!(sure("! again\n"), Confidence::Likely);
    }

    #[test]
    fn behind_a_pause_it_may_be_an_idle_timer() {
        let advice = |pause: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n... {pause}\n> FRAGMENT 0-9/20 dropped\n! again\n\
                 ! again\n... 20 s\n= connection\n> PING\n< 200\n"
            );
            let told = diagnosed(&text);
            assert_eq!(told.cause, "half-open-retry");
            told.advice.unwrap()
        };
        assert!(advice("900 s").contains("idle timer"));
        assert!(!advice("1 s").contains("idle timer"));
    }
}
