//! The http probe: one request, its phases measured, its answer judged.
