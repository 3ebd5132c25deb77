//! A document in one of the many ways that people write it.

use std::collections::BTreeMap;

use super::*;

/// Writes a document in one of the many ways people do. `choices` decides which.
pub(super) struct Scribe<'a> {
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    pub(super) out: String,
    anchors: BTreeMap<String, usize>,
    /// Whether something stands there plain that a reader of YAML 1.1 takes for another type.
    pub(super) looks_typed: bool,
}

impl<'a> Scribe<'a> {
    pub(super) fn new(choices: &'a [u8]) -> Self {
        Self {
            choices: choices.iter().cycle(),
            out: String::new(),
            anchors: BTreeMap::new(),
            looks_typed: false,
        }
    }

    fn choose(&mut self, count: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % count)
    }

    fn pick<const N: usize>(&mut self, options: [&'static str; N]) -> &'static str {
        options[usize::from(self.choose(u8::try_from(N).unwrap()))]
    }

    fn comment(&mut self) {
        if self.choose(4) == 0 {
            let comment = self.pick([" # c", "  # a: \"b", " #", "   # 'x' |"]);
            self.out.push_str(comment);
        }
    }

    fn line_end(&mut self, indent: usize) {
        self.comment();
        self.out.push('\n');
        match self.choose(6) {
            0 => self.out.push('\n'),
            1 => self.out.push_str(&format!("{:indent$}# note: - 'x\n", "")),
            _ => {}
        }
    }

    /// A block collection at `indent`, on lines of its own.
    pub(super) fn block(&mut self, value: &Json, indent: usize) {
        match value {
            Json::Object(entries) => {
                for (key, value) in entries {
                    self.out.push_str(&" ".repeat(indent));
                    let key = if self.choose(3) == 0 {
                        self.single_or_double(key, None)
                    } else {
                        self.key(key, false)
                    };
                    self.out.push_str(&key);
                    let colon = self.pick([":", ":", ":", " :"]);
                    self.out.push_str(colon);
                    self.behind(value, indent, false);
                }
            }
            Json::Array(items) => {
                for item in items {
                    self.out.push_str(&format!("{:indent$}-", ""));
                    self.behind(item, indent, true);
                }
            }
            _ => unreachable!("not a collection"),
        }
    }

    /// A value behind its key or dash, which stands at `indent`.
    fn behind(&mut self, value: &Json, indent: usize, is_item: bool) {
        let repr = value.to_string();
        if let Some(anchor) = self.anchors.get(&repr).copied().filter(|_| self.choose(2) == 0) {
            self.out.push_str(&format!(" *a{anchor}"));
            return self.line_end(indent);
        }
        if self.choose(6) == 0 {
            let anchor = self.anchors.len();
            if *self.anchors.entry(repr).or_insert(anchor) == anchor {
                self.out.push_str(&format!(" &a{anchor}"));
            }
        }
        let deeper = indent + 1 + usize::from(self.choose(4));
        match value {
            Json::Object(entries) if !entries.is_empty() && self.choose(3) > 0 => {
                self.line_end(deeper);
                self.block(value, deeper);
            }
            Json::Array(items) if !items.is_empty() && self.choose(3) > 0 => {
                self.line_end(deeper);
                // Lists may stand under their key without indentation.
                let indent = if !is_item && self.choose(3) == 0 { indent } else { deeper };
                self.block(value, indent);
            }
            Json::Null if self.choose(2) == 0 => self.line_end(indent),
            Json::String(text) if text.contains('\n') && self.choose(4) > 0 => {
                if let Some(block) = self.block_scalar(text, deeper, deeper - indent) {
                    self.out.push(' ');
                    self.out.push_str(&block);
                } else {
                    self.inline(value, indent);
                }
            }
            _ => self.inline(value, indent),
        }
    }

    fn inline(&mut self, value: &Json, indent: usize) {
        let gap = self.pick([" ", "  "]);
        self.out.push_str(gap);
        let text = self.flow(value, Some(indent + 1), false);
        self.out.push_str(&text);
        self.line_end(indent);
    }

    /// A value on one line, or folded onto lines at `fold`.
    fn flow(&mut self, value: &Json, fold: Option<usize>, in_flow: bool) -> String {
        match value {
            Json::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.flow(item, fold, true)).collect();
                let gap = self.gap(fold);
                format!(
                    "[{gap}{}{gap}]",
                    items.join(&format!(",{}", if gap.is_empty() { " " } else { &gap }))
                )
            }
            Json::Object(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self.key(key, true), self.flow(value, fold, true)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Json::String(text) => {
                if is_plain(text, in_flow) && self.choose(2) == 0 {
                    self.looks_typed |= !super::super::write::scalar(text).eq(text);
                    self.folded_on_lines(text, fold)
                } else {
                    self.single_or_double(text, fold)
                }
            }
            Json::Number(number) => number.to_string(),
            Json::Bool(value) => {
                let word = value.to_string();
                match self.choose(3) {
                    0 => word.to_uppercase(),
                    _ => word,
                }
            }
            Json::Null => self.pick(["null", "~", "Null", "NULL"]).to_owned(),
        }
    }

    fn gap(&mut self, fold: Option<usize>) -> String {
        match (self.choose(4), fold) {
            (0, Some(fold)) => format!(" # [\n{:fold$}", ""),
            (1, _) => " ".to_owned(),
            _ => String::new(),
        }
    }

    fn key(&mut self, key: &str, in_flow: bool) -> String {
        if is_plain(key, in_flow) && key != "<<" && key.len() < 500 {
            self.looks_typed |= !super::super::write::scalar(key).eq(key);
            key.to_owned()
        } else {
            self.single_or_double(key, None)
        }
    }

    /// Turns some single blanks between words into line breaks.
    fn folded_on_lines(&mut self, text: &str, fold: Option<usize>) -> String {
        let Some(fold) = fold else { return text.to_owned() };
        let mut out = String::new();
        let characters: Vec<char> = text.chars().collect();
        for (index, character) in characters.iter().enumerate() {
            let is_word =
                |index: usize| characters.get(index).is_some_and(|character| character.is_ascii_lowercase());
            if *character == ' '
                && index > 0
                && is_word(index - 1)
                && is_word(index + 1)
                && self.choose(3) == 0
            {
                out.push_str(&format!("{}\n{:fold$}", self.pick([" ", ""]), ""));
            } else {
                out.push(*character);
            }
        }
        out
    }

    fn single_or_double(&mut self, text: &str, fold: Option<usize>) -> String {
        let fits_single = text.chars().all(|character| !character.is_control() && !is_special(character));
        if fits_single && self.choose(2) == 0 {
            return format!("'{}'", self.folded_on_lines(&text.replace('\'', "''"), fold));
        }
        let mut out = "\"".to_owned();
        for character in text.chars() {
            let code = u32::from(character);
            match (character, self.choose(12)) {
                ('"', _) => out.push_str("\\\""),
                ('\\', _) => out.push_str("\\\\"),
                ('\n', _) => out.push_str("\\n"),
                ('\t', 0..6) => out.push_str("\\t"),
                ('\u{85}', _) => out.push_str("\\N"),
                ('\u{a0}', 0..6) => out.push_str("\\_"),
                ('\u{2028}', _) => out.push_str("\\L"),
                (_, 0) if code <= 0xFF => out.push_str(&format!("\\x{code:02x}")),
                (_, 1) if code <= 0xFFFF => out.push_str(&format!("\\u{code:04X}")),
                (_, 2) => out.push_str(&format!("\\U{code:08x}")),
                (' ', 3) => out.push_str("\\ "),
                (_, 4)
                    if fold.is_some()
                        && !matches!(character, ' ' | '\t')
                        && !is_special(character)
                        && !character.is_control() =>
                {
                    out.push_str(&format!("\\\n{:1$}", "", fold.unwrap_or(0)));
                    out.push(character);
                }
                _ if character.is_control() || is_special(character) => {
                    out.push_str(&format!("\\U{code:08x}"))
                }
                _ => out.push(character),
            }
        }
        out.push('"');
        out
    }

    /// The text as `|` or `>`, its lines at `indent`; ends with a line break. `None` if a block cannot say it.
    fn block_scalar(&mut self, text: &str, indent: usize, relative: usize) -> Option<String> {
        let body = text.trim_end_matches('\n');
        let can = !body.is_empty()
            && text.chars().all(|c| c == '\n' || c == '\t' || (!c.is_control() && !is_special(c)))
            && !body.lines().any(|line| line.trim_matches([' ', '\t']).is_empty() && !line.is_empty())
            && !body.trim_start_matches('\n').starts_with('\t');
        if !can {
            return None;
        }
        let folded = self.choose(2) == 0;
        let first = body.trim_start_matches('\n');
        let indicator =
            if first.starts_with(' ') || self.choose(4) == 0 { relative.to_string() } else { String::new() };
        let chomping = match text.len() - body.len() {
            0 => "-",
            1 => "",
            _ => "+",
        };
        let (mark, pad) = (if folded { '>' } else { '|' }, " ".repeat(indent));
        let mut out = match self.choose(2) {
            0 => format!("{mark}{indicator}{chomping}"),
            _ => format!("{mark}{chomping}{indicator}"),
        };
        out.push_str(self.pick(["", " # |", " "]));
        out.push('\n');
        let lines: Vec<&str> = body.split('\n').collect();
        let mut last: Option<&str> = None;
        for line in lines {
            let is_loose = |line: &str| line.starts_with([' ', '\t']);
            if line.is_empty() {
                out.push('\n');
                continue;
            }
            // A break between two ordinary lines is folded away unless a blank line follows it.
            if folded && last.is_some_and(|last| !is_loose(last)) && !is_loose(line) {
                out.push('\n');
            }
            out.push_str(&pad);
            if folded && !is_loose(line) {
                let folded = self.folded_on_lines(line, Some(indent)).replace(" \n", "\n");
                out.push_str(&folded);
            } else {
                out.push_str(line);
            }
            out.push('\n');
            last = Some(line);
        }
        let extra = (text.len() - body.len()).saturating_sub(1);
        out.extend(std::iter::repeat_n('\n', extra));
        Some(out)
    }
}

/// Breaks to readers of YAML 1.1, byte order marks, and what is no character at all.
fn is_special(character: char) -> bool {
    matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || u32::from(character) & 0xFFFE == 0xFFFE
}

/// Whether a text can stand plain and is a string to readers of YAML 1.2.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let starts = |first: char| first.is_alphanumeric() || "$/.~=<_(🦀".contains(first);
    text.starts_with(starts)
        && scalar::resolve(text) == Plain::String
        && !text.starts_with("...")
        && !text.ends_with([':', ' ', '\u{a0}'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(|c: char| c.is_control() || is_special(c))
        && !(in_flow && text.contains([',', '[', ']', '{', '}', ':', '?', '#', '&', '*', '!']))
}
