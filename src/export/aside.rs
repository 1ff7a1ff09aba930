//! Files that are whole or not there: written beside their place, then renamed.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// What the names of files under way begin with, for as long as this process runs.
pub fn prefix() -> String {
    format!(".bitsleuth-{}-", std::process::id())
}

/// A file under way in `dir`, an ordinary one but for its name. It goes away unless it is given another.
///
/// # Errors
///
/// Where it cannot be created.
pub fn file(dir: &Path) -> io::Result<NamedTempFile> {
    let open = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
    let made = tempfile::Builder::new().prefix(&prefix()).make_in(dir, open)?;
    Ok(made)
}

/// Gives `file` the name `stem.extension` in `dir`, or `stem-2.extension` and so on where that is taken: nothing is
/// overwritten. Returns the name.
///
/// # Errors
///
/// Where it cannot be renamed for another reason.
pub fn keep(
    mut file: NamedTempFile,
    dir: &Path,
    stem: &str,
    extension: &str,
) -> io::Result<String> {
    for number in 1_u32.. {
        let name = match number {
            1 => format!("{stem}.{extension}"),
            _ => format!("{stem}-{number}.{extension}"),
        };
        match file.persist_noclobber(dir.join(&name)) {
            Ok(_) => return Ok(name),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let put = |text: &str| {
            let mut file = file(dir.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            keep(file, dir.path(), "a", "bin").unwrap()
        };
        assert_eq!([put("1"), put("2")], ["a.bin", "a-2.bin"]);
        assert_eq!(std::fs::read_to_string(dir.path().join("a.bin")).unwrap(), "1");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
