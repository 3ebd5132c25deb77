//! Which job waits for which.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::Workflow;

/// The `needs:` of a workflow as a graph. Job ids are found without regard to case, as GitHub finds them.
///
/// ```
/// use pyfleet_core::workflow::{Graph, Workflow};
///
/// let jobs = r#"{"on": "push", "jobs": {"a": {}, "b": {"needs": "a"}, "c": {"needs": ["b"]}}}"#;
/// let workflow: Workflow = serde_json::from_str(jobs).unwrap();
/// let graph = Graph::of(&workflow);
/// assert_eq!(graph.ancestors("c"), ["b", "a"]);
/// assert_eq!(graph.cycle(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    needs: IndexMap<&'a str, Vec<&'a str>>,
    /// The same by positions: of each job, those that it waits for.
    positions: Vec<Vec<usize>>,
    unknown: Vec<(&'a str, usize, &'a str)>,
}

impl<'a> Graph<'a> {
    /// The graph of a workflow's jobs.
    #[must_use]
    pub fn of(workflow: &'a Workflow) -> Self {
        let mut jobs: IndexMap<String, usize> = IndexMap::new();
        for (position, id) in workflow.jobs.keys().enumerate() {
            jobs.entry(id.to_ascii_lowercase()).or_insert(position);
        }
        let mut graph = Self { needs: IndexMap::new(), positions: Vec::new(), unknown: Vec::new() };
        for (id, job) in &workflow.jobs {
            let (mut needs, mut positions) = (Vec::new(), Vec::new());
            for (at, needed) in job.needs.iter().enumerate() {
                let position = jobs.get(&needed.to_ascii_lowercase()).copied();
                match position.and_then(|position| workflow.jobs.get_index(position)) {
                    Some((own, _)) => {
                        needs.push(own.as_str());
                        positions.extend(position);
                    }
                    None => graph.unknown.push((id, at, needed)),
                }
            }
            graph.needs.insert(id, needs);
            graph.positions.push(positions);
        }
        graph
    }

    /// The needs that name no job: the job, the position in its `needs`, and the name.
    #[must_use]
    pub fn unknown(&self) -> &[(&'a str, usize, &'a str)] {
        &self.unknown
    }

    /// The jobs that a job waits for directly.
    #[must_use]
    pub fn needs(&self, job: &str) -> &[&'a str] {
        self.needs.get(job).map_or(&[], Vec::as_slice)
    }

