//! Sources of tokens, shared: who asks for the same grant gets the same token, also after the configuration was read again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{
    asked::Refusal,
    oauth::{Grant, OAuth2},
};

/// The sources that are in use, by what they ask with. Clones share them.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<Grant, Weak<OAuth2>>>>);

// === impl Tokens ===

impl Tokens {
    /// The source that asks with these values.
    ///
    /// # Errors
    /// Everything that is wrong with the values.
    pub fn source(&self, grant: Grant) -> Result<Arc<OAuth2>, Vec<Refusal>> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|_, source| source.strong_count() > 0);
        if let Some(source) = sources.get(&grant).and_then(Weak::upgrade) {
            return Ok(source);
        }
        let source = OAuth2::build(grant.clone())?;
        sources.insert(grant, Arc::downgrade(&source));
        Ok(source)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use probe_core::Secret;

    use super::*;
    use crate::ClientAuth;

    #[test]
    fn the_same_grant_is_the_same_source_while_anybody_has_it() {
        let tokens = Tokens::default();
        let grant = |scope: Option<&str>| Grant {
            token_url: "https://id.example/token".into(),
            client_id: "me".into(),
            client_secret: Secret::new("hunter22"),
            scope: scope.map(str::to_owned),
            audience: None,
            client_auth: ClientAuth::default(),
        };
        let first = tokens.source(grant(None)).unwrap();
        assert!(Arc::ptr_eq(&first, &tokens.clone().source(grant(None)).unwrap()));
        assert!(!Arc::ptr_eq(&first, &tokens.source(grant(Some("all"))).unwrap()));
        drop(first);
        tokens.source(grant(Some("other"))).unwrap();
        assert_eq!(tokens.0.lock().unwrap().len(), 1);
    }
}
