//! What a script for bash or sh does, as far as its text says: its commands, their words, and what is
//! expanded in them.
//!
//! This is no shell: it knows quotes, substitutions, redirections, pipes and here-documents, so that rules
//! need not search for text that a comment or a string may hold as well. What it does not understand it
//! reads as words; it never fails.

use std::ops::Range;

/// A command with its words.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// All words, also keywords and assignments in front.
    pub(super) words: Vec<Word>,
    /// Redirections: the operator, and what it names.
    pub(super) redirections: Vec<(String, Word)>,
    /// The command whose output this reads.
    pub(super) fed_by: Option<usize>,
    /// The first command that reads the output of this.
    pub(super) feeds: Option<usize>,
    /// What is expanded in its here-documents.
    pub(super) document: Word,
    expected: Vec<Document>,
}

/// A word: everything up to the next blank outside quotes.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// Where it stands in the script.
    pub(super) range: Range<usize>,
    /// What it is without its quotes; [`EXPANSION`] stands for each expansion.
    pub(super) text: String,
    /// The variables expanded in it, not those of commands in it.
    pub(super) variables: Vec<Variable>,
    /// The commands in its substitutions.
    pub(super) commands: Vec<usize>,
}

/// A variable that is expanded.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) range: Range<usize>,
    /// Whether quotes keep it one word.
    pub(super) quoted: bool,
    /// Whether the expansion is something else than the value: its length, a replacement.
    pub(super) changed: bool,
    /// Whether the word begins with it.
    pub(super) leads: bool,
}

#[derive(Debug, Clone)]
struct Document {
    delimiter: String,
    literal: bool,
}

/// Stands for an expansion in the text of a word.
pub(super) const EXPANSION: char = '\0';

/// Words that may stand before a command.
const KEYWORDS: &[&str] = &["!", "{", "do", "elif", "else", "if", "then", "time", "until", "while"];

/// Commands that run another.
const PREFIXES: &[&str] = &["command", "env", "exec", "nohup", "sudo"];

/// How deep substitutions are read.
const MAX_DEPTH: usize = 20;

/// The commands of a script.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader { text, at: 0, depth: 0, commands: Vec::new(), pending: Vec::new() };
    reader.list(End::Text);
    let mut commands = reader.commands;
    for index in (0..commands.len()).rev() {
        if let Some(before) = commands[index].fed_by.and_then(|before| commands.get_mut(before)) {
            before.feeds = Some(index);
        }
    }
    commands
}

impl Command {
    /// The program, without its folder, and its arguments: behind keywords, assignments, `sudo` and `env`.
    pub(super) fn program(&self) -> Option<(&str, &[Word])> {
        let mut words = self.words.as_slice();
        while let Some((first, rest)) = words.split_first() {
            let is_prefix = PREFIXES.contains(&first.text.as_str());
            if !KEYWORDS.contains(&first.text.as_str()) && !first.is_assignment() && !is_prefix {
                return Some((first.text.rsplit('/').next().unwrap_or_default(), rest));
            }
            words = rest;
            while is_prefix && words.first().is_some_and(|word| word.text.starts_with('-')) {
                words = words.get(1..).unwrap_or_default();
            }
        }
        None
    }

    /// The file that its output is appended or written to, if that is in a variable of this name.
    pub(super) fn writes_to(&self, names: &[&str]) -> Option<&str> {
        let redirected = (self.redirections.iter())
            .filter(|(operator, _)| operator.contains('>'))
            .map(|(_, target)| target);
        let teed = self.program().filter(|(program, _)| *program == "tee").map(|(_, arguments)| arguments);
        redirected
            .chain(teed.unwrap_or_default())
            .find_map(|word| word.only_variable())
            .filter(|name| names.contains(name))
    }
}

impl Word {
    /// Whether it sets a variable: `NAME=value`.
    pub(super) fn is_assignment(&self) -> bool {
        self.text.split_once('=').is_some_and(|(name, _)| is_name(name.strip_suffix('+').unwrap_or(name)))
    }

    /// The variable that this word is, if it is nothing else.
    fn only_variable(&self) -> Option<&str> {
        match self.variables.as_slice() {
            [only] if self.text.chars().eq([EXPANSION]) => Some(&only.name),
            _ => None,
        }
    }
}

