//! The elements of a long JSON array, one at a time.

use std::{fmt, io};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Calls `visit` with every element of the array that `path` leads to through objects, or of the array that there is instead.
pub(super) fn each(input: impl io::Read, path: &[&str], visit: &mut dyn FnMut(Value)) -> io::Result<()> {
    let mut found = false;
    let mut json = serde_json::Deserializer::from_reader(input);
    Elements { path, found: &mut found, visit }.deserialize(&mut json).and_then(|()| json.end())?;
    if found {
        return Ok(());
    }
    let expected = format!("no array `{}` in it; it is in another form", path.join("."));
    Err(io::Error::new(io::ErrorKind::InvalidData, expected))
}

struct Elements<'a> {
    path: &'a [&'a str],
    found: &'a mut bool,
    visit: &'a mut dyn FnMut(Value),
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        *self.found = true;
        while let Some(element) = array.next_element()? {
            (self.visit)(element);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else {
            return Err(A::Error::custom("an object where an array of records is expected"));
        };
        while let Some(key) = object.next_key::<String>()? {
            if key == *first {
                object.next_value_seed(Elements { path: rest, found: self.found, visit: self.visit })?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
