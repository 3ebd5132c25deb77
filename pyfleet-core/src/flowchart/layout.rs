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
                (own, before.get(before.len() / 2).copied())
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
