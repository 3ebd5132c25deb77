#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::{initialised, raised, repository};
use crate::repo::{Repo, files_below};

const STACK: &str = "resource \"terraform_data\" \"x\" {}\n";

#[test]
fn names_that_mean_something_to_somebody_are_left_out() {
    let repo = repository(&[("infra/main.tf", STACK)]);
    for name in [
        "a b",
        "a'b",
        "a\"b",
        "${{ github.token }}",
        "a\nb",
        "🦀",
        "-rf",
        "a;b",
        "$(id)",
        "`id`",
        "a:b",
        "::error::x",
        "##[error]x",
        "a\u{202e}b",
        "AKIAIOSFODNN7EXAMPLE",
        "a\u{1b}[31m",
        "*",
        "~",
        "#x",
        "{environment}",
    ] {
        repo.write(&format!("{name}/main.tf"), STACK);
        repo.write(&format!("apps/{name}/Dockerfile"), "FROM scratch\n");
        repo.write(&format!("tests/{name}/test_x.py"), "");
    }
    let said = initialised(&repo);
    assert!(said.contains("paths left out, such as"), "{said}");
    assert!(
        !said.contains("AKIAIOSFODNN7EXAMPLE") && !said.contains('\u{1b}') && !said.contains('\u{202e}'),
        "{said}"
    );
    assert!(!said.lines().any(|line| line.trim_start().starts_with("::") || line.contains("##[")), "{said}");
    let manifest = repo.read("pyfleet.yml");
    assert!(manifest.contains("directory: infra\n"), "{manifest}");
    assert!(!manifest.contains("Dockerfile") && !manifest.contains("tests:"), "{manifest}");
}

#[test]
fn a_name_that_is_no_text_is_left_out() {
    let repo = repository(&[("main.tf", STACK)]);
    fs::create_dir(repo.path("").join(std::ffi::OsStr::from_bytes(b"\xff\xfe"))).unwrap();
    repo.run(["init"]).exits(0).says("1 path left out");
}

#[test]
fn texts_that_mean_something_to_somebody_stay_where_they_are() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let repo = repository(&[
        (
            "main.tf",
            "terraform {\n  required_version = \"${{ x }}\\n- run: id ::error:: \\u202e\"\n  backend \"s3\" {\n    bucket = \"AKIAIOSFODNN7EXAMPLE\"\n    key = \"{stack}/../x\"\n    region = \"$(id)\"\n    dynamodb_table = \"AKIAIOSFODNN7EXAMPLE\"\n  }\n}\nmodule \"x\" { source = \"git::https://user:hunter2@example.com/x?AKIAIOSFODNN7EXAMPLE\" }\nresource \"aws_\\n::x\" \"y\" {}\nvariable \"a b\\n\" {}\n",
        ),
        ("Dockerfile", "FROM --platform=${{x}} scratch\nUSER a\u{202e}b\n"),
        (
            "package.json",
            "{\"engines\": {\"node\": \"${{ x }}\"}, \"scripts\": {\"test\": \"${{ x }}; AKIAIOSFODNN7EXAMPLE\"}}",
        ),
        (
            "pyproject.toml",
            "[project]\nrequires-python = \"${{ x }}\"\n[dependency-groups]\n\"${{ dev\" = []\n",
        ),
        ("tests/test_x.py", ""),
        (".terraform-version", "latest:^1.5\n"),
        (".gitignore", "# x\n.terraform* \u{202e}\n"),
        ("task-definition.json", "{\"family\": \"::error::\\n${{ x }}\", \"containerDefinitions\": []}"),
    ]);
    let said = initialised(&repo);
    let manifest = repo.read("pyfleet.yml");
    for text in [&said, &manifest] {
        assert!(!text.contains(secret) && !text.contains('\u{202e}'), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
    assert!(!manifest.lines().any(|line| line.split(" #").next().unwrap().contains("${{")), "{manifest}");
    assert!(!manifest.lines().any(|line| line.trim_start().starts_with("- run:")), "{manifest}");
}

/// What stands in manifests, templates and programs is a stranger's text as well.
#[test]
fn texts_of_what_is_deployed_stay_where_they_are() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let odd = "${{ x }}\\n- run: id \\u202e";
    let repo = repository(&[
        (
            "main.tf",
            "terraform {\n  backend \"s3\" {}\n}\noutput \"inventory ::error::\" { value = 1 }\nvariable \"image\" {}\n",
        ),
        ("Dockerfile", "FROM scratch\nUSER 1\n"),
        (
            "k8s/web.yml",
            &format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web, namespace: \"{odd}\" }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: \"{odd}\"\n          image: acme/shop\n          env:\n            - valueFrom: {{ secretKeyRef: {{ name: db, key: {secret} }} }}\n            - valueFrom: {{ secretKeyRef: {{ name: \"{odd}\", key: a }} }}\n            - valueFrom: {{ secretKeyRef: {{ name: db, key: GITHUB_x }} }}\n          envFrom: [{{ secretRef: {{ name: \"{odd}\" }} }}]\n          readinessProbe: {{ httpGet: {{ path: \"/{odd}\" }} }}\n"
            ),
        ),
        (
            "k8s/other.yml",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: \"{odd}\", namespace: {secret} }}\n"
            ),
        ),
        (
            "x.pkr.hcl",
            &format!(
                "packer {{\n  required_version = \"{odd}\"\n}}\nsource \"{odd}\" \"x\" {{}}\nvariable \"{secret}\" {{}}\nvariable \"a b\" {{}}\nbuild {{\n  provisioner \"shell\" {{\n    script = \"../../etc/passwd\"\n  }}\n}}\n"
            ),
        ),
        ("ansible/site.yml", &format!("- hosts: \"{odd}\"\n")),
        ("ansible/requirements.txt", "ansible-core==${{x}}\n"),
        ("cdk/cdktf.json", &format!("{{\"language\": \"{odd}\"}}")),
        ("cdk/main.ts", &format!("new X(app, \"{secret}\"); new Y(app, \"{odd}\");")),
    ]);
    let said = initialised(&repo);
    let manifest = repo.read("pyfleet.yml");
    for text in [&said, &manifest] {
        assert!(!text.contains(secret) && !text.contains('\u{202e}') && !text.contains("passwd"), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("- run:")), "{text}");
    }
    assert!(!manifest.lines().any(|line| line.split(" #").next().unwrap().contains("${{")), "{manifest}");
    assert!(manifest.contains("manifests: [k8s/web.yml]"), "{manifest}");
    for level in 2..=5 {
        repo.manifest(&raised(&manifest, level)).run(["render"]).exits(0);
    }
}

