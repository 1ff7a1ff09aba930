//! The rule `odd-port`.

use crate::model::Session;
use crate::rules::{Around, Notes, address};

rule! {
    /// The upload goes to a port that BITS servers seldom use.
    ///
    /// Usual ones are 80 and 443, and 8530 and 8531 of WSUS.
    ///
    /// ```fires
    /// = url http://server:4444/upload/a
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = url http://server:8530/upload/a
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See whether a known service listens there.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    // The port in the URL is that of the server even where the connection goes to a proxy.
    let port = match around.host {
        Some((_, Some(port))) => port,
        Some(_) => return,
        None => session.server.port,
    };
    if let Some(first) = session.exchanges.first().filter(|_| !address::USUAL_PORTS.contains(&port))
    {
        notes.add(first.span(), format!("the port is {port}"));
    }
}
