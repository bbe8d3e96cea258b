//! The pages of the documentation, and the blocks in them.

use std::fs;
use std::path::{Path, PathBuf};

/// The directory of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Markdown file, by its path in the checkout.
pub struct Page {
    pub path: String,
    pub text: String,
}

/// A fenced block of a page.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    pub language: &'a str,
    pub text: &'a str,
    /// Whether nothing but blank lines stands between it and the block before it.
    pub follows: bool,
}

/// A page by its path.
pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path));
    Page { text: text.unwrap_or_else(|error| panic!("{path}: {error}")), path: path.to_owned() }
}

/// The README and all pages in `docs/`, in the order of their paths.
pub fn pages() -> Vec<Page> {
    fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, paths);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    let mut paths = vec![root().join("README.md")];
    collect(&root().join("docs"), &mut paths);
    paths.sort();
    let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.into_iter().map(|path| page(&relative(path))).collect()
}

impl Page {
    /// All fenced blocks. None is indented.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut rest = &*self.text;
        let mut position = 0;
        while let Some((before, block)) = rest.split_once("```") {
            assert!(
                before.is_empty() || before.ends_with('\n'),
                "{}: a fence must start its line",
                self.path
            );
            let (language, block) = block.split_once('\n').expect("a line");
            let (text, after) = block.split_once("```\n").expect("the end of a block");
            let follows = position > 0 && before.trim().is_empty();
            blocks.push(Block { language, text, follows });
            position += 1;
            rest = after;
        }
        blocks
    }

    /// The text of all blocks in a language.
    pub fn blocks_of(&self, language: &str) -> Vec<&str> {
        let blocks = self.blocks().into_iter().filter(|block| block.language == language);
        blocks.map(|block| block.text).collect()
    }
}
