//! Services, from task definitions of ECS.

use serde::Serialize;

use super::images::Image;
use super::names::Names;
use crate::survey::{Notes, Survey};

/// As many are proposed.
const MOST: usize = 20;

#[derive(Serialize)]
pub(super) struct Service {
    name: String,
    image: String,
    container: String,
    task_definition: String,
    task_role: Option<String>,
    execution_role: Option<String>,
}

pub(super) fn propose(survey: &Survey, images: &[Image], notes: &mut Notes) -> Vec<Service> {
    let mut names = Names::default();
    let mut services = Vec::new();
    for task in survey.tasks.iter().take(MOST) {
        let family = task.family.as_deref().unwrap_or_default();
        // With one image there is no doubt; among several, the name has to tell.
        let is_its = |image: &&Image| images.len() == 1 || family.ends_with(image.name());
        let (Some(image), Some(first)) = (images.iter().find(is_its), task.containers.first()) else {
            notes.add(format!("`{}` was left out: which image it runs is not known", task.path));
            continue;
        };
        if task.containers.len() > 1 {
            notes.add(format!(
                "`{}` has several containers: the image is taken to be that of `{first}`",
                task.path
            ));
        }
        services.push(Service {
            name: names.take(family, image.name()),
            image: image.name().to_owned(),
            container: first.clone(),
            task_definition: task.path.clone(),
            task_role: task.task_role.clone(),
            execution_role: task.execution_role.clone(),
        });
    }
    services
}
