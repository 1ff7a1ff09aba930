//! HTTP exchanges one by one, whatever they carry.

use std::io::{self, Write};

use super::style::{Style, Tone};
use super::timeline;
use crate::observe::listing::Row;

/// Writes the names of the columns of [`write_text`].
pub fn write_head(out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let head = columns(["frame", "client", "server", "status", "method"]);
    writeln!(out, "{}", timeline::line(&head, "target", 10, Tone::Strong, style))
}

/// Writes one row as a line of text.
pub fn write_text(out: &mut dyn Write, row: &Row, style: &Style) -> io::Result<()> {
    let dash = style.signs().dash;
    let status = row.response.as_ref().map(|response| response.status);
    let request = row.request.as_ref();
    let at = request.map(|request| request.at).or(row.response.as_ref().map(|answer| answer.at));
    let line = columns([
        &at.map_or_else(|| dash.to_owned(), |at| at.name()),
        &style.clean(&row.client),
        &style.clean(&row.server),
        &status.map_or_else(|| dash.to_owned(), |status| status.to_string()),
        &style.clean(request.map_or(dash, |request| &request.method)),
    ]);
    let target = request.map_or_else(|| dash.into(), |request| style.clean(&request.target));
    let tone = match status {
        Some(401 | 407) | None => Tone::Odd,
        Some(400..) => Tone::Bad,
        Some(_) => Tone::Plain,
    };
    writeln!(out, "{}", timeline::line(&line, &target, 10, tone, style))
}

fn columns([frame, client, server, status, method]: [&str; 5]) -> String {
    format!("{frame:>8}  {client:<21}  {server:<21}  {status:<6}  {method:<9}  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::{At, Timestamp};
    use crate::export::json;
    use crate::observe::listing::{RowRequest, RowResponse};

    fn at(frame: u64, nanos: i64) -> At {
        At { frame, time: Timestamp::from_nanos(nanos), input: 0, input_frame: frame as u32 }
    }

    fn row() -> Row {
        Row {
            client: "10.0.0.5:49231".into(),
            server: "10.0.0.9:80".into(),
            request: Some(RowRequest {
                method: "GET".into(),
                target: "/a\x1b".into(),
                host: Some("x".into()),
                at: at(4, 0),
            }),
            response: Some(RowResponse { status: 200, at: at(6, 1_000) }),
            interim: vec![100],
        }
    }

    #[test]
    fn a_row_is_a_line_of_json() {
        let mut out = Vec::new();
        json::write_line(&mut out, &row()).unwrap();
        json::write_line(&mut out, &Row { request: None, interim: vec![], ..row() }).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"client":"10.0.0.5:49231","server":"10.0.0.9:80","request":{"method":"GET","target":"/a\u001b","host":"x","frame":4,"time":"1970-01-01T00:00:00.000000Z"},"response":{"status":200,"frame":6,"time":"1970-01-01T00:00:00.000001Z"},"interim":[100]}
{"client":"10.0.0.5:49231","server":"10.0.0.9:80","response":{"status":200,"frame":6,"time":"1970-01-01T00:00:00.000001Z"}}
"#
        );
    }

    #[test]
    fn a_target_wraps_or_goes_below() {
        let mut row = row();
        row.request.as_mut().unwrap().target = format!("/{}", "a".repeat(99));
        for width in [80, 100] {
            let mut out = Vec::new();
            write_text(&mut out, &row, &Style { width, ..Style::default() }).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.lines().all(|line| line.len() <= width), "{text}");
        }
    }

    #[test]
    fn a_row_is_a_line_of_escaped_text() {
        let mut out = Vec::new();
        write_text(&mut out, &row(), &Style::default()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "       4  10.0.0.5:49231         10.0.0.9:80            200     GET        /a\\x1b\n"
        );
    }
}
