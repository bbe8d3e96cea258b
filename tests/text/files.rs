//! The text files of the repository.

use std::fs;
use std::path::Path;

/// The text files at a path, which may be a directory: their paths in the repository, in order, and
/// their contents.
pub(crate) fn read(path: &str) -> Vec<(String, String)> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !full.is_dir() {
        // Other files are binary, or missing.
        let text = fs::read_to_string(full);
        return text.into_iter().map(|text| (path.to_owned(), text)).collect();
    }
    let entries = fs::read_dir(full).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort_unstable();
    names.retain(|name| name != "target" && name != "__pycache__");
    names.iter().flat_map(|name| read(&format!("{path}/{name}"))).collect()
}
