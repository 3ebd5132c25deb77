//! A workflow's flowchart as SVG: no script, nothing from elsewhere, light and dark.

mod picture;
mod words;

use std::fmt::Write as _;

use pyfleet_core::flowchart::{Flowchart, Node, NodeKind};

use self::picture::{MARGIN, Picture, Rect, shape};
pub(crate) use self::words::{escaped, without_expressions};

/// How often a job runs, where that is not once.
pub(crate) fn times(node: &Node) -> Option<String> {
    words::times(&node.times)
}

/// The colours and sizes of a chart.
pub(crate) fn style() -> &'static str {
    pyfleet_templates::template("docs/chart.css").unwrap_or_default()
}

/// A chart as a file of its own.
pub(crate) fn file(chart: &Flowchart, name: &str) -> String {
    let picture = Picture::of(chart);
    let mut text = opening(&picture, chart, name, "xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
    let _ = write!(
        text,
        "<title>{}</title>\n<style>\n{}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
        escaped(name),
        style()
    );
    draw(&mut text, chart, &picture, None);
    text + "</svg>\n"
}

/// A chart inside of a page, in which every job links to what is told of it.
pub(crate) fn inline(chart: &Flowchart, name: &str) -> String {
    let picture = Picture::of(chart);
    // A wide chart shrinks with its page, until its texts would be too small to read.
    let attributes = format!("role=\"group\" style=\"min-width:{:.0}px\"", picture.width * 0.85);
    let mut text = opening(&picture, chart, name, &attributes);
    draw(&mut text, chart, &picture, Some(name));
    text + "</svg>\n"
}

/// Where a page tells of a job.
pub(crate) fn anchor(workflow: &str, job: &str) -> String {
    format!("{workflow}.{job}")
}

fn opening(picture: &Picture, chart: &Flowchart, name: &str, attributes: &str) -> String {
    let (width, height) = (picture.width, picture.height + legend_height(picture, chart));
    let name = escaped(name);
    let jobs = chart.nodes.len().saturating_sub(1);
    format!(
        "<svg class=\"chart\" {attributes} width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" aria-label=\"{name}: {jobs} jobs and what each waits for\">\n"
    )
}

fn draw(text: &mut String, chart: &Flowchart, picture: &Picture, workflow: Option<&str>) {
    for band in &picture.bands {
        let Rect { x, y, .. } = band.frame;
        rect(text, "band", &band.frame, 10.0);
        let _ = writeln!(
            text,
            "<text class=\"place\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 12.0,
            y + 19.0,
            escaped(&band.name)
        );
    }
    for (edge, route) in chart.edges.iter().zip(&picture.routes) {
        let class = if edge.from == 0 { "edge first" } else { "edge" };
        let _ = writeln!(text, "<path class=\"{class}\" d=\"{}\"/>", rounded(route));
        let _ = writeln!(text, "<path class=\"head\" d=\"{}\"/>", head(route));
    }
    for (node, (frame, lines)) in chart.nodes.iter().zip(&picture.boxes) {
        let class = classes(node);
        let said: Vec<String> = lines.iter().map(|line| escaped(&line.text)).collect();
        let link = workflow.filter(|_| node.kind != NodeKind::Start).map(|name| anchor(name, &node.label));
        let close = match link {
            Some(link) => {
                let _ = writeln!(text, "<a class=\"{class}\" href=\"#{}\">", escaped(&link));
                "</a>"
            }
            None => {
                let _ = writeln!(text, "<g class=\"{class}\">");
                "</g>"
            }
        };
        let name = node.name.as_deref().map_or_else(|| said.join("\n"), escaped);
        let _ = writeln!(text, "<title>{name}</title>");
        body(text, node.kind, frame);
        if node.identity.is_some() {
            let stripe = Rect { x: frame.x + 5.0, y: frame.y + 7.0, width: 3.0, height: frame.height - 14.0 };
            rect(text, "stripe", &stripe, 1.5);
        }
        let mut y = frame.y + (frame.height - lines.iter().map(words::Line::height).sum::<f64>()) / 2.0;
        for (line, said) in lines.iter().zip(said) {
            y += line.height();
            let x = frame.x + 16.0;
            let _ = writeln!(
                text,
                "<text class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\">{said}</text>",
                line.class,
                y - 4.0
            );
        }
        let _ = writeln!(text, "{close}");
    }
    legend(text, chart, picture);
}

/// What a node is, and what it may do.
fn classes(node: &Node) -> String {
    let mut classes = format!("node {}", shape(node.kind));
    if let Some(identity) = &node.identity {
        classes.push_str(if identity.purpose.changes() { " changing" } else { " reading" });
    }
    if node.writes().next().is_some() {
        classes.push_str(" writing");
    }
    classes
}

/// What it is, is its shape.
fn body(text: &mut String, kind: NodeKind, frame: &Rect) {
    let Rect { x, y, width, height } = *frame;
    match kind {
        NodeKind::Start => rect(text, "body", frame, (height / 2.0).min(16.0)),
        NodeKind::Job => rect(text, "body", frame, 6.0),
        NodeKind::Gate => {
            rect(text, "body", frame, 6.0);
            let inner = Rect { x: x + 3.0, y: y + 3.0, width: width - 6.0, height: height - 6.0 };
            rect(text, "inner", &inner, 4.0);
        }
        NodeKind::Approval => {
            let (right, bottom, cut) = (x + width, y + height, 10.0_f64.min(height / 3.0));
            let _ = writeln!(
                text,
                "<path class=\"body\" d=\"M{:.1} {y:.1}H{:.1}L{right:.1} {:.1}V{:.1}L{:.1} {bottom:.1}H{:.1}L{x:.1} {:.1}V{:.1}Z\"/>",
                x + cut,
                right - cut,
                y + cut,
                bottom - cut,
                right - cut,
                x + cut,
                bottom - cut,
                y + cut
            );
        }
    }
}

fn rect(text: &mut String, class: &str, rect: &Rect, radius: f64) {
    let Rect { x, y, width, height } = rect;
    let _ = writeln!(
        text,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius:.1}\"/>"
    );
}

