//! What a step says: secrets hidden, workflow commands obeyed.

/// Values that are shown as `***`.
#[derive(Default)]
pub(super) struct Masks(Vec<String>);

impl Masks {
    /// Each line is a secret of its own, as for the runner.
    pub(super) fn add(&mut self, secret: &str) {
        self.0.extend(secret.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned));
        // A secret inside a longer one must not leave the rest of that one readable.
        self.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
        self.0.dedup();
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The log of one step.
#[derive(Default)]
pub(super) struct Log {
    pub(super) text: String,
    /// The token that ends a `::stop-commands::`.
    stopped: Option<String>,
}

impl Log {
    /// Takes one line, with the commands that matter beyond the log: `add-mask` and `stop-commands`.
    pub(super) fn line(&mut self, line: &str, masks: &mut Masks) {
        if let Some((command, data)) = command(line) {
            match &self.stopped {
                Some(token) if command == token => self.stopped = None,
                Some(_) => {}
                None if command == "add-mask" => {
                    masks.add(&decoded(data));
                    self.text.push_str("::add-mask::***\n");
                    return;
                }
                None if command == "stop-commands" => self.stopped = Some(data.to_owned()),
                None => {}
            }
        }
        self.text.push_str(&masks.apply(line));
        self.text.push('\n');
    }
}

/// `::command parameters::data`.
fn command(line: &str) -> Option<(&str, &str)> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    Some((head.split(' ').next().unwrap_or_default(), data))
}

fn decoded(data: &str) -> String {
    data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}
