// The connector itself: the same for both contracts. Included by lib.rs of either crate, after the bindings.

use crate::project_x::core::host_api::{LogLevel, kv_get, kv_set, log};

struct Plugin;

impl Guest for Plugin {
    fn post_message(channel_id: String, content: String) -> Result<String, String> {
        if content.is_empty() {
            return Err("refused: there is nothing to send".into());
        }
        let next = kv_get("next").ok().and_then(|v| String::from_utf8(v).ok()?.parse::<u64>().ok()).unwrap_or(1);
        kv_set(&format!("m{next}"), format!("{channel_id}\n{content}").as_bytes())?;
        kv_set("next", (next + 1).to_string().as_bytes())?;
        log(LogLevel::Info, &format!("kept message {next} for {channel_id}"));
        Ok(next.to_string())
    }

    fn poll_events() -> Vec<Message> {
        let read = |key: &str| kv_get(key).ok().and_then(|v| String::from_utf8(v).ok());
        let number = |key: &str| read(key).and_then(|v| v.parse::<u64>().ok()).unwrap_or(1);
        let (first, next) = (number("polled"), number("next"));
        if first < next && kv_set("polled", next.to_string().as_bytes()).is_err() {
            return Vec::new();
        }
        (first..next)
            .filter_map(|id| {
                let kept = read(&format!("m{id}"))?;
                let (channel, text) = kept.split_once('\n')?;
                Some(Message {
                    id: id.to_string(),
                    sender: User { id: "echo".into(), display_name: "Echo".into() },
                    text: text.into(),
                    metadata: Some(format!("{{\"channel\":\"{}\"}}", channel.replace(['"', '\\'], ""))),
                })
            })
            .collect()
    }
}

export!(Plugin);
