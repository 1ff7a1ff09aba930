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
