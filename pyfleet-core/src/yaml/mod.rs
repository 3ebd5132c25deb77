//! YAML as GitHub reads it: one reader, one writer.
