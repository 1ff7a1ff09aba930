//! What holds for every rule.

use super::{ALL, Check};

#[test]
fn every_file_of_a_family_is_in_the_catalogue() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
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
fn only_rules_about_sessions_can_be_a_cause() {
    for rule in ALL.iter().filter(|rule| matches!(rule.check, Check::Capture(_))) {
        assert_eq!(rule.belief, 0, "{}", rule.id());
    }
}
