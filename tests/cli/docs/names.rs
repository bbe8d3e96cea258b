//! Every command and option that a page names exists.

use crate::help::{commands, names};
use crate::pages;
use crate::support::empty;

/// Documents outside `docs/` that name commands too.
const OTHERS: [&str; 3] = ["CHANGELOG.md", "SECURITY.md", "benches/README.md"];

#[test]
fn commands_and_options_in_pages_exist() {
    let sandbox = empty();
    let help = |command: &[String]| sandbox.run(&[&strs(command)[..], &["-h"]].concat()).stdout;
    let first_screen = help(&[]);
    let top = names(&first_screen);
    let helps: Vec<_> = commands().into_iter().map(|command| (help(&command), command)).collect();
    let all = first_screen + &helps.iter().map(|(help, _)| help.as_str()).collect::<String>();

    let mut count = 0;
    for page in pages::pages().into_iter().chain(OTHERS.map(pages::page)) {
        for mention in mentions(&page.text, &top) {
            let line = mention.strip_prefix("dash-users ").unwrap_or(&mention);
            let words: Vec<&str> = line.split_whitespace().collect();
            // The longest that fits: `group add` and not `group`.
            let found = helps.iter().rfind(|(_, command)| words.starts_with(&strs(command)));
            let known = match found {
                Some((help, _)) => help,
                None if words[0] == "help" || words[0].starts_with('-') => &all,
                // `rm` and other aliases.
                None if all.contains(&format!("alias: {}]", words[0])) => &all,
                None => panic!("{}: no such command: {mention}", page.path),
            };
            for option in options(&mention) {
                count += 1;
                assert!(options(known).contains(&option), "{}: {option}: {mention}", page.path);
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_command_is_mentioned_outside_the_reference() {
    let pages: Vec<_> =
        pages::pages().into_iter().filter(|page| !page.path.ends_with("/commands.md")).collect();
    for command in commands() {
        let name = command.join(" ");
        let found = pages.iter().any(|page| {
            page.text.contains(&format!("dash-users {name}"))
                || page.text.contains(&format!("`{name}"))
        });
        assert!(found, "{name}");
    }
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The long options in a text.
fn options(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with("--") && word.len() > 2).collect()
}

/// The commands and options in a document's text, and the command lines in its `sh` blocks.
/// `commands` are the program's.
fn mentions(document: &str, commands: &[String]) -> Vec<String> {
    let is_ours = |code: &&str| match code.split_whitespace().next() {
        Some("dash-users") => code.contains(' ') && !code.contains(" = "),
        None => false,
        Some(first) => first.starts_with("--") || commands.iter().any(|command| command == first),
    };
    let mut mentions = Vec::new();
    for (index, part) in document.split("```").enumerate() {
        if index % 2 == 0 {
            mentions.extend(part.split('`').skip(1).step_by(2).filter(is_ours));
        } else if let Some(block) = part.strip_prefix("sh\n") {
            let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default());
            let programs = lines.flat_map(|line| line.split(['|', ';', '&', '>', '(']));
            mentions.extend(programs.map(str::trim).filter(|line| line.starts_with("dash-users ")));
        }
    }
    mentions.into_iter().map(str::to_owned).collect()
}
