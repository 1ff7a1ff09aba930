//! The rule `retransmission-differs`.

use crate::at::Span;
use crate::rules::{Notes, look};
use crate::stream::Connection;

rule! {
    /// A segment was repeated with other bytes.
    ///
    /// Hosts repeat what they sent: something on the way rewrites, or somebody tries to show a monitor other bytes than the server. The
    /// first copy was used here.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! again changed
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! again
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Compare with a capture on the other side of each device on the way.
    /// Reference: RFC 9293 3.4
    Warning, belief 6, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for (who, side) in [("client", &connection.client_side), ("server", &connection.server_side)] {
        if let Some(first) = side.first_differing {
            let segments = look::counted(side.differing, "segment");
            let mut message = format!("{segments} of the {who} came again with other bytes");
            if let Some(either) = side.either {
                let frame = either.first.name();
                message += &format!(
                    ", in frame {frame} before the first copy was acknowledged: either may have been taken"
                );
            }
            notes.add(Span::at(first), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analysis, Options, transcript};

    #[test]
    fn nobody_knows_which_copy_the_server_has_that_had_acknowledged_none() {
        for (dropped, known) in [("", true), ("dropped", false)] {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10 {dropped}\n! again changed\n< 200\n\
                 > CLOSE-SESSION\n< 200"
            );
            let mut analysis = Analysis::new(Options { digest: true, ..Options::default() });
            let records = transcript::play(&text).unwrap();
            records.iter().for_each(|record| analysis.push(&record.frame(), &mut ()));
            let report = analysis.finish(Vec::new(), &mut ());
            let session = &report.sessions[0];
            assert!(session.findings.iter().any(|one| one.rule == "retransmission-differs"));
            assert_eq!(session.file.as_ref().unwrap().sha256.is_some(), known);
        }
    }
}
