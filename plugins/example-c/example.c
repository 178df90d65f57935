#include "px.h"

// result<s32, string>: a tag byte (0 ok, 1 err), then the value at offset 4.
typedef struct {
  u8 failed;
  union { s32 value; text error; };
} add_result;

EXPORT("add") add_result *add(s32 a, s32 b) {
  static add_result result;
  result.failed = __builtin_add_overflow(a, b, &result.value);
  if (result.failed) result.error = TEXT("the sum does not fit in 32 bits");
  return &result;
}

EXPORT("sum-list") double sum_list(const double *values, usize count) {
  double sum = 0;
  for (usize i = 0; i < count; i++) sum += values[i];
  release_all();
  return sum;
}

EXPORT("greet") text *greet(const char *name, usize length) {
  static text greeting;
  text parts[] = {TEXT("Hello, "), length ? (text){name, length} : TEXT("whoever you are"), TEXT("!")};
  greeting = join(parts, 3);
  px_log(LEVEL_INFO, greeting.at, greeting.length);
  return &greeting;
}
// Called when the host has read the result of greet.
EXPORT("cabi_post_greet") void after_greet(text *greeting) { (void)greeting; release_all(); }

EXPORT("distance") double distance(double ax, double ay, double bx, double by) {
  double dx = ax - bx, dy = ay - by;
  return __builtin_sqrt(dx * dx + dy * dy);
}
