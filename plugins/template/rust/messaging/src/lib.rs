//! A connector: exports `post-message` and `poll-events`.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use project_x::core::host_api::{self, HttpError, LogLevel, Request, Response};

const URL: &str = "https://chat.example.com/messages";

struct Plugin;

impl Guest for Plugin {
    /// Sends text to somebody; ok is the id the chat gave it. An error that begins with `refused:` is not tried again.
    fn post_message(channel_id: String, content: String) -> Result<String, String> {
        let answer = ask("POST", URL.into(), Some(format!("{channel_id}\n{content}").into_bytes()))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        match answer.status {
            200 => Ok(text),
            403 => Err(format!("refused: {text}")),
            status => Err(format!("the chat answered {status}")),
        }
    }

    /// The messages that came since the last call. This chat gives one a line: id, sender and text, with tabs between them.
    fn poll_events() -> Vec<Message> {
        let last = host_api::kv_get("last").ok().and_then(|value| String::from_utf8(value).ok());
        let url = format!("{URL}?after={}", last.as_deref().unwrap_or("0"));
        let answer = match ask("GET", url, None) {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return complain(&format!("the chat answered {}", answer.status)),
            Err(why) => return complain(&why),
        };
        let text = String::from_utf8_lossy(&answer.body);
        let messages: Vec<Message> = text.lines().filter_map(message).collect();
        if let Some(last) = messages.last() {
            if let Err(why) = host_api::kv_set("last", last.id.as_bytes()) {
                return complain(&why);
            }
        }
        messages
    }
}

fn message(line: &str) -> Option<Message> {
    let mut parts = line.splitn(3, '\t');
    let (id, sender, text) = (parts.next()?, parts.next()?, parts.next()?);
    let sender = User { id: sender.into(), display_name: sender.into() };
    Some(Message { id: id.into(), sender, text: text.into(), metadata: None })
}

fn ask(method: &str, url: String, body: Option<Vec<u8>>) -> Result<Response, String> {
    // px puts the secret in on its way out: the plugin never sees it.
    let headers = vec![("authorization".into(), "Bearer {{secret:CHAT_TOKEN}}".into())];
    host_api::http_request(&Request { method: method.into(), url, headers, body, timeout_ms: None }).map_err(|why| match why {
        HttpError::Denied(why) | HttpError::Network(why) => why,
        HttpError::Timeout => "the chat takes too long".into(),
        HttpError::TooLarge(most) => format!("more than {most} bytes came"),
    })
}

fn complain(why: &str) -> Vec<Message> {
    host_api::log(LogLevel::Error, why);
    Vec::new()
}

export!(Plugin);
