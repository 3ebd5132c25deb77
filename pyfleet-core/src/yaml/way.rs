//! The way from a node to one below it.

use indexmap::IndexMap;

use super::tree::Node;
use crate::diagnostic::{Path, Segment};

/// A mapping of so many entries is worth an index of its keys: a workflow of thousands of jobs is read through once, not
/// once for each of them.
const WIDE: usize = 32;

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    /// The key of the node, unless it is a list item or the document.
    pub(super) key: Option<&'a Node>,
    pub(super) node: &'a Node,
    /// Whether the node is the one at the path, not an ancestor.
    pub(super) is_exact: bool,
}

impl<'a> Found<'a> {
    pub(super) const fn start(node: &'a Node) -> Self {
        Self { key: None, node, is_exact: true }
    }

    pub(super) fn step(self, segment: &Segment) -> Option<Self> {
        match segment {
            Segment::Key(key) => self.node.entry(key).map(Self::entry),
            Segment::Index(index) => self.node.items().get(*index).map(Self::start),
        }
    }

    const fn entry((key, node): &'a (Node, Node)) -> Self {
        Self { key: Some(key), node, is_exact: true }
    }
}

/// The way to the node that was looked for last. Who looks for many nodes finds the next one near it.
#[derive(Debug)]
pub(crate) struct Way<'a> {
    from: &'a Node,
    steps: Vec<(Segment, Found<'a>)>,
    /// By how many steps lead to it, the last wide mapping there and its entries by key.
    wide: Vec<Option<Wide<'a>>>,
}

#[derive(Debug)]
struct Wide<'a> {
    mapping: &'a Node,
    entries: IndexMap<&'a str, &'a (Node, Node)>,
}

impl<'a> Way<'a> {
    pub(crate) const fn from(from: &'a Node) -> Self {
        Self { from, steps: Vec::new(), wide: Vec::new() }
    }

    /// The node at a path.
    pub(crate) fn node(&mut self, path: &Path) -> Option<&'a Node> {
        let found = self.find(path);
        found.is_exact.then_some(found.node)
    }

    /// The deepest existing node on a path.
    pub(super) fn find(&mut self, path: &Path) -> Found<'a> {
        let both = self.steps.iter().zip(path.segments());
        let shared = both.take_while(|((own, _), other)| own == *other).count();
        self.steps.truncate(shared);
        let mut found = self.steps.last().map_or(Found::start(self.from), |(_, found)| *found);
        for segment in &path.segments()[shared..] {
            match self.step(found, segment) {
                Some(next) => found = next,
                None => return Found { is_exact: false, ..found },
            }
            self.steps.push((segment.clone(), found));
        }
        found
    }

    fn step(&mut self, found: Found<'a>, segment: &Segment) -> Option<Found<'a>> {
        match segment {
            Segment::Key(key) if found.node.entries().len() >= WIDE => {
                self.entries(found.node).get(key.as_str()).copied().map(Found::entry)
            }
            _ => found.step(segment),
        }
    }

    /// The entries of a wide mapping by key, the first of each.
    fn entries(&mut self, mapping: &'a Node) -> &IndexMap<&'a str, &'a (Node, Node)> {
        let depth = self.steps.len();
        if self.wide.len() <= depth {
            self.wide.resize_with(depth + 1, || None);
        }
        let wide = self.wide[depth].take().filter(|wide| std::ptr::eq(wide.mapping, mapping));
        let wide = wide.unwrap_or_else(|| {
            let entries = mapping.entries().iter().rev();
            let entries = entries.filter_map(|entry| Some((entry.0.as_str()?, entry))).collect();
            Wide { mapping, entries }
        });
        &self.wide[depth].insert(wide).entries
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::Way;
    use crate::diagnostic::{Path, Segment};
    use crate::source::Source;
    use crate::yaml::tree::Document;

    /// Keys that stand twice, in a mapping that is wide and in one that is not.
    fn document() -> Document {
        let wide: String =
            (0..40).map(|key| format!("  k{key}: {{a: [{{k0: {key}}}, 1], k1: 2}}\n")).collect();
        let text = format!("k0:\n{wide}{wide}  last: 1\nk1: [1, {{k0: 2, k1: 3, K0: 4, k0: 5}}]\nk0: 6\n");
        Document::parse_workflow_repeating(Source::new("x", text)).unwrap()
    }

    fn path() -> impl Strategy<Value = Path> {
        let key = prop_oneof![
            (0..42_usize).prop_map(|key| Segment::from(format!("k{key}").as_str())),
            Just(Segment::from("k0")),
            Just(Segment::from("a")),
            (0..3_usize).prop_map(Segment::from),
        ];
        vec(key, 0..5).prop_map(Path::of)
    }

    proptest! {
        #[test]
        fn every_node_is_found_as_from_the_start(paths in vec(path(), 1..20)) {
            let document = document();
            let mut way = Way::from(&document.root);
            for path in paths {
                let (found, expected) = (way.find(&path), document.root.find(&path));
                prop_assert!(std::ptr::eq(found.node, expected.node), "{path}");
                prop_assert_eq!(found.key.map(std::ptr::from_ref), expected.key.map(std::ptr::from_ref));
                prop_assert_eq!(found.is_exact, expected.is_exact);
            }
        }
    }
}
