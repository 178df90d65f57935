// px's host-api in C against the canonical ABI, without libc: strings and lists are a pointer and a length, results and options start
// with a tag byte, and what is larger than one value is returned by its address. Nothing here needs a change to add functions.
#pragma once
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __INT32_TYPE__ s32;
typedef __SIZE_TYPE__ usize;

/// A string or list<u8>: bytes, not terminated.
typedef struct { const char *at; usize length; } text;
#define TEXT(literal) ((text){literal, sizeof(literal) - 1})
typedef struct { u8 some; text value; } maybe_text;

#define IMPORT(name) __attribute__((import_module("project-x:core/host-api@0.1.0"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum level { LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_DEBUG };
IMPORT("log") void px_log(enum level level, const char *message, usize length);

// result<_, string> and result<list<u8>, string> have one layout.
typedef struct { u8 failed; text value; } text_result;
IMPORT("kv-set") void px_kv_set(const char *key, usize key_length, const char *value, usize length, text_result *into);
IMPORT("kv-get") void px_kv_get(const char *key, usize key_length, text_result *into);

IMPORT("kv-delete") void px_kv_delete(const char *key, usize key_length, text_result *into);
typedef struct { u8 failed; union { struct { text *at; usize count; } keys; text error; }; } keys_result;
IMPORT("kv-list") void px_kv_list(const char *prefix, usize length, keys_result *into);
// One of the plugin's settings from px.yaml, as JSON text.
IMPORT("config-get") void px_config_get(const char *key, usize length, maybe_text *into);
IMPORT("secret-exists") u32 px_secret_exists(const char *name, usize length);

IMPORT("now") u64 px_now(void);
typedef struct { const u8 *at; usize length; } bytes;
IMPORT("random-bytes") void px_random_bytes(u32 count, bytes *into);

enum http_error_kind { HTTP_DENIED, HTTP_TIMEOUT, HTTP_TOO_LARGE, HTTP_NETWORK };
typedef struct { u8 kind; union { text why; u64 bytes; }; } http_error;
typedef struct { text name, value; } header;
typedef struct { u16 status; struct { const header *at; usize count; } headers; text body; } response;
typedef struct { u8 failed; union { response ok; http_error error; }; } http_result;
// The record `request`, flat: method, url, headers, body, timeout-ms.
IMPORT("http-request") void px_http_request(const char *method, usize method_length, const char *url, usize url_length,
  const header *headers, usize header_count, u32 has_body, const char *body, usize body_length, u32 has_timeout, u32 timeout_ms,
  http_result *into);

// Memory: a stack of bytes above the program's own data, given back whole when a call is over.
extern u8 __heap_base;
static usize top;

static void *allocate(usize size, usize align) {
  if (top == 0) top = (usize)&__heap_base;
  usize start = (top + align - 1) & ~(align - 1);
  if (start < top || start + size < start) __builtin_trap();
  usize have = __builtin_wasm_memory_size(0) << 16;
  if (start + size > have && __builtin_wasm_memory_grow(0, (start + size - have + 65535) >> 16) == (usize)-1) __builtin_trap();
  top = start + size;
  return (void *)start;
}

static void release_all(void) { top = 0; }

// The host calls this to place arguments.
EXPORT("cabi_realloc") void *cabi_realloc(void *old, usize old_size, usize align, usize size) {
  if (old_size >= size) return old;
  void *moved = allocate(size, align);
  if (old_size) __builtin_memcpy(moved, old, old_size);
  return moved;
}

// Joins texts into a new one.
__attribute__((unused)) static text join(const text *parts, usize count) {
  usize length = 0;
  for (usize i = 0; i < count; i++) length += parts[i].length;
  char *at = allocate(length, 1);
  usize end = 0;
  for (usize i = 0; i < count; i++) {
    __builtin_memcpy(at + end, parts[i].at, parts[i].length);
    end += parts[i].length;
  }
  return (text){at, length};
}

// A whole number as text.
__attribute__((unused)) static text decimal(u32 number) {
  char *end = (char *)allocate(10, 1) + 10, *at = end;
  do *--at = '0' + number % 10;
  while (number /= 10);
  return (text){at, (usize)(end - at)};
}

// What an http-error says.
__attribute__((unused)) static text reason(http_error error) {
  switch (error.kind) {
    case HTTP_TIMEOUT: return TEXT("no answer in time");
    case HTTP_TOO_LARGE: return TEXT("the answer is too large");
    default: return error.why;
  }
}
