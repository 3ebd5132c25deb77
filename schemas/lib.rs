//! The JSON Schemas, as data; tests pin them to the types they are written from.