/// A line through its corners, each of them rounded.
fn rounded(route: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (position, (x, y)) in route.iter().enumerate() {
        let neighbours =
            (position.checked_sub(1).and_then(|before| route.get(before)), route.get(position + 1));
        match neighbours {
            (None, _) => {
                let _ = write!(path, "M{x:.1} {y:.1}");
            }
            (_, None) => {
                let _ = write!(path, "L{x:.1} {y:.1}");
            }
            (Some(before), Some(behind)) => {
                let (begin, end) = (towards((*x, *y), *before), towards((*x, *y), *behind));
                let _ =
                    write!(path, "L{:.1} {:.1}Q{x:.1} {y:.1} {:.1} {:.1}", begin.0, begin.1, end.0, end.1);
            }
        }
    }
    path
}

/// A little way from one point to another.
fn towards(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let length = x.abs() + y.abs();
    let part = if length > 0.0 { (6.0_f64).min(length / 2.0) / length } else { 0.0 };
    (from.0 + x * part, from.1 + y * part)
}

/// The arrow at a route's end.
fn head(route: &[(f64, f64)]) -> String {
    let Some((x, y)) = route.last() else { return String::new() };
    let is_across = route.iter().rev().nth(1).is_some_and(|(_, before)| (before - y).abs() < 0.01);
    if is_across { format!("M{x:.1} {y:.1}l-7 -3.5v7z") } else { format!("M{x:.1} {y:.1}l-3.5 -7h7z") }
}

/// What a legend tells, where the chart has any of it: the class of its sample, and words.
fn legend_entries(chart: &Flowchart) -> Vec<(&'static str, NodeKind, &'static str)> {
    let has = |kind| chart.nodes.iter().any(|node| node.kind == kind);
    let roles = |changes| {
        chart
            .nodes
            .iter()
            .filter_map(|node| node.identity.as_ref())
            .any(|own| own.purpose.changes() == changes)
    };
    let all = [
        (true, "node start", NodeKind::Start, "what starts it"),
        (has(NodeKind::Job), "node job", NodeKind::Job, "a job"),
        (roles(false), "node job reading", NodeKind::Job, "reads AWS with a role"),
        (roles(true), "node job changing", NodeKind::Job, "changes AWS with a role"),
        (
            chart.nodes.iter().any(|node| node.writes().next().is_some()),
            "node job writing",
            NodeKind::Job,
            "its token writes on GitHub",
        ),
        (has(NodeKind::Approval), "node approval", NodeKind::Approval, "waits for reviewers"),
        (has(NodeKind::Gate), "node gate", NodeKind::Gate, "the check to require"),
    ];
    all.into_iter()
        .filter(|(is_there, ..)| *is_there)
        .map(|(_, class, kind, words)| (class, kind, words))
        .collect()
}

/// Where each entry of the legend begins, below the picture.
fn legend_places(picture: &Picture, chart: &Flowchart) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (MARGIN, picture.height + 6.0);
    let mut places = Vec::new();
    for (_, _, words) in legend_entries(chart) {
        let width = legend_width(words);
        if x > MARGIN && x + width > picture.width - MARGIN {
            (x, y) = (MARGIN, y + 22.0);
        }
        places.push((x, y));
        x += width;
    }
    places
}

fn legend_width(words: &str) -> f64 {
    words::Line { class: "note", text: words.to_owned() }.width() + 48.0
}

fn legend_height(picture: &Picture, chart: &Flowchart) -> f64 {
    legend_places(picture, chart).last().map_or(0.0, |(_, y)| y - picture.height + 28.0)
}

fn legend(text: &mut String, chart: &Flowchart, picture: &Picture) {
    for ((class, kind, words), (x, y)) in legend_entries(chart).into_iter().zip(legend_places(picture, chart))
    {
        let frame = Rect { x, y, width: 24.0, height: 14.0 };
        let _ = writeln!(text, "<g class=\"sample {}\">", class.trim_start_matches("node "));
        body(text, kind, &frame);
        if class.ends_with("reading") || class.ends_with("changing") {
            rect(text, "stripe", &Rect { x: x + 4.0, y: y + 3.0, width: 3.0, height: 8.0 }, 1.5);
        }
        let _ = writeln!(
            text,
            "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{words}</text>\n</g>",
            x + 31.0,
            y + 11.0
        );
    }
}
