use super::script::Script;

fn fetching(run_id: &str, download: &str) -> Script {
    // The stand-in notes how it was called; a run is listed and downloaded as the case says.
    let gh = format!(
        "#!/usr/bin/env bash\nprintf '%s\\n' \"$*\" >>\"$STATE/calls\"\ncase \"$1 $2\" in\n'run list') printf '%s\\n' '{run_id}' ;;\n'run download') {download} ;;\nesac\n"
    );
    Script::new("fetch-baseline.sh")
        .tool("gh", &gh)
        .env("GH_TOKEN", "token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("WORKFLOW", "test.yml")
        .env("BASE_BRANCH", "main")
        .env("BASELINE_DIR", "the baseline")
}

#[test]
fn the_newest_successful_run_is_fetched() {
    fetching("42", "exit 0").run().exits(0);
}

#[test]
fn without_a_run_there_is_nothing_to_compare_with() {
    fetching("", "exit 1").run().exits(0).says("::notice::main has no successful run of test.yml yet");
    fetching("42", "exit 1").run().exits(0).says("::notice::the results of run 42 are gone");
}
