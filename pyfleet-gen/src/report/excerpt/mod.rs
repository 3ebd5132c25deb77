//! A finding with the lines it is about, drawn as the Rust compiler draws one.
//!
//! The crate `annotate-snippets` draws the same with 65,000 instructions a finding, because it looks at every cell of
//! every row for itself. Most rows hold one piece of text or one underline, and those are written straight into the
//! text of the report, which takes a tenth of that. Only rows that are cut or hold several underlines are put together
//! cell by cell first. The crate decides how a finding looks: `tests.rs` compares byte by byte, over random texts and
//! over other people's workflows, plain and coloured.
//!
//! Two things look different here, both where the crate misses something: a gutter is as wide as the numbers in it,
//! also where the last place is empty and at the beginning of its line; and the middle of a very long underline is
//! left out only where it is alone in its line.

mod beneath;
mod pen;
mod place;
mod row;
#[cfg(test)]
mod tests;
mod width;
mod window;

use std::borrow::Cow;

use pyfleet_core::diagnostic::Severity;
use pyfleet_core::source::Span;

use self::pen::{Ink, Pen, Stroke, digits};
use self::place::Place;
use self::row::Row;
use self::width::{is_one_line, width, without_tabs};
use self::window::Window;

/// What is drawn. Every text is as [`super::visible`] leaves it.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    pub(super) severity: Severity,
    pub(super) code: &'a str,
    pub(super) message: Cow<'a, str>,
    /// Where it was found.
    pub(super) found: Snippet<'a>,
    /// Where that comes from.
    pub(super) origin: Option<Snippet<'a>>,
    pub(super) helps: Vec<Cow<'a, str>>,
}

/// Lines of a text, with marks in them.
#[derive(Debug)]
pub(super) struct Snippet<'a> {
    /// The text's name.
    pub(super) path: Cow<'a, str>,
    /// Whole lines of it.
    pub(super) text: Cow<'a, str>,
    /// Which of the text's lines the first one is, counted from 1.
    pub(super) first_line: usize,
    /// What the snippet is about.
    pub(super) mark: Mark<'a>,
    /// What else is to be seen there.
    pub(super) beside: Vec<Mark<'a>>,
}

/// A part of a line that is underlined.
#[derive(Debug)]
pub(super) struct Mark<'a> {
    /// Its bytes in [`Snippet::text`].
    pub(super) span: Span,
    pub(super) label: Option<Cow<'a, str>>,
}

impl Excerpt<'_> {
    /// Writes it at the end of a text, every row with its line feed.
    pub(super) fn write(&self, colour: bool, out: &mut String) {
        let found = Place::all(&self.found);
        let origin = self.origin.as_ref().map(|origin| (origin, Place::all(origin)));
        let places = found.iter().chain(origin.iter().flat_map(|(_, places)| places));
        let last_number = places.map(|place| place.number).max().unwrap_or_default();
        let gutter = digits(last_number);
        let mut drawing = Drawing { pen: Pen { out, colour, severity: self.severity }, gutter };
        drawing.title(self.code, &self.message);
        drawing.snippet("--> ", &self.found, &found);
        if let Some((origin, places)) = &origin {
            drawing.empty_row();
            drawing.snippet("::: ", origin, places);
        }
        if !self.helps.is_empty() {
            drawing.empty_row();
        }
        self.helps.iter().for_each(|help| drawing.help(help));
    }
}

/// An excerpt that is being drawn.
struct Drawing<'o> {
    pen: Pen<'o>,
    /// How wide the numbers of lines are.
    gutter: usize,
}

