//! From cells of a grid to places on paper.
//!
//! A chart runs to the right where it is short, or has more to show side by side than one after the other, and down the page
//! where it is long. The code speaks of a *main* axis, along which layers
//! follow each other, and a *cross* axis, along which tracks lie side by side.

use std::collections::BTreeMap;

use pyfleet_core::flowchart::{Edge, Flowchart, Layout, NodeKind};

use super::words::{self, Line};

/// So many layers fit side by side on a screen.
const SHORT: usize = 6;
/// The room around texts in a box.
const PADDING: (f64, f64) = (16.0, 9.0);
/// Between two tracks.
const BETWEEN_TRACKS: f64 = 16.0;
/// Between a lane's frame and its boxes.
const IN_LANE: f64 = 14.0;
/// What a lane's name takes.
const LANE_NAME: f64 = 24.0;
/// Between two lines that run side by side.
const BETWEEN_LINES: f64 = 9.0;
/// From a box to the first line that crosses, and from the last one to the next box with its arrow.
const BEFORE_LINES: f64 = 13.0;
const BEHIND_LINES: f64 = 20.0;
/// Around everything.
pub(super) const MARGIN: f64 = 12.0;

/// A rectangle on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A lane's frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) frame: Rect,
}

/// A chart with places on paper.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) bands: Vec<Band>,
    /// The box of each node, with its lines.
    pub(super) boxes: Vec<(Rect, Vec<Line>)>,
    /// The corners of each edge, from its source to its target.
    pub(super) routes: Vec<Vec<(f64, f64)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Right,
    Down,
}

impl Direction {
    fn rect(self, main: (f64, f64), cross: (f64, f64)) -> Rect {
        match self {
            Self::Right => Rect { x: main.0, y: cross.0, width: main.1, height: cross.1 },
            Self::Down => Rect { x: cross.0, y: main.0, width: cross.1, height: main.1 },
        }
    }

    const fn point(self, main: f64, cross: f64) -> (f64, f64) {
        match self {
            Self::Right => (main, cross),
            Self::Down => (cross, main),
        }
    }
}

impl Picture {
    pub(super) fn of(chart: &Flowchart) -> Self {
        let layout = Layout::of(chart);
        let is_long = layout.layers > SHORT && layout.layers > layout.tracks() + 2;
        let direction = if is_long { Direction::Down } else { Direction::Right };
        let texts: Vec<Vec<Line>> = chart.nodes.iter().map(words::lines).collect();
        let width = texts.iter().flatten().map(Line::width).fold(96.0, f64::max) + 2.0 * PADDING.0;
        let heights: Vec<f64> =
            texts.iter().map(|lines| lines.iter().map(Line::height).sum::<f64>() + 2.0 * PADDING.1).collect();
        let extents = |own: usize| match direction {
            Direction::Right => (width, heights[own]),
            Direction::Down => (heights[own], width),
        };

        let levels = levels(chart, &layout);
        let mut layers = vec![0.0_f64; layout.layers];
        let mut tracks = vec![0.0_f64; layout.tracks()];
        for (own, cell) in layout.cells.iter().enumerate() {
            let (main, cross) = extents(own);
            layers[cell.layer] = layers[cell.layer].max(main);
            tracks[cell.track] = tracks[cell.track].max(cross);
        }
        let has_bands = layout.lanes.iter().any(|lane| lane.place.is_some());
        let mut at = MARGIN + if has_bands { IN_LANE } else { 0.0 };
        if has_bands && direction == Direction::Down {
            at += LANE_NAME;
        }
        // Where each layer begins, and where the lines before it do.
        let mut layer_at = Vec::new();
        let mut lines_at = Vec::new();
        for (layer, extent) in layers.iter().enumerate() {
            if layer > 0 {
                let crossing = levels.values().filter(|(own, _)| *own == layer).map(|(_, level)| *level + 1);
                let crossing = f64::from(crossing.max().unwrap_or(0));
                lines_at.push(at + BEFORE_LINES);
                at += BEFORE_LINES + crossing * BETWEEN_LINES + BEHIND_LINES;
            } else {
                lines_at.push(at);
            }
            layer_at.push(at);
            at += extent;
        }
        let main_end = at + if has_bands { IN_LANE } else { 0.0 };

        let mut at = MARGIN;
        let mut track_at = Vec::new();
        let mut bands = Vec::new();
        for (position, lane) in layout.lanes.iter().enumerate() {
            if position > 0 {
                at += BETWEEN_TRACKS;
            }
            let began = at;
            let is_framed = lane.place.is_some();
            if is_framed {
                at += IN_LANE + if direction == Direction::Right { LANE_NAME - 6.0 } else { 0.0 };
            }
            for (position, extent) in tracks.iter().skip(lane.first).take(lane.tracks).enumerate() {
                if position > 0 {
                    at += BETWEEN_TRACKS;
                }
                track_at.push(at);
                at += extent;
            }
            if let Some(name) = &lane.place {
                at += IN_LANE;
                let frame = direction.rect((MARGIN, main_end - MARGIN), (began, at - began));
                bands.push(Band { name: name.clone(), frame });
            }
        }
        let cross_end = at;

        let mut boxes = Vec::new();
        for ((own, cell), lines) in layout.cells.iter().enumerate().zip(texts) {
            let (main, cross) = extents(own);
            let rect = direction.rect(
                (layer_at[cell.layer] + (layers[cell.layer] - main) / 2.0, main),
                (track_at[cell.track] + (tracks[cell.track] - cross) / 2.0, cross),
            );
            boxes.push((rect, lines));
        }
        let centre = |own: usize| {
            let track = layout.cells[own].track;
            track_at[track] + tracks[track] / 2.0
        };
        let routes = chart
            .edges
            .iter()
            .enumerate()
            .map(|(position, edge)| {
                let (from, to) = (edge.from, edge.to);
                let begin = main_of(direction, &boxes[from].0).1;
                let end = main_of(direction, &boxes[to].0).0;
                let mut route = vec![direction.point(begin, centre(from))];
                if let Some((layer, level)) = levels.get(&position) {
                    let turn = lines_at[*layer] + f64::from(*level) * BETWEEN_LINES;
                    route.push(direction.point(turn, centre(from)));
                    route.push(direction.point(turn, centre(to)));
                }
                route.push(direction.point(end, centre(to)));
                route
            })
            .collect();
        let (width, height) = direction.point(main_end + MARGIN, cross_end + MARGIN);
        Self { width, height, bands, boxes, routes }
    }
}

