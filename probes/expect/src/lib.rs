//! What is expected of an answer: status sets, captures, assertions.
