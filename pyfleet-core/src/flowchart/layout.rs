//! Where everything of a chart stands: on a grid, for whoever draws it.
//!
//! A node's layer is the longest way to it, so that every edge goes forward. Its track is the line that it stands on:
//! the one of what comes before it, where that is free. From a node on, its track stays free until the last one that
//! waits for it: an edge runs along its source's track, changes tracks once, right before its target, and meets no box.
//! The tracks of one environment lie side by side, in a lane.

use super::{Flowchart, Node};

/// Where the nodes of a chart stand.
///
/// ```
/// use pyfleet_core::flowchart::{Flowchart, Layout};
/// use pyfleet_core::{manifest, plan, project, source::Source};
///
/// let text = "{version: 1, project: shop, github: {repository: acme/shop},
///   tests: {api: {python: '3.12', suites: {unit: pytest, end-to-end: pytest}}}, workflows: {test: {}}}";
/// let manifest = manifest::parse(Source::new("pyfleet.yml", text)).0.unwrap();
/// let (plan, _) = plan::plan(&project::resolve(&manifest).0.unwrap());
/// let chart = Flowchart::of(&plan.workflows[0]);
/// let layout = Layout::of(&chart);
/// assert!(chart.edges.iter().all(|edge| layout.cells[edge.from].layer < layout.cells[edge.to].layer));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How many layers there are.
    pub layers: usize,
    /// The lanes, side by side.
    pub lanes: Vec<Lane>,
    /// The cell of each node.
    pub cells: Vec<Cell>,
}

/// The tracks of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The environment; none for what belongs to no single one.
    pub place: Option<String>,
    /// The first track.
    pub first: usize,
    /// How many tracks it has.
    pub tracks: usize,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// How far from the start.
    pub layer: usize,
    /// On which line.
    pub track: usize,
}

impl Layout {
    /// The layout of a chart.
    #[must_use]
    pub fn of(chart: &Flowchart) -> Self {
        let layers = layers(chart);
        let mut cells: Vec<Cell> = layers.iter().map(|layer| Cell { layer: *layer, track: 0 }).collect();
        let mut places: Vec<Option<&str>> = Vec::new();
        for node in &chart.nodes {
            if !places.contains(&node.place.as_deref()) {
                places.push(node.place.as_deref());
            }
        }
        let mut lanes = Vec::new();
        let mut first = 0;
        for place in places {
            let tracks = fill(chart, &mut cells, first, |node| node.place.as_deref() == place);
            lanes.push(Lane { place: place.map(str::to_owned), first, tracks });
            first += tracks;
        }
        Self { layers: layers.iter().max().map_or(0, |last| last + 1), lanes, cells }
    }

    /// How many tracks there are.
    #[must_use]
    pub fn tracks(&self) -> usize {
        self.lanes.last().map_or(0, |lane| lane.first + lane.tracks)
    }
}

/// The longest way to each node. A circle, which no plan has, is cut where it has been gone around.
fn layers(chart: &Flowchart) -> Vec<usize> {
    let mut layers = vec![0; chart.nodes.len()];
    for _ in &chart.nodes {
        for edge in &chart.edges {
            layers[edge.to] = layers[edge.to].max((layers[edge.from] + 1).min(chart.nodes.len()));
        }
    }
    layers
}

/// Gives the nodes of one lane their tracks, and says how many it took.
fn fill(chart: &Flowchart, cells: &mut [Cell], first: usize, is_here: impl Fn(&Node) -> bool) -> usize {
    // For each track, the layers that are taken.
    let mut taken: Vec<Vec<std::ops::RangeInclusive<usize>>> = Vec::new();
    let last_layer = cells.iter().map(|cell| cell.layer).max().unwrap_or_default();
    for layer in 0..=last_layer {
        let here = |own: &usize| cells[*own].layer == layer && is_here(&chart.nodes[*own]);
        let mut order: Vec<(usize, Option<usize>)> = (0..chart.nodes.len())
            .filter(here)
            .map(|own| {
                let mut before: Vec<usize> = chart
                    .before(own)
                    .filter(|before| is_here(&chart.nodes[*before]))
                    .map(|before| cells[before].track - first)
                    .collect();
                before.sort_unstable();
                (own, before.get(before.len().saturating_sub(1) / 2).copied())
            })
            .collect();
        // What comes from somewhere goes on there; what begins here takes what is left, in the plan's order.
        order.sort_by_key(|(_, wish)| wish.unwrap_or(usize::MAX));
        // Who finds its wish free goes first: a chain stays straight, whoever else wanted to stand there.
        for only_wishes in [true, false] {
            order.retain(|(own, wish)| {
                let until = last_need(chart, cells, *own);
                let is_free = |track: &usize| {
                    let ranges = taken.get(*track).map_or(&[][..], Vec::as_slice);
                    ranges.iter().all(|range| *range.end() < layer || until < *range.start())
                };
                let track = match wish {
                    Some(wish) if only_wishes => Some(*wish).filter(is_free),
                    None if only_wishes => None,
                    wish => {
                        let wish = wish.unwrap_or_default();
                        (0..=taken.len()).filter(is_free).min_by_key(|track| track.abs_diff(wish))
                    }
                };
                let Some(track) = track else { return true };
                if track == taken.len() {
                    taken.push(Vec::new());
                }
                taken[track].push(layer..=until);
                cells[*own].track = first + track;
                false
            });
        }
    }
    taken.len()
}

