//! The rule `reply-url-early`.

use crate::bits::PacketType;
use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A reply was named by another Ack than that to the last Fragment.
    ///
    /// Only that one should carry BITS-Reply-URL. Where the upload came through, this is only a remark, unless the Ack to
    /// Close-Session is the first that names it: the reply is deleted then, and no client can have fetched it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 reply=/replies/1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 reply=/replies/1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Reply-URL with the Ack to the last Fragment only.
    /// Reference: [MC-BUP] 2.2.7.2
    Warning, belief 11, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.response.as_ref().is_none_or(|response| response.reply_url.is_none()) {
        return;
    }
    let Some(place) = place(exchange) else { return };
    let completed = session.outcome == Outcome::Completed && !is_out_of_reach(session, exchange);
    let severity = if completed { Severity::Note } else { notes.severity() };
    let message = format!("BITS-Reply-URL {place}");
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Where it stands, in words, where that is not the Ack to the last Fragment.
fn place(exchange: &Exchange) -> Option<String> {
    match exchange.kind {
        PacketType::Fragment => {
            let range = look::range(exchange).filter(|range| range.valid)?;
            let (end, total) = range.end.zip(range.total)?;
            (!look::is_final(exchange)).then(|| format!("after byte {end} of {total}"))
        }
        PacketType::Unknown | PacketType::Other(_) => None,
        _ => look::is_by_bits(exchange).then(|| format!("in the Ack to {}", exchange.kind)),
    }
}

/// Whether a client learns of the reply with its end ([MC-BUP] 3.2.5.2.7): no Ack to a Fragment named it.
fn is_out_of_reach(session: &Session, exchange: &Exchange) -> bool {
    let silent = |fragment: &Exchange| {
        look::whole_answer(fragment).is_some_and(|answer| answer.reply_url.is_none())
    };
    exchange.kind == PacketType::CloseSession
        && session.reply.is_none()
        && session.is_whole()
        && session.exchanges.iter().filter(|one| one.kind.may_be_fragment()).all(silent)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn a_reply_that_is_first_named_when_it_is_deleted_is_the_servers_fault() {
        let text = |create: &str, fragment: &str, close: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1{create}\n> FRAGMENT 0-9/10\n< 200{fragment}\n\
                 > CLOSE-SESSION\n< 200{close}\n"
            )
        };
        let (none, reply) = ("", " reply=/replies/1");
        let late = text(none, none, reply);
        assert_eq!(severity("reply-url-early", &late), Some(Warning));
        let told = diagnosed(&late);
        assert_eq!(
            (&*told.cause, told.answerable.as_deref()),
            ("reply-url-early", Some("the server"))
        );
        assert_eq!(severity("reply-url-early", &text(none, reply, reply)), Some(Note));
        assert_eq!(severity("reply-url-early", &text(reply, none, none)), Some(Note));
    }
}
