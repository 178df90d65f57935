#include "px.h"

// What a function returns by its address stays in static memory, and texts on the stack of bytes, until the host has read them:
// then it calls cabi_post_NAME.

EXPORT("greet") text *greet(const char *name, usize length) {
  static text greeting;
  text parts[] = {TEXT("Hello, "), length ? (text){name, length} : TEXT("whoever you are"), TEXT("!")};
  greeting = join(parts, 3);
  px_log(LEVEL_INFO, greeting.at, greeting.length);
  return &greeting;
}
EXPORT("cabi_post_greet") void after_greet(text *greeting) { (void)greeting; release_all(); }

// result<s32, string>: a tag byte (0 ok, 1 err), then the value at offset 4.
typedef struct { u8 failed; union { s32 value; text error; }; } add_result;

EXPORT("add") add_result *add(s32 a, s32 b) {
  static add_result result;
  result.failed = __builtin_add_overflow(a, b, &result.value);
  if (result.failed) result.error = TEXT("the sum does not fit in 32 bits");
  return &result;
}

typedef struct { text item; double price; u32 amount; } order_line;
typedef struct { struct { text *at; usize count; } items; u32 amount; double price; } receipt;

EXPORT("total") receipt *total(const order_line *lines, usize count) {
  static receipt sum;
  sum = (receipt){.items = {allocate(count * sizeof(text), 4), count}};
  for (usize i = 0; i < count; i++) {
    sum.items.at[i] = lines[i].item;
    sum.amount += lines[i].amount;
    sum.price += lines[i].price * lines[i].amount;
  }
  return &sum;
}
EXPORT("cabi_post_total") void after_total(receipt *sum) { (void)sum; release_all(); }

// result<option<string>, string>
typedef struct { u8 failed; union { maybe_text before; text error; }; } remember_result;

EXPORT("remember") remember_result *remember(const char *key, usize key_length, const char *value, usize length) {
  static remember_result result;
  text_result answer;
  px_kv_get(key, key_length, &answer);
  result = (remember_result){.before = {!answer.failed, answer.value}};
  px_kv_set(key, key_length, value, length, &answer);
  if (answer.failed) result = (remember_result){.failed = 1, .error = answer.value};
  return &result;
}
EXPORT("cabi_post_remember") void after_remember(remember_result *result) { (void)result; release_all(); }

typedef struct { u8 failed; union { struct { u16 status; text body; } page; http_error error; }; } fetch_result;

EXPORT("fetch") fetch_result *fetch(const char *url, usize length) {
  static fetch_result result;
  http_result answer;
  px_http_request("GET", 3, url, length, 0, 0, 0, 0, 0, 0, 0, &answer);
  result.failed = answer.failed;
  if (answer.failed) result.error = answer.error;
  else {
    result.page.status = answer.ok.status;
    result.page.body = answer.ok.body;
  }
  return &result;
}
EXPORT("cabi_post_fetch") void after_fetch(fetch_result *result) { (void)result; release_all(); }

typedef struct { struct { text *at; usize count; } variables, files; u8 connected; u64 clock, random; } surroundings;

// C without a library has no environment, no files and no network.
EXPORT("look-around") surroundings *look_around(void) {
  static surroundings around;
  bytes random;
  px_random_bytes(sizeof around.random, &random);
  __builtin_memcpy(&around.random, random.at, sizeof around.random);
  around.clock = px_now();
  release_all();
  return &around;
}

EXPORT("spin") void spin(void) { for (volatile u32 turns = 0;; turns++); }
EXPORT("crash") void crash(void) { __builtin_trap(); }