/// The layer up to which a node's track has to stay free.
fn last_need(chart: &Flowchart, cells: &[Cell], node: usize) -> usize {
    let behind = chart.edges.iter().filter(|edge| edge.from == node);
    let last = behind.map(|edge| cells[edge.to].layer.saturating_sub(1)).max();
    cells[node].layer.max(last.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cell, Layout};
    use crate::flowchart::{Edge, Flowchart, Node};

    fn chart(nodes: &[Option<usize>], edges: &[(usize, usize)]) -> Flowchart {
        let node = |place: &Option<usize>| Node {
            place: place.map(|place| format!("place {place}")),
            ..Node::start(String::new())
        };
        Flowchart {
            nodes: nodes.iter().map(node).collect(),
            edges: edges.iter().map(|(from, to)| Edge { from: *from, to: *to }).collect(),
        }
    }

    fn cells(layout: &Layout) -> Vec<(usize, usize)> {
        layout.cells.iter().map(|cell| (cell.layer, cell.track)).collect()
    }

    #[test]
    fn a_chain_is_straight_and_what_is_skipped_is_free() {
        // 0 to 3 in a row; 4 waits for 0 and is waited for by 3; 5 comes from the chain, and stands beside it.
        let layout = Layout::of(&chart(&[None; 6], &[(0, 1), (1, 2), (2, 3), (0, 4), (4, 3), (1, 5)]));
        assert_eq!(cells(&layout), [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (2, 2)]);
        assert_eq!((layout.layers, layout.tracks()), (4, 3));
    }

    #[test]
    fn an_environment_has_its_own_tracks() {
        let layout = Layout::of(&chart(
            &[None, Some(1), Some(0), Some(1), None],
            &[(0, 1), (0, 2), (1, 3), (2, 4), (3, 4)],
        ));
        let lanes: Vec<(Option<&str>, usize, usize)> =
            layout.lanes.iter().map(|lane| (lane.place.as_deref(), lane.first, lane.tracks)).collect();
        assert_eq!(lanes, [(None, 0, 1), (Some("place 1"), 1, 1), (Some("place 0"), 2, 1)]);
        assert_eq!(cells(&layout), [(0, 0), (1, 1), (1, 2), (2, 1), (3, 0)]);
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(Layout::of(&chart(&[None; 3], &[(0, 1), (1, 2), (2, 1)])).cells.len(), 3);
        assert_eq!(Layout::of(&chart(&[], &[])).tracks(), 0);
    }

    proptest! {
        #[test]
        fn nothing_stands_in_the_way(
            places in prop::collection::vec(prop::option::of(0..3_usize), 1..40),
            pairs in prop::collection::vec((0..1000_usize, 0..1000_usize), 0..80),
        ) {
            let mut edges: Vec<(usize, usize)> = pairs
                .iter()
                .map(|(one, other)| (one % places.len(), other % places.len()))
                .filter(|(from, to)| from < to)
                .collect();
            edges.sort_unstable();
            edges.dedup();
            let chart = chart(&places, &edges);
            let layout = Layout::of(&chart);
            prop_assert_eq!(&layout, &Layout::of(&chart));
            let mut taken: Vec<Cell> = layout.cells.clone();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), chart.nodes.len(), "two nodes stand on one cell");
            let mut next = 0;
            for lane in &layout.lanes {
                prop_assert_eq!(lane.first, next);
                next += lane.tracks;
                for (cell, node) in layout.cells.iter().zip(&chart.nodes) {
                    let is_here = (lane.first..next).contains(&cell.track);
                    prop_assert_eq!(is_here, node.place == lane.place);
                }
            }
            for edge in &chart.edges {
                let (from, to) = (layout.cells[edge.from], layout.cells[edge.to]);
                prop_assert!(from.layer < to.layer, "an edge goes back");
                let on_the_way = |cell: &&Cell| {
                    cell.track == from.track && from.layer < cell.layer && cell.layer < to.layer
                };
                prop_assert_eq!(layout.cells.iter().find(on_the_way), None);
            }
        }
    }
}
