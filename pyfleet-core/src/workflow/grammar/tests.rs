//! The table says what GitHub's own grammar says, definition by definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Definition, Form, Map, table};
use crate::reference_data;

/// What GitHub's grammar says of one place.
#[derive(Debug, Default, PartialEq)]
struct Said {
    expressions: bool,
    scalars: BTreeSet<String>,
    item: bool,
    keys: BTreeSet<String>,
    required: BTreeSet<String>,
    others: bool,
}

impl Said {
    fn takes(&mut self, scalar: &str) {
        self.scalars.insert(scalar.to_owned());
    }
}

struct Grammar<'a>(&'a serde_json::Map<String, Json>);

/// The alternatives of a place in GitHub's grammar, brought together as the table has them.
#[derive(Default)]
struct Merged<'a> {
    said: Said,
    item: Option<&'a str>,
    properties: BTreeMap<&'a str, &'a str>,
    others: Option<&'a str>,
    mappings: usize,
}

impl<'a> Grammar<'a> {
    fn merge(&self, name: &'a str, into: &mut Merged<'a>) {
        match name {
            "string" => return into.said.takes("text"),
            "boolean" | "number" | "null" => return into.said.takes(name),
            "any" => return into.said.takes("anything"),
            "sequence" => return into.item = Some("any"),
            "mapping" => return into.others = Some("any"),
            _ => {}
        }
        let definition = &self.0[name];
        into.said.expressions |= definition["context"].as_array().is_some_and(|all| !all.is_empty());
        if let Some(one_of) = definition["one-of"].as_array() {
            for other in one_of {
                self.merge(other.as_str().unwrap(), into);
            }
        }
        for word in definition["allowed-values"].as_array().into_iter().flatten() {
            into.said.scalars.insert(format!("word {}", word.as_str().unwrap()));
        }
        if let Some(string) = definition.get("string") {
            into.said.scalars.insert(
                match (string["constant"].as_str(), string["require-non-empty"].as_bool()) {
                    (Some(word), _) => format!("word {word}"),
                    (None, Some(true)) => "name".to_owned(),
                    (None, _) => "text".to_owned(),
                },
            );
        }
        for simple in ["boolean", "number", "null"] {
            if definition.get(simple).is_some() {
                into.said.scalars.insert(simple.to_owned());
            }
        }
        if let Some(sequence) = definition.get("sequence") {
            into.item = sequence["item-type"].as_str();
        }
        if let Some(mapping) = definition.get("mapping") {
            into.mappings += 1;
            for (key, property) in mapping["properties"].as_object().into_iter().flatten() {
                let type_name = property.as_str().or_else(|| property["type"].as_str()).unwrap();
                into.properties.insert(key, type_name);
                if property["required"].as_bool() == Some(true) {
                    into.said.required.insert(key.clone());
                }
            }
            into.others = mapping["loose-value-type"].as_str().or(into.others);
        }
    }

    /// Compares a place of the table with GitHub's grammar, and everything below it.
    fn compare(
        &self,
        name: &'a str,
        own: &'static Definition,
        above: bool,
        path: &str,
        seen: &mut BTreeSet<String>,
    ) {
        if !seen.insert(format!("{name} {above}")) {
            return;
        }
        let mut merged = Merged::default();
        self.merge(name, &mut merged);
        let expressions = above || merged.said.expressions;
        let mut said = Said {
            expressions,
            item: merged.item.is_some(),
            keys: merged.properties.keys().map(|key| (*key).to_owned()).collect(),
            others: merged.others.is_some(),
            ..merged.said
        };
        // Alternatives of mappings: which keys they demand is said in `structure.rs`.
        if merged.mappings > 1 {
            said.required.clear();
        }
        // GitHub's grammar spells one event wrong; its server knows it.
        if name.ends_with("strict") && said.scalars.iter().any(|word| word == "word push") {
            said.scalars.insert("word repository_dispatch".to_owned());
        }
        if name == "workflow-dispatch-input" {
            said.scalars.insert("null".to_owned());
        }
        // A text takes every scalar.
        if said.scalars.contains("text") {
            said.scalars.retain(|kind| kind == "text");
        }
        assert_eq!(said_by(own, above), said, "{path}");
        for form in own.forms {
            match form {
                Form::List(item) => {
                    self.compare(merged.item.unwrap(), item, expressions, &format!("{path}[]"), seen)
                }
                Form::Map(Map { keys, others, .. }) => {
                    for (key, value) in *keys {
                        self.compare(
                            merged.properties[key],
                            value,
                            expressions,
                            &format!("{path}.{key}"),
                            seen,
                        );
                    }
                    if let (Some(value), Some(type_name)) = (others, merged.others) {
                        self.compare(type_name, value, expressions, &format!("{path}.*"), seen);
                    }
                }
                _ => {}
            }
        }
    }
}

fn said_by(definition: &Definition, above: bool) -> Said {
    let mut said = Said { expressions: above || definition.expressions, ..Said::default() };
    for form in definition.forms {
        match form {
            Form::Null => said.takes("null"),
            Form::Boolean => said.takes("boolean"),
            Form::Number => said.takes("number"),
            Form::Text => said.takes("text"),
            Form::Name => said.takes("name"),
            Form::Anything => said.takes("anything"),
            Form::Word(words) => said.scalars.extend(words.iter().map(|word| format!("word {word}"))),
            Form::List(_) => said.item = true,
            Form::Map(Map { keys, required, others }) => {
                said.keys.extend(keys.iter().map(|(key, _)| (*key).to_owned()));
                said.required.extend(required.iter().map(|key| (*key).to_owned()));
                said.others |= others.is_some();
            }
        }
    }
    if said.scalars.contains("text") {
        said.scalars.retain(|kind| kind == "text");
    }
    said
}

#[test]
fn the_table_is_githubs_grammar() {
    let Some(data) = reference_data::folder() else { return };
    let text = reference_data::text(data.join("languageservices/workflow-v1.0.json"));
    let grammar: Json = serde_json::from_str(&text).unwrap();
    let definitions = grammar["definitions"].as_object().unwrap();
    let mut seen = BTreeSet::new();
    Grammar(definitions).compare("workflow-root-strict", &table::WORKFLOW, false, "", &mut seen);
    assert!(seen.len() > 120, "only {} definitions were compared", seen.len());
}
