//! What GitHub refuses in the inputs of a workflow although each key alone is right: a default of another type, a
//! choice without options, options without a choice.

use super::Workflow;
use super::trigger::{Input, InputKind};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::expression::opens_in;
use crate::yaml::tree::{Document, Value};

/// What is wrong with the inputs of both events that have some.
pub(super) fn mistakes(workflow: &Workflow, document: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    let dispatch = workflow.on.workflow_dispatch.as_ref().map(|event| &event.inputs);
    let call = workflow.on.workflow_call.as_ref().map(|event| &event.inputs);
    for (event, inputs) in [("workflow_dispatch", dispatch), ("workflow_call", call)] {
        for (name, input) in inputs.into_iter().flatten() {
            judge(input, &Path::of(["on", event, "inputs", name]), document, &mut mistakes);
        }
    }
    mistakes
}

fn judge(input: &Input, place: &Path, document: &Document, mistakes: &mut Diagnostics) {
    let default = place.key("default");
    let expected = match (input.kind, document.node(&default).map(|node| &node.value)) {
        (_, None) | (InputKind::Number, _) => None,
        (_, Some(Value::String(text))) if opens_in(text) => None,
        (InputKind::Boolean, Some(value)) => (!matches!(value, Value::Bool(_))).then_some("a boolean"),
        (_, Some(value)) => (!matches!(value, Value::String(_) | Value::Null)).then_some("a text"),
    };
    if let Some(expected) = expected {
        let message = format!("the default of this input must be {expected}");
        let finding = Diagnostic::error("workflow-structure", default, message);
        mistakes.push(finding.with_help("quotes make a text; `true` and `false` without them are booleans"));
    }
    if input.kind == InputKind::Choice && input.options.is_empty() {
        let message = "a choice needs `options`";
        mistakes.push(Diagnostic::error("workflow-structure", Place::key(place.clone()), message));
    }
    if input.kind != InputKind::Choice && document.node(&place.key("options")).is_some() {
        let message = "`options` belong to an input of `type: choice`";
        let finding = Diagnostic::error("workflow-structure", Place::key(place.key("options")), message);
        mistakes.push(finding.with_label(Place::key(place.clone()), "this input is of another type"));
    }
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::workflow::parse;

    fn mistakes(event: &str, input: &str) -> Vec<String> {
        let text = format!("{{on: {{{event}: {{inputs: {{x: {input}}}}}}}, jobs: {{a: {{runs-on: x}}}}}}");
        let (_, findings) = parse(Source::new("ci.yml", text));
        findings.iter().map(|finding| format!("{}: {}", finding.place.path, finding.message)).collect()
    }

    #[test]
    fn defaults_and_options() {
        for (input, expected) in [
            (
                "{type: boolean, default: 'true'}",
                "on.workflow_dispatch.inputs.x.default: the default of this input must be a boolean",
            ),
            (
                "{default: true}",
                "on.workflow_dispatch.inputs.x.default: the default of this input must be a text",
            ),
            ("{type: choice}", "on.workflow_dispatch.inputs.x: a choice needs `options`"),
            ("{type: choice, options: []}", "on.workflow_dispatch.inputs.x: a choice needs `options`"),
            (
                "{options: [a]}",
                "on.workflow_dispatch.inputs.x.options: `options` belong to an input of `type: choice`",
            ),
        ] {
            assert_eq!(mistakes("workflow_dispatch", input), [expected], "{input}");
        }
    }

    #[test]
    fn what_fits_passes() {
        for (event, input) in [
            ("workflow_dispatch", "{type: boolean, default: true}"),
            ("workflow_dispatch", "{type: number, default: 1.5}"),
            ("workflow_dispatch", "{type: choice, options: [a, b], default: a}"),
            ("workflow_dispatch", "{default: }"),
            ("workflow_dispatch", ""),
            ("workflow_call", "{type: boolean, default: '${{ github.ref == 1 }}'}"),
        ] {
            assert_eq!(mistakes(event, input), [""; 0], "{input}");
        }
    }
}
