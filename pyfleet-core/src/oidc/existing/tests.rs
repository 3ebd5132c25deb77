use super::{Can, Comparer, Comparison, read};
use crate::diagnostic::Severity;
use crate::oidc::tests::{MANIFEST, planned};
use crate::oidc::{identities, trust};
use crate::source::Source;
use crate::yaml::tree::Document;

const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

/// A policy of one statement with these conditions.
fn with(conditions: &str) -> String {
    let conditions = conditions.replace("gh:", "token.actions.githubusercontent.com:");
    format!(
        r#"{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Principal": {{ "Federated": "{PROVIDER}" }}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {conditions} }}] }}"#
    )
}

const AUD: &str = r#""gh:aud": "sts.amazonaws.com""#;

fn compared(text: &str, role: Option<&str>) -> (Document, Comparison) {
    let (project, plan) = planned(MANIFEST);
    let (document, policies) = read(Source::new("trust.json", text)).unwrap();
    let [policy] = policies.as_slice() else { panic!("{policies:?}") };
    let mut comparison = Comparer::new(&project, &plan).compare(policy, role);
    document.locate(&mut comparison.findings);
    (document, comparison)
}

/// What was found: severity, code, the text at the place, and what it says.
fn found(text: &str, role: Option<&str>) -> Vec<String> {
    let (document, comparison) = compared(text, role);
    let at = |span: std::ops::Range<usize>| {
        let text = &document.source.text()[span];
        if text.len() > 90 { "…".to_owned() } else { text.to_owned() }
    };
    comparison
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .map(|finding| {
            let place = at(finding.place.span.clone().unwrap());
            format!("{} {place}: {}", finding.code, finding.message)
        })
        .collect()
}

/// The derived policies are the oracle, so that they have to be right by the same reading: every job is let in, nobody
/// else is, and nothing is too wide.
#[test]
fn what_is_derived_from_the_plan_is_right() {
    let (project, plan) = planned(MANIFEST);
    let comparer = Comparer::new(&project, &plan);
    for (identity, name) in identities(&project, &plan).iter().zip(comparer.roles()) {
        let text = serde_json::to_string(&trust::trust(&project, identity)).unwrap();
        let (_, comparison) = compared(&text, Some(&name));
        assert_eq!(comparison.roles, [name.as_str()]);
        assert!(comparison.is_known && comparison.findings.is_empty(), "{name}: {:?}", comparison.findings);
        let needing: Vec<_> = comparison.jobs.iter().filter(|job| job.needs).collect();
        assert!(
            !needing.is_empty() && needing.iter().all(|job| job.can == Can::Always),
            "{name}: {needing:?}"
        );
    }
}

#[test]
fn a_job_with_an_environment_never_has_the_subject_of_a_branch() {
    let text = with(&format!(
        r#"{{ "StringEquals": {{ {AUD}, "gh:sub": "repo:acme/shop:ref:refs/heads/main" }} }}"#
    ));
    let (document, comparison) = compared(&text, Some("dev/apply"));
    let finding = comparison.findings.iter().find(|finding| finding.code == "trust-unsatisfiable").unwrap();
    assert_eq!(
        &document.source.text()[finding.place.span.clone().unwrap()],
        "\"repo:acme/shop:ref:refs/heads/main\""
    );
    assert!(
        finding.message.ends_with(
            "can never assume this role: `sub` is `repo:acme/shop:environment:dev`; `sub` is \
         `repo:acme@1001/shop@2001:environment:dev`"
        ),
        "{}",
        finding.message
    );
    assert!(
        finding.help[0].starts_with("a job with an environment has a subject that names the environment")
    );
    assert!(comparison.jobs.iter().all(|job| job.needs && job.can == Can::Never));
    // Any branch that has this name, with any file: not what somebody has to fear of this one.
    assert!(!comparison.findings.iter().any(|finding| finding.code == "trust-too-broad"));
}

