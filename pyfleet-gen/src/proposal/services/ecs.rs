//! Services on Amazon ECS, from task definitions.

use serde::Serialize;

use super::super::images::Image;
use super::super::names::Names;
use super::Service;
use crate::survey::{Notes, Survey};

/// As many are proposed.
pub(super) const MOST: usize = 20;

/// What a task definition says; nothing of it where a program makes that.
#[derive(Serialize, Default)]
pub(super) struct Ecs {
    container: Option<String>,
    task_definition: Option<String>,
    task_role: Option<String>,
    execution_role: Option<String>,
}

pub(super) fn propose(
    survey: &Survey,
    images: &mut [Image],
    names: &mut Names,
    notes: &mut Notes,
) -> Vec<Service> {
    let mut services = Vec::new();
    let is_only = images.len() == 1;
    for task in survey.tasks.iter().take(MOST) {
        let family = task.family.as_deref().unwrap_or_default();
        // With one image there is no doubt; among several, the name has to tell.
        let is_its = |image: &&mut Image| is_only || family.ends_with(image.name());
        let (Some(image), Some(first)) = (images.iter_mut().find(is_its), task.containers.first()) else {
            notes.add(format!("`{}` was left out: which image it runs is not known", task.path));
            continue;
        };
        if task.containers.len() > 1 {
            notes.add(format!(
                "`{}` has several containers: the image is taken to be that of `{first}`",
                task.path
            ));
        }
        image.push_to_ecr();
        services.push(Service {
            name: names.take(family, image.name()),
            image: image.name().to_owned(),
            ecs: Some(Ecs {
                container: Some(first.clone()),
                task_definition: Some(task.path.clone()),
                task_role: task.task_role.clone(),
                execution_role: task.execution_role.clone(),
            }),
            eks: None,
            is_awaited: false,
        });
    }
    services
}
