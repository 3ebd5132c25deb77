//! CDKTF: programs that write Terraform, by their `cdktf.json`.
//!
//! A program is not run. What it makes is told by what lies beside it, and by words in its source.

use serde_json::Value;

use super::Notes;
use super::tree::{Tree, below, directory_of, join, name_of};

/// As many programs are looked at.
const PROGRAMS: usize = 20;
/// As many source files of a program are looked into.
const SOURCES: usize = 100;

/// One program.
pub(crate) struct Program {
    /// Where it lies.
    pub(crate) directory: String,
    /// The language that it says it is in; JavaScript calls itself `typescript`.
    pub(crate) language: Option<String>,
    /// The exact version of `cdktf-cli` that npm installs.
    pub(crate) version: Option<String>,
    /// Whether npm knows exactly what to install.
    pub(crate) is_locked: bool,
    /// Where lock files of Terraform are committed, where some are.
    pub(crate) lock_files: Option<String>,
    /// Its stacks, by their lock files or by its source.
    pub(crate) stacks: Vec<String>,
    /// Whether its source speaks of services on Amazon ECS.
    pub(crate) has_ecs: bool,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Program> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| name_of(path) == "cdktf.json") {
        if found.len() == PROGRAMS {
            notes.add(format!("only the first {PROGRAMS} programs of CDKTF were looked at"));
            break;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let Ok(Value::Object(settings)) = serde_json::from_str::<Value>(&text) else {
            notes.add(format!("`{path}` is not JSON with settings, and was left out"));
            continue;
        };
        let directory = directory_of(path);
        let (lock_files, locked) = locked(tree, directory);
        let source = Source::read(tree, directory, notes);
        found.push(Program {
            directory: directory.to_owned(),
            language: settings.get("language").and_then(Value::as_str).map(str::to_owned),
            version: version(tree, directory, notes),
            is_locked: tree.has(&join(directory, "package-lock.json")),
            lock_files,
            stacks: if locked.is_empty() { source.stacks } else { locked },
            has_ecs: source.has_ecs,
        });
    }
    found
}

/// Lock files that were put below one directory, each in one of its stack's name.
fn locked(tree: &Tree<'_>, directory: &str) -> (Option<String>, Vec<String>) {
    let mut place: Option<&str> = None;
    let mut stacks = Vec::new();
    for path in tree.files_below(directory).filter(|path| name_of(path) == ".terraform.lock.hcl") {
        let own = directory_of(path);
        let above = directory_of(own);
        let is_inside = own != directory && below(directory, own).is_some();
        if is_inside && place.is_none_or(|place| place == above) {
            place = Some(above);
            stacks.push(name_of(own).to_owned());
        }
    }
    (place.map(str::to_owned), stacks)
}

/// The version that package-lock.json has, or else an exact one of package.json.
fn version(tree: &Tree<'_>, directory: &str, notes: &mut Notes) -> Option<String> {
    let mut json = |name: &str| -> Option<Value> {
        let path = join(directory, name);
        let text = if tree.has(&path) { tree.read(&path, notes)? } else { return None };
        serde_json::from_str(&text).ok()
    };
    let locked = json("package-lock.json").and_then(|lock| {
        let own = lock.get("packages")?.get("node_modules/cdktf-cli")?.get("version")?;
        own.as_str().map(str::to_owned)
    });
    let named = |package: &Value| {
        let groups = ["devDependencies", "dependencies"];
        groups.iter().find_map(|group| Some(package.get(*group)?.get("cdktf-cli")?.as_str()?.to_owned()))
    };
    let version = locked.or_else(|| json("package.json").as_ref().and_then(named))?;
    let is_exact = version.split('.').count() == 3
        && version
            .split('.')
            .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_exact.then_some(version)
}

/// What a program's own files say.
#[derive(Default)]
struct Source {
    stacks: Vec<String>,
    has_ecs: bool,
}

impl Source {
    fn read(tree: &Tree<'_>, directory: &str, notes: &mut Notes) -> Self {
        let mut source = Self::default();
        let is_source =
            |path: &&str| path.ends_with(".ts") || path.ends_with(".js") || path.ends_with(".mjs");
        for path in tree.files_below(directory).filter(is_source).take(SOURCES) {
            let Some(text) = tree.read(path, notes) else { continue };
            source.has_ecs |= ["EcsService", "aws_ecs_service", "ecs-service", "containerDefinitions"]
                .iter()
                .any(|word| text.contains(word));
            source.stacks.extend(stacks(&text));
        }
        source.stacks.sort_unstable();
        source.stacks.dedup();
        source
    }
}

/// The names in `new Something(app, "name"`.
fn stacks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("(app,").take(100) {
        let rest = text.get(at + "(app,".len()..).unwrap_or_default().trim_start();
        let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`')) else {
            continue;
        };
        let name = rest.get(1..).and_then(|rest| rest.split(quote).next()).unwrap_or_default();
        found.push(name.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::stacks;

    #[test]
    fn stacks_are_what_an_app_is_given() {
        let text = "const app = new App();\nnew Shop(app, \"shop\", {});\nnew Net(app, 'net');\nnew X(app, name);\nnew Y(app,";
        assert_eq!(stacks(text), ["shop", "net"]);
    }
}
