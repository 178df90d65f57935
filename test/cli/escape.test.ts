import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { component } from '../plugin/component.ts';
import { px } from './px.ts';

/** Window title, clear screen, colour in one byte, right-to-left, a line that looks like px's own, and one that looks like a hint. */
const evil =
  '\u001b]0;EVIL\u0007\u001b[2J\u001b[1m\u009b31m\u202e\u2066\u2028\r\nIt asks for nothing: EVIL\n    Run: EVIL';
const forbidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('what a plugin says reaches a terminal in visible letters, and never as lines of px', () => {
  const home = mkdtempSync(join(tmpdir(), 'px-escape-'));
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(home, name), content);
    return join(home, name);
  };
  const seen = async (...args: string[]) => {
    const { stdout, stderr } = await px([...args, '--home', home]);
    expect(stdout).not.toMatch(forbidden);
    expect(stderr).not.toMatch(forbidden);
    for (const line of `${stdout}\n${stderr}`.split('\n'))
      expect(line).not.toMatch(/^(It asks for nothing| {4}Run): EVIL/);
    return stdout + stderr;
  };

  test('a script: manifest, tools, results, errors, log', async () => {
    const text = JSON.stringify(evil);
    const source = file(
      'evil.ts',
      `const e = ${text};
       export const manifest = { name: 'evil', version: '1' + e, description: 'about' + e };
       export const tools = [{ name: 'tool', description: 'tool' + e, parameters: { type: 'object', properties: { ['p' + e]: { type: 'string', description: e } } }, run: () => e }];
       export function boom() { console.warn('log' + e); throw new Error('boom' + e); }
       export function give() { return { ['k' + e]: 'v' + e }; }`,
    );
    expect(await seen('plugin', 'inspect', source)).toContain('\\u001b]0;EVIL');
    await seen('plugin', 'add', source, '--yes');
    expect(await seen('plugin', 'list')).toContain('evil');
    await seen('plugin', 'inspect', 'evil');
    await seen('plugin', 'inspect', 'evil', '--json');
    expect(await seen('plugin', 'call', 'evil', 'boom')).toContain('boom\\u001b]0;EVIL');
    expect(await seen('plugin', 'call', 'evil', 'give')).toContain('k\\u001b]0;EVIL');
    await seen('plugin', 'call', 'evil', 'call-tool', '["tool", "{}"]');
    await seen('plugin', 'logs', 'evil');
    await seen('plugin', 'call', 'evil', evil.replaceAll('\u0000', ''));
  });

  test('a component: names, documentation, custom sections, refusals', async () => {
    const section = (name: string, body: string) => {
      const bytes = new TextEncoder().encode(`${name}${body}`);
      const label = new TextEncoder().encode(name).length;
      return [0, ...leb(bytes.length + 1), label, ...bytes];
    };
    const plain = await component(`(component
      (core module $m (func (export "f"))) (core instance $i (instantiate $m))
      (func (export "go") (canon lift (core func $i "f"))))`);
    const docs = `\u0000${JSON.stringify({ worlds: { w: { func_exports: { go: { docs: evil } } } } })}`;
    const made = Uint8Array.from([
      ...plain,
      ...section('px-docs', docs),
      ...section('name', evil),
      ...section(evil.slice(0, 40), evil),
    ]);
    const source = file('docs.wasm', made);
    expect(await seen('plugin', 'inspect', source)).toContain('go()');
    await seen('plugin', 'add', source, '--name', 'docs', '--yes');
    await seen('plugin', 'call', 'docs', 'go');
    const named = await component(`(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
      (func (export "go") (canon lift (core func $i "f"))))`);
    const bad = Buffer.from(named).toString('latin1').replaceAll('\u0002go', '\u0002\u001b[');
    expect(await seen('plugin', 'add', file('bad.wasm', Buffer.from(bad, 'latin1')))).toContain('px:');
    const asks = await component(`(component (import "evil:asks/for-it" (instance (export "go" (func)))))`);
    const wild = Buffer.from(asks).toString('latin1').replace('evil:asks/for-it', 'evil:as\u001b[2Jor-it');
    expect(await seen('plugin', 'add', file('wild.wasm', Buffer.from(wild, 'latin1')))).toContain('px:');
  });

  test('and nothing of it became a file', () => {
    for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
      expect(name).not.toMatch(forbidden);
      expect(name).not.toContain('EVIL');
    }
    const logs = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
    for (const name of logs) expect(readFileSync(join(home, name), 'utf8')).not.toMatch(forbidden);
  });
});

function leb(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >>> 7)];
}
