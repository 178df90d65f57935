// Bindings for ../example.wit against the canonical ABI, by hand. Strings are UTF-16 (the component says so), which is what AssemblyScript
// has: a pointer and a length in units. Memory comes from the stub runtime's heap, which is given back whole when a call is over.

@external("project-x:core/host-api@0.1.0", "log")
declare function hostLog(level: i32, message: usize, length: i32): void;
@external("project-x:core/host-api@0.1.0", "kv-set")
declare function hostKvSet(key: usize, keyLength: i32, value: usize, length: i32, into: usize): void;
@external("project-x:core/host-api@0.1.0", "kv-get")
declare function hostKvGet(key: usize, keyLength: i32, into: usize): void;
@external("project-x:core/host-api@0.1.0", "now")
export declare function now(): i64;
@external("project-x:core/host-api@0.1.0", "random-bytes")
declare function hostRandom(count: i32, into: usize): void;
@external("project-x:core/host-api@0.1.0", "http-request")
declare function hostHttp(
  method: usize, methodLength: i32, url: usize, urlLength: i32, headers: usize, headerCount: i32,
  hasBody: i32, body: usize, bodyLength: i32, hasTimeout: i32, timeout: i32, into: usize,
): void;

/** What an exported function returns by its address. */
export const area = memory.data(64, 8);
/** What a host function answers at. */
export const answer = memory.data(32, 8);

/** A string that the host handed over. */
export function textAt(at: usize, length: i32): string {
  return String.UTF16.decodeUnsafe(at, length << 1);
}

/** Writes a string's address and length. */
export function putText(at: usize, text: string): void {
  store<usize>(at, changetype<usize>(text));
  store<i32>(at, text.length, 4);
}

export function log(message: string): void {
  hostLog(0, changetype<usize>(message), message.length);
}

/** A stored text, or null. */
export function kvGet(key: string): string | null {
  hostKvGet(changetype<usize>(key), key.length, answer);
  if (load<u8>(answer)) return null;
  return String.UTF8.decodeUnsafe(load<usize>(answer, 4), load<i32>(answer, 8));
}

/** Stores a text; gives the error, or null. */
export function kvSet(key: string, text: string): string | null {
  const bytes = String.UTF8.encode(text);
  hostKvSet(changetype<usize>(key), key.length, changetype<usize>(bytes), bytes.byteLength, answer);
  if (!load<u8>(answer)) return null;
  return textAt(load<usize>(answer, 4), load<i32>(answer, 8));
}

/** Eight random bytes. */
export function random(): u64 {
  hostRandom(8, answer);
  return load<u64>(load<usize>(answer));
}

/** Gets a URL; `result<response, http-error>` is in {@link answer} then. */
export function get(url: string): void {
  const method = "GET";
  hostHttp(changetype<usize>(method), 3, changetype<usize>(url), url.length, 0, 0, 0, 0, 0, 0, 0, answer);
}