impl Drawing<'_> {
    fn title(&mut self, code: &str, message: &str) {
        let severity = self.pen.severity.name();
        self.pen.draw_all(Ink::Severity, &[severity, "[", code, "]"]);
        if is_one_line(message) {
            self.pen.draw_all(Ink::Bold, &[": ", message]);
            return self.pen.end_row();
        }
        // What begins another line is drawn; a carriage return and a tab would move what follows.
        let message = without_tabs(message).replace('\r', "\u{240d}");
        let mut lines = message.split('\n');
        self.pen.draw_all(Ink::Bold, &[": ", lines.next().unwrap_or_default()]);
        self.pen.end_row();
        let indent = severity.len() + width(code) + "[]: ".len();
        for line in lines {
            self.indent(indent);
            self.pen.draw(Ink::Bold, line);
            self.pen.end_row();
        }
    }

    fn help(&mut self, help: &str) {
        self.indent(self.gutter + 1);
        self.pen.draw(Ink::Gutter, "= ");
        self.pen.draw(Ink::Bold, "help");
        self.pen.plain(": ");
        if is_one_line(help) {
            self.pen.plain(help);
            return self.pen.end_row();
        }
        let mut lines = help.split('\n');
        self.pen.plain(lines.next().unwrap_or_default());
        self.pen.end_row();
        for line in lines {
            self.indent(self.gutter + " = help: ".len());
            self.pen.plain(line);
            self.pen.end_row();
        }
    }

    /// The snippet's name and place, then its marked lines in their order.
    fn snippet(&mut self, arrow: &str, snippet: &Snippet<'_>, places: &[Place<'_>]) {
        self.indent(self.gutter);
        self.pen.draw(Ink::Gutter, arrow);
        self.pen.plain(&snippet.path);
        if let Some(Place { number, column, .. }) = places.iter().find(|place| place.is_primary) {
            for part in [number, column] {
                self.pen.plain(":");
                self.pen.number(Ink::Plain, *part, 0);
            }
        }
        self.pen.end_row();
        self.empty_row();
        let window = Window::over(places, self.gutter);
        let mut lines = places.chunk_by(|one, other| one.number == other.number).peekable();
        while let Some(line) = lines.next() {
            self.marked_line(line, &window);
            if let (Some(this), Some(next)) = (line.first(), lines.peek().and_then(|next| next.first())) {
                self.between(snippet, this, next, &window);
            }
        }
    }

    /// What stands between two marked lines: a single line is shown, more are left out.
    fn between(&mut self, snippet: &Snippet<'_>, this: &Place<'_>, next: &Place<'_>, window: &Window) {
        match next.number - this.number {
            0 | 1 => {}
            2 => {
                let line = snippet.text[this.line_end..].lines().next().unwrap_or_default();
                self.line(this.number + 1, line, window);
            }
            _ => {
                self.pen.draw(Ink::Gutter, "...");
                self.pen.end_row();
            }
        }
    }

    /// A line of the text without marks.
    fn line(&mut self, number: usize, line: &str, window: &Window) {
        self.number(number);
        let line_width = width(line);
        if window.shows_all_of(line_width) {
            self.code(line);
        } else {
            self.row(&window.row(line, line_width).0);
        }
    }

    /// A line of the text, and what is drawn beneath it.
    fn marked_line(&mut self, places: &[Place<'_>], window: &Window) {
        match places {
            [] => {}
            [place] if window.shows_all_of(place.line_width) && !window.shortens(place) => {
                self.number(place.number);
                self.code(place.line);
                self.underline(place);
            }
            [place, others @ ..] => {
                let (mut code, left) = window.row(place.line, place.line_width);
                let mut beneath = beneath::rows(places, left);
                if others.is_empty() && window.shortens(place) {
                    beneath.iter_mut().chain([&mut code]).for_each(|row| window.shorten(row, place, left));
                }
                self.number(place.number);
                self.row(&code);
                for row in &beneath {
                    self.margin();
                    self.row(row);
                }
            }
        }
    }

    /// The row beneath a line that holds one mark and is shown as it is.
    fn underline(&mut self, place: &Place<'_>) {
        self.margin();
        self.indent(place.start + 1);
        self.pen.repeat(place.ink(), place.stroke(), place.width());
        if place.has_label() {
            self.pen.plain(" ");
            self.pen.draw(place.ink(), place.label);
        }
        self.pen.end_row();
    }

    /// The rest of a row that begins with a number: a line of the text as it is.
    fn code(&mut self, line: &str) {
        if !line.is_empty() {
            self.pen.plain(" ");
        }
        self.pen.plain(&without_tabs(line));
        self.pen.end_row();
    }

    /// The rest of a row, cell by cell.
    fn row(&mut self, row: &Row) {
        if !row.is_empty() {
            self.pen.plain(" ");
        }
        row.draw(&mut self.pen);
        self.pen.end_row();
    }

    /// The beginning of a row that shows a line of the text.
    fn number(&mut self, number: usize) {
        self.pen.number(Ink::Gutter, number, self.gutter);
        self.pen.plain(" ");
        self.pen.draw(Ink::Gutter, "|");
    }

    /// The beginning of any other row.
    fn margin(&mut self) {
        self.indent(self.gutter + 1);
        self.pen.draw(Ink::Gutter, "|");
    }

    fn indent(&mut self, columns: usize) {
        self.pen.repeat(Ink::Plain, Stroke::Space, columns);
    }

    fn empty_row(&mut self) {
        self.margin();
        self.pen.end_row();
    }
}