/// Whether a text can name a variable.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Parenthesis,
    Backtick,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    commands: Vec<Command>,
    pending: Vec<(usize, Document)>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Moves behind the next occurrence of a text, or to the end.
    fn skip_past(&mut self, text: &str) {
        self.at += self.rest().find(text).map_or(self.rest().len(), |at| at + text.len());
    }

    /// Reads commands up to the end of the text, or of the substitution they stand in.
    fn list(&mut self, end: End) {
        self.depth += 1;
        let mut command = Command::default();
        let (mut last, mut open) = (None, 0_usize);
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' => self.skip(),
                '\\' if self.starts_with("\\\n") => self.at += 2,
                _ if command.is_open_test() && next != '\n' => {
                    let word = self.word(end, true);
                    command.words.push(word);
                }
                '\n' => {
                    self.finish(&mut command, &mut last);
                    self.skip();
                    self.documents();
                }
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '&' if self.starts_with("&>") => self.redirection(&mut command, end),
                ';' | '&' => {
                    self.finish(&mut command, &mut last);
                    self.skip();
                }
                '|' => {
                    self.finish(&mut command, &mut last);
                    let is_pipe = !self.starts_with("||");
                    self.skip();
                    if matches!(self.peek(), Some('|' | '&')) {
                        self.skip();
                    }
                    command.fed_by = last.filter(|_| is_pipe);
                }
                '`' if end == End::Backtick => break,
                ')' if open == 0 && end == End::Parenthesis => break,
                '(' | ')' => {
                    if self.starts_with("((") {
                        self.skip_past("))");
                    } else {
                        let fed_by = command.fed_by.filter(|_| command.words.is_empty());
                        self.finish(&mut command, &mut last);
                        command.fed_by = fed_by;
                        open = if next == '(' { open + 1 } else { open.saturating_sub(1) };
                        self.skip();
                    }
                }
                '<' | '>' if !self.starts_with("<(") && !self.starts_with(">(") => {
                    self.redirection(&mut command, end);
                }
                digit if digit.is_ascii_digit() && self.is_numbered_redirection() => {
                    self.redirection(&mut command, end);
                }
                _ => {
                    let word = self.word(end, false);
                    command.words.push(word);
                }
            }
        }
        self.finish(&mut command, &mut last);
        self.skip();
        self.depth -= 1;
    }

    fn finish(&mut self, command: &mut Command, last: &mut Option<usize>) {
        let mut command = std::mem::take(command);
        if command.words.is_empty() && command.redirections.is_empty() {
            return;
        }
        let index = self.commands.len();
        self.pending.extend(command.expected.drain(..).map(|document| (index, document)));
        self.commands.push(command);
        *last = Some(index);
    }

    fn is_numbered_redirection(&self) -> bool {
        self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['<', '>'])
    }

    fn redirection(&mut self, command: &mut Command, end: End) {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.skip();
        }
        while self.peek().is_some_and(|next| matches!(next, '<' | '>' | '&' | '|')) {
            self.skip();
        }
        let operator = self.text.get(start..self.at).unwrap_or_default().to_owned();
        let is_document = operator.ends_with("<<") && !operator.ends_with("<<<");
        if is_document && self.peek() == Some('-') {
            self.skip();
        }
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.skip();
        }
        let word = self.word(end, false);
        if is_document {
            let written = self.text.get(word.range.clone()).unwrap_or_default();
            let literal = written.contains(['\'', '"', '\\']);
            command.expected.push(Document { delimiter: word.text, literal });
        } else {
            command.redirections.push((operator, word));
        }
    }

    /// Reads the here-documents that begin here.
    fn documents(&mut self) {
        for (owner, Document { delimiter, literal }) in std::mem::take(&mut self.pending) {
            let start = self.at;
            let mut end = start;
            let lines = self.text.get(start..).unwrap_or_default().split_inclusive('\n');
            let mut after = self.text.len();
            for line in lines {
                if line.trim() == delimiter {
                    after = end + line.len();
                    break;
                }
                end += line.len();
            }
            if !literal {
                let mut word = Word { range: start..end, ..Word::default() };
                while self.at < end {
                    match self.peek() {
                        Some('\\') => {
                            self.skip();
                            self.skip();
                        }
                        Some('$') => self.expansion(&mut word, true),
                        _ => self.skip(),
                    }
                }
                if let Some(command) = self.commands.get_mut(owner) {
                    command.document.variables.extend(word.variables);
                    command.document.commands.extend(word.commands);
                }
            }
            self.at = after;
        }
    }

    /// Reads a word. Inside `[[ ]]` only blanks end one.
    fn word(&mut self, end: End, in_test: bool) -> Word {
        let start = self.at;
        let mut word = Word::default();
        if !in_test && (self.starts_with("<(") || self.starts_with(">(")) {
            self.at += 2;
            self.substitution(&mut word, End::Parenthesis);
        }
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' => break,
                '(' if !in_test && word.text.ends_with('=') => {
                    self.skip();
                    self.array(&mut word, end);
                }
                ';' | '&' | '|' | '(' | ')' | '<' | '>' if !in_test => break,
                '`' if end == End::Backtick => break,
                '`' => {
                    self.skip();
                    self.substitution(&mut word, End::Backtick);
                }
                '\\' => {
                    self.skip();
                    if let Some(escaped) = self.peek().filter(|escaped| *escaped != '\n') {
                        word.text.push(escaped);
                    }
                    self.skip();
                }
                '\'' => {
                    self.skip();
                    let from = self.at;
                    self.skip_past("'");
                    let closed =
                        self.at - usize::from(self.text.get(..self.at).is_some_and(|t| t.ends_with('\'')));
                    word.text.push_str(self.text.get(from..closed.max(from)).unwrap_or_default());
                }
                '"' => self.quoted(&mut word, end),
                '$' if self.starts_with("$'") => self.skip(),
                '$' if self.starts_with("$\"") => self.skip(),
                '$' => self.expansion(&mut word, in_test),
                other => {
                    word.text.push(other);
                    self.skip();
                }
            }
        }
        if self.at == start {
            self.skip();
        }
        word.range = start..self.at;
        word
    }

    fn quoted(&mut self, word: &mut Word, end: End) {
        self.skip();
        while let Some(next) = self.peek() {
            match next {
                '"' => break,
                '\\' => {
                    self.skip();
                    word.text.extend(self.peek());
                    self.skip();
                }
                '$' => self.expansion(word, true),
                '`' if end != End::Backtick => {
                    self.skip();
                    self.substitution(word, End::Backtick);
                }
                other => {
                    word.text.push(other);
                    self.skip();
                }
            }
        }
        self.skip();
    }

    /// `(a "$b")` behind `NAME=`: its words expand nothing into commands.
    fn array(&mut self, word: &mut Word, end: End) {
        while let Some(next) = self.peek() {
            match next {
                ')' => break,
                ' ' | '\t' | '\r' | '\n' => self.skip(),
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => {
                    let item = self.word(end, false);
                    let quoted = |variable| Variable { quoted: true, leads: false, ..variable };
                    word.variables.extend(item.variables.into_iter().map(quoted));
                    word.commands.extend(item.commands);
                }
            }
        }
        self.skip();
    }

    /// Reads the commands of a substitution whose start was read.
    fn substitution(&mut self, word: &mut Word, end: End) {
        word.text.push(EXPANSION);
        if self.depth > MAX_DEPTH {
            self.at = self.text.len();
            return;
        }
        let first = self.commands.len();
        self.list(end);
        word.commands.extend(first..self.commands.len());
    }

    /// Reads what begins with a dollar.
    fn expansion(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        if self.starts_with("${{") {
            self.skip_past("}}");
            word.text.push(EXPANSION);
            return;
        }
        if self.starts_with("$((") {
            self.skip_past("))");
            word.text.push(EXPANSION);
            return;
        }
        if self.starts_with("$(") {
            self.at += 2;
            self.substitution(word, End::Parenthesis);
            return;
        }
        let braced = self.starts_with("${");
        self.at += if braced { 2 } else { 1 };
        let mut changed = braced && matches!(self.peek(), Some('#' | '!'));
        if changed {
            self.skip();
        }
        let length =
            |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let name = self.rest().get(..length(self.rest())).unwrap_or_default().to_owned();
        self.at += name.len();
        if braced {
            let operator = self.rest().trim_start_matches(':');
            changed |= !operator.starts_with(['}', '-', '=', '?']) || operator.is_empty();
            self.closing_brace();
        } else if !is_name(&name) {
            // `$1` and `$?`; of `$12` only the first digit belongs to it. Any other dollar is one.
            self.at = start + 1;
            if self.peek().is_some_and(|next| next.is_ascii_digit() || "@*#?$!-".contains(next)) {
                self.skip();
                word.text.push(EXPANSION);
            } else {
                word.text.push('$');
            }
            return;
        }
        if is_name(&name) {
            let leads = word.text.is_empty();
            word.variables.push(Variable { name, range: start..self.at, quoted, changed, leads });
        }
        word.text.push(EXPANSION);
    }

    /// Moves behind the brace that closes an expansion, past those that it holds.
    fn closing_brace(&mut self) {
        let mut open = 1_usize;
        while let Some(next) = self.peek() {
            match next {
                '{' => open += 1,
                '}' => open -= 1,
                '\\' => self.skip(),
                '\'' => {
                    self.skip();
                    self.skip_past("'");
                    continue;
                }
                '\n' => return,
                _ => {}
            }
            self.skip();
            if open == 0 {
                return;
            }
        }
    }
}

