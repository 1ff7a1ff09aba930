//! TLS connections one by one.

use std::io::{self, Write};

use super::style::{Style, Tone};
use super::text;
use super::timeline::wrapped;
use crate::model::TlsConnection;
use crate::tls::{Alert, Certificate, Facts, Shape, Traffic};

/// Writes a connection as a line of text, with what is known of it in indented lines below.
pub fn write_text(
    out: &mut dyn Write,
    connection: &TlsConnection,
    style: &Style,
) -> io::Result<()> {
    let facts = &connection.tls;
    let head = head(connection, style);
    writeln!(out, "{}", wrapped(&style.clean(&head), 4, Tone::Strong, style))?;
    let mut rows = vec![("handshake", handshake(facts))];
    rows.extend(
        facts
            .ja4
            .as_ref()
            .zip(facts.ja3.as_ref())
            .map(|(ja4, ja3)| ("client", format!("JA4 {ja4}   JA3 {ja3}"))),
    );
    rows.extend(facts.certificates.first().map(|leaf| ("server", certificate(leaf))));
    rows.extend(facts.client_certificates.first().map(|leaf| ("client", certificate(leaf))));
    rows.extend(facts.alerts.iter().map(|alert| ("alert", alert_words(alert))));
    rows.push(("up", traffic(&facts.from_client)));
    rows.push(("down", traffic(&facts.from_server)));
    let opaque = facts.opaque.is_some();
    rows.extend(facts.shape.as_ref().map(|shape| ("shape", shape_words(shape, opaque))));
    rows.extend(
        facts
            .misfit
            .as_ref()
            .map(|line| ("keys", format!("line {} of {} does not fit", line.line, line.source))),
    );
    for (name, words) in rows {
        let tone = if name == "alert" || name == "keys" { Tone::Odd } else { Tone::Plain };
        let words = wrapped(&style.clean(&words), 15, tone, style);
        writeln!(out, "{}{words}", style.paint(tone, format_args!("    {name:<10} ")))?;
    }
    writeln!(out)
}

fn head(connection: &TlsConnection, style: &Style) -> String {
    let (facts, signs) = (&connection.tls, style.signs());
    let suite = facts.cipher_suite.as_ref();
    let words = [
        format!("{} {} {}", connection.client, signs.right, connection.server),
        facts.sni.clone().unwrap_or_else(|| signs.dash.to_owned()),
        facts.version.clone().unwrap_or_else(|| "TLS".to_owned()),
        suite.map_or_else(
            || signs.dash.to_owned(),
            |suite| match suite.name.as_str() {
                "unknown" => format!("0x{:04x}", suite.code),
                name => name.to_owned(),
            },
        ),
        facts.state().to_owned(),
    ];
    words.join("   ")
}

fn handshake(facts: &Facts) -> String {
    let mut words = Vec::new();
    let mut frames = [facts.client_hello_at, facts.server_hello_at].into_iter().flatten();
    match (frames.next(), frames.next()) {
        (Some(client), Some(server)) => {
            words.push(format!("frames {} and {}", client.name(), server.name()));
        }
        (Some(one), None) => words.push(format!("frame {}", one.name())),
        _ => words.push("not captured".to_owned()),
    }
    if !facts.versions_offered.is_empty() {
        words.push(format!("offers {}", facts.versions_offered.join(", ")));
    }
    match (&facts.alpn, facts.alpn_offered.as_slice()) {
        (Some(alpn), _) => words.push(format!("speaks {alpn}")),
        (None, []) => {}
        (None, offered) => words.push(format!("would speak {}", offered.join(", "))),
    }
    let flags = [
        (facts.tunnel, "inside CONNECT"),
        (facts.hello_retry, "asked for another ClientHello"),
        (facts.resumed, "resumes an earlier session"),
        (facts.early_data_offered, "early data"),
        (facts.handshakes > 1, "renegotiated"),
        (facts.client_certificate_requested, "client certificate asked for"),
        (facts.client_certificate_sent == Some(true), "client certificate sent"),
        (facts.client_certificate_sent == Some(false), "no client certificate sent"),
    ];
    words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    words.join("; ")
}

