//! What holds for every rule, and what each says of the examples in its documentation.

mod course;
mod look;
mod normal;
mod ranking;
mod unanswered;

use super::{ALL, Check, Diagnosis, Needs, Rule, Severity};
use crate::bits::fields::{self, Notation};
use crate::bits::hresult;
use crate::capture::Frame;
use crate::model::Report;
use crate::{Analysis, Options, transcript};

/// Rules about what no transcript can show: a damaged file, cut frames, caps, TLS. Tests on captures cover them.
const WITHOUT_EXAMPLES: [&str; 7] = [
    "capture-caps",
    "capture-damaged",
    "capture-truncated",
    "client-cert-needed",
    "host-id-tls-name",
    "tls-handshake-failed",
    "tls-opaque",
];

pub(super) fn report(text: &str) -> Report {
    report_when_cut(text, usize::MAX)
}

/// The report on a transcript of which the capture holds `snap` bytes of each frame.
fn report_when_cut(text: &str, snap: usize) -> Report {
    let records = transcript::play(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    let mut analysis = Analysis::new(Options::default());
    for record in records {
        let frame = record.frame();
        let data = frame.data.get(..snap).unwrap_or(frame.data);
        analysis.push(&Frame { data, ..frame }, &mut ());
    }
    analysis.finish(Vec::new(), &mut ())
}

/// The rules that fire on a transcript, with their severities.
pub(super) fn fired(text: &str) -> Vec<(String, Severity)> {
    fired_when_cut(text, usize::MAX)
}

/// The rules that fire where the capture holds `snap` bytes of each frame.
pub(super) fn fired_when_cut(text: &str, snap: usize) -> Vec<(String, Severity)> {
    let report = report_when_cut(text, snap);
    let sessions = report.sessions.iter().flat_map(|session| &session.findings);
    report
        .findings
        .iter()
        .chain(sessions)
        .map(|finding| (finding.rule.to_string(), finding.severity))
        .collect()
}

/// The severity with which a rule first fires on a transcript.
pub(super) fn severity(rule: &str, text: &str) -> Option<Severity> {
    fired(text).into_iter().find(|(id, _)| id == rule).map(|(_, severity)| severity)
}

/// What is said of the upload in a transcript that went wrong.
pub(super) fn diagnosed(text: &str) -> Diagnosis {
    report(text).sessions.remove(0).diagnosis.unwrap()
}

fn fires(rule: &Rule, text: &str) -> bool {
    fired(text).iter().any(|(id, _)| rule.is_named(id))
}

#[test]
fn every_rule_fires_on_its_example_and_is_silent_on_the_other() {
    for rule in ALL.iter().filter(|rule| !WITHOUT_EXAMPLES.contains(&&*rule.id())) {
        let (loud, silent) = (rule.examples("fires"), rule.examples("silent"));
        assert!(!loud.is_empty() && !silent.is_empty(), "{} lacks examples", rule.id());
        for text in &loud {
            assert!(fires(rule, text), "{} is silent on\n{text}{:?}", rule.id(), fired(text));
        }
        for text in &silent {
            assert!(!fires(rule, text), "{} fires on\n{text}", rule.id());
        }
    }
}

/// What is said of a transcript, in words.
fn messages(text: &str) -> Vec<String> {
    let report = report(text);
    let sessions = report.sessions.iter().flat_map(|session| &session.findings);
    report.findings.iter().chain(sessions).map(|finding| finding.message.clone()).collect()
}

/// What is advised is not gone through when reports are redacted.
#[test]
fn no_advice_holds_what_the_wire_says() {
    let examples = ALL.iter().flat_map(|rule| rule.examples("fires"));
    for text in examples {
        let lines = text.lines().map(|line| match line.split_at_checked(2) {
            Some(("< ", _)) => format!("{line}\n  Via: 1.1 marked.test (marked/1)\n"),
            Some(("> ", _)) => format!("{line} proxied\n"),
            _ => format!("{line}\n"),
        });
        let report = report(&lines.collect::<String>());
        for finding in report.sessions.iter().flat_map(|session| &session.findings) {
            let told = [&finding.advice, &finding.confirm, &finding.answerable];
            for words in told.into_iter().flatten() {
                assert!(!words.contains("marked"), "{}: {words}", finding.rule);
            }
        }
    }
}

/// Whether it counts one thing as several: `1 bytes`.
fn counts_one_as_many(message: &str) -> bool {
    let words: Vec<&str> = message.split([' ', ',', ';']).collect();
    let plural = |word: &str| word.len() > 3 && word.ends_with('s');
    words.windows(2).any(|pair| pair[0] == "1" && plural(pair[1]))
}

#[test]
fn one_is_no_plural() {
    let one_byte = "> CREATE-SESSION name=a\n< 200 session=1\n> FRAGMENT 0-0/1\n< 200 received=1\n";
    let said = [
        format!("{one_byte}> FRAGMENT 0-0/1\n< 416 received=0\n> CANCEL-SESSION\n< 200\n"),
        format!("{one_byte}> FRAGMENT 0-0/1\n< 200 received=1\n> FRAGMENT 0-0/2\n< 200 received=9\n"),
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-0/1\n< 413\n".to_owned(),
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-0/1\n< 401 www-authenticate=NTLM\n> FRAGMENT 0-0/1\n< 200 received=1\n".to_owned(),
    ];
    let examples = ALL.iter().flat_map(|rule| rule.examples("fires"));
    for text in examples.chain(said) {
        for message in messages(&text) {
            assert!(!counts_one_as_many(&message), "{message}");
        }
    }
}

#[test]
fn every_file_of_a_family_is_in_the_catalogue() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("tests"))
        .flat_map(|path| std::fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', "-"))
        .filter(|name| name != "mod")
        .collect();
    let mut ids: Vec<String> = ALL.iter().map(|rule| rule.id()).collect();
    files.sort();
    ids.sort();
    assert_eq!(ids, files);
}

