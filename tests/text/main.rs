//! Checks of text: messages and phrases.

mod files;
mod messages;
mod phrases;
