//! The rule `uploads-not-enabled`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::Notes;
use crate::rules::origin::Origin;

rule! {
    /// BITS uploads are not enabled on this directory.
    ///
    /// IIS 6 answers 501, later ones a bare 404.
    /// Advice: Enable BITS uploads on the virtual directory; check its handler mapping.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 87, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let by_code = response.http_status == 501 && response.error_value() == Some(0x8007_0005);
    let bare = Origin::of_response(response) == Origin::Iis
        && matches!(response.http_status, 404 | 405 | 501);
    if by_code || bare && exchange.kind == PacketType::CreateSession {
        notes.add(
            exchange.span(),
            format!("{} was answered {}", exchange.kind, response.http_status),
        );
    }
}
