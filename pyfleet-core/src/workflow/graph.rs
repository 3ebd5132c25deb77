//! Which job waits for which.

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
    unknown: Vec<(&'a str, usize, &'a str)>,
}

impl<'a> Graph<'a> {
    /// The graph of a workflow's jobs.
    #[must_use]
    pub fn of(workflow: &'a Workflow) -> Self {
        let mut unknown = Vec::new();
        let mut needs = IndexMap::new();
        for (id, job) in &workflow.jobs {
            let mut known = Vec::new();
            for (position, needed) in job.needs.iter().enumerate() {
                match workflow.jobs.keys().find(|own| own.eq_ignore_ascii_case(needed)) {
                    Some(own) => known.push(own.as_str()),
                    None => unknown.push((id.as_str(), position, needed.as_str())),
                }
            }
            needs.insert(id.as_str(), known);
        }
        Self { needs, unknown }
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
        let mut found: Vec<&'a str> = Vec::new();
        let mut next = 0;
        let add = |found: &mut Vec<&'a str>, job: &str| {
            for needed in self.needs(job) {
                if !found.contains(needed) {
                    found.push(needed);
                }
            }
        };
        add(&mut found, job);
        while let Some(&ancestor) = found.get(next) {
            add(&mut found, ancestor);
            next += 1;
        }
        found
    }

    /// Jobs that wait for each other in a circle, each needing the next and the last the first; the
    /// circle that starts at the earliest job of the file.
    #[must_use]
    pub fn cycle(&self) -> Option<Vec<&'a str>> {
        self.needs.keys().find_map(|start| self.circle_from(start))
    }

    /// The shortest circle through a job, by breadth.
    fn circle_from(&self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut came_from: IndexMap<&'a str, &'a str> = IndexMap::new();
        let mut queue = vec![start];
        let mut next = 0;
        while let Some(&job) = queue.get(next) {
            next += 1;
            for &needed in self.needs(job) {
                if needed == start {
                    let mut circle = vec![job];
                    while let Some(before) = circle.last().and_then(|last| came_from.get(last)) {
                        circle.push(before);
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(needed) {
                    came_from.insert(needed, job);
                    queue.push(needed);
                }
            }
        }
        None
    }
}
