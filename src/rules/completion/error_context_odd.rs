//! The rule `error-context-odd`.

use crate::bits::fields::hresult;
use crate::model::{Response, Session};
use crate::rules::{Notes, look};

rule! {
    /// An error context that the protocol does not know, or an error code without one.
    ///
    /// It knows 0x5, the server, and 0x7, the application behind it, and each only with an error code. Home-made servers
    /// write others.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x9
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070005
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send 0x5 for its own errors and 0x7 for those of the application behind it.
    /// Reference: [MC-BUP] 2.2.1.2
    Note, belief 0, needs Anything, Session
}

/// The contexts that exist ([MC-BUP] 2.2.1.2).
const KNOWN: [u32; 2] = [5, 7];

fn check(session: &Session, notes: &mut Notes<'_>) {
    let odd = session
        .exchanges
        .iter()
        .find_map(|exchange| Some((exchange, oddity(look::whole_answer(exchange)?)?)));
    if let Some((exchange, oddity)) = odd {
        notes.add(exchange.span(), oddity);
    }
}

fn oddity(response: &Response) -> Option<String> {
    let Some(raw) = response.error_context.as_deref() else {
        let code = response.error.as_ref().filter(|_| response.error_value().is_some())?;
        let alone = format!("{} is \"{}\" without BITS-Error-Context", code.header, code.raw);
        return response.is_ack().then_some(alone);
    };
    let known = hresult(raw).is_some_and(|(value, _)| KNOWN.contains(&value));
    let missing = response.error.is_none() && known;
    (missing || !known).then(|| {
        let without = if response.error.is_none() { " without an error code" } else { "" };
        format!("BITS-Error-Context is \"{raw}\"{without}")
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::fired_when_cut;

    #[test]
    fn a_head_that_is_cut_ahead_of_its_code_is_not_without_one() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 context=0x5\n  \
                    BITS-Error-Code: 0x80070070\n";
        for snap in 100..500 {
            let findings = fired_when_cut(text, snap);
            assert!(!findings.iter().any(|(id, _)| id == "error-context-odd"), "at {snap} bytes");
        }
    }
}
