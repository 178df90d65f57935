import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromWit, toWit } from '../../src/plugin/wit/json.ts';
import { readComponent } from '../../src/plugin/wit/read.ts';
import type { Json } from '../../src/wire/wire.ts';

/** Transpiles a component as px does with a plugin's. */
export async function transpile(component: Uint8Array): Promise<Map<string, Uint8Array>> {
  const { $init, generate } = await import('@bytecodealliance/jco-transpile/component');
  await $init;
  const options = {
    name: 'plugin',
    instantiation: { tag: 'sync' },
    noTypescript: true,
    base64Cutoff: 0,
    map: [],
  } as const;
  return new Map(generate(component, { ...options, map: [] }).files);
}

/** Instantiates a component of our own in this process and calls it with JSON, as a plugin's process does. */
export async function runComponent(component: Uint8Array, hostApi: Record<string, unknown>) {
  const files = await transpile(component);
  const folder = mkdtempSync(join(tmpdir(), 'px-component-'));
  writeFileSync(join(folder, 'plugin.mjs'), files.get('plugin.js') ?? '');
  const generated = await import(join(folder, 'plugin.mjs'));
  const module = (name: string) => new WebAssembly.Module(new Uint8Array(files.get(name) ?? []));
  const instance = generated.instantiate(module, { 'project-x:core/host-api': hostApi });
  const { functions } = readComponent(component);
  return (name: string, ...args: Json[]): Json => {
    const fn = functions.find((f) => f.name === name);
    if (!fn) throw new Error(`no function ${name}`);
    const call = fn.jsPath.reduce((at, key) => at[key], instance);
    return fromWit(fn.result, call(...fn.params.map((p, i) => toWit(p.type, args[i], p.name))));
  };
}
