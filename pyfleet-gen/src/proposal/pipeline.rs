//! A pipeline: the stages that the sources show, in the order in which they can only be.

/// What there is to do.
pub(super) struct Stages {
    pub(super) tests: bool,
    pub(super) security: bool,
    pub(super) images: bool,
    pub(super) golden_image: bool,
    pub(super) terraform: bool,
    pub(super) deploy: Vec<String>,
    /// Whether `deploy` has to say what it deploys.
    pub(super) is_limited: bool,
    pub(super) configure: bool,
    pub(super) smoke: bool,
}

impl Stages {
    /// The list as the manifest has it.
    pub(super) fn list(&self) -> String {
        let mut stages: Vec<String> = Vec::new();
        let mut add = |is_there: bool, name: &str| {
            if is_there {
                stages.push(name.to_owned());
            }
        };
        add(self.tests, "test");
        match (self.security, self.images) {
            (true, true) => add(true, "{ parallel: [security, image] }"),
            (security, images) => {
                add(security, "security");
                add(images, "image");
            }
        }
        add(self.golden_image, "golden-image");
        add(self.terraform, "terraform");
        match (self.deploy.is_empty(), self.is_limited) {
            (true, _) => {}
            (false, false) => add(true, "deploy"),
            (false, true) => add(true, &format!("{{ deploy: [{}] }}", self.deploy.join(", "))),
        }
        add(self.configure, "configure");
        add(self.smoke, "smoke");
        add(true, "summary");
        format!("[{}]", stages.join(", "))
    }
}
