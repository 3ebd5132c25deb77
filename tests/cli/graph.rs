use super::{MANIFEST, with_build};
use crate::repo::Repo;

#[test]
fn one_workflow_is_a_chart_alone() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["graph", "build", "--format", "mermaid"]).exits(0);
    insta::assert_snapshot!(ran.out(), @r#"
    flowchart LR
      n0(["a push to main<br/>a pull request<br/>the merge queue"])
      n1["changes"]
      n2["build-api"]
      n3["scan-api"]
      n4[["gate"]]
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 --> n4
    "#);
    assert_eq!(repo.files().len(), 1, "nothing is written");
}

/// Markdown as GitHub shows it, and as the guide has it.
#[test]
fn all_workflows_are_markdown() {
    let repo = Repo::new();
    let all = repo.manifest(MANIFEST).run(["graph"]).exits(0).out();
    let one = |name| format!("## {name}\n\n```mermaid\n{}```\n", repo.run(["graph", name]).exits(0).out());
    assert_eq!(all, format!("{}\n{}", one("build"), one("test")));
    repo.run(["render"]).exits(0);
    for chart in all.split("```").skip(1).step_by(2) {
        assert!(repo.read(".github/cicd/README.md").contains(chart), "{chart}");
    }
}

/// A chart alone is XML without links, and needs nothing from elsewhere.
#[test]
fn one_workflow_is_a_picture() {
    let repo = Repo::new();
    let svg = repo.manifest(MANIFEST).run(["graph", "build", "--format", "svg"]).exits(0).out();
    assert!(svg.starts_with("<svg class=\"chart\" xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    let jobs: Vec<&str> = svg
        .lines()
        .filter_map(|line| {
            line.strip_prefix("<text class=\"id\"")?.split_once('>')?.1.strip_suffix("</text>")
        })
        .collect();
    assert_eq!(jobs, ["changes", "build-api", "scan-api", "gate"]);
    assert_eq!(svg.matches("<path class=\"edge").count(), 4);
    assert!(svg.contains("prefers-color-scheme: dark") && !svg.contains("<a ") && !svg.contains("href"));
    assert_eq!(repo.run(["graph", "build", "--format", "svg"]).exits(0).out(), svg);
    assert_eq!(repo.files().len(), 1, "nothing is written");
}

#[test]
fn a_picture_is_of_one_workflow() {
    let repo = Repo::new();
    let ran = repo.manifest(MANIFEST).run(["graph", "--format", "svg"]).exits(2);
    assert_eq!(
        (ran.out(), ran.err()),
        (
            String::new(),
            "error: `--format svg` draws one workflow: name it\nhelp: it renders build, test\n".to_owned()
        )
    );
    repo.run(["graph", "--format", "png"]).exits(2).says("mermaid, svg, html");
}

#[test]
fn a_page_has_every_workflow_or_the_one_that_is_named() {
    let repo = Repo::new();
    let all = repo.manifest(MANIFEST).run(["graph", "--format", "html"]).exits(0).out();
    let one = repo.run(["graph", "test", "--format", "html"]).exits(0).out();
    assert!(all.contains("<h2 id=\"build\">") && all.contains("<h2 id=\"test\">"));
    assert!(!one.contains("<h2 id=\"build\">") && one.contains("<h2 id=\"test\">"));
    for page in [&all, &one] {
        assert!(page.starts_with("<!doctype html>") && page.contains("content=\"default-src 'none';"));
        for foreign in ["<script", "http:", "https:", "//", "url(", "@import", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
    assert_eq!(repo.files().len(), 1, "nothing is written");
}

#[test]
fn a_workflow_that_is_not_rendered_has_no_chart() {
    let repo = Repo::new();
    repo.manifest(&with_build("{ enabled: false }"));
    for name in ["build", "nonsense", "\u{1b}[2J"] {
        let ran = repo
            .run(["graph", name])
            .exits(2)
            .says("error: pyfleet.yml renders no workflow `")
            .says_not("\u{1b}");
        assert!(ran.out().is_empty() && ran.err().ends_with("help: it renders test\n"), "{}", ran.err());
    }
    let ran = repo.manifest("version: 1\n").run(["graph"]).exits(2);
    assert!(ran.out().is_empty() && ran.err().ends_with("; nothing is rendered from it\n"));
}
