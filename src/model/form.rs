//! The form of a message, entry by entry: what is absent is left out.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::at::Span;

/// A map that is being written.
pub(super) struct Form<M>(M);

impl<M: SerializeMap> Form<M> {
    /// Begins one.
    pub fn begin<S: Serializer<SerializeMap = M>>(serializer: S) -> Result<Self, S::Error> {
        serializer.serialize_map(None).map(Self)
    }

    /// The frames of the message.
    pub fn span(&mut self, span: Span) -> Result<(), M::Error> {
        span.write(&mut self.0)
    }

    /// An entry that is always there.
    pub fn put(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.0.serialize_entry(key, value)
    }

    /// One that may be absent.
    pub fn maybe(&mut self, key: &str, value: &Option<impl Serialize>) -> Result<(), M::Error> {
        value.as_ref().map_or(Ok(()), |value| self.put(key, value))
    }

    /// One that may be empty.
    pub fn text(&mut self, key: &str, text: &str) -> Result<(), M::Error> {
        if text.is_empty() { Ok(()) } else { self.put(key, text) }
    }

    /// Several values, or none.
    pub fn all(&mut self, key: &str, values: &[impl Serialize]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.put(key, values) }
    }

    /// Something that is told only where it is so.
    pub fn flag(&mut self, key: &str, flag: bool) -> Result<(), M::Error> {
        if flag { self.put(key, &true) } else { Ok(()) }
    }

    /// Nothing more.
    pub fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::model::exchange::{Request, Response};

    /// A value of the schema with every property, in which no two numbers are the same.
    fn example(schema: &Value, definitions: &Value, number: &mut u64) -> Value {
        let mut of = |schema: &Value| example(schema, definitions, number);
        if let Some(name) = schema["$ref"].as_str() {
            return of(&definitions[name.trim_start_matches("#/$defs/")]);
        }
        if let Some(value) = schema.get("const").or(schema.pointer("/enum/0")) {
            return value.clone();
        }
        if let Some(first) = schema.pointer("/anyOf/0").or(schema.pointer("/oneOf/0")) {
            return of(first);
        }
        match schema["type"].as_str().or(schema.pointer("/type/0").and_then(Value::as_str)) {
            Some("object") => {
                let properties = schema["properties"].as_object().unwrap();
                properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), of(schema)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            Some("array") => json!([of(&schema["items"])]),
            Some("string") if schema["format"] == "date-time" => {
                "2026-01-02T03:04:05.000006Z".into()
            }
            Some("string") => "text".into(),
            Some("boolean") => true.into(),
            Some("integer") => {
                *number += 1;
                (*number).into()
            }
            other => panic!("{other:?} in {schema}"),
        }
    }

    fn writes_what_it_reads<T: JsonSchema + Serialize + DeserializeOwned>() {
        let schema = schema_for!(T).to_value();
        let value = example(&schema, &schema["$defs"], &mut 0);
        let read: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), value);
    }

    #[test]
    fn every_entry_of_a_message_is_written() {
        writes_what_it_reads::<Request>();
        writes_what_it_reads::<Response>();
    }
}
