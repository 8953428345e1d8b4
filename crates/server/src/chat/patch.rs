//! Reading partial updates: `set` and `unset` (chat §5.15, §5A.2).

use domain::custom::Edit;
use wire::chat::dialect::Dialect;

use super::{
    error::{Error, Result},
    fields::Fields,
};

/// What a partial update sets and takes away, as far as no handler took it yet.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// What is set, by name or by dotted path.
    pub(crate) set: Fields,
    unset: Vec<String>,
}

impl Patch {
    /// Takes `set` and `unset`.
    ///
    /// # Errors
    /// 4 when they are not an object and a list of texts, a path is none, or a field is set and unset at once.
    pub(crate) fn take(sent: &mut Fields) -> Result<Self> {
        let dialect = sent.dialect();
        let set = sent.object("set")?.map(Fields::rest).unwrap_or_default();
        let mut unset = sent.texts("unset")?.unwrap_or_default();
        let (mut flat, mut nested) = (Fields::parse("", dialect)?, None);
        for (name, value) in set.iter() {
            match (dialect, name.strip_prefix("custom.")) {
                (Dialect::V2, Some(name)) => flat.put(name, value),
                (Dialect::V2, None) if name == "custom" => nested = Some(Fields::parse(value.get(), dialect)?),
                _ => flat.put(name, value),
            }
        }
        for (name, value) in nested.map(Fields::rest).unwrap_or_default().iter() {
            flat.put(name, value);
        }
        if dialect == Dialect::V2 {
            for path in &mut unset {
                *path = path.strip_prefix("custom.").unwrap_or(path).to_owned();
            }
        }
        let patch = Patch { set: flat, unset };
        patch.clone().edit().check().map_err(Error::from)?;
        Ok(patch)
    }

    /// Takes the fact that the field `name` is to go: it is unset, or set to `null`.
    pub(crate) fn clears(&mut self, name: &str) -> bool {
        let is_null = self.set.is_null(name);
        if is_null {
            self.set.skip(&[name]);
        }
        let before = self.unset.len();
        self.unset.retain(|unset| unset != name);
        is_null || self.unset.len() < before
    }

    /// Drops changes of these fields, which are not the caller's to make.
    pub(crate) fn skip(&mut self, names: &[&str]) {
        self.set.skip(names);
        self.unset.retain(|unset| !names.contains(&unset.as_str()));
    }

    /// What is left: changes of the application's own fields.
    pub(crate) fn edit(self) -> Edit {
        Edit { set: self.set.rest(), unset: self.unset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(text: &str, dialect: Dialect) -> Result<Patch> {
        Patch::take(&mut Fields::parse(text, dialect).unwrap())
    }

    #[test]
    fn own_fields_are_bare_and_in_v2_also_below_custom() {
        let sent = r#"{"set":{"a":1,"custom.b.c":2,"custom":{"d":3}},"unset":["custom.e"]}"#;
        let v2 = patch(sent, Dialect::V2).unwrap().edit();
        assert_eq!((v2.set.to_string().as_str(), v2.unset), (r#"{"a":1,"b.c":2,"d":3}"#, vec!["e".to_owned()]));
        let classic = patch(r#"{"set":{"custom":{"d":3}},"unset":["e"]}"#, Dialect::Classic).unwrap().edit();
        assert_eq!(classic.set.to_string(), r#"{"custom":{"d":3}}"#);
    }

    #[test]
    fn null_and_empty_lists_set_and_unset_nothing() {
        for sent in ["{}", r#"{"set":null,"unset":null}"#, r#"{"set":[],"unset":[]}"#] {
            let edit = patch(sent, Dialect::V2).unwrap().edit();
            assert!(edit.set.is_empty() && edit.unset.is_empty(), "{sent}");
        }
        for sent in [r#"{"set":1}"#, r#"{"unset":"a"}"#, r#"{"set":{"a":1},"unset":["a"]}"#, r#"{"unset":["a b"]}"#] {
            assert!(patch(sent, Dialect::Classic).is_err(), "{sent}");
        }
    }

    #[test]
    fn a_field_goes_by_unset_or_by_null() {
        let mut patch = patch(r#"{"set":{"name":null,"color":null},"unset":["image"]}"#, Dialect::Classic).unwrap();
        assert!(patch.clears("name") && patch.clears("image") && !patch.clears("language"));
        assert_eq!(patch.edit().set.to_string(), r#"{"color":null}"#);
    }
}
