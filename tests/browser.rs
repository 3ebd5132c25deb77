//! What `graph` draws, as headless Chromium shows it: without a network, in light and in dark.
//!
//! `tests/tools/browser.mjs` looks: messages of the console, requests, the contrast of every text, texts in their boxes,
//! boxes and edges apart, links that lead somewhere, a box that is reached with the keyboard and unfolds what it names.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::repo::Repo;
use crate::tool;

/// What Chromium saw of each file, in each scheme.
fn seen(files: &[PathBuf]) -> Option<Vec<Value>> {
    let node = tool::find("node")?;
    let chromium = tool::find("chromium")?;
    let output = node
        .command()
        .arg(tool::repository().join("tests/tools/browser.mjs"))
        .arg(chromium.path().parent().unwrap())
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 2 * files.len(), "light and dark");
    Some(answers)
}

/// Every manifest that is here: the examples, and those under `tests/manifests`.
fn manifests() -> Vec<(String, String)> {
    let root = tool::repository();
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let mut manifests: Vec<(String, String)> = ["pyfleet", "sandbox-broker"]
        .map(|name| (name.to_owned(), read(&root.join(format!("examples/{name}/pyfleet.yml")))))
        .into();
    for entry in fs::read_dir(root.join("tests/manifests")).unwrap() {
        let path = entry.unwrap().path();
        manifests.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path)));
    }
    manifests.sort();
    manifests
}

#[test]
fn people_can_read_every_chart_and_page() {
    let repo = Repo::new();
    let mut files = Vec::new();
    let mut boxes = Vec::new();
    for (name, manifest) in manifests() {
        repo.manifest(&manifest);
        let mut draw = |file: String, arguments: &[&str]| {
            let drawn = repo.run([&["graph", "--format"], arguments].concat()).exits(0).out();
            boxes.push(drawn.matches("class=\"node ").count());
            repo.write(&file, drawn);
            files.push(repo.path(&file));
        };
        draw(format!("{name}.html"), &["html"]);
        for workflow in repo.run(["graph"]).exits(0).out().lines().filter_map(|line| line.strip_prefix("## "))
        {
            draw(format!("{name}-{workflow}.svg"), &["svg", workflow]);
        }
    }
    assert!(files.len() > 20);
    let Some(answers) = seen(&files) else { return };
    for (answer, (file, boxes)) in answers.iter().zip(files.iter().zip(&boxes).flat_map(|same| [same, same]))
    {
        assert_eq!(answer["problems"], serde_json::json!([]), "{answer}");
        assert!(*boxes > 1 && answer["boxes"] == *boxes, "{answer}");
        let is_page = file.extension().unwrap() == "html";
        assert_eq!(answer["links"].as_u64().unwrap() > 0, is_page, "{answer}");
    }
    for schemes in answers.chunks(2).filter(|schemes| schemes[0]["links"] != 0) {
        assert_ne!(schemes[0]["background"], schemes[1]["background"], "dark is not light");
    }
}

/// What a manifest says stays what it says.
#[test]
fn words_of_a_manifest_are_words() {
    let repo = Repo::new();
    let manifest = fs::read_to_string(tool::repository().join("examples/pyfleet/pyfleet.yml")).unwrap();
    let said = "<script>document.title='x'</script><img src=x onerror=alert(1)>&amp;";
    let spoilt =
        manifest.replace("dev is disposable and prod waits for its reviewers", &format!("\"{said}\""));
    assert_ne!(spoilt, manifest);
    let page = repo.manifest(&spoilt).run(["graph", "--format", "html"]).exits(0).out();
    assert!(!page.contains("<script") && !page.contains("<img"));
    repo.write("page.html", page);
    let Some(answers) = seen(&[repo.path("page.html")]) else { return };
    for answer in answers {
        assert_eq!(answer["problems"], serde_json::json!([]), "{answer}");
    }
}

/// The eyes of this test see: each mistake is named.
#[test]
fn chromium_says_no() {
    let repo = Repo::new();
    let node = |x, text| {
        format!(
            "<a class='node' href='#there'><rect class='body' x='{x}' y='10' width='80' height='30' fill='#fff'/>\
             <text x='{}' y='30'>{text}</text></a>",
            x + 5
        )
    };
    let page = format!(
        "<!doctype html><body style='background: #fff'><p style='color: #999'>faint</p><img src='https://example.com/x.png'>\
         <a href='#nowhere'>lost</a><div id='twice'></div><div id='twice'></div><div style='width: 2000px'>wide</div>\
         <script>console.error('x')</script><svg class='chart' viewBox='0 0 400 60' width='400' height='60'>\
         {}{}{}<path class='edge' d='M0 25H300' fill='none'/></svg><details id='there'></details>",
        node(10, "one"),
        node(60, "two"),
        node(150, "far too long for its box")
    );
    repo.write("page.html", page);
    let Some(answers) = seen(&[repo.path("page.html")]) else { return };
    for answer in answers {
        let problems = answer["problems"].to_string();
        for problem in [
            "\\\"faint\\\" has a contrast of 2.8",
            "asks for https://example.com/x.png",
            "#nowhere leads nowhere",
            "an id is there twice",
            "scrolls sideways at 1280",
            "console: error",
            "\\\"one\\\" and \\\"two\\\" overlap",
            "\\\"far too long for its box\\\" runs out of its box",
            "an edge runs through \\\"one\\\"",
            "#there unfolds nothing",
        ] {
            assert!(problems.contains(problem), "{problem} is not in {problems}");
        }
    }
}
