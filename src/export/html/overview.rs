//! All uploads as rows that can be filtered and sorted.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::escape::Esc;
use crate::export::style::Tone;
use crate::export::text;
use crate::export::timeline::{rate, server, sign, tone};
use crate::model::{Outcome, Report, Session};

const COLUMNS: [&str; 9] =
    ["#", "outcome", "started (UTC)", "client", "server", "url", "size", "time", "cause"];

/// Rows that are there without scripts.
const SHOWN: usize = 200;

/// Writes the filters and the table; the sessions in `told` can be gone to.
pub(super) fn write(
    out: &mut dyn Write,
    report: &Report,
    told: &BTreeSet<usize>,
) -> io::Result<()> {
    writeln!(
        out,
        "<h2>Overview</h2><div class=\"filters\" hidden><label>Containing<input id=\"find\" type=\"search\" autocomplete=\"off\"></label><label>Outcome<select id=\"outcome\"><option value=\"\">any</option>"
    )?;
    for outcome in Outcome::ALL {
        writeln!(out, "<option>{}</option>", outcome.name())?;
    }
    writeln!(out, "</select></label><span id=\"count\" role=\"status\"></span></div>")?;
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Uploads\"><table class=\"overview\" id=\"overview\"><thead><tr>"
    )?;
    for name in COLUMNS {
        writeln!(
            out,
            "<th scope=\"col\" aria-sort=\"none\"><button type=\"button\">{name}</button></th>"
        )?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for (number, session) in (1..).zip(&report.sessions).take(SHOWN) {
        row(out, number, session, told.contains(&number))?;
    }
    writeln!(out, "</tbody></table></div>")?;
    // The script brings these in; a browser without scripts says that there are more.
    if report.sessions.len() > SHOWN {
        writeln!(out, "<template id=\"rest\">")?;
        for (number, session) in (1..).zip(&report.sessions).skip(SHOWN) {
            row(out, number, session, told.contains(&number))?;
        }
        writeln!(
            out,
            "</template><noscript><p>Without scripts, {} cannot be shown.</p></noscript>",
            text::count((report.sessions.len() - SHOWN) as u64, "more upload")
        )?;
    }
    writeln!(out, "<p><button type=\"button\" id=\"more\" hidden>Show more</button></p>")
}

fn row(out: &mut dyn Write, number: usize, session: &Session, told: bool) -> io::Result<()> {
    let url = session.url_or_path().unwrap_or("–");
    let cause = session.diagnosis.as_ref().map_or("", |diagnosis| &diagnosis.cause);
    let size = session.bytes_total;
    let nanos = session.ended.since(session.started);
    write!(out, "<tr data-outcome=\"{}\">", session.outcome.name())?;
    write!(out, "<td class=\"num\" data-n=\"{number}\">")?;
    match told {
        true => write!(out, "<a href=\"#s{number}\">{number}</a></td>")?,
        false => write!(out, "{number}</td>")?,
    }
    write!(
        out,
        "<td class=\"{}\">{} {}</td>",
        class(session.outcome),
        sign(session.outcome, false),
        session.outcome.name()
    )?;
    let started = session.started.to_string();
    write!(out, "<td>{}</td>", started.get(..19).unwrap_or_default().replace('T', " "))?;
    write!(out, "<td>{}</td><td>{}</td>", session.client.address, server(session))?;
    write!(out, "<td title=\"{0}\">{0}</td>", Esc(url))?;
    write!(
        out,
        "<td class=\"num\" data-n=\"{}\">{}</td>",
        size.map_or_else(|| "-1".to_owned(), |size| size.to_string()),
        size.map_or_else(|| "–".to_owned(), |size| text::size(size as f64))
    )?;
    let rate = rate(session).unwrap_or_default();
    write!(
        out,
        "<td class=\"num\" data-n=\"{nanos}\" title=\"{rate}\">{}</td>",
        text::duration(nanos)
    )?;
    writeln!(out, "<td title=\"{0}\">{0}</td></tr>", Esc(cause))
}

/// The class for the colour of an outcome.
pub(super) const fn class(outcome: Outcome) -> &'static str {
    match tone(outcome) {
        Tone::Good => "good",
        Tone::Bad => "bad",
        _ => "odd",
    }
}
