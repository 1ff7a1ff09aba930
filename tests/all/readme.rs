//! What README.md shows is what the program prints.

use crate::support::{SAMPLES, bitsleuth, root, sample, stdout};

/// Commands in order, each with what is shown of its output.
fn shown(text: &str) -> Vec<(String, String)> {
    let blocks = text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut shown: Vec<(String, String)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    shown
}

/// How wide a terminal is matters to where lines break.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn examples_are_what_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("samples")).unwrap();
    for name in SAMPLES {
        std::fs::write(dir.path().join("samples").join(name), sample(name)).unwrap();
    }
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap().replace("\r\n", "\n");
    let examples = shown(&readme);
    for (line, expected) in &examples {
        let Some(args) = line.strip_prefix("bitsleuth ") else { continue };
        let output = bitsleuth().args(args.split(' ')).current_dir(dir.path()).output().unwrap();
        let (printed, expected) = (words(&stdout(&output)), words(expected));
        match expected.strip_suffix(" …") {
            Some(start) => assert!(printed.starts_with(start), "{line}\n{printed}\n{start}"),
            None => assert_eq!(printed, expected, "{line}"),
        }
    }
    assert!(examples.len() > 8);
}
