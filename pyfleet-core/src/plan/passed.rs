//! What has to have gone well before a job begins.

use super::condition::expression;
use crate::workflow as model;

/// What says that something went well: the jobs to look at, and what must hold of their results.
///
/// GitHub takes a job whose condition names no status function for one that must not run behind a failure or a skip,
/// anywhere before it. A job that may stand behind a deliberate skip therefore says `!cancelled()`, and names every
/// result that it relies on: nothing runs by accident
/// ([GitHub: status check functions](https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions)).
#[derive(Debug, Clone, Default)]
pub(super) struct Passed {
    needs: Vec<String>,
    conditions: Vec<String>,
}

impl Passed {
    /// These jobs succeeded.
    pub(super) fn jobs<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut passed = Self::default();
        for id in ids {
            passed.needs.push(id.to_owned());
            passed.conditions.push(format!("needs.{id}.result == 'success'"));
        }
        passed
    }

    /// A condition over the results or the outputs of some jobs.
    pub(super) fn condition(needs: impl IntoIterator<Item = String>, condition: impl Into<String>) -> Self {
        Self { needs: needs.into_iter().collect(), conditions: vec![condition.into()] }
    }

    /// This, and that.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        let new = |own: &[String], others: &[String]| -> Vec<String> {
            others.iter().filter(|one| !own.contains(one)).cloned().collect()
        };
        self.needs.extend(new(&self.needs, &other.needs));
        self.conditions.extend(new(&self.conditions, &other.conditions));
        self
    }

    /// This, or nothing of it where a condition over the same jobs, or over none, holds: a deliberate skip.
    #[must_use]
    pub(super) fn or_where(self, skipped: &str) -> Self {
        if self.conditions.is_empty() {
            return self;
        }
        Self {
            needs: self.needs,
            conditions: vec![format!("({skipped} || ({}))", self.conditions.join(" && "))],
        }
    }

    /// Whether there is nothing to look at.
    pub(super) const fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Lets a job begin only behind all this, and where its own condition holds.
    pub(super) fn stand_before(&self, job: &mut model::Job) {
        let needed: Vec<String> = self.needs.iter().filter(|id| !job.needs.contains(id)).cloned().collect();
        job.needs.extend(needed);
        let own = job.condition.take().and_then(|own| own_part(&own).map(str::to_owned));
        let own = own.map(|own| if own.contains("||") { format!("({own})") } else { own });
        let all =
            std::iter::once("!cancelled()".to_owned()).chain(own).chain(self.conditions.iter().cloned());
        job.condition = Some(expression(&all.collect::<Vec<_>>().join(" && ")));
    }
}

/// What a condition asks for beside not being cancelled; nothing where it asks for nothing else.
fn own_part(condition: &str) -> Option<&str> {
    let inside = condition.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}"));
    let inside = inside.unwrap_or(condition);
    if inside == "!cancelled()" {
        None
    } else {
        Some(inside.strip_prefix("!cancelled() && ").unwrap_or(inside))
    }
}

#[cfg(test)]
mod tests {
    use super::Passed;
    use crate::workflow::Job;

    #[test]
    fn a_job_names_everything_that_it_relies_on() {
        let tested = Passed::jobs(["test", "scan"]);
        let applied =
            Passed::condition(["decide".to_owned(), "apply".to_owned()], "needs.apply.result == 'success'")
                .or_where("github.event_name != 'push'");
        let mut job = Job {
            needs: vec!["guard".to_owned()],
            condition: Some("a == 'b' || c".to_owned()),
            ..Job::default()
        };
        tested.clone().and(&applied).and(&tested).stand_before(&mut job);
        assert_eq!(job.needs, ["guard", "test", "scan", "decide", "apply"]);
        assert_eq!(
            job.condition.as_deref(),
            Some(
                "${{ !cancelled() && (a == 'b' || c) && needs.test.result == 'success' \
                 && needs.scan.result == 'success' \
                 && (github.event_name != 'push' || (needs.apply.result == 'success')) }}"
            )
        );
        let mut again = Job::default();
        Passed::default().stand_before(&mut again);
        Passed::jobs(["test"]).stand_before(&mut again);
        assert_eq!(again.condition.as_deref(), Some("${{ !cancelled() && needs.test.result == 'success' }}"));
    }
}
