//! The rule `dns-failed`.

use crate::model::{Lookup, Session, host};
use crate::rules::{Around, Confidence, Notes, Place, Severity, connect, hosts, wording};

rule! {
    /// The name of the host could not be resolved.
    ///
    /// The client asked for the address of the host of its upload, or of the one that BITS-Host-Id names, and got none.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node2.example
    /// ! name node2.example NXDOMAIN
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=3000
    /// ! client resets
    /// ! name elsewhere.example found
    /// ! name server unanswered
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=3000
    /// ! client resets
    /// ! name server unanswered
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ! name elsewhere.example NXDOMAIN
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ! name server SERVFAIL
    /// ! name server found
    /// ```
    /// The address was found, what fails is a question for one of another kind:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=3000
    /// ! client resets
    /// ! name server found
    /// ! name server no-AAAA
    /// ```
    /// It was found, and then no longer:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=3000
    /// ! client resets
    /// ! name server found
    /// ... 30 s
    /// ! name server SERVFAIL
    /// ```
    /// A connection that was idle for so long is none:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ... 11 min
    /// ! name server SERVFAIL
    /// ```
    /// Where there is no upload, this may be why:
    /// ```fires
    /// ! name server NXDOMAIN
    /// ```
    /// No client of BITS asks for a service, or for the name of an address:
    /// ```silent
    /// ! name _ldap._tcp.corp.example NXDOMAIN
    /// ! name 80.2.0.192.in-addr.arpa NXDOMAIN
    /// ```
    /// The client reached the host all the same:
    /// ```silent
    /// ! name server SERVFAIL
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// So it did where no answer was captured:
    /// ```silent
    /// ! name server SERVFAIL
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ```
    /// It has a connection to it:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! name server SERVFAIL
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ! client closes
    /// ... 10 min
    /// ! name server SERVFAIL
    /// ```
    /// ```fires
    /// ! name server found
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! client resets
    /// ... 10 min
    /// ! name server SERVFAIL
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Mend the DNS entry of that name, or the client's choice of name servers; BITSHostId needs a name that every client can resolve.
    /// Client: 0x80072EE7
    /// Confirm: `Resolve-DnsName` on the client, with the name server that it uses.
    /// Reference: RFC 1035 4.1.1
    Error, belief 51, needs Anything, Anywhere
}

/// A look-up so many seconds before the first message still belongs to it.
const BEFORE_SECS: f64 = 60.0;

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => of_session(session, around, notes),
        Place::Capture(report, seen) if seen.sessions == 0 => {
            let hosts = report.lookups.iter().filter(|lookup| is_of_host(&lookup.name));
            for lookup in hosts.take(connect::TOLD) {
                let message = format!("{}; no upload is known to be behind it", said(lookup));
                notes.note(Severity::Note, Confidence::Possible, &[lookup.span], message);
            }
        }
        Place::Capture(..) => {}
    }
}

/// Whether a name may be that of a host: not that of a service (RFC 2782), nor of an address (RFC 1035 3.5).
fn is_of_host(name: &str) -> bool {
    !name.starts_with('_') && !name.ends_with(".arpa")
}

fn said(lookup: &Lookup) -> String {
    let (name, tries) = (&lookup.name, wording::counted(lookup.tries, "time"));
    format!("\"{name}\" was asked for {tries}: {}", lookup.failure.words())
}

fn of_session(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if around.sight.lookups.is_empty() {
        return;
    }
    let named = [session.server.host.as_deref(), session.host_id.as_deref()];
    let hosts: Vec<String> = named.into_iter().flatten().map(host::bare).collect();
    let meant = around.sight.lookups.iter().filter(|lookup| {
        lookup.client == session.client.address
            && hosts.contains(&lookup.name)
            && session.started.secs_since(lookup.span.last.time) <= BEFORE_SECS
            && hosts::may_hinder(session, lookup)
    });
    for lookup in meant {
        let done = session.outcome.is_done();
        let severity = if done { Severity::Warning } else { notes.severity() };
        notes.note(severity, Confidence::Likely, &[lookup.span], said(lookup));
    }
}
