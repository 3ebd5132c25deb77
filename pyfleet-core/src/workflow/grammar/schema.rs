//! The table as a JSON Schema, draft 7, for editors and for tools that know no workflows.

use serde_json::{Map as Json, Value, json};

use super::{Definition, Form, table};
use crate::workflow::structure;

/// What GitHub's grammar says of a workflow file. Which keys exclude each other is said for jobs and steps; what asks
/// for more than one place (ids, needs, expressions) no schema can say.
#[must_use]
pub fn schema() -> Value {
    let mut writer = Writer { steps: None };
    let mut schema = writer.definition(&table::WORKFLOW, false, &[]);
    if let Value::Object(schema) = &mut schema {
        schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        schema.insert("$id".to_owned(), "https://pyfleet.dev/schemas/workflow.schema.json".into());
        schema.insert("title".to_owned(), "A GitHub Actions workflow".into());
        schema.insert("definitions".to_owned(), json!({ "steps": writer.steps }));
    }
    schema
}

struct Writer {
    /// The list of steps, which holds lists of steps.
    steps: Option<Value>,
}

impl Writer {
    fn definition(&mut self, definition: &'static Definition, above: bool, way: &[&str]) -> Value {
        if let ["jobs", "*", "steps"] | [.., "parallel"] = way {
            if way.len() == 3 {
                let list = self.forms(definition, above, way);
                self.steps = Some(list);
            }
            return json!({ "$ref": "#/definitions/steps" });
        }
        self.forms(definition, above, way)
    }

    fn forms(&mut self, definition: &'static Definition, above: bool, way: &[&str]) -> Value {
        let expressions = above || definition.expressions;
        let mut forms: Vec<Value> = Vec::new();
        for form in definition.forms {
            forms.push(self.form(form, expressions, way));
        }
        let is_text =
            definition.forms.iter().any(|form| matches!(form, Form::Text | Form::Name | Form::Anything));
        if expressions && !is_text {
            forms.push(json!({ "type": "string", "pattern": "\\$\\{\\{" }));
        }
        if forms.len() == 1 { forms.remove(0) } else { json!({ "anyOf": forms }) }
    }

    fn form(&mut self, form: &'static Form, expressions: bool, way: &[&str]) -> Value {
        match form {
            Form::Null => json!({ "type": "null" }),
            Form::Boolean => json!({ "type": "boolean" }),
            Form::Number => json!({ "type": "number" }),
            Form::Text => json!({ "type": ["string", "number", "boolean", "null"] }),
            Form::Name => json!({ "type": ["string", "number", "boolean"], "minLength": 1 }),
            Form::Word(words) => json!({ "enum": words }),
            Form::Anything => json!(true),
            Form::List(item) => {
                let way: Vec<&str> = way.iter().copied().chain(["[]"]).collect();
                json!({ "type": "array", "items": self.definition(item, expressions, &way) })
            }
            Form::Map(map) => {
                let below = |name| way.iter().copied().chain([name]).collect::<Vec<&str>>();
                let mut properties = Json::new();
                for (key, value) in map.keys {
                    properties.insert((*key).to_owned(), self.definition(value, expressions, &below(key)));
                }
                let mut schema = json!({ "type": "object" });
                let others = match map.others {
                    Some(others) => {
                        schema["propertyNames"] = json!({ "minLength": 1 });
                        self.definition(others, expressions, &below("*"))
                    }
                    // GitHub starts a workflow with keys that it does not know here.
                    None => json!(way == ["on", "workflow_dispatch"]),
                };
                if expressions {
                    schema["patternProperties"] = json!({ "\\$\\{\\{": true });
                }
                if !properties.is_empty() {
                    schema["properties"] = Value::Object(properties);
                }
                schema["additionalProperties"] = others;
                if !map.required.is_empty() {
                    schema["required"] = json!(map.required);
                }
                if let Some(alternatives) = alternatives(way) {
                    schema["oneOf"] = alternatives;
                }
                schema
            }
        }
    }
}

/// The forms of a job and of a step, by the key that makes each.
fn alternatives(way: &[&str]) -> Option<Value> {
    let required = |key: &str| json!({ "required": [key] });
    match way {
        ["jobs", "*"] => Some(["runs-on", "uses"].into_iter().map(required).collect()),
        [.., "steps" | "parallel", "[]"] => Some(structure::forms().map(required).collect()),
        _ => None,
    }
}
