//! Images, from Dockerfiles.

use pyfleet_core::manifest::ImageRepository;
use serde::Serialize;

use super::names::{Names, slug};
use super::{Guesses, plain};
use crate::survey::tree::{below, directory_of, name_of};
use crate::survey::{Notes, Survey};

/// As many are proposed.
const MOST: usize = 30;

#[derive(Serialize)]
pub(super) struct Image {
    name: String,
    /// The build context; nothing for the root.
    directory: Option<String>,
    /// Nothing where it is `Dockerfile` in the context.
    dockerfile: Option<String>,
    repository: String,
    note: Option<String>,
}

pub(super) fn propose(
    survey: &Survey,
    project: &str,
    repository: &str,
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> Vec<Image> {
    let mut names = Names::default();
    let mut images = Vec::new();
    if survey.images.len() > MOST {
        notes.add(format!("only the first {MOST} Dockerfiles are images"));
    }
    for file in survey.images.iter().take(MOST) {
        let own = name_of(&file.path);
        let word = own.strip_prefix("Dockerfile.").or_else(|| own.strip_suffix(".Dockerfile"));
        let name = match (word, directory_of(&file.path)) {
            (Some(word), _) => names.take(word, "app"),
            (None, ".") => names.take(project, "app"),
            (None, directory) => names.take(directory, "app"),
        };
        let dockerfile = below(&file.context, &file.path).filter(|path| *path != "Dockerfile");
        let lower = repository.to_ascii_lowercase();
        let place = if survey.images.len() == 1 { lower } else { format!("{lower}/{name}") };
        let place = ImageRepository::try_from(place).map_or_else(|_| name.clone(), |place| place.to_string());
        guesses.say(&format!("images.{name}.repository"), &place, "the repository's own name");
        if file.platform.as_deref().is_some_and(|platform| platform != "linux/amd64") {
            notes.add(format!(
                "`{}` is for {}: images are built for linux/amd64 alone so far",
                file.path,
                plain(file.platform.as_deref().unwrap_or_default())
            ));
        }
        let note = file.is_root().then(|| {
            "its last stage sets no user but root: the build stops there unless the base image sets one, or \
             `require: { non-root: false }` accepts it"
                .to_owned()
        });
        images.push(Image {
            directory: (file.context != ".").then(|| file.context.clone()),
            dockerfile: dockerfile.map(str::to_owned),
            repository: if slug(&place).is_some() { place } else { name.clone() },
            note,
            name,
        });
    }
    images
}
