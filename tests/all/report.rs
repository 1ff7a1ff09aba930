//! The page and the text for people; what a browser makes of the page is in `tests/readers.sh`.

use crate::support::{run, run_on, sample, stdout, store, transcript};

const MARKUP: &str = "\"'></title><script>alert(1)</script><img src=x onerror=alert(1)>";

/// A conversation with markup in every field that is shown.
fn hostile() -> Vec<u8> {
    transcript(&format!(
        "> CREATE-SESSION\n  Content-Name: {MARKUP}\n  User-Agent: {MARKUP}\n  Host: {MARKUP}\n  \
         BITS-Supported-Protocols: {MARKUP}\n  X-{MARKUP}: {MARKUP}\n\
         < 200\n  BITS-Session-Id: {MARKUP}\n  BITS-Host-Id: {MARKUP}\n  Server: {MARKUP}\n  BITS-Reply-URL: {MARKUP}\n\
         > PING\n< 500\n  BITS-Error: {MARKUP}\n  BITS-Error-Context: {MARKUP}\n  Location: {MARKUP}\n  Via: {MARKUP}\n"
    ))
}

#[test]
fn markup_of_the_wire_is_text_on_the_page() {
    let page = stdout(&run_on(&hostile(), &["report", "-"]));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    let text = stdout(&run_on(&hostile(), &["report", "--format", "markdown", "-"]));
    assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
}

#[test]
fn the_page_needs_nothing_else() {
    let page = stdout(&run(&["report", "good.pcap", "resumed.pcap", "refused.pcap"]));
    for reference in
        ["src=", "href=\"http", "url(", "@import", "<link", "<iframe", " style=", "<col"]
    {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn the_verdict_comes_first() {
    let page = stdout(&run(&["report", "--outcome", "failed", "resumed.pcap", "lost.pcap"]));
    assert!(page.contains("<h1>BITS upload failed: http://10.20.0.80/up/report.dat</h1>"));
    assert!(page.contains("role=\"img\"") && page.contains("Offset over time"));
    let text = stdout(&run(&["report", "--format", "markdown", "lost.pcap"]));
    assert!(text.starts_with("## ✘ failed: http:&#47;/10.20.0.80/up/report.dat\n"), "{text}");
    assert!(text.contains("```mermaid\nsequenceDiagram\n"), "{text}");
    assert!(text.contains("  C->>S0: 0.001 s Fragment 3000–5999\n"), "{text}");
}

#[test]
fn frames_are_those_of_each_capture() {
    for form in ["html", "markdown"] {
        let text = stdout(&run(&["report", "--format", form, "good.pcap", "lost.pcap"]));
        assert!(text.contains("frames 2:8, 2:14"), "{text}");
        let counted_over_all = ["frames 32, 38", ">28<"];
        assert!(!counted_over_all.iter().any(|frames| text.contains(frames)), "{text}");
    }
}

#[test]
fn the_foot_has_no_space_ahead_of_its_stop() {
    assert!(stdout(&run(&["report", "lost.pcap"])).contains("1 TCP connection seen. Made by"));
}

#[test]
fn many_uploads_have_an_overview() {
    let page = stdout(&run(&["report", "good.pcap", "resumed.pcap", "refused.pcap"]));
    assert!(page.contains("<h1>3 BITS uploads, 2 completed, 1 rejected</h1>"));
    assert_eq!(page.matches("<tr data-outcome=").count(), 3);
    assert_eq!(page.matches("<details class=\"session\"").count(), 3);
}

#[test]
fn frames_go_by_their_capture_in_the_diagram_in_findings_and_for_tls() {
    let text = "= url http://server/upload/a.bin\n> CREATE-SESSION\n< 200 session=77\n> CLOSE-SESSION\n< 200\n\
        = url http://server/upload/b.bin\n> CREATE-SESSION\n< 200 session=77\n> FRAGMENT 0-9/10\n! server resets\n";
    let dir = tempfile::tempdir().unwrap();
    let files = [("good", sample("good.pcap")), ("bad", transcript(text))]
        .map(|(name, bytes)| store(&dir, name, &bytes).display().to_string());
    let told = stdout(&run(&["report", "--format", "markdown", &files[0], &files[1]]));
    assert!(told.contains("the server resets the connection, frame 2:"), "{told}");
    assert!(told.contains(" too, in frame 2:4"), "{told}");
    let told = stdout(&run(&["tls", "good.pcap", "tls13.pcapng"]));
    assert!(told.contains("frames 2:4 and 2:6; offers TLS 1.3"), "{told}");
}

#[test]
fn a_ticket_has_what_the_page_has() {
    let text = stdout(&run(&["report", "--format", "markdown", "good.pcap"]));
    for line in ["- sent: ", "- acknowledged: ", "- SHA-256: ", "- ended: "] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("\n## Captures\n\n- good.pcap \\(24 frames\\)\n"), "{text}");
    let version = concat!("\nMade by bitsleuth ", env!("CARGO_PKG_VERSION"), ".\n");
    assert!(text.ends_with(version), "{text}");
}
