//! Sizes as people write them.

use probe_keys::{At, Definitions, Read, Size};
use serde_json::Value as Json;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub usize);

// === impl ByteSize ===

/// What one run may hold in memory.
const LARGEST: usize = 1 << 30;

impl Default for ByteSize {
    fn default() -> Self {
        Self(1 << 20)
    }
}

impl Read for ByteSize {
    fn read(at: &At<'_>) -> Option<Self> {
        let size = usize::try_from(Size::read(at)?.0).ok().filter(|bytes| *bytes <= LARGEST);
        if size.is_none() {
            at.expected("a size of at most 1GiB");
        }
        size.map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Size::schema(definitions)
    }
}
