// Exports what wit/world.wit says.
#include "px.h"

// What a function returns by its address stays in static memory, and texts on the stack of bytes of px.h, until the host has read them:
// then it calls cabi_post_NAME.

static u32 number(text digits) {
  u32 sum = 0;
  for (usize i = 0; i < digits.length; i++) sum = sum * 10 + (u32)(digits.at[i] - '0');
  return sum;
}

EXPORT("greet") text *greet(const char *name, usize length) {
  static text greeting;
  text who = {name, length};
  // The plugin's own store: encrypted on disk, read by nobody else.
  text key = join((text[]){TEXT("count:"), who}, 2);
  text_result stored;
  px_kv_get(key.at, key.length, &stored);
  text count = decimal(stored.failed ? 1 : number(stored.value) + 1);
  px_kv_set(key.at, key.length, count.at, count.length, &stored);

  text line = join((text[]){TEXT("greeted "), who}, 2);
  px_log(LEVEL_INFO, line.at, line.length);
  greeting = join((text[]){TEXT("Hello, "), who, TEXT("! Greeting number "), count, TEXT(".")}, 5);
  return &greeting;
}
EXPORT("cabi_post_greet") void after_greet(text *greeting) { (void)greeting; release_all(); }

// result<string, string>: a tag byte (0 ok, 1 err), then the value at offset 4, which is what text_result is.
EXPORT("zen") text_result *zen(void) {
  static text_result result;
  const text url = TEXT("https://api.github.com/zen");
  http_result answer;
  px_http_request("GET", 3, url.at, url.length, 0, 0, 0, 0, 0, 0, 0, &answer);
  if (answer.failed) result = (text_result){1, reason(answer.error)};
  else if (answer.ok.status == 200) result = (text_result){0, answer.ok.body};
  else result = (text_result){1, join((text[]){TEXT("GitHub answered "), decimal(answer.ok.status)}, 2)};
  return &result;
}
EXPORT("cabi_post_zen") void after_zen(text_result *result) { (void)result; release_all(); }