fn main_of(direction: Direction, rect: &Rect) -> (f64, f64) {
    match direction {
        Direction::Right => (rect.x, rect.x + rect.width),
        Direction::Down => (rect.y, rect.y + rect.height),
    }
}

/// Edges that change tracks together: those of one source, or those into one target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bus {
    edges: Vec<usize>,
    sources: Vec<usize>,
    targets: Vec<usize>,
}

impl Bus {
    /// The tracks between which it runs.
    fn span(&self) -> (usize, usize) {
        let tracks = || self.sources.iter().chain(&self.targets);
        (tracks().min().copied().unwrap_or_default(), tracks().max().copied().unwrap_or_default())
    }

    fn meets(&self, other: &Self) -> bool {
        let ((from, to), (begin, end)) = (self.span(), other.span());
        from <= end && begin <= to
    }
}

/// For each edge that changes tracks: the layer before which it does, and how many lines it lets go first.
fn levels(chart: &Flowchart, layout: &Layout) -> BTreeMap<usize, (usize, u32)> {
    let mut levels = BTreeMap::new();
    for layer in 1..layout.layers {
        let edges: Vec<(usize, &Edge)> =
            chart.edges.iter().enumerate().filter(|(_, edge)| layout.cells[edge.to].layer == layer).collect();
        let mut buses: BTreeMap<(bool, usize), Bus> = BTreeMap::new();
        for (position, edge) in &edges {
            let out = edges.iter().filter(|(_, other)| other.from == edge.from).count();
            let into = edges.iter().filter(|(_, other)| other.to == edge.to).count();
            let key = if out >= into { (false, edge.from) } else { (true, edge.to) };
            let bus = buses.entry(key).or_insert_with(|| Bus {
                edges: Vec::new(),
                sources: Vec::new(),
                targets: Vec::new(),
            });
            bus.edges.push(*position);
            bus.sources.push(layout.cells[edge.from].track);
            bus.targets.push(layout.cells[edge.to].track);
        }
        let mut waiting: Vec<Bus> = buses.into_values().filter(|bus| bus.span().0 != bus.span().1).collect();
        let mut placed: Vec<(Bus, u32)> = Vec::new();
        while !waiting.is_empty() {
            // What leaves along a track goes before what arrives along it: lines of two buses never lie on each other.
            let is_first = |own: &Bus| {
                waiting.iter().all(|other| {
                    other == own || !other.sources.iter().any(|track| own.targets.contains(track))
                })
            };
            let next = waiting.iter().position(is_first).unwrap_or_default();
            let bus = waiting.remove(next);
            let level = placed
                .iter()
                .filter(|(other, _)| other.meets(&bus))
                .map(|(_, level)| level + 1)
                .max()
                .unwrap_or_default();
            for edge in &bus.edges {
                let edge_of = &chart.edges[*edge];
                if layout.cells[edge_of.from].track != layout.cells[edge_of.to].track {
                    levels.insert(*edge, (layer, level));
                }
            }
            placed.push((bus, level));
        }
    }
    levels
}

/// How a node's box looks.
pub(super) const fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Start => "start",
        NodeKind::Job => "job",
        NodeKind::Approval => "approval",
        NodeKind::Gate => "gate",
    }
}
