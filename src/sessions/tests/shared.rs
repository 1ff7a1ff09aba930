//! Servers that share an address, and uploads that share an id or a reply.

use super::{Limits, Outcome, Session, play};
use crate::rules::Severity;
use crate::rules::origin::Origin;

fn sessions(text: &str) -> Vec<Session> {
    let (early, late, _) = play(Limits::default(), text);
    let mut all = [early, late].concat();
    all.sort_by_key(Session::order);
    all
}

/// What several uploads said, each line with the URL that it is for.
fn mixed(lines: &[(&str, &str)]) -> Vec<Session> {
    let said =
        lines.iter().map(|(url, said)| format!("= url http://{url}\n= connection\n{said}\n"));
    sessions(&said.collect::<String>())
}

/// What goes wrong with a session, apart from what is shared.
fn faults(session: &Session) -> Vec<&str> {
    let grave = session.findings.iter().filter(|finding| finding.severity != Severity::Note);
    grave.map(|finding| &*finding.rule).filter(|rule| *rule != "session-id-reused").collect()
}

fn all_whole(all: &[Session], sizes: [u64; 2]) {
    assert_eq!(all.iter().map(|one| one.bytes_sent).collect::<Vec<_>>(), sizes);
    for session in all {
        assert_eq!((session.outcome, faults(session)), (Outcome::Completed, vec![]));
    }
}

#[test]
fn hosts_behind_one_address_have_ids_of_their_own() {
    let all = mixed(&[
        ("alpha/f", "> CREATE-SESSION\n< 200 session=7"),
        ("beta/f", "> CREATE-SESSION\n< 200 session=7"),
        ("alpha/f", "> FRAGMENT 0-9/20 session=7\n< 200"),
        ("beta/f", "> FRAGMENT 0-4/5 session=7\n< 200\n> CLOSE-SESSION session=7\n< 200"),
        ("alpha/f", "> FRAGMENT 10-19/20 session=7\n< 200\n> CLOSE-SESSION session=7\n< 200"),
    ]);
    all_whole(&all, [20, 5]);
    let shared = |session: &Session| session.findings.iter().any(|f| f.rule == "session-id-reused");
    assert!(!all.iter().any(shared));
}

#[test]
fn of_uploads_with_one_id_a_request_is_of_that_to_its_path() {
    let all = mixed(&[
        ("h/a", "> CREATE-SESSION\n< 200 session=7"),
        ("h/b", "> CREATE-SESSION\n< 200 session=7"),
        ("h/a", "> FRAGMENT 0-9/10 session=7\n< 200\n> CLOSE-SESSION session=7\n< 200"),
        ("h/b", "> FRAGMENT 0-4/5 session=7\n< 200\n> CLOSE-SESSION session=7\n< 200"),
    ]);
    all_whole(&all, [10, 5]);
}

#[test]
fn an_id_given_to_a_later_try_is_that_of_the_upload_that_began_with_a_refusal() {
    let rest = "> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200";
    let all = mixed(&[
        ("h/b", "> CREATE-SESSION\n< 503 plain"),
        ("h/a", &format!("> CREATE-SESSION\n< 200 session=7\n{rest}")),
        ("h/b", &format!("> CREATE-SESSION\n< 200 session=7\n{rest}")),
    ]);
    all_whole(&all, [10, 10]);
}

#[test]
fn what_one_host_answers_tells_nothing_of_another_at_its_address() {
    let page = "> GET /\n< 200 plain\n  Server: Microsoft-IIS/10.0";
    let origin = |host: &str| {
        let all = mixed(&[(host, page), ("beta/up/f", "> CREATE-SESSION\n< 403 plain")]);
        all[0].diagnosis.as_ref().unwrap().answered_by
    };
    assert_eq!(origin("beta/"), Origin::Proxy);
    assert_eq!(origin("alpha/"), Origin::WebServer);
}

#[test]
fn another_proxy_is_no_other_server() {
    let text = |proxied: &str| {
        format!(
            "> CREATE-SESSION{proxied}\n< 200 session=1\n> FRAGMENT 0-9/20{proxied}\n< 200\n! client closes\n! server closes\n\
             ... 15 d\n= server 10.0.0.81:80\n> FRAGMENT 10-19/20{proxied}\n< 500 error=0x8020001F context=0x5"
        )
    };
    let cause = |proxied: &str| {
        let all = sessions(&text(proxied));
        all[0].diagnosis.as_ref().unwrap().cause.to_string()
    };
    assert_eq!(cause(""), "session-not-found-after-server-change");
    assert_eq!(cause(" proxied"), "session-not-found-after-idle");
}

#[test]
fn a_reply_that_several_share_is_fetched_by_who_asks() {
    let upload = |id: u32| {
        format!(
            "= client 10.0.0.{id}\n> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/10\n< 200 reply=/reply.xml\n"
        )
    };
    let fetch = |id: u32, status: u16| {
        format!("= client 10.0.0.{id}\n> GET /reply.xml\n< {status} plain\n")
    };
    let text = [upload(5), upload(6), fetch(5, 403), fetch(6, 200)].concat();
    let all = sessions(&text);
    let statuses = all.iter().map(|one| one.reply.as_ref()?.http_status);
    assert_eq!(statuses.collect::<Vec<_>>(), [Some(403), Some(200)]);
}

#[test]
fn a_fetched_reply_that_is_gone_after_close_is_no_fault() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200 reply=/reply\n> GET /reply\n< 206 plain\n\
                > CLOSE-SESSION\n< 200\n> GET /reply\n< 404 plain";
    let all = sessions(text);
    assert_eq!(all[0].reply.as_ref().unwrap().http_status, Some(206));
    assert!(faults(&all[0]).is_empty());
}

#[test]
fn a_client_that_is_redirected_goes_on_with_its_session() {
    let id = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";
    let rest = |id: &str| {
        format!("> FRAGMENT 0-9/10 session={id}\n< 200\n> CLOSE-SESSION session={id}\n< 200")
    };
    let count = |id: &str| {
        let opened = format!("> CREATE-SESSION\n< 200 session={id}");
        mixed(&[("alpha/a", &opened), ("beta/b", &rest(id))]).len()
    };
    assert_eq!((count(id), count("7")), (1, 2));
}

#[test]
fn a_ping_to_the_node_over_the_other_family_is_of_the_upload_that_was_sent_there() {
    let text = |node: &str| {
        format!(
            "> CREATE-SESSION\n< 200 session=1 host=node fallback=2\n= client 2001:db8::5\n= server [2001:db8::81]:80\n\
             = url http://{node}/upload/file.bin\n> PING\n... 3 s\n! client closes\n= client 10.0.0.5\n= server 192.0.2.80:80\n\
             = url http://server/upload/file.bin\n> PING\n< 200\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n"
        )
    };
    let all = sessions(&text("node"));
    let fell_back = all[0].findings.iter().any(|finding| finding.rule == "host-id-fallback");
    assert_eq!((all.len(), fell_back), (1, true));
    assert_eq!(sessions(&text("other")).len(), 2);
}
