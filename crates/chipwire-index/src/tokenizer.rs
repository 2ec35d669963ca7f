//! The analyzer of `chipwire-query` as a tokenizer of tantivy.

use chipwire_query::analyze;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The name under which the schema refers to it.
pub(crate) const NAME: &str = "chipwire";

#[derive(Debug, Clone, Default)]
pub(crate) struct SharedAnalyzer;

pub(crate) struct SharedStream<'t> {
    tokens: analyze::Tokens<'t>,
    current: analyze::Token,
    token: Token,
}

impl Tokenizer for SharedAnalyzer {
    type TokenStream<'t> = SharedStream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> SharedStream<'t> {
        let (current, token) = (analyze::Token::default(), Token::default());
        SharedStream { tokens: analyze::Tokens::new(text), current, token }
    }
}

impl TokenStream for SharedStream<'_> {
    fn advance(&mut self) -> bool {
        if !self.tokens.advance(&mut self.current) {
            return false;
        }
        // The two texts change places, so that neither is allocated anew.
        std::mem::swap(&mut self.current.text, &mut self.token.text);
        self.token.offset_from = self.current.start;
        self.token.offset_to = self.current.end;
        self.token.position = self.current.position as usize;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
