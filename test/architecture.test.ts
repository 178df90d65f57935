import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const src = resolve(import.meta.dir, '../src');
/** DESIGN 3: a folder imports only what stands in an earlier group, or in its own group before it. */
const order = [
  'error',
  'log',
  'wire',
  'config',
  'secret',
  'store',
  'policy',
  'memory',
  'model',
  'plugin',
  'tool',
  'channel',
  'session',
  'agent',
  'app',
  'gateway',
  'client',
  'service',
  'backup',
  'update',
  'portal',
  'tui',
  'cli',
  'main',
];
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.d.ts'))
  .map((f) => f.replaceAll('\\', '/'));
const text = new Map(files.map((f) => [f, readFileSync(join(src, f), 'utf8')]));
const folderOf = (file: string) =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.tsx?$/, '');

interface Edge {
  from: string;
  to: string;
  /** Evaluated when the importing file loads: not `import type`, not `import()`. */
  eager: boolean;
}

function edges(file: string): Edge[] {
  const body = (text.get(file) ?? '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Edge[] = [];
  const add = (spec: string, eager: boolean) => {
    if (!spec.startsWith('.')) return;
    const to = relative(src, resolve(src, dirname(file), spec)).replaceAll('\\', '/');
    // Files beside src (starter notes, package.json) are data that is built in.
    if (!to.startsWith('../')) found.push({ from: file, to, eager });
  };
  for (const m of body.matchAll(/^\s*(?:import|export)\s+(type\s+)?[^'"`;()]*?from\s+['"]([^'"]+)['"]/gm))
    add(m[2] ?? '', !m[1]);
  for (const m of body.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm)) add(m[1] ?? '', true);
  for (const m of body.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) add(m[1] ?? '', false);
  return found;
}
const all = files.flatMap(edges);

describe('architecture', () => {
  test('every folder of src is in the order', () => {
    expect([...new Set(files.map(folderOf))].filter((f) => !order.includes(f))).toEqual([]);
  });

  test('a folder imports only folders to its left', () => {
    const upward = all.filter((e) => order.indexOf(folderOf(e.to)) > order.indexOf(folderOf(e.from)));
    expect(upward.map((e) => `${e.from} -> ${e.to}`)).toEqual([]);
  });

  test("another folder's surface file is the only way in", () => {
    const inside = all.filter((e) => {
      const to = folderOf(e.to);
      return to !== folderOf(e.from) && e.to !== `${to}/${to}.ts` && e.to !== `${to}/${to}.tsx` && e.to !== `${to}.ts`;
    });
    expect(inside.map((e) => `${e.from} -> ${e.to}`)).toEqual([]);
  });

  test('no file is in an import cycle', () => {
    const next = new Map<string, string[]>();
    for (const e of all.filter((e) => e.eager)) next.set(e.from, [...(next.get(e.from) ?? []), e.to]);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const to of next.get(file) ?? []) visit(to, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('the environment is read in config only', () => {
    const readers = files.filter(
      (f) => folderOf(f) !== 'config' && /\bprocess\.env\b|\bBun\.env\b/.test(text.get(f) ?? ''),
    );
    expect(readers).toEqual([]);
  });

  test('SQL for a table stands in one file', () => {
    const owners = new Map<string, Set<string>>();
    for (const f of files) {
      const body = text.get(f) ?? '';
      for (const m of body.matchAll(
        /\b(?:INSERT (?:OR \w+ )?INTO|DELETE FROM|UPDATE|CREATE (?:VIRTUAL )?TABLE(?: IF NOT EXISTS)?|FROM|JOIN)\s+([a-z_]+)\b(?!\()/g,
      )) {
        const table = m[1] ?? '';
        owners.set(table, (owners.get(table) ?? new Set()).add(f));
      }
    }
    expect([...owners].filter(([, at]) => at.size > 1).map(([t, at]) => `${t}: ${[...at].join(', ')}`)).toEqual([]);
  });

  test('files stay within 400 lines', () => {
    expect(files.filter((f) => (text.get(f) ?? '').split('\n').length > 401)).toEqual([]);
  });
});
