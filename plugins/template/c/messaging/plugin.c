// A connector: exports post-message and poll-events.
#include "px.h"

static const text url = TEXT("https://chat.example.com/messages");
// px puts the secret in on its way out: the plugin never sees it.
static const header headers[] = {{TEXT("authorization"), TEXT("Bearer {{secret:CHAT_TOKEN}}")}};

static text answered(u16 status) { return join((text[]){TEXT("the chat answered "), decimal(status)}, 2); }

// Sends text to somebody; ok is the id the chat gave it. An error that begins with `refused:` is not tried again.
EXPORT("post-message") text_result *post_message(const char *channel, usize channel_length, const char *content, usize length) {
  static text_result result;
  text body = join((text[]){{channel, channel_length}, TEXT("\n"), {content, length}}, 3);
  http_result answer;
  px_http_request("POST", 4, url.at, url.length, headers, 1, 1, body.at, body.length, 0, 0, &answer);
  if (answer.failed) result = (text_result){1, reason(answer.error)};
  else if (answer.ok.status == 200) result = (text_result){0, answer.ok.body};
  else if (answer.ok.status == 403) result = (text_result){1, join((text[]){TEXT("refused: "), answer.ok.body}, 2)};
  else result = (text_result){1, answered(answer.ok.status)};
  return &result;
}
EXPORT("cabi_post_post-message") void after_post(text_result *result) { (void)result; release_all(); }

// The record `message` of wit/deps/core/core.wit.
typedef struct { text id, sender, sender_name, text; maybe_text metadata; } message;
typedef struct { message *at; usize count; } messages;

// Cuts a text at the first such byte: gives what stands before it and leaves what stands behind.
static text cut(text *from, char at) {
  usize end = 0;
  while (end < from->length && from->at[end] != at) end++;
  text before = {from->at, end};
  usize gone = end < from->length ? end + 1 : end;
  *from = (text){from->at + gone, from->length - gone};
  return before;
}

static messages *nothing(messages *list, text why) {
  px_log(LEVEL_ERROR, why.at, why.length);
  *list = (messages){0, 0};
  return list;
}

// The messages that came since the last call. This chat gives one a line: id, sender and text, with tabs between them.
EXPORT("poll-events") messages *poll_events(void) {
  static messages list;
  text_result last;
  px_kv_get("last", 4, &last);
  text after = join((text[]){url, TEXT("?after="), last.failed ? TEXT("0") : last.value}, 3);
  http_result answer;
  px_http_request("GET", 3, after.at, after.length, headers, 1, 0, 0, 0, 0, 0, &answer);
  if (answer.failed) return nothing(&list, reason(answer.error));
  if (answer.ok.status != 200) return nothing(&list, answered(answer.ok.status));

  text left = answer.ok.body;
  usize most = 0;
  for (text lines = left; lines.length; cut(&lines, '\n')) most++;
  list = (messages){allocate(most * sizeof(message), 4), 0};
  while (left.length) {
    text line = cut(&left, '\n');
    if (!line.length) continue;
    text id = cut(&line, '\t'), sender = cut(&line, '\t');
    list.at[list.count++] = (message){id, sender, sender, line, {0, {0, 0}}};
  }
  if (list.count) {
    text id = list.at[list.count - 1].id;
    px_kv_set("last", 4, id.at, id.length, &last);
  }
  return &list;
}
EXPORT("cabi_post_poll-events") void after_poll(messages *list) { (void)list; release_all(); }