fn certificate(leaf: &Certificate) -> String {
    let day = |moment: crate::at::Timestamp| {
        moment.to_string().split('T').next().unwrap_or_default().to_owned()
    };
    let names = match leaf.names.as_slice() {
        [] => String::new(),
        names => format!(" for {}", names.join(", ")),
    };
    let (from, until) = (day(leaf.not_before), day(leaf.not_after));
    format!("{}{names}; by {}; valid {from} to {until}", leaf.subject, leaf.issuer)
}

fn alert_words(alert: &Alert) -> String {
    let side = if alert.from_client { "client" } else { "server" };
    let level = if alert.fatal { "fatal" } else { "warning" };
    format!("frame {}, {side}: {level}, {} ({})", alert.at.name(), alert.description, alert.code)
}

fn traffic(traffic: &Traffic) -> String {
    let size = text::size(traffic.bytes as f64);
    let mut words = format!("{size} in {}", text::count(traffic.records, "record"));
    if let (Some(first), Some(last)) = (traffic.application_first, traffic.application_last) {
        let application = text::size(traffic.application_bytes as f64);
        let time = text::duration(last.time.since(first.time));
        words += &format!("; application data {application} within {time}");
    }
    if traffic.failed > 0 {
        words += &format!("; {} not decrypted", text::count(traffic.failed, "record"));
    }
    words
}

/// What the lengths show; a guess from them is only for what stayed closed.
fn shape_words(shape: &Shape, opaque: bool) -> String {
    let bursts = text::count(shape.bursts_up.into(), "burst");
    let longest = text::size(shape.longest_burst as f64);
    let longest = if shape.bursts_up > 0 { format!(", {longest} at most") } else { String::new() };
    let answers = text::count(shape.short_answers.into(), "short answer");
    let words = format!("{bursts} up{longest}, {answers} down");
    match (opaque, shape.bits_upload.name()) {
        (true, guess) => format!("{words}: a BITS upload is {guess}, from lengths alone"),
        (false, _) => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::json;
    use crate::model;
    use crate::tls::{CipherSuite, KeyLine, Likelihood, Opaque};

    fn connection() -> TlsConnection {
        model::tls::tests::connection(Facts {
            version: Some("TLS 1.2".into()),
            cipher_suite: Some(CipherSuite { code: 0x1234, name: "unknown".into() }),
            sni: Some("bits\x1b.example".into()),
            opaque: Some(Opaque::NoKeys),
            misfit: Some(KeyLine { source: "keys".into(), line: 3 }),
            shape: Some(Shape { bits_upload: Likelihood::Possible, ..Shape::default() }),
            ..Facts::default()
        })
    }

    #[test]
    fn a_connection_is_a_line_with_escaped_details() {
        let mut out = Vec::new();
        write_text(&mut out, &connection(), &Style::default()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
10.0.0.5:49231 → 10.0.0.9:443   bits\\x1b.example   TLS 1.2   0x1234   no keys
    handshake  not captured
    up         0 B in 0 records
    down       0 B in 0 records
    shape      0 bursts up, 0 short answers down: a BITS upload is possible, from lengths alone
    keys       line 3 of keys does not fit

"
        );
    }

    #[test]
    fn a_handshake_in_part_is_told_by_what_is_missing() {
        let seen = Some(crate::at::At::default());
        let with = |client_hello_at, server_hello_at| {
            let opaque = Some(Opaque::NoHandshake);
            Facts { client_hello_at, server_hello_at, opaque, ..Facts::default() }.state()
        };
        assert_eq!(with(None, None), "handshake not captured");
        assert_eq!(with(seen, None), "ServerHello not captured");
        assert_eq!(with(None, seen), "ClientHello not captured, or in the form of SSL 2.0");
    }

    #[test]
    fn a_connection_is_a_line_of_json() {
        let mut out = Vec::new();
        json::write_line(&mut out, &connection()).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["server"], "10.0.0.9:443");
        assert_eq!(value["opaque"], "no_keys");
        assert_eq!(value["shape"]["bits_upload"], "possible");
    }
}