impl Command {
    /// Whether `[[` was read, and `]]` not yet.
    fn is_open_test(&self) -> bool {
        let first = self.words.iter().find(|word| !KEYWORDS.contains(&word.text.as_str()));
        first.is_some_and(|word| word.text == "[[") && self.words.last().is_some_and(|word| word.text != "]]")
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, commands};

    fn shown(command: &Command) -> String {
        let words: Vec<_> = command.words.iter().map(|word| word.text.replace('\0', "<>")).collect();
        words.join(" ")
    }

    fn all(text: &str) -> Vec<String> {
        commands(text).iter().map(shown).collect()
    }

    #[test]
    fn commands_end_where_the_shell_ends_them() {
        assert_eq!(all("a b; c && d || e & f\n# g ; h\ni \\\n  j"), ["a b", "c", "d", "e", "f", "i j"]);
        assert_eq!(all("echo 'a; b' \"c | d\" e\\;f #g"), ["echo a; b c | d e;f"]);
        assert_eq!(all("if ! a; then (b; c); fi"), ["if ! a", "then", "b", "c", "fi"]);
        assert_eq!(all("[[ $A =~ ^(x|y)$ && -n $B ]] || exit 1"), ["[[ <> =~ ^(x|y)$ && -n <> ]]", "exit 1"]);
        assert_eq!(all("X=(a b) y"), ["X= y"]);
    }

