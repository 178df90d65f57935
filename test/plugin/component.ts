import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

/** A component from its WebAssembly text. */
export async function component(wat: string): Promise<Uint8Array> {
  return parse(wat);
}

/** `double(n: u32) -> u32`, `spin()`, `crash()`, `grow() -> u32` (pages reached), nothing imported. */
export const plain = `(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "double") (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
    (func (export "spin") (loop (br 0)))
    (func (export "crash") unreachable)
    (func (export "grow") (result i32)
      (loop $again
        (drop (memory.grow (i32.const 16)))
        (memory.fill (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536)) (i32.const 1) (i32.const 65536))
        (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (memory.size)))
  (core instance $i (instantiate $m))
  (func (export "double") (param "n" u32) (result u32) (canon lift (core func $i "double")))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "crash") (canon lift (core func $i "crash")))
  (func (export "grow") (result u32) (canon lift (core func $i "grow"))))`;

/** Core code of a connector: `post-message` stores the text, reads it back, logs it and returns what it read. */
const connectorCore = `(module
  (import "HOST" "kv-set" (func $set (param i32 i32 i32 i32 i32)))
  (import "HOST" "kv-get" (func $get (param i32 i32 i32)))
  (import "HOST" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "last")
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "post-message") (param $cp i32) (param $cl i32) (param $tp i32) (param $tl i32) (result i32)
    (call $set (i32.const 16) (i32.const 4) (local.get $tp) (local.get $tl) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then (return (i32.const 64))))
    (call $get (i32.const 16) (i32.const 4) (i32.const 96))
    (call $log (i32.const 0) (local.get $tp) (local.get $tl))
    (i32.const 96))
  (func (export "poll-events") (result i32) (i32.store (i32.const 128) (i32.const 0)) (i32.store (i32.const 132) (i32.const 0)) (i32.const 128)))`;

/** A connector against the first, small world: with or without a package version. */
export async function connector(version = ''): Promise<Uint8Array> {
  const wit = `package project-x:core${version};
interface host-api {
  kv-set: func(key: string, value: list<u8>) -> result<_, string>;
  kv-get: func(key: string) -> result<list<u8>, string>;
  enum log-level { info, warn, error, debug }
  log: func(level: log-level, message: string);
}
interface messaging-types {
  record user { id: string, display-name: string }
  record message { id: string, sender: user, text: string, metadata: option<string> }
}
world messaging-plugin {
  import host-api;
  use messaging-types.{message, user};
  export post-message: func(channel-id: string, content: string) -> result<string, string>;
  export poll-events: func() -> list<message>;
}`;
  const core = await parse(connectorCore.replaceAll('HOST', `project-x:core/host-api${version}`));
  const embedded = await componentEmbed({ binary: core, witSource: wit, world: 'messaging-plugin' });
  return componentNew(embedded, []);
}
