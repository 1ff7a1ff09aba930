//! Data that one side repeats, and nobody acknowledges.

use super::Connection;
use crate::at::At;

/// How often data of the client was repeated that nobody acknowledged.
fn count(connection: &Connection) -> u32 {
    let client = &connection.client_side;
    if client.unacked() > 0 { client.repeats } else { 0 }
}

/// Whether data of the client was repeated more than once, and nobody acknowledged it.
pub fn repeats(connection: &Connection) -> bool {
    count(connection) >= ENOUGH
}

/// Whether that was repeated so often that a client may have given it up, though its host goes on.
pub fn repeats_long(connection: &Connection) -> bool {
    count(connection) > ENOUGH
}

/// Whether data of the server was repeated more than once, and the client, which was not seen to leave, acknowledged
/// none of it.
pub fn answers(connection: &Connection) -> bool {
    let server = &connection.server_side;
    server.repeats >= ENOUGH
        && server.unacked() > 0
        && connection.client_side.fin.is_none()
        && connection.reset.is_none()
}

/// Whether the client, at the same time, repeated what the server had acknowledged: nothing reached it any more, though
/// the way from it was open.
pub fn is_one_way(connection: &Connection) -> bool {
    let (client, server) = (&connection.client_side, &connection.server_side);
    let last = client.resent.needless_last.map(|last| last.frame);
    let since = server.waits.map(|since| since.frame);
    answers(connection) && client.resent.needless >= ENOUGH && last > since
}

/// Since when the client repeats in vain what it sent: the last data before.
pub fn since(connection: &Connection) -> Option<At> {
    let client = &connection.client_side;
    client.waits.or(client.last_data).filter(|_| repeats(connection))
}

/// One repeat may be the last thing before the capture lost sight of the connection.
const ENOUGH: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Reset, Side};
    use crate::transcript;

    /// A connection on which the server repeats its last answer, which its client never acknowledges.
    fn connection() -> Connection {
        let text = "> CREATE-SESSION\n< 200 session=1 dropped\n! again\n! again\n";
        let records = transcript::play(text).unwrap();
        let report = transcript::analyse(&records, &mut ());
        Connection::clone(&report.sessions[0].connections[0])
    }

    fn is_in_vain(change: impl Fn(&mut Connection)) -> bool {
        let mut one = connection();
        change(&mut one);
        answers(&one)
    }

    #[test]
    fn answers_are_in_vain_where_a_client_that_is_not_seen_to_leave_takes_none() {
        assert!(is_in_vain(|_| {}));
        assert!(!is_in_vain(|one| one.server_side.repeats = 1));
        assert!(!is_in_vain(|one| one.server_side.acked = one.server_side.sent));
        assert!(!is_in_vain(|one| one.client_side.fin = Some(one.last)));
        let reset = Reset {
            at: At::default(),
            time: At::default().time,
            side: Side::Server,
            ttl: 64,
            ip_id: None,
            window: 0,
            seq_fits: true,
            acked: true,
            tells_of_more: false,
        };
        assert!(!is_in_vain(|one| one.reset = Some(reset)));
    }

    #[test]
    fn one_way_is_open_where_the_client_repeats_meanwhile_what_the_server_has() {
        let one_way = |needless: u32, last: u64| {
            let mut one = connection();
            let since = one.server_side.waits.unwrap();
            let resent = one.client_side.resent.edit();
            resent.needless = needless;
            resent.needless_last = Some(At { frame: last, ..since });
            is_one_way(&one)
        };
        let since = connection().server_side.waits.unwrap().frame;
        assert!(one_way(2, since + 1));
        assert!(!one_way(1, since + 1));
        assert!(!one_way(2, since));
    }
}
