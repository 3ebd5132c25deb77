//! A workflow's flowchart as Mermaid, which GitHub draws in every Markdown file.
//!
//! Nodes are named by their position, and stand in quotes with everything written as a number that Mermaid or a browser
//! could take for more than a character: a job called `end`, a quote or a bracket ends nothing.

use std::fmt::Write as _;

use pyfleet_core::flowchart::{Flowchart, Node, NodeKind};

use crate::drawing::without_expressions;

/// The chart as the text of a Mermaid flowchart.
pub(crate) fn lay_out(chart: &Flowchart) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let mut environments: Vec<&str> = Vec::new();
    for (position, node) in chart.nodes.iter().enumerate() {
        match node.environment.as_deref() {
            None => line(&mut text, "  ", position, node),
            Some(environment) if !environments.contains(&environment) => environments.push(environment),
            Some(_) => {}
        }
    }
    for (number, environment) in environments.iter().enumerate() {
        let _ = writeln!(text, "  subgraph e{number}[\"environment {}\"]", label(environment));
        for (position, node) in chart.nodes.iter().enumerate() {
            if node.environment.as_deref() == Some(environment) {
                line(&mut text, "    ", position, node);
            }
        }
        text.push_str("  end\n");
    }
    for edge in &chart.edges {
        let _ = writeln!(text, "  n{} --> n{}", edge.from, edge.to);
    }
    text
}

/// A node's line. What it is, is its shape.
fn line(text: &mut String, indent: &str, position: usize, node: &Node) {
    let (open, close) = match node.kind {
        NodeKind::Start => ("([\"", "\"])"),
        NodeKind::Job => ("[\"", "\"]"),
        NodeKind::Approval => ("{{\"", "\"}}"),
        NodeKind::Gate => ("[[\"", "\"]]"),
    };
    let mut shown = label(&node.label);
    if node.kind == NodeKind::Approval {
        shown.push_str("<br/>waits for reviewers");
    }
    if let Some(lock) = &node.lock {
        let _ = write!(shown, "<br/>one at a time in {}", label(&without_expressions(lock)));
    }
    let _ = writeln!(text, "{indent}n{position}{open}{shown}{close}");
}

/// A text inside of quotes. Every character that is not plainly one is written as `#NUMBER;`.
fn label(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut starts = true;
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("<br/>"),
            // A line that starts with a dash would be a list.
            '-' if starts => shown.push_str("#45;"),
            ' ' | '-' | ',' | '/' | '(' | ')' | '…' => shown.push(character),
            _ if character.is_alphanumeric() => shown.push(character),
            _ => {
                let _ = write!(shown, "#{};", u32::from(character));
            }
        }
        starts = character == '\n';
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn nothing_in_a_label_ends_it() {
        assert_eq!(
            label("end\"] --> x; %%{init: `a`}\n- <b>#35;"),
            "end#34;#93; --#62; x#59; #37;#37;#123;init#58; #96;a#96;#125;<br/>#45; #60;b#62;#35;35#59;"
        );
    }
}
