//! `{environment}` and its kin: filled in where the manifest allows them.

/// Fills in `{name}` for every name given. A `{name}` that is not among them is an error that lists those
/// that are; braces around anything but a lower-case name stay as they are.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let name = rest[1..].split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        match name {
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
            Some(name) => {
                let Some((_, value)) = values.iter().find(|(known, _)| *known == name) else {
                    let known: Vec<String> =
                        values.iter().map(|(known, _)| format!("`{{{known}}}`")).collect();
                    return Err(format!(
                        "there is no placeholder of that name here; there is {}",
                        known.join(", ")
                    ));
                };
                filled.push_str(value);
                rest = &rest[name.len() + 2..];
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn fills_what_it_knows_and_refuses_the_rest() {
        let values = [("environment", "dev"), ("stack", "app")];
        assert_eq!(fill("x/{environment}/{stack}.tfstate", &values).unwrap(), "x/dev/app.tfstate");
        assert_eq!(fill(r#"{"a": {"b": 1}} {} { x }"#, &values).unwrap(), r#"{"a": {"b": 1}} {} { x }"#);
        assert!(fill("{enviroment}", &values).unwrap_err().contains("`{environment}`, `{stack}`"));
        assert_eq!(fill("{environment", &values).unwrap(), "{environment");
    }
}
