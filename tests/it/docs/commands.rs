//! Every command line that a page shows is one that renkei takes.

use super::{examples, pages, root};

/// The words of a shell line, quotes taken away; what follows a `#`, a `|`, a `;` or an `&&` belongs to others.
fn words(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word, mut quote) = (vec![Vec::new()], None::<String>, None);
    let end = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>| {
        commands.last_mut().unwrap().extend(word.take());
    };
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | ';' | '&') => {
                end(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            (None, ' ') => end(&mut word, &mut commands),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    end(&mut word, &mut commands);
    commands
}

/// The arguments of renkei in a command: after `renkei` itself, sudo, a container's door or cargo.
fn arguments(command: &[String]) -> Option<&[String]> {
    let is_assignment = |word: &String| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'));
    let mut rest = command;
    while rest.first().is_some_and(|word| word == "sudo" || is_assignment(word)) {
        rest = &rest[1..];
    }
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["renkei" | "target/release/renkei" | "/usr/local/bin/renkei", ..] => Some(&rest[1..]),
        ["docker", "compose", "exec", _, "renkei", ..] => Some(&rest[5..]),
        ["cargo", "run", "--release", "--", ..] => Some(&rest[4..]),
        _ => None,
    }
}

fn taken(arguments: &[String]) -> Result<(), String> {
    let named = std::iter::once("renkei".to_owned()).chain(arguments.iter().cloned());
    match renkei::cli::definition().try_get_matches_from(named) {
        Ok(_) => Ok(()),
        Err(error) if !error.use_stderr() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the definition has these words as commands: prose names `renkei run` as a whole, too.
fn is_command(arguments: &[String]) -> bool {
    let mut at = renkei::cli::definition();
    arguments.iter().all(|word| match at.find_subcommand(word).cloned() {
        Some(found) => {
            at = found;
            true
        }
        None => false,
    })
}

/// A number of a run, a name and so on stand for themselves: only options with a closed set of words need one of them.
fn inline(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let is_ours = |code: &&str| code.starts_with("renkei ");
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|code| is_ours(&code.as_str()))
        .collect()
}

#[test]
fn every_command_in_an_example_or_in_prose_is_one_that_renkei_takes() {
    let (mut fenced, mut in_prose, mut wrong) = (0, 0, Vec::new());
    for path in pages() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        for line in examples(&text, "sh").iter().flat_map(|example| example.lines()) {
            for command in words(line) {
                let Some(arguments) = arguments(&command) else { continue };
                fenced += 1;
                if let Err(error) = taken(arguments) {
                    wrong.push(format!("{name}: {line}\n{error}"));
                }
            }
        }
        for code in inline(&text) {
            let command = words(&code).swap_remove(0);
            in_prose += 1;
            if let Err(error) = taken(&command[1..])
                && !is_command(&command[1..])
            {
                wrong.push(format!("{name}: `{code}`\n{error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fenced > 30 && in_prose > 5, "the commands were not found: {fenced} fenced, {in_prose} in prose");
}

#[test]
fn a_command_that_renkei_does_not_have_is_found_out() {
    for line in [
        "sudo renkei --config /etc/renkei/config.yaml runs list",
        "renkei run retry R-1 --gently   # as it was",
        "SEISAN_TOKEN=x docker compose exec renkei renkei run nothing",
        "cargo run --release -- demos",
        "true && renkei menu preview '社員 一覧' extra",
    ] {
        let commands = words(line);
        let found = commands.iter().find_map(|command| arguments(command)).unwrap();
        assert!(taken(found).is_err(), "{line}");
    }
}