    /// All jobs that a job waits for, nearest first. In a cycle a job is its own ancestor.
    #[must_use]
    pub fn ancestors(&self, job: &str) -> Vec<&'a str> {
        let of_job = self.needs.get_index_of(job).into_iter().flat_map(|job| &self.positions[job]);
        let found = reached(&self.positions, of_job.copied());
        found.into_iter().filter_map(|job| self.name(job)).collect()
    }

    /// All jobs that wait for one of these, directly or not.
    ///
    /// ```
    /// use pyfleet_core::workflow::{Graph, Workflow};
    ///
    /// let jobs = r#"{"on": "push", "jobs": {"a": {}, "b": {"needs": "a"}, "c": {"needs": ["b"]}}}"#;
    /// let workflow: Workflow = serde_json::from_str(jobs).unwrap();
    /// let waiting = Graph::of(&workflow).waiting_for(["a"]);
    /// assert!(waiting.contains("b") && waiting.contains("c") && !waiting.contains("a"));
    /// ```
    #[must_use]
    pub fn waiting_for<'j>(&self, jobs: impl IntoIterator<Item = &'j str>) -> BTreeSet<&'a str> {
        let waiting = self.waiting();
        let jobs = jobs.into_iter().filter_map(|job| self.needs.get_index_of(job));
        let direct = jobs.flat_map(|job| waiting[job].clone());
        reached(&waiting, direct).into_iter().filter_map(|job| self.name(job)).collect()
    }

    /// Jobs that wait for each other in a circle, each needing the next and the last the first; the
    /// circle that starts at the earliest job of the file.
    #[must_use]
    pub fn cycle(&self) -> Option<Vec<&'a str>> {
        let circle = self.near_circles().into_iter().find_map(|start| self.circle_from(start))?;
        circle.into_iter().map(|job| self.name(job)).collect()
    }

    fn name(&self, position: usize) -> Option<&'a str> {
        self.needs.get_index(position).map(|(id, _)| *id)
    }

    /// Of each job, those that wait for it.
    fn waiting(&self) -> Vec<Vec<usize>> {
        let mut waiting = vec![Vec::new(); self.positions.len()];
        for (job, needs) in self.positions.iter().enumerate() {
            for needed in needs {
                waiting[*needed].push(job);
            }
        }
        waiting
    }

    /// The jobs in circles and between them: what is left when whoever waits for nobody, and whomever nobody waits for,
    /// is taken out until there is none.
    fn near_circles(&self) -> Vec<usize> {
        let (needs, waiting) = (&self.positions, self.waiting());
        let [mut needed, mut wanted] =
            [needs, &waiting].map(|edges| edges.iter().map(Vec::len).collect::<Vec<_>>());
        let mut is_left = vec![true; needs.len()];
        let mut ends: Vec<usize> = (0..needs.len()).collect();
        while let Some(job) = ends.pop() {
            if !is_left[job] || needed[job] > 0 && wanted[job] > 0 {
                continue;
            }
            is_left[job] = false;
            for other in &waiting[job] {
                needed[*other] -= 1;
                ends.push(*other);
            }
            for other in &needs[job] {
                wanted[*other] -= 1;
                ends.push(*other);
            }
        }
        (0..needs.len()).filter(|job| is_left[*job]).collect()
    }

    /// The shortest circle through a job, by breadth.
    fn circle_from(&self, start: usize) -> Option<Vec<usize>> {
        let mut came_from = vec![None; self.positions.len()];
        let mut queue = vec![start];
        let mut next = 0;
        while let Some(&job) = queue.get(next) {
            next += 1;
            for &needed in &self.positions[job] {
                if needed == start {
                    let mut circle = vec![job];
                    while let Some(before) = circle.last().and_then(|last| came_from[*last]) {
                        circle.push(before);
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if came_from[needed].is_none() {
                    came_from[needed] = Some(job);
                    queue.push(needed);
                }
            }
        }
        None
    }
}

/// Where edges lead from some nodes, these first, by breadth; each once.
fn reached(edges: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut is_found = vec![false; edges.len()];
    let mut found = Vec::new();
    let add = |node: usize, found: &mut Vec<usize>, is_found: &mut [bool]| {
        if !std::mem::replace(&mut is_found[node], true) {
            found.push(node);
        }
    };
    from.into_iter().for_each(|node| add(node, &mut found, &mut is_found));
    let mut next = 0;
    while let Some(&node) = found.get(next) {
        edges[node].iter().for_each(|node| add(*node, &mut found, &mut is_found));
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Graph;
    use crate::workflow::Workflow;

    /// Jobs `j0`, `j1`, …, each with what it needs.
    fn workflow(needs: &[Vec<usize>]) -> Workflow {
        let job = |(id, needs): (usize, &Vec<usize>)| {
            let needs: Vec<String> = needs.iter().map(|needed| format!("J{needed}")).collect();
            (format!("j{id}"), serde_json::json!({ "needs": needs }))
        };
        let jobs: serde_json::Map<_, _> = needs.iter().enumerate().map(job).collect();
        serde_json::from_value(serde_json::json!({ "on": "push", "jobs": jobs })).unwrap()
    }

    fn edges() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1..9_usize).prop_flat_map(|jobs| prop::collection::vec(prop::collection::vec(0..jobs, 0..3), jobs))
    }

    proptest! {
        #[test]
        fn who_waits_for_whom(needs in edges()) {
            let workflow = workflow(&needs);
            let graph = Graph::of(&workflow);
            let ids: Vec<String> = (0..needs.len()).map(|id| format!("j{id}")).collect();
            for (id, direct) in ids.iter().zip(&needs) {
                let before = graph.ancestors(id);
                let closed = before.iter().flat_map(|before| graph.needs(before)).all(|own| before.contains(own));
                prop_assert!(closed && direct.iter().all(|needed| before.contains(&ids[*needed].as_str())));
                // Each comes by what it needs, or is needed by one that came before it.
                for (position, own) in before.iter().enumerate() {
                    let reached = before[..position].iter().any(|earlier| graph.needs(earlier).contains(own));
                    prop_assert!(reached || graph.needs(id).contains(own));
                }
                let waiting = graph.waiting_for([id.as_str()]);
                for other in &ids {
                    prop_assert_eq!(waiting.contains(other.as_str()), graph.ancestors(other).contains(&id.as_str()));
                }
            }
            let first = ids.iter().find(|id| graph.ancestors(id).contains(&id.as_str()));
            let circle = graph.cycle().unwrap_or_default();
            prop_assert_eq!(circle.first().copied(), first.map(String::as_str));
            for (position, job) in circle.iter().enumerate() {
                prop_assert!(graph.needs(job).contains(&circle[(position + 1) % circle.len()]));
            }
        }
    }
}
