//! The fields of the index, and how a document fills them.
//!
//! | field | holds | for |
//! | --- | --- | --- |
//! | `id` | the article's id | the upsert, ties in the order of hits |
//! | `title`, `body` | the text, with positions | words and phrases |
//! | `entity` | `kind:id` of every entity | `company:alibaba` |
//! | `kind` | the kinds of its entities | `company:*` |
//! | `facet` | `kind:id`, a tab, the name; a column only | counting entities |
//! | `source` | the source's name, with positions | `source:"chip daily"` |
//! | `feed`, `lang` | the feed's id; the language and the wider ones | `feed:`, `lang:` |
//! | `published` | milliseconds since 1970; a column only | ranges, newest first |
//! | `doc` | the whole document as JSON; stored only | hits |
//!
//! Times are plain integers: the engine's own dates are nanoseconds in 64 bits and end in the year 2262, and feeds do
//! claim to be from the year 9999.

use std::collections::BTreeSet;

use chipwire_query::{language_ranges, unix_ms};
use tantivy::{
    TantivyDocument,
    schema::{BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions},
};

use crate::{Document, Result, tokenizer};

/// The column of publication times.
pub(crate) const PUBLISHED: &str = "published";
/// The column of ids.
pub(crate) const ID: &str = "id";
/// The column of facets.
pub(crate) const FACET: &str = "facet";

/// The handles of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SchemaFields {
    pub(crate) id: Field,
    pub(crate) title: Field,
    pub(crate) body: Field,
    pub(crate) entity: Field,
    pub(crate) kind: Field,
    pub(crate) facet: Field,
    pub(crate) source: Field,
    pub(crate) feed: Field,
    pub(crate) lang: Field,
    pub(crate) published: Field,
    pub(crate) doc: Field,
}

pub(crate) fn build() -> (Schema, SchemaFields) {
    let exact = || {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic);
        TextOptions::default().set_indexing_options(indexing)
    };
    let text = || {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer::NAME)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        TextOptions::default().set_indexing_options(indexing)
    };
    let mut schema = Schema::builder();
    let fields = SchemaFields {
        id: schema.add_text_field(ID, exact().set_fast("raw")),
        title: schema.add_text_field("title", text()),
        body: schema.add_text_field("body", text()),
        entity: schema.add_text_field("entity", exact()),
        kind: schema.add_text_field("kind", exact()),
        facet: schema.add_text_field(FACET, TextOptions::default().set_fast("raw")),
        source: schema.add_text_field("source", text()),
        feed: schema.add_text_field("feed", exact()),
        lang: schema.add_text_field("lang", exact()),
        published: schema.add_i64_field(PUBLISHED, NumericOptions::from(FAST)),
        doc: schema.add_bytes_field("doc", BytesOptions::default().set_stored()),
    };
    (schema.build(), fields)
}

/// The term of an entity in the field `entity`.
pub(crate) fn entity_term(kind: &str, id: &str) -> String {
    format!("{kind}:{}", id.to_lowercase())
}

/// The value of the field `facet`: the name travels with the entity, so that counting needs no document.
pub(crate) fn facet_value(kind: &str, id: &str, name: &str) -> String {
    format!("{kind}:{id}\t{name}")
}

/// Kind, id and name of a value of the field `facet`.
pub(crate) fn split_facet(value: &str) -> Option<(&str, &str, &str)> {
    let (entity, name) = value.split_once('\t')?;
    let (kind, id) = entity.split_once(':')?;
    Some((kind, id, name))
}

impl SchemaFields {
    /// `document` as the engine takes it.
    pub(crate) fn fill(&self, document: &Document) -> Result<TantivyDocument> {
        // A buffer that grows as it is written is copied many times over.
        let mut json = Vec::with_capacity(1_024 + document.body.len() + document.body.len() / 8);
        serde_json::to_writer(&mut json, document)?;
        let entities_bytes: usize = document.entities.iter().map(|entity| 96 + entity.name.len()).sum();
        let size = json.len() + document.title.len() + document.body.len() + entities_bytes + 512;
        let mut filled = TantivyDocument::with_capacity(size);
        filled.add_text(self.id, &document.id);
        filled.add_text(self.title, &document.title);
        filled.add_text(self.body, &document.body);
        filled.add_text(self.source, &document.source);
        filled.add_text(self.feed, document.feed.to_lowercase());
        filled.add_i64(self.published, unix_ms(document.published));
        let mut seen = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        for entity in &document.entities {
            let term = entity_term(&entity.kind, &entity.entity);
            if kinds.insert(&entity.kind) {
                filled.add_text(self.kind, &entity.kind);
            }
            if !seen.contains(&term) {
                filled.add_text(self.entity, &term);
                filled.add_text(self.facet, facet_value(&entity.kind, &entity.entity, &entity.name));
                seen.insert(term);
            }
        }
        for language in document.language.as_deref().map(language_ranges).unwrap_or_default() {
            filled.add_text(self.lang, language);
        }
        filled.add_bytes(self.doc, &json);
        Ok(filled)
    }
}
