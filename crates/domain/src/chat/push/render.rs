//! Filling in templates of pushes (chat §11.1, `check_push`).
//!
//! `{{ path.to.value }}` stands for a value, written so that it fits into a JSON text; `{{{ path }}}` for the value as it is.
//! What is not there is empty. Blocks and helpers (`{{#each …}}`, `{{json …}}`) are not part of it, and are refused.

use serde_json::Value;

/// Checks that a template can be filled in.
///
/// # Errors
/// Why it cannot, in words.
pub fn check(template: &str) -> Result<(), String> {
    fill(template, &Value::Null).map(drop)
}

/// The template with the values of `context`.
///
/// # Errors
/// Why it cannot be filled in, in words.
pub fn fill(template: &str, context: &Value) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let (is_verbatim, after) = after.strip_prefix('{').map_or((false, after), |after| (true, after));
        let end = if is_verbatim { "}}}" } else { "}}" };
        let (path, after) = after.split_once(end).ok_or("has a `{{` that nothing closes")?;
        let value = value(context, path.trim())?;
        filled.push_str(&if is_verbatim { value } else { escaped(&value) });
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(context: &Value, path: &str) -> Result<String, String> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if path.is_empty() || !path.chars().all(is_path) {
        return Err(format!(
            "holds `{{{{{path}}}}}`, which is not a path of names; blocks and helpers are not available"
        ));
    }
    let found = path.split('.').try_fold(context, |at, name| at.get(name));
    Ok(match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    })
}

/// As it stands inside of a JSON text.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_stand_for_values_that_fit_into_json() {
        let context = json!({ "sender": { "name": "A \"B\"" }, "n": 7 });
        assert_eq!(fill(r#"{"t":"{{ sender.name }}"}"#, &context).unwrap(), r#"{"t":"A \"B\""}"#);
        assert_eq!(fill("{{{sender.name}}} {{n}}{{ none.at.all }}", &context).unwrap(), "A \"B\" 7");
        assert_eq!(fill("no braces", &context).unwrap(), "no braces");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for wrong in ["{{#each a}}", "{{json a}}", "{{", "{{}}", "{{{a}}"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
