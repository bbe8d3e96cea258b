use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

const PRIVATE: WriteOptions = WriteOptions::private("test");

fn write_text(path: &Path, options: &WriteOptions) -> Result<PathBuf, FileError> {
    write(path, options, |file, _| {
        file.write_all(b"new").map_err(|error| FileError::failed(path, error))
    })
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn new_file_has_mode_and_leaves_no_other_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new");
    let written = write(&path, &PRIVATE, |file, unfinished| {
        let name = unfinished.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("unfinished-test-"), "{name}");
        assert_eq!(unfinished.parent(), path.parent());
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600);
        assert!(!path.exists());
        Ok::<_, FileError>(())
    });
    assert_eq!(written.unwrap(), path);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn failed_write_keeps_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old");
    fs::write(&path, "old").unwrap();
    let failed = write(&path, &PRIVATE.overwrite(true), |file, _| {
        file.write_all(b"new").unwrap();
        Err(FileError::failed(&path, io::Error::other("broken")))
    });
    assert!(matches!(failed, Err(FileError::Failed { .. })), "{failed:?}");
    assert_eq!(read(&path), "old");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn existing_file_is_replaced_only_with_overwrite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old");
    fs::write(&path, "old").unwrap();
    let second = directory.path().join("second");
    fs::hard_link(&path, &second).unwrap();
    assert!(matches!(write_text(&path, &PRIVATE), Err(FileError::Exists { .. })));
    write_text(&path, &PRIVATE.overwrite(true)).unwrap();
    assert_eq!((&*read(&path), &*read(&second)), ("new", "old"));
    fs::write(&second, "").unwrap();
    write_text(&second, &PRIVATE).unwrap();
    assert_eq!(read(&second), "new");
}

#[test]
fn file_created_concurrently_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new");
    let written = write(&path, &PRIVATE, |_, _| {
        fs::write(&path, "planted").unwrap();
        Ok::<_, FileError>(())
    });
    assert!(matches!(written, Err(FileError::Exists { .. })), "{written:?}");
    assert_eq!(read(&path), "planted");
}

#[test]
fn replaced_unfinished_file_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new");
    let written = write(&path, &PRIVATE, |_, unfinished| {
        fs::remove_file(unfinished).unwrap();
        fs::write(unfinished, "planted").unwrap();
        Ok::<_, FileError>(())
    });
    assert!(matches!(written, Err(FileError::Unsafe { reason: CHANGED, .. })), "{written:?}");
    assert!(!path.exists());
}

#[test]
fn non_regular_files_are_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mode = fs::metadata("/dev/null").unwrap().mode();
    for path in [Path::new("/dev/null"), &socket] {
        for options in [PRIVATE, PRIVATE.overwrite(true)] {
            let options = WriteOptions { allow_pipe: true, ..options };
            let refused = write_text(path, &options);
            assert!(
                matches!(refused, Err(FileError::Unsafe { reason: NOT_REGULAR, .. })),
                "{refused:?}"
            );
        }
    }
    assert_eq!(fs::metadata("/dev/null").unwrap().mode(), mode);
    let refused = write_text(directory.path(), &PRIVATE.overwrite(true));
    assert!(matches!(refused, Err(FileError::Directory { .. })), "{refused:?}");
    let refused = write_text(&directory.path().join("none/file"), &PRIVATE);
    assert!(matches!(refused, Err(FileError::NoDirectory { .. })), "{refused:?}");
}

#[test]
fn own_symlinks_are_followed_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let [old, link, second] = ["old", "link", "second"].map(|name| directory.path().join(name));
    fs::write(&old, "old").unwrap();
    symlink("old", &link).unwrap();
    symlink(&link, &second).unwrap();
    assert!(matches!(write_text(&second, &PRIVATE), Err(FileError::Exists { .. })));
    assert_eq!(write_text(&second, &PRIVATE.overwrite(true)).unwrap(), old);
    assert_eq!(read(&old), "new");
    assert!(link.is_symlink() && second.is_symlink());

    fs::remove_file(&old).unwrap();
    for options in [PRIVATE, PRIVATE.overwrite(true)] {
        assert!(matches!(write_text(&link, &options), Err(FileError::Unsafe { .. })));
    }
    symlink("old", &old).unwrap();
    assert!(matches!(write_text(&old, &PRIVATE), Err(FileError::Unsafe { .. })));
}
