//! What GitHub's parser accepts, refuses and means; and that printing loses nothing.

use proptest::prelude::*;

use super::evaluate::{Evaluated, Failure, FailureKind, Scope, evaluate};
use super::value::{Value, text_of};
use super::*;
use crate::reference_data;

#[test]
fn precedence_is_githubs() {
    for (text, canonical) in [
        ("a || b && c", "a || b && c"),
        ("(a || b) && c", "(a || b) && c"),
        ("a && (b && c)", "a && (b && c)"),
        ("a == b < c", "a == b < c"),
        ("(a == b) < c", "(a == b) < c"),
        ("a==b!=c", "a == b != c"),
        ("a == (b != c)", "a == (b != c)"),
        ("!a == b", "!a == b"),
        ("!(a == b)", "!(a == b)"),
        ("! ! a", "!!a"),
        ("((a))", "a"),
        ("a[*].b", "a.*.b"),
        ("a . b", "a.b"),
        ("f( 1,2 )", "f(1, 2)"),
        ("github.true", "github.true"),
        ("fromJSON(a).b[0]['c d']", "fromJSON(a).b[0]['c d']"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn literals() {
    for (text, value) in [
        ("null", Literal::Null),
        ("true", Literal::Boolean(true)),
        ("''", Literal::String(String::new())),
        ("'it''s'", Literal::String("it's".to_owned())),
        ("'}} ü'", Literal::String("}} ü".to_owned())),
        ("-.5", Literal::Number(-0.5)),
        ("+1E+2", Literal::Number(100.0)),
        ("0xfF", Literal::Number(255.0)),
        ("0xffffffff", Literal::Number(-1.0)),
        ("0o17", Literal::Number(15.0)),
        ("-Infinity", Literal::Number(f64::NEG_INFINITY)),
    ] {
        assert_eq!(parse(text).unwrap().kind, Kind::Literal(value), "{text}");
    }
    assert_eq!(parse("True").unwrap().kind, Kind::Context("True".into()), "literals have one case");
}

#[test]
fn mistakes_have_their_place() {
    for (text, kind, span) in [
        ("", MistakeKind::Empty, 0..0),
        ("1 <", MistakeKind::UnexpectedEnd, 3..3),
        ("1 < )", MistakeKind::Unexpected(")".to_owned()), 4..5),
        ("> 1", MistakeKind::Unexpected(">".to_owned()), 0..1),
        ("github.()", MistakeKind::Unexpected("(".to_owned()), 7..8),
        ("1 2", MistakeKind::Unexpected("2".to_owned()), 2..3),
        ("'a'.b", MistakeKind::Unexpected(".".to_owned()), 3..4),
        ("f(1,", MistakeKind::UnexpectedEnd, 4..4),
        ("f(1,)", MistakeKind::Unexpected(")".to_owned()), 4..5),
        ("a[1", MistakeKind::UnexpectedEnd, 3..3),
        ("\"a\"", MistakeKind::UnknownSymbol("\"a\"".to_owned()), 0..3),
        ("a & b", MistakeKind::UnknownSymbol("&".to_owned()), 2..3),
        ("a = b", MistakeKind::UnknownSymbol("=".to_owned()), 2..3),
        ("0xFZ", MistakeKind::UnknownSymbol("0xFZ".to_owned()), 0..4),
        ("1-2", MistakeKind::UnknownSymbol("1-2".to_owned()), 0..3),
        ("a + 'x", MistakeKind::UnknownSymbol("+".to_owned()), 2..3),
        ("x == 'a", MistakeKind::StringNotClosed, 5..7),
        ("ü", MistakeKind::UnknownSymbol("ü".to_owned()), 0..2),
    ] {
        assert_eq!(parse(text).unwrap_err(), Mistake { kind, span }, "{text}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let kind = |text: &str| parse(text).map_err(|mistake| mistake.kind);
    assert!(kind(&format!("{}a{}", "(".repeat(50), ")".repeat(50))).is_ok());
    assert_eq!(kind(&"(".repeat(10_000)), Err(MistakeKind::TooDeep));
    assert_eq!(kind(&"!".repeat(10_000)), Err(MistakeKind::TooDeep));
    assert_eq!(kind(&format!("a{}", "[a".repeat(5_000))), Err(MistakeKind::TooDeep));
    assert_eq!(kind(&format!("a{}", ".a".repeat(50))), Err(MistakeKind::TooDeep), "one level an access");
    assert_eq!(kind(&format!("a{}", " == a".repeat(50))), Err(MistakeKind::TooDeep));
    assert!(kind(&format!("a{}", " && a".repeat(4_000))).is_ok(), "a chain is one level");
    assert_eq!(kind(&format!("'{}'", "x".repeat(21_000))), Err(MistakeKind::TooLong));
}

#[test]
fn arguments_are_counted() {
    let here = Available::of(&[Context::Github]);
    let refused = |text: &str, here| {
        parse(text).unwrap().refused(here).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let format = |values: usize| format!("format('x'{})", ", 1".repeat(values));
    assert_eq!(refused(&format(254), here), [""; 0]);
    assert_eq!(refused(&format(255), here), ["`format` takes at most 255 arguments, here are 256"]);
    for (text, said) in [
        ("toJSON()", "`toJSON` takes one argument, here are 0"),
        ("contains('a')", "`contains` takes 2 arguments, here are 1"),
        ("format()", "`format` takes at least one argument, here are 0"),
        ("case(true, 1)", "`case` takes at least 3 arguments, here are 2"),
        (
            "case(true, 1, false, 2)",
            "`case` takes pairs of a condition and a value, and a default at the end",
        ),
        (
            "hashFiles('x')",
            "`hashFiles` can be called only where a step is evaluated, which is on the runner",
        ),
        ("ALWAYS()", "`always` can be called only in the `if` of a job or a step"),
        ("lower('x')", "there is no function `lower`"),
        ("env.X", "`env` cannot be read here: there is only `github`"),
        ("gihub.x", "there is no context `gihub`: there is only `github`"),
    ] {
        assert_eq!(refused(text, here), [said], "{text}");
    }
    assert_eq!(refused("success('a', 'b')", here.and_status_of_jobs()), [""; 0]);
    assert_eq!(refused("success('a')", here.and_status_of_steps()).len(), 1);
    assert_eq!(refused("hashFiles('x')", here.and_hash_files()), [""; 0]);
}

#[test]
fn evaluation_says_what_is_not_known_and_where() {
    let github = value::Object::open().with("ref", "refs/heads/main").with("event", Value::Unknown);
    let scope = Scope::new().with("github", github).with("env", value::Object::new());
    let unknown = |text: &str| match evaluate(&parse(text).unwrap(), &scope).unwrap() {
        Evaluated::Unknown { truth, because } => {
            (truth, because.iter().map(|span| &text[span.clone()]).collect::<Vec<_>>().join(" | "))
        }
        known => panic!("{text}: {known:?}"),
    };
    for (text, truth, because) in [
        ("github.sha", None, "github.sha"),
        ("github.event.number == inputs.n", None, "github.event.number | inputs.n"),
        ("github.sha || true", Some(true), "github.sha"),
        ("github.sha && ''", Some(false), "github.sha"),
        ("!(github.sha && github.ref)", None, "github.sha"),
        ("github.sha && env.none && fromJSON('')", Some(false), "github.sha"),
        ("format('{0}{1}', github.ref, secrets.X)", None, "secrets.X"),
        ("github.ref[inputs.x].y || hashFiles('a')", None, "hashFiles('a')"),
        ("success()", None, "success()"),
    ] {
        assert_eq!(unknown(text), (truth, because.to_owned()), "{text}");
    }
    let known = |text: &str| evaluate(&parse(text).unwrap(), &scope).unwrap().text().unwrap();
    assert_eq!(&*known("github.sha && '' || 'x'"), "x");
    assert_eq!(&*known("(github.sha || true) && github.ref"), "refs/heads/main");
    assert_eq!(&*known("env.none || contains(fromJSON('[1]'), 1)"), "true");
    assert_eq!(&*known("!(github.sha || true)"), "false");
}

#[test]
fn offsets_count_from_the_whole_text() {
    let text = "ü ${{ github.ref }}: ${{ f('}}', secrets[x]) }}";
    let (found, mistakes) = embedded(text);
    assert_eq!(mistakes, []);
    let read: Vec<_> = found
        .iter()
        .flat_map(|embedded| embedded.expression.contexts())
        .map(|access| (access.to_string(), &text[access.span.clone()]))
        .collect();
    assert_eq!(
        read,
        [
            ("github.ref".to_owned(), "github.ref"),
            ("secrets.[…]".replace(".[", "["), "secrets[x]"),
            ("x".to_owned(), "x")
        ]
    );
    assert_eq!(&text[found[1].span.clone()], "${{ f('}}', secrets[x]) }}");
    assert_eq!(found[1].expression.calls()[0].function, "f");
}

#[test]
fn every_read_is_found_once_at_full_length() {
    let read = |text: &str| -> Vec<String> {
        parse(text).unwrap().contexts().iter().map(ToString::to_string).collect()
    };
    assert_eq!(read("(github).event.number"), ["github.event.number"]);
    assert_eq!(read("needs[matrix.a].outputs[env.b]"), ["needs[…].outputs[…]", "matrix.a", "env.b"]);
    assert_eq!(read("fromJSON(secrets.A).b[inputs.c]"), ["secrets.A", "inputs.c"]);
    assert_eq!(read("toJSON(secrets)"), ["secrets"]);
    assert_eq!(read("github.event.*.name && !a || b < c"), ["github.event.*.name", "a", "b", "c"]);
}

#[test]
fn an_access_that_the_text_does_not_decide_may_read_everything_below() {
    let access = |text: &str| parse(text).unwrap().contexts().remove(0);
    assert!(access("secrets[x]").may_read(&["secrets", "TOKEN"]));
    assert!(access("GITHUB").may_read(&["github", "token"]));
    assert!(access("github.*").may_read(&["github", "token"]));
    assert!(!access("github.sha").may_read(&["github", "token"]));
    assert!(!access("secrets[x]").is_within(&["secrets", "TOKEN"]));
}

#[test]
fn conditions_may_be_bare() {
    assert_eq!(condition("  github.ref == 'x'\n").unwrap().to_string(), "github.ref == 'x'");
    assert_eq!(condition("${{ '${{' }}").unwrap().to_string(), "'${{'");
    let around = condition("${{ false }}\n-").unwrap_err();
    assert_eq!(around[0].kind, MistakeKind::TextAroundCondition);
    assert_eq!(embedded("${{ 'a }}").1[0].kind, MistakeKind::NotClosed);
    assert_eq!(embedded("x ${{  }}").1[0], Mistake { kind: MistakeKind::Empty, span: 2..9 });
}

/// Expressions of every form, with spans that mean nothing.
fn any_expression() -> impl Strategy<Value = Expression> {
    let node = |kind| Expression { kind, span: 0..0 };
    let name = "[a-zA-Z_][a-zA-Z0-9_-]{0,8}".prop_filter("a literal", |name| {
        !["null", "true", "false", "NaN", "Infinity"].contains(&name.as_str())
    });
    let name = name.prop_map(SmolStr::from);
    let leaf = prop_oneof![
        Just(Kind::Literal(Literal::Null)),
        any::<bool>().prop_map(|value| Kind::Literal(Literal::Boolean(value))),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |value| !value.is_nan())
            .prop_map(|value| Kind::Literal(Literal::Number(value))),
        ".{0,12}".prop_map(|value| Kind::Literal(Literal::String(value))),
        name.clone().prop_map(Kind::Context),
    ]
    .prop_map(node);
    leaf.prop_recursive(6, 48, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let selector = prop_oneof![
            name.clone().prop_map(Selector::Property),
            boxed.clone().prop_map(Selector::Index),
            Just(Selector::Star)
        ];
        let logical = prop_oneof![Just(Logical::Or), Just(Logical::And)];
        let comparison = prop_oneof![
            Just(Comparison::Equal),
            Just(Comparison::NotEqual),
            Just(Comparison::Less),
            Just(Comparison::LessOrEqual),
            Just(Comparison::Greater),
            Just(Comparison::GreaterOrEqual)
        ];
        prop_oneof![
            (name.clone(), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(function, arguments)| Kind::Call { function, arguments }),
            (boxed.clone(), selector).prop_map(|(base, selector)| Kind::Access { base, selector }),
            boxed.clone().prop_map(Kind::Not),
            (logical, prop::collection::vec(inner, 2..4))
                .prop_map(|(operator, operands)| Kind::Logical { operator, operands }),
            (comparison, boxed.clone(), boxed).prop_map(|(operator, left, right)| Kind::Compare {
                operator,
                left,
                right
            }),
        ]
        .prop_map(node)
    })
}

fn without_spans(mut expression: Expression) -> Expression {
    fn clear(expression: &mut Expression) {
        expression.span = 0..0;
        match &mut expression.kind {
            Kind::Literal(_) | Kind::Context(_) => {}
            Kind::Call { arguments: children, .. } | Kind::Logical { operands: children, .. } => {
                children.iter_mut().for_each(clear);
            }
            Kind::Access { base, selector } => {
                clear(base);
                if let Selector::Index(index) = selector {
                    clear(index);
                }
            }
            Kind::Not(operand) => clear(operand),
            Kind::Compare { left, right, .. } => {
                clear(left);
                clear(right);
            }
        }
    }
    clear(&mut expression);
    expression
}

proptest! {
    #[test]
    fn printed_and_parsed_again_an_expression_is_the_same(expression in any_expression()) {
        let text = expression.to_string();
        prop_assert_eq!(parse(&text).map(without_spans), Ok(expression), "{}", text);
    }

    #[test]
    fn no_text_is_a_panic(text in "[ a-z.'\\[\\]()*!=<>&|0-9xü${}-]{0,40}") {
        let (found, _) = embedded(&text);
        for embedded in found {
            prop_assert!(text[embedded.span].ends_with("}}"));
        }
        let _ = parse(&text).map_err(|mistake| text[mistake.span].len());
        let _ = condition(&text);
    }

    #[test]
    fn no_expression_is_a_panic(expression in any_expression()) {
        let length = expression.to_string().len();
        let expression = parse(&expression.to_string()).unwrap();
        let within = |span: &Range<usize>| span.start <= span.end && span.end <= length;
        prop_assert!(expression.refused(Available::NOTHING).iter().all(|mistake| within(&mistake.span)));
        prop_assert!(types::infer(&expression, &known::context).1.iter().all(|own| within(&own.span)));
        match evaluate(&expression, &Scope::new()) {
            Ok(Evaluated::Unknown { because, .. }) => {
                prop_assert!(!because.is_empty() && because.iter().all(within));
            }
            Ok(_) => {}
            Err(failure) => prop_assert!(within(&failure.span)),
        }
    }
}

/// GitHub's own published vectors: what it refuses, as what and where, and what everything else evaluates to. Those
/// marked for other hosts than TypeScript hold here too.
#[test]
fn agrees_with_githubs_vectors() {
    let Some(data) = reference_data::folder() else { return };
    let (mut refused, mut failed, mut evaluated) = (0, 0, 0);
    for file in reference_data::files(data.join("languageservices/expressions")) {
        let cases: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&reference_data::text(file)).unwrap();
        for case in cases.values().flat_map(|cases| cases.as_array().unwrap()) {
            let text = case["expr"].as_str().unwrap();
            let (kind, message) = (case["err"]["kind"].as_str(), case["err"]["value"].as_str());
            match (kind, message.unwrap_or_default()) {
                (Some("parsing" | "lexing"), message) => {
                    agrees_on_refusal(text, &case["contexts"], message);
                    refused += 1;
                }
                (Some("evaluation"), message) => {
                    agrees_on_failure(text, &case["contexts"], message);
                    failed += 1;
                }
                _ if text.is_empty() => assert_eq!(parse(text).unwrap_err().kind, MistakeKind::Empty),
                _ => {
                    let value = value_of(text, &case["contexts"]).unwrap();
                    let expected = Value::from_json(&case["result"]["value"].to_string()).unwrap();
                    let kind = match &value {
                        Value::Null => "Null",
                        Value::Boolean(_) => "Boolean",
                        Value::Number(_) => "Number",
                        Value::String(_) => "String",
                        Value::Array(_) => "Array",
                        Value::Object(_) => "Object",
                        Value::Unknown => "unknown",
                    };
                    assert_eq!(Some(kind), case["result"]["kind"].as_str(), "{case}: {value:?}");
                    match (&value, &expected) {
                        // The vectors write infinite numbers as texts.
                        (Value::Number(number), Value::String(text)) => assert_eq!(text_of(*number), &**text),
                        _ => assert_eq!(value.to_json(), expected.to_json(), "{case}"),
                    }
                    evaluated += 1;
                }
            }
        }
    }
    assert!(refused >= 57 && failed >= 23 && evaluated >= 939, "{refused}, {failed}, {evaluated}");
}

fn value_of(text: &str, contexts: &serde_json::Value) -> Result<Value, Failure> {
    let mut scope = Scope::new();
    for (name, value) in contexts.as_object().into_iter().flatten() {
        scope = scope.with(name, Value::from_json(&value.to_string()).unwrap());
    }
    let evaluated = evaluate(&parse(text).unwrap(), &scope)?;
    Ok(evaluated.value().cloned().unwrap_or(Value::Unknown))
}

/// Compares a refusal with GitHub's message: its kind, and where it is.
fn agrees_on_refusal(text: &str, contexts: &serde_json::Value, message: &str) {
    let Mistake { kind, span } = match parse(text) {
        Err(mistake) => mistake,
        Ok(expression) => {
            // The vectors make contexts up; a context that is not given cannot be read.
            let unknown = |mistake: &Mistake| match &mistake.kind {
                MistakeKind::UnknownContext(name, _) => contexts.get(name).is_none(),
                _ => true,
            };
            expression.refused(Available::NOTHING.and(&[Context::Github])).into_iter().find(unknown).unwrap()
        }
    };
    let said = match &kind {
        MistakeKind::UnexpectedEnd => "Unexpected end of expression",
        MistakeKind::Unexpected(_) | MistakeKind::UnknownSymbol(_) | MistakeKind::StringNotClosed => {
            "Unexpected symbol"
        }
        MistakeKind::UnknownContext(..) | MistakeKind::ContextNotHere(..) => "Unrecognized named-value",
        MistakeKind::UnknownFunction(_) => "Unrecognized function",
        MistakeKind::Arguments { found, least, .. } if found < least => "Too few parameters",
        MistakeKind::Arguments { .. } => "Too many parameters",
        MistakeKind::EvenArguments => "Even number of parameters",
        MistakeKind::TooDeep => "Exceeded max expression depth 50",
        other => panic!("{text}: {other:?}"),
    };
    // An unknown context is met before the expression is seen to end; here, the whole is parsed first.
    let ends = kind == MistakeKind::UnexpectedEnd;
    assert!(message.starts_with(said) || ends, "{text}: {kind:?}, {message}");
    let located = message.split_once("Located at position ").and_then(|(_, rest)| rest.split_once(' '));
    let is_placed = !ends && kind != MistakeKind::TooDeep;
    if let Some((position, _)) = located.filter(|_| is_placed) {
        assert_eq!(
            text[..span.start].encode_utf16().count() + 1,
            position.parse::<usize>().unwrap(),
            "{text}"
        );
    }
}

fn agrees_on_failure(text: &str, contexts: &serde_json::Value, message: &str) {
    let said = match value_of(text, contexts).unwrap_err().kind {
        FailureKind::InvalidFormat => "The following format string is invalid",
        FailureKind::MissingValue(_) => "The following format string references more arguments",
        FailureKind::NoBoolean => "case predicate must evaluate to a boolean",
        FailureKind::TooLong => "The maximum allowed memory size was exceeded",
        other => panic!("{text}: {other:?}"),
    };
    assert!(message.starts_with(said), "{text}: {message}");
}
