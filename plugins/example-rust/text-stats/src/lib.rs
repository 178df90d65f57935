//! A tool in Rust: no host function, no grant, typed in and out. wit-bindgen makes the bindings from wit/world.wit.

use std::collections::HashMap;

wit_bindgen::generate!({ path: "wit", world: "text-stats" });

use exports::px::text_stats::stats::{Counts, Guest};

struct Plugin;

impl Guest for Plugin {
    fn count(text: String) -> Counts {
        let words = text.split_whitespace().count() as u32;
        Counts {
            lines: text.lines().count() as u32,
            words,
            characters: text.chars().count() as u32,
            reading_seconds: words * 60 / 230,
        }
    }

    fn top_words(text: String, limit: Option<u8>) -> Result<Vec<(String, u32)>, String> {
        let limit = usize::from(limit.unwrap_or(10));
        if limit == 0 || limit > 100 {
            return Err("limit must be from 1 to 100".into());
        }
        let mut seen: HashMap<String, u32> = HashMap::new();
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()) {
            *seen.entry(word.to_lowercase()).or_default() += 1;
        }
        let mut counted: Vec<_> = seen.into_iter().collect();
        counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counted.truncate(limit);
        Ok(counted)
    }
}

export!(Plugin);