/// A file of many objects, of anchors that stand for more than they are, and many files of everything.
#[test]
fn much_of_what_is_deployed_takes_no_square_of_its_number() {
    let repo = repository(&[("main.tf", STACK), ("Dockerfile", "FROM scratch\nUSER 1\n")]);
    let deployment = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name} }}\nspec: {{ template: {{ spec: {{ containers: [{{ name: a, image: acme/shop }}] }} }} }}\n"
        )
    };
    let many: String = (0..5_000).map(|number| deployment(&format!("d{number}"))).collect();
    let bomb: String = {
        let mut text = "---\napiVersion: v1\nkind: ConfigMap\na0: &a0 [x]\n".to_owned();
        for level in 1..9 {
            text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "));
        }
        text.repeat(1_000)
    };
    for number in 0..400 {
        repo.write(&format!("k8s/d{number}/web.yml"), deployment(&format!("w{number}")));
        repo.write(&format!("charts/c{number}/Chart.yaml"), "");
        repo.write(&format!("ansible/p{number}.yml"), "- hosts: all\n");
        repo.write(&format!("packer/{number}.pkr.hcl"), "source \"null\" \"x\" {}\nbuild {}\n");
        repo.write(&format!("cdk/c{number}/cdktf.json"), "{\"language\": \"typescript\"}");
    }
    repo.write("k8s/many.yml", many);
    for number in 0..20 {
        repo.write(&format!("a/bomb{number}.yml"), &bomb);
        repo.write(&format!("ansible/bomb{number}.yml"), &bomb);
    }
    let start = std::time::Instant::now();
    let said = initialised(&repo);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    for text in [
        "only the first 300 files of Kubernetes manifests were read",
        "only the first 50 files of Packer were read",
        "only the first 20 programs of CDKTF were looked at",
        "only the first 20 Deployments are services",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(said.lines().count() < 250, "{said}");
    assert!(repo.read("pyfleet.yml").lines().count() < 500, "{}", repo.read("pyfleet.yml"));
}

#[test]
fn links_are_not_followed() {
    let repo = repository(&[("infra/main.tf", STACK)]);
    repo.write("../outside/main.tf", "resource \"aws_s3_bucket\" \"secret\" {}\n");
    repo.write("../outside/package.json", "{\"scripts\": {\"test\": \"x\"}}");
    symlink(repo.path("../outside"), repo.path("linked")).unwrap();
    symlink("..", repo.path("infra/loop")).unwrap();
    symlink(repo.path("../outside/package.json"), repo.path("package.json")).unwrap();
    symlink("/dev/zero", repo.path("Dockerfile")).unwrap();
    let above = files_below(&repo.path("../outside"));
    let said = initialised(&repo);
    assert!(said.contains("4 symbolic links not followed"), "{said}");
    assert!(!said.contains("Node") && !said.contains("linked") && !said.contains("loop"), "{said}");
    assert_eq!(above, files_below(&repo.path("../outside")));
}