#[test]
fn every_rule_has_a_title_of_one_sentence() {
    for rule in ALL {
        assert!(rule.title().ends_with('.'), "{}: {:?}", rule.id(), rule.title());
    }
}

#[test]
fn what_a_rule_means_is_told_without_captions_of_examples() {
    for rule in ALL {
        assert!(rule.text().iter().all(|paragraph| !paragraph.ends_with(':')), "{}", rule.id());
    }
}

#[test]
fn every_possible_cause_says_who_should_do_what() {
    for rule in ALL.iter().filter(|rule| rule.belief > 0) {
        assert!(rule.advice().is_some() && rule.answerable().is_some(), "{}", rule.id());
    }
}

#[test]
fn only_rules_about_sessions_can_be_a_cause() {
    for rule in ALL.iter().filter(|rule| matches!(rule.check, Check::Capture(_))) {
        assert_eq!(rule.belief, 0, "{}", rule.id());
    }
}

#[test]
fn only_rules_about_exchanges_need_them_answered() {
    let of_exchanges = |rule: &Rule| {
        matches!(rule.check, Check::Exchange(_) | Check::Trouble(_) | Check::TroubleAround(_))
    };
    let of_answered = |rule: &Rule| matches!(rule.needs, Needs::Answered | Needs::WholeExchange);
    for rule in ALL.iter().filter(|rule| of_answered(rule)) {
        assert!(of_exchanges(rule), "{}", rule.id());
    }
}

#[test]
fn codes_for_the_log_of_the_client_have_names() {
    for rule in ALL {
        let Some(code) = rule.client_code() else { continue };
        let (code, notation) = fields::hresult(code).unwrap();
        assert_eq!(notation, Notation::Prefixed, "{}", rule.id());
        assert!(hresult::symbol(code).is_some(), "{}", rule.id());
    }
}
