//! Cases that are too large for a file, or that no repository should hold.

use super::{Case, all_hold};

const HEAD: &str = "version: 1\nproject: shop\ngithub: { repository: acme/shop }\n";

/// A manifest with a suite of this command.
fn command(text: &str) -> String {
    format!(
        "{HEAD}tests:\n  api:\n    python: \"3.12\"\n    suites:\n      unit: {text}\nworkflows: {{ test: {{}} }}\n"
    )
}

#[test]
fn what_is_too_large_is_refused() {
    let nested = |open: &str, count: usize| format!("{HEAD}x: {}", open.repeat(count));
    let nodes = format!("{HEAD}x: [{}]\n", "x,".repeat(50_000));
    let keys: String = (0..30_000).map(|key| format!("  k{key}: x\n")).collect();
    let long = "x".repeat(60_000);
    let doubling: String =
        (1..64).map(|level| format!("a{level}: &a{level} [*a{}, *a{}]\n", level - 1, level - 1)).collect();
    all_hold(
        [
            ("100 KB of brackets", Case::plain(nested("[", 100_000), &[(4, 259, "error[yaml-syntax]: recursion limit")])),
            ("100 KB of braces", Case::plain(nested("{a: ", 25_000), &[(4, 400, "error[yaml-limit]: nested")])),
            (
                "100 KB of dashes",
                Case::plain(nested("\n- ", 1).replace("- ", &"- ".repeat(50_000)), &[(5, 199, "error[yaml-limit]: nested")]),
            ),
            ("50,001 nodes", Case::plain(nodes, &[(4, 99_977, "error[yaml-limit]: more than 50000")])),
            ("60,000 nodes in a mapping", Case::plain(format!("{HEAD}x:\n{keys}"), &[(24_998, 3, "error[yaml-limit]: more than 50000")])),
            (
                "a bomb of aliases",
                Case::plain(format!("{HEAD}a0: &a0 [x, x]\n{doubling}"), &[(17, 12, "error[yaml-limit]: more than 50000")]),
            ),
            (
                "a command of more than 21,000 characters",
                Case::plain(command(&"x".repeat(21_001)), &[(8, 13, "error[platform-limits]: 21,000")]),
            ),
            (
                "a command of 60,000 characters in quotes",
                Case::plain(command(&format!("\"{long}\"")), &[(8, 13, "error[platform-limits]: 21,000")]),
            ),
            (
                "a name of 41 characters",
                Case::plain(HEAD.replace("shop\ng", &format!("{}\ng", "x".repeat(41))), &[(2, 10, "error[invalid-value]: at most 40")]),
            ),
            (
                "257 versions",
                Case::plain(
                    format!("{HEAD}tests:\n  api: {{ python: [{}], suites: {{ unit: pytest }} }}\nworkflows: {{ test: {{}} }}\n",
                        (0..257).map(|minor| format!("\"3.{minor}\"")).collect::<Vec<_>>().join(", ")),
                    &[(5, 3, "error[platform-limits]: 256")],
                ),
            ),
            (
                "more stacks than one matrix holds",
                Case::plain(
                    format!("{HEAD}terraform:\n  version: \"1.11.4\"\n  stacks:\n{}workflows: {{ terraform: {{}} }}\n",
                        (0..257).map(|stack| format!("    s{stack}: {{ directory: d{stack} }}\n")).collect::<String>()),
                    &[(6, 3, "error[platform-limits]: 256")],
                ),
            ),
            (
                "stacks that together are too much for one environment variable",
                Case::plain(
                    format!(
                        "{HEAD}safety-level: 3\nenvironments: {{ dev: {{}}, prod: {{}} }}\naws: {{ account-id: \"123456789012\", region: \
                         eu-central-1 }}\nworkflows: {{ terraform: {{}} }}\nterraform:\n  version: \"1.11.4\"\n  backend: {{ bucket: shop, \
                         key: \"{{environment}}/{{stack}}\" }}\n  stacks:\n{}",
                        ["a", "b", "c"]
                            .map(|stack| format!(
                                "    {stack}: {{ directory: {stack}, variables: {{ text: {} }} }}\n",
                                "x".repeat(50_000)
                            ))
                            .concat(),
                    ),
                    &[(11, 3, "error[platform-limits]: 90,000 bytes")],
                ),
            ),
            (
                "a variable that no environment variable of a process can hold",
                Case::plain(
                    format!("{HEAD}terraform:\n  version: \"1.11.4\"\n  stacks:\n    app:\n      directory: infra\n      variables: {{ text: \"{}\" }}\n",
                        "x".repeat(140_000)),
                    &[(9, 7, "error[platform-limits]: 65536 bytes")],
                ),
            ),
        ]
        .into_iter(),
    );
}

