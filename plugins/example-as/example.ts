// The world of ../example.wit in AssemblyScript.
import { answer, area, get, kvGet, kvSet, log, now, putText, random, textAt } from "./px";

export function greet(at: usize, length: i32): usize {
  const greeting = "Hello, " + (length ? textAt(at, length) : "whoever you are") + "!";
  log(greeting);
  putText(area, greeting);
  return area;
}

/** result<s32, string>: a tag byte, then the value at offset 4. */
export function add(a: i32, b: i32): usize {
  const sum = <i64>a + <i64>b;
  const fits = sum == <i64>(<i32>sum);
  store<u8>(area, fits ? 0 : 1);
  if (fits) store<i32>(area, <i32>sum, 4);
  else putText(area + 4, "the sum does not fit in 32 bits");
  return area;
}

/** An order-line is text (8 bytes), f64, u32: 24 bytes. A receipt is a list (8 bytes), u32, f64. */
export function total(lines: usize, count: i32): usize {
  const items = heap.alloc(count << 3);
  let amount: u32 = 0;
  let price: f64 = 0;
  for (let i = 0; i < count; i++) {
    const line = lines + i * 24;
    store<u64>(items + (i << 3), load<u64>(line));
    price += load<f64>(line, 8) * load<u32>(line, 16);
    amount += load<u32>(line, 16);
  }
  store<usize>(area, items);
  store<i32>(area, count, 4);
  store<u32>(area, amount, 8);
  store<f64>(area, price, 16);
  return area;
}

/** result<option<string>, string> */
export function remember(keyAt: usize, keyLength: i32, at: usize, length: i32): usize {
  const key = textAt(keyAt, keyLength);
  const before = kvGet(key);
  const error = kvSet(key, textAt(at, length));
  store<u8>(area, error === null ? 0 : 1);
  if (error !== null) putText(area + 4, error);
  else {
    store<u8>(area, before === null ? 0 : 1, 4);
    if (before !== null) putText(area + 8, before);
  }
  return area;
}

/** result<page, http-error>, both at offset 8 of the answer and of what is returned: http-error goes on as it came. */
export function fetch(at: usize, length: i32): usize {
  get(textAt(at, length));
  if (load<u8>(answer)) {
    memory.copy(area, answer, 32);
    return area;
  }
  store<u8>(area, 0);
  store<u16>(area, load<u16>(answer, 8), 8);
  putText(area + 12, String.UTF8.decodeUnsafe(load<usize>(answer, 20), load<i32>(answer, 24)));
  return area;
}

/** Two empty lists, a false, clock and chance: the language has no environment, no files and no network. */
export function lookAround(): usize {
  memory.fill(area, 0, 24);
  store<u64>(area, now(), 24);
  store<u64>(area, random(), 32);
  return area;
}

export function spin(): void {
  for (;;) {}
}

export function crash(): void {
  unreachable();
}

/** The host's way to hand memory over. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  return heap.alloc(size);
}

/** The host has read what a function returned: all memory is free again. */
function release(_: usize): void {
  heap.reset();
}
export {
  release as cabi_post_greet,
  release as cabi_post_add,
  release as cabi_post_total,
  release as cabi_post_remember,
  release as cabi_post_fetch,
};
