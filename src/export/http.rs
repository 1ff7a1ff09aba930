//! HTTP exchanges one by one, whatever they carry.

use std::io::{self, Write};

use serde::Serialize;

use super::style::{Style, Tone};
use crate::at::Timestamp;

/// One HTTP exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Address and port of who asked.
    pub client: String,
    /// Address and port of who was asked.
    pub server: String,
    /// The request, unless the capture lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RowRequest>,
    /// The final response, unless the capture lacks it or none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<RowResponse>,
    /// Statuses of the interim responses (1xx).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<u16>,
}

/// The request of a [`Row`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowRequest {
    /// The method as written.
    pub method: String,
    /// The target as written.
    pub target: String,
    /// `Host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Number of its first frame.
    pub frame: u64,
    /// When that was captured.
    pub time: Timestamp,
    /// Its number as people look it up.
    #[serde(skip)]
    pub name: String,
}

/// The response of a [`Row`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowResponse {
    /// The status.
    pub status: u16,
    /// Number of its first frame.
    pub frame: u64,
    /// When that was captured.
    pub time: Timestamp,
    /// Its number as people look it up.
    #[serde(skip)]
    pub name: String,
}

/// Writes the names of the columns of [`write_text`].
pub fn write_head(out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let head = columns(["frame", "client", "server", "status", "method"]);
    writeln!(out, "{}", style.paint(Tone::Strong, format_args!("{head}target")))
}

/// Writes one row as a line of text.
pub fn write_text(out: &mut dyn Write, row: &Row, style: &Style) -> io::Result<()> {
    let dash = style.signs().dash;
    let status = row.response.as_ref().map(|response| response.status);
    let request = row.request.as_ref();
    let frame = request.map(|r| &r.name).or(row.response.as_ref().map(|r| &r.name));
    let line = columns([
        frame.map_or(dash, String::as_str),
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
    writeln!(out, "{}", style.paint(tone, format_args!("{line}{target}")))
}

fn columns([frame, client, server, status, method]: [&str; 5]) -> String {
    format!("{frame:>8}  {client:<21}  {server:<21}  {status:<6}  {method:<9}  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::json;

    fn row() -> Row {
        Row {
            client: "10.0.0.5:49231".into(),
            server: "10.0.0.9:80".into(),
            request: Some(RowRequest {
                method: "GET".into(),
                target: "/a\x1b".into(),
                host: Some("x".into()),
                frame: 4,
                time: Timestamp::from_nanos(0),
                name: "4".into(),
            }),
            response: Some(RowResponse {
                status: 200,
                frame: 6,
                time: Timestamp::from_nanos(1_000),
                name: "6".into(),
            }),
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
    fn a_row_is_a_line_of_escaped_text() {
        let mut out = Vec::new();
        write_text(&mut out, &row(), &Style::default()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "       4  10.0.0.5:49231         10.0.0.9:80            200     GET        /a\\x1b\n"
        );
    }
}
