use std::fs;

use pyfleet_gen::{Streams, run};

use crate::tool;

/// Every manifest of the README, followed by what `pyfleet-gen render` prints for it, is what it prints.
#[test]
fn the_readme_shows_what_is_printed() {
    let readme = fs::read_to_string(tool::repository().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    let mut shown = 0;
    for (position, (language, manifest)) in blocks.iter().enumerate() {
        let Some((_, session)) = blocks[position + 1..].first() else { continue };
        let Some(expected) = session.strip_prefix("$ pyfleet-gen render\n") else { continue };
        if *language != "yaml" {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("pyfleet.yml"), manifest).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        run(["pyfleet-gen", "-C", directory.path().to_str().unwrap(), "render"], &mut streams);
        let printed = [out, err].concat();
        assert_eq!(String::from_utf8(printed).unwrap().trim_end(), expected.trim_end());
        shown += 1;
    }
    assert_eq!(shown, 2);
}

/// The fenced blocks of a Markdown text: language and content.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}