/// Neither many findings nor many secrets may keep anybody waiting.
#[test]
fn what_is_wrong_ten_thousand_times_is_said_a_hundred_times() {
    let suites = |line: &dyn Fn(usize) -> String| {
        let suites: String = (0..10_000).map(|suite| format!("      {}\n", line(suite))).collect();
        format!("{HEAD}tests:\n  api:\n    python: \"3.12\"\n    suites:\n{suites}")
    };
    let hundred = |code: &str, column: usize| -> Vec<(usize, usize, String)> {
        (8..108).map(|line| (line, column, code.to_owned())).collect()
    };
    for (name, manifest, expected) in [
        (
            "expressions",
            suites(&|suite| format!("s{suite}: \"${{{{ x }}}}\"")),
            (8..108)
                .map(|line| {
                    (line, if line < 18 { 12 } else { 13 }, "error[literal-expression-open]".to_owned())
                })
                .collect(),
        ),
        ("names", suites(&|suite| format!("S{suite}: x")), hundred("error[invalid-value]", 7)),
        ("empty commands", suites(&|suite| format!("s{suite}: \"\"")), Vec::new()),
    ] {
        let expected: Vec<(usize, usize, &str)> =
            expected.iter().map(|(line, column, text)| (*line, *column, text.as_str())).collect();
        let mut case = Case::plain(manifest, &expected);
        case.expects_all = !expected.is_empty();
        all_hold([(name, case)].into_iter());
    }
    let mut case = Case::plain(
        format!("{HEAD}x: [{}]\n", "\"password: a\", ".repeat(20_000)),
        &[(4, 1, "error[unknown-key]")],
    );
    case.planted.push("password: a".to_owned());
    all_hold([("passwords", case)].into_iter());
}

#[test]
fn a_megabyte_is_the_limit() {
    // Refused by its size, before it is read: there is no place to point at.
    let too_long = format!("{HEAD}# {}\n", "x".repeat(1024 * 1024));
    all_hold([("one MiB and a bit", Case::plain(too_long, &[]))].into_iter());
}

#[test]
fn text_that_is_not_plain_text_is_refused() {
    let bytes = |text: &str, tail: &[u8]| [text.as_bytes(), tail].concat();
    all_hold(
        [
            ("not UTF-8", Case::plain(bytes(HEAD, b"x: \xff\xfe\n"), &[])),
            ("UTF-16", Case::plain(b"\xff\xfev\0e\0r\0s\0i\0o\0n\0:\0".to_vec(), &[])),
            ("a NUL", Case::plain(bytes(HEAD, b"x: a\0b\n"), &[(4, 5, "error[yaml-syntax]")])),
            ("an escape sequence", Case::plain(command("py\u{1b}[2Ktest"), &[(8, 13, "error[yaml-syntax]")])),
            (
                "a byte order mark and a second document",
                Case::plain(format!("\u{feff}{HEAD}---\n{HEAD}"), &[(4, 1, "error[yaml-documents]")]),
            ),
            (
                "a byte order mark inside",
                Case::plain(command("py\u{feff}test"), &[(8, 15, "error[deceptive-text]: U+FEFF")]),
            ),
            (
                "a direction change in a command",
                Case::plain(command("pytest \u{202e}x"), &[(8, 20, "error[deceptive-text]: U+202E")]),
            ),
            (
                "a direction change in a comment",
                Case::plain(command("pytest # \u{2066}x"), &[(8, 22, "error[deceptive-text]: U+2066")]),
            ),
            (
                "a direction change in a key",
                Case::plain(
                    format!("{HEAD}\u{202e}x: 1\n"),
                    &[(4, 1, "error[deceptive-text]: U+202E"), (4, 1, "error[unknown-key]")],
                ),
            ),
        ]
        .into_iter(),
    );
}

/// A name or a file that is not what a manifest is: refused before anything of it is read or written.
#[test]
#[cfg(unix)]
fn a_manifest_is_a_file_with_a_plain_name() {
    use std::fs;

    use pyfleet_gen::{Exit, Streams, run};

    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let names = ["a\njobs: {}.yml", "a\u{202e}b.yml", "a\u{1b}[2K.yml"];
    for name in names {
        fs::write(root.join(name), command("pytest")).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", root.join("endless.yml")).unwrap();
    let before = super::tree_of_names(root);
    for name in names.into_iter().chain(["endless.yml", "..", "/"]) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        let arguments = ["pyfleet-gen", "-C", root.to_str().unwrap(), "--manifest", name, "render"];
        assert_eq!(run(arguments, &mut streams), Exit::CouldNotRun, "{name:?}");
        let said = String::from_utf8([out, err].concat()).unwrap();
        assert!(said.starts_with("error: ") && !said.chars().any(super::acts_on_a_terminal), "{said:?}");
        assert_eq!(super::tree_of_names(root), before, "{name:?}");
    }
}