#[test]
fn what_is_too_wide_is_said_with_its_consequence() {
    let wide =
        with(&format!(r#"{{ "StringEquals": {{ {AUD} }}, "StringLike": {{ "gh:sub": "repo:acme/*" }} }}"#));
    let found = found(&wide, Some("prod/apply"));
    assert_eq!(
        found[0],
        "trust-policy-strict \"repo:acme/*\": `sub` is compared with a pattern, which takes more than can be seen"
    );
    let consequence = found.iter().find(|line| line.contains("more than the plan's jobs")).unwrap();
    for expected in
        ["a pull request of this repository", "another repository of the same owner", "any other environment"]
    {
        assert!(consequence.contains(expected), "{consequence}");
    }
    assert!(!consequence.contains("a repository of anybody"), "{consequence}");
    assert!(
        found.iter().any(|line| line.starts_with("trust-too-broad") && line.contains("can assume this role"))
    );
    // The subject has two forms, and this takes one.
    assert!(found.iter().any(|line| line.starts_with("trust-undecided")), "{found:?}");
}

#[test]
fn conditions_that_are_no_conditions() {
    let none = with("{}");
    let open = found(&none, Some("dev/plan"));
    assert!(open[0].contains("any repository on GitHub can assume this role"), "{open:?}");
    assert!(open[1].contains("nothing says what `aud` has to be"), "{open:?}");
    assert!(open.iter().any(|line| line.contains("a repository of anybody")), "{open:?}");
    let missing = with(&format!(
        r#"{{ "StringEquals": {{ {AUD} }}, "ForAllValues:StringEquals": {{ "gh:sub": "repo:acme/shop:environment:dev" }} }}"#
    ));
    assert!(found(&missing, Some("dev/apply"))[0].contains("a token without `sub` is taken as well"));
    let anybody = none.replace(&format!(r#"{{ "Federated": "{PROVIDER}" }}"#), "\"*\"");
    assert!(found(&anybody, Some("dev/apply"))[0].contains("anybody at all"));
    // A star that is no pattern; a claim that AWS does not know; another account.
    for (conditions, why) in [
        (
            r#"{ "StringEquals": { "gh:sub": "repo:acme/shop:*", AUD } }"#,
            "`sub` is `repo:acme/shop:environment:dev`",
        ),
        (
            r#"{ "StringLike": { "gh:sub": "repo:acme*shop*:environment:dev" }, "StringEquals": { "gh:event_name": "push", AUD } }"#,
            "AWS does not look at `event_name`",
        ),
        (
            r#"{ "StringLike": { "gh:sub": "repo:acme*" }, "StringEquals": { "gh:ref": "refs/heads/x", AUD } }"#,
            "`ref` is `refs/heads/main`",
        ),
        (
            r#"{ "StringLike": { "gh:sub": "repo:acme*" }, "StringNotEquals": { "gh:environment": "dev" }, "Bool": { "aws:SecureTransport": true } }"#,
            "`environment` is `dev`",
        ),
        (
            r#"{ "StringLike": { "gh:sub": "repo:acme*" }, "Null": { "gh:environment": "true" } }"#,
            "`environment` is `dev`",
        ),
    ] {
        let found = found(&with(&conditions.replace("AUD", AUD)), Some("dev/apply"));
        assert!(
            found.iter().any(|line| line.starts_with("trust-unsatisfiable") && line.contains(why)),
            "{why}: {found:?}"
        );
    }
    let elsewhere =
        with(&format!(r#"{{ "StringEquals": {{ {AUD} }} }}"#)).replace("123456789012", "999999999999");
    let found = found(&elsewhere, Some("dev/apply"));
    assert!(found.iter().any(|line| line.contains("shown by `arn:aws:iam::123456789012:")), "{found:?}");
}

#[test]
fn a_denial_counts_before_anything_that_allows() {
    let (project, plan) = planned(MANIFEST);
    let apply = identities(&project, &plan).into_iter().find(|role| role.purpose.name() == "apply").unwrap();
    let right = serde_json::to_value(trust::trust(&project, &apply)).unwrap();
    let mut denied = right.clone();
    let statements = denied["Statement"].as_array_mut().unwrap();
    statements.push(serde_json::json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:*",
        "Condition": { "StringLike": { "token.actions.githubusercontent.com:sub": "*:environment:dev" } },
    }));
    let found = found(&denied.to_string(), Some("dev/apply"));
    assert!(matches!(found.as_slice(), [one] if one.contains("a statement denies it")), "{found:?}");
}

#[test]
fn roles_are_known_by_what_they_are_called() {
    let (project, plan) = planned(MANIFEST);
    let comparer = Comparer::new(&project, &plan);
    let apply = identities(&project, &plan).into_iter().find(|role| role.purpose.name() == "apply").unwrap();
    let policy = serde_json::to_value(trust::trust(&project, &apply)).unwrap();
    let arn = "arn:aws:iam::123456789012:role/pyfleet-shop-dev-apply";
    for document in [
        serde_json::json!({ "Role": { "RoleName": "x", "Arn": arn, "AssumeRolePolicyDocument": policy } }),
        serde_json::json!({ "RoleName": "pyfleet-shop-dev-apply", "AssumeRolePolicyDocument": policy }),
        serde_json::json!({ "Roles": [{ "Arn": arn, "AssumeRolePolicyDocument": policy }] }),
    ] {
        let (_, policies) = read(Source::new("role.json", document.to_string())).unwrap();
        let comparison = comparer.compare(&policies[0], None);
        assert_eq!((comparison.roles, comparison.is_known), (vec!["dev/apply".to_owned()], true));
        assert!(comparison.findings.is_empty());
    }
    let (_, policies) = read(Source::new("trust.json", policy.to_string())).unwrap();
    let comparison = comparer.compare(&policies[0], None);
    assert!(!comparison.is_known && comparison.roles.len() == comparer.roles().len());
    assert!(
        comparison.findings.iter().all(|finding| finding.code == "trust-role-unknown"),
        "{:?}",
        comparison.findings
    );
}

#[test]
fn what_is_no_trust_policy_is_said_with_its_place() {
    for (text, place, message) in [
        ("{", "", "this is not JSON"),
        ("a: &x [*x]", "", "this is not JSON"),
        ("{}", "{}", "there is no trust policy in it"),
        ("[1, \"\\ud83d\\ude00\", 2]", "", ""),
        (r#"{"Statement": 1}"#, "1", "statements are a list"),
        (r#"{"Statement": [1]}"#, "1", "a statement is an object"),
        (r#"{"Statement": {"Effect": "allow"}}"#, "\"allow\"", "`Effect` is"),
        (r#"{"Statement": {"Effect": "Allow", "Action": "sts:*"}}"#, "\"Statement\"", "has no `Principal`"),
        (
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": {}}}"#,
            "{}",
            "this is a text or a list",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Conditions": {}}}"#,
            "\"Conditions\"",
            "no such element",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {"StringEquals": []}}}"#,
            "[]",
            "an operator has",
        ),
        (r#"{"AssumeRolePolicyDocument": "%7B%7D"}"#, "\"%7B%7D\"", "the policy is a text"),
    ] {
        let findings = read(Source::new("trust.json", text)).unwrap_err();
        let finding = findings.iter().next().unwrap();
        assert!(finding.message.contains(message), "{text}: {findings:?}");
        let span = finding.place.span.clone().unwrap();
        if !message.is_empty() {
            assert_eq!(&text[span], place, "{text}");
        }
    }
}

/// JSON that a reader of YAML may stumble over: tabs, escaped slashes.
#[test]
fn json_is_read_however_it_is_laid_out() {
    let (project, plan) = planned(MANIFEST);
    let apply = identities(&project, &plan).into_iter().find(|role| role.purpose.name() == "apply").unwrap();
    let text = serde_json::to_string_pretty(&trust::trust(&project, &apply)).unwrap();
    for text in [
        text.replace("  ", "\t"),
        text.replace('/', "\\/"),
        text.replace('\n', "\r\n"),
        text.replace('\n', ""),
    ] {
        let (_, comparison) = compared(&text, Some("dev/apply"));
        assert!(comparison.findings.is_empty(), "{text}\n{:?}", comparison.findings);
    }
}

#[test]
fn hostile_documents_end() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(read(Source::new("x", deep)).is_err());
    let nested = r#"{"Role":"#.repeat(90) + "{}" + &"}".repeat(90);
    assert!(read(Source::new("x", nested)).is_err());
    let long = with(&format!(r#"{{ "StringLike": {{ "gh:sub": "{}b" }} }}"#, "a*".repeat(40_000)));
    let findings = read(Source::new("x", long)).unwrap_err();
    assert!(findings.iter().next().unwrap().message.contains("4,096 characters"));
}
