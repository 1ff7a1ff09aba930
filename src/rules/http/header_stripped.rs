//! The rule `header-stripped`.

use std::iter;

use crate::at::Span;
use crate::model::{Exchange, Session};
use crate::rules::history::Names;
use crate::rules::stripped::{self, Sign, Stripped};
use crate::rules::{Around, Confidence, Notes, course, look};

rule! {
    /// Something on the way took BITS fields out of a message.
    ///
    /// The answer is a success and no page, its server is known to speak BITS or is an IIS that would refuse the verb
    /// without it, and it passed a proxy: what lets only known header fields through leaves an Ack without its
    /// contents. Where the capture has both sides of the proxy, a refused request that lacks a field on one of them
    /// tells as much.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// The capture has both sides of a proxy that does not tell of itself:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    /// ... -2 s
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// It writes another host into the request:
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// = url http://node/upload/file.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// It has another address on the side of the server:
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 400 error=0x80070057 context=0x5
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// The client goes on without the type:
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 session=1
    ///   BITS-Packet-Type:
    /// > FRAGMENT 0-9/10
    /// < 200
    ///   BITS-Packet-Type:
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// Another client uploads to the same URL elsewhere:
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 3 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 error=0x80070057 context=0x5
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CLOSE-SESSION session=1
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: nginx/1.22.1
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Let the fields that begin with BITS- pass in both directions, or let the client go around the proxy.
    /// Confirm: Captures on both sides of the proxy: the same message has its BITS fields on one of them only.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 89, needs WholeExchange, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(Stripped { response, hop, leg, sign }) = Stripped::of(session, exchange, around)
    else {
        return of_request(session, exchange, around, notes);
    };
    let spans: Vec<Span> = iter::once(exchange.span()).chain(leg).collect();
    let lacks = if look::bears_bits(response) { "BITS-Packet-Type" } else { "a BITS field" };
    let message = format!(
        "the {} was answered {} through \"{hop}\", without {lacks}{}",
        exchange.kind,
        response.http_status,
        match (sign, leg) {
            (Sign::Confirmed, _) => "; behind the proxy its bytes were confirmed",
            (_, Some(_)) => "; behind the proxy the same upload was opened",
            _ => "",
        }
    );
    let confidence = match sign {
        Sign::Confirmed => Confidence::Certain,
        Sign::Known => Confidence::Likely,
        Sign::Refuses => Confidence::Possible,
    };
    let severity = course::unless_made_good(session, exchange, notes.severity());
    notes.note(severity, confidence, &spans, message);
}

/// Notes a request that was refused, and that on the other side of a proxy, where it was refused too, has a field more or
/// less.
fn of_request(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let (own, span) = (Names::of(exchange), exchange.span());
    let Some(own) = own.filter(|_| stripped::is_called_invalid(exchange)) else { return };
    let client = session.client.address;
    let mut other = around.legs(session).filter(|leg| leg.client != client && !leg.created);
    let found = other.find_map(|leg| {
        let lost = own.beyond(leg.names?).filter(|_| leg.begins_within(span));
        let lost = lost.map(|field| (field, "does not get behind the proxy"));
        let came = || leg.names?.beyond(own).filter(|_| leg.lasts_over(span));
        let came = || came().map(|field| (field, "was there in front of the proxy"));
        Some((lost.or_else(came)?, leg.span()))
    });
    if let Some(((field, what), leg)) = found {
        let message = format!("{field} of a request that was refused with 400 {what}");
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Likely, &[span, leg], message);
    }
}