#[test]
fn a_link_in_the_manifest_s_place_is_in_the_way() {
    let repo = repository(&[("main.tf", STACK)]);
    symlink("../nothing", repo.path("pyfleet.yml")).unwrap();
    repo.run(["init"]).exits(2).says("is there already");
    assert!(!repo.path("../nothing").exists());
}

#[test]
fn what_is_too_large_too_deep_or_too_much_is_said_and_passed_by() {
    let repo = repository(&[("main.tf", STACK)]);
    repo.write("package.json", vec![b' '; 2 * 1024 * 1024]);
    let deep = "d/".repeat(40);
    repo.write(&format!("{deep}main.tf"), STACK);
    for number in 0..60 {
        repo.write(&format!("broken/f{number}.tf"), "resource \"x\" {");
    }
    repo.write("nested/main.tf", format!("x = {}1{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    repo.write("pyproject.toml", format!("x = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    repo.write("cdktf.json", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    repo.write(".github/workflows/deep.yml", format!("on: {}", "[".repeat(100_000)));
    let said = initialised(&repo);
    for text in [
        "`package.json` has more than 1 MiB, and was not read",
        "1 directory more than 12 levels down",
        "61 files left out that are not HCL, such as `broken/f0.tf`",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(said.lines().count() < 90, "{said}");
}

/// Patterns whose reading takes the square of their length, or each way to place their `**`.
#[test]
fn patterns_of_gitignore_take_no_longer_than_they_are() {
    let deep = "a/".repeat(10);
    let repo = repository(&[(&format!("{deep}main.tf"), "provider \"aws\" {}\n")]);
    let lines = [
        "[a]".repeat(40_000),
        "[".repeat(4_000),
        "*a".repeat(2_000),
        "**/a/".repeat(800) + "x",
        "**/*a*/".repeat(500) + "x",
    ];
    repo.write(".gitignore", lines.join("\n") + &"\n[a][a]*[b]".repeat(50_000));
    let start = std::time::Instant::now();
    repo.run(["init"]).exits(0).says("`.gitignore` has lines of more than 4 KiB, which were passed by");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn many_directories_and_many_tests_take_no_square_of_their_number() {
    let repo = repository(&[("main.tf", STACK)]);
    for number in 0..3_000 {
        repo.write(&format!("p/d{number}/test_x.py"), "");
        repo.write(&format!("p/d{number}/setup.py"), "");
    }
    let start = std::time::Instant::now();
    repo.run(["init"]).exits(0).says("only the first 30 groups of tests are in the manifest");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// Where there are too many, the first by name are seen, whatever order the file system has them in.
#[test]
fn what_is_seen_of_too_much_does_not_depend_on_the_file_system() {
    let repo = repository(&[]);
    for number in 0..50_000 {
        fs::write(repo.path(&format!("z{number}")), "").unwrap();
    }
    repo.write("main.tf", STACK).write("zz/Dockerfile", "FROM scratch\n");
    repo.run(["init"])
        .exits(0)
        .says("Terraform   .:")
        .says("only the first 50000 entries were looked at")
        .says_not("Docker");
}

#[test]
fn what_others_made_is_not_looked_into() {
    let repo = Repo::new();
    repo.write("main.tf", STACK);
    for place in ["node_modules/a", ".terraform/modules/a", "vendor/a", "target/a", ".venv/a", "sub/a"] {
        repo.write(&format!("{place}/main.tf"), STACK)
            .write(&format!("{place}/Dockerfile"), "FROM scratch\n");
    }
    repo.write("sub/.git", "gitdir: ../.git/modules/sub\n");
    repo.write("python/pyvenv.cfg", "").write("python/lib/Dockerfile", "FROM scratch\n");
    let said = repo.run(["init"]).exits(0).out();
    assert!(!said.contains("Docker") && said.matches("  Terraform ").count() == 1, "{said}");
}

/// A script of another origin under a name of pyfleet's: said before `render` refuses.
#[test]
fn files_in_the_way_of_the_first_render_are_named() {
    let repo = repository(&[("main.tf", STACK), (".github/scripts/scan-report.sh", "mine\n")]);
    repo.run(["init"]).exits(0).says(".github/scripts/scan-report.sh is there already");
    repo.run(["render"]).exits(2);
}