    #[test]
    fn substitutions_are_commands_too() {
        assert_eq!(all("a \"$(b 'c)' $(d))\" e"), ["d", "b c) <>", "a <> e"]);
        assert_eq!(all("bash <(curl x) `y`"), ["curl x", "y", "bash <> <>"]);
        assert_eq!(all("a $((1 + 2)) ${B:-${C}} ${{ d }} e"), ["a <> <> <> e"]);
    }

    #[test]
    fn pipes_lead_from_one_to_the_next() {
        let read = commands("a | b |& c; d || e");
        let fed: Vec<_> = read.iter().map(|command| command.fed_by).collect();
        assert_eq!(fed, [None, Some(0), Some(1), None, None]);
        assert_eq!(commands("curl x | (bash)")[1].fed_by, Some(0));
    }

    #[test]
    fn documents_are_not_commands() {
        let read = commands("cat <<EOF >> \"$F\"\nrm $A\nEOF\ncat <<'E'\n$B\nE\nx");
        assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), ["cat", "cat", "x"]);
        assert_eq!(read[0].document.variables[0].name, "A");
        assert!(read[1].document.variables.is_empty());
        assert_eq!(read[0].writes_to(&["F"]), Some("F"));
    }

    #[test]
    fn variables_say_how_they_are_expanded() {
        let read = commands("x $A \"$B\" ${C#v} ${#D} \"${E:-e}\" p$F >$G 2>&1");
        let shown: Vec<_> = (read[0].words.iter().flat_map(|word| &word.variables))
            .map(|own| format!("{} {} {} {}", own.name, own.quoted, own.changed, own.leads))
            .collect();
        assert_eq!(
            shown,
            [
                "A false false true",
                "B true false true",
                "C false true true",
                "D false true true",
                "E true false true",
                "F false false false"
            ]
        );
        assert_eq!(read[0].writes_to(&["G"]), Some("G"));
    }

    #[test]
    fn programs_stand_behind_what_may_precede_them() {
        let read = commands("if A=1 sudo -E /usr/bin/curl -x y; then :; fi");
        let (program, arguments) = read[0].program().unwrap();
        assert_eq!((program, arguments[0].text.as_str()), ("curl", "-x"));
        assert!(commands("A=1")[0].program().is_none());
    }

    /// Whatever stands there: it ends, and every range is in the text.
    #[test]
    fn broken_scripts_end() {
        for text in
            ["'", "\"", "$(", "${", "`", "cat <<", "cat <<E\nx", "a |", ")", "((", "X=(", "${{", "é\\"]
        {
            for command in commands(text) {
                for word in command.words {
                    assert!(text.get(word.range).is_some(), "{text}");
                }
            }
        }
        commands(&"$(".repeat(10_000));
    }
}
