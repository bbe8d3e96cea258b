//! Checks of text: messages, phrases, and the pages for contributors.

mod changes;
mod files;
mod messages;
mod paths;
mod phrases;
mod versions;
