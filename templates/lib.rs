//! All generated text, as data: templates by name, scripts by name.
