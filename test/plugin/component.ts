import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';

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
