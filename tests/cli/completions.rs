use crate::repo::Repo;
use crate::tool;

#[test]
fn every_shell_has_its_script() {
    let repo = Repo::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran =
            repo.run(["completions", shell]).exits(0).says("pyfleet-gen").says("validate").says("dry-run");
        assert_eq!(ran.err(), "");
    }
    repo.run(["completions", "tcsh"]).exits(2).says("invalid value 'tcsh'");
    repo.run(["completions"]).exits(2);
}

/// Bash itself is asked what comes next.
#[test]
fn bash_proposes_what_there_is() {
    let Some(bash) = tool::find("bash") else { return };
    let repo = Repo::new();
    let script = repo.run(["completions", "bash"]).exits(0).out();
    repo.write("complete.bash", script);
    for (words, proposed) in [
        ("pyfleet-gen va", "validate"),
        ("pyfleet-gen completions po", "powershell"),
        ("pyfleet-gen oidc --format te", "terraform"),
        ("pyfleet-gen oidc check --ro", "--role"),
        ("pyfleet-gen diff --format ", "human json"),
        ("pyfleet-gen simulate --as", "--assume"),
        ("pyfleet-gen check --format ", "human json github sarif"),
        ("pyfleet-gen graph --format ", "mermaid svg html"),
        ("pyfleet-gen render --ad", "--adopt"),
    ] {
        let ask = format!(
            "source complete.bash; COMP_WORDS=({words}{empty}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}; \
             function=$(complete -p pyfleet-gen | sed 's/.* -F \\([^ ]*\\) .*/\\1/'); \
             \"$function\" pyfleet-gen \"$cur\" \"$prev\"; echo \"${{COMPREPLY[*]}}\"",
            empty = if words.ends_with(' ') { "''" } else { "" },
        );
        let output = bash.command().args(["-c", &ask]).current_dir(repo.path(".")).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.trim_end(), proposed, "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
