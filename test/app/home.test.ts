import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCarried } from '../../src/app/carried.ts';
import { writeStarterNotes } from '../../src/app/starter.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import type { PluginInfo } from '../../src/plugin/plugin.ts';
import type { PluginSummary } from '../../src/wire/wire.ts';

function home() {
  const root = mkdtempSync(join(tmpdir(), 'px-home-'));
  const at = (name: string) => join(root, name);
  mkdirSync(at('state'));
  return { root, config: at('px.yaml'), memory: at('memory'), plugins: at('plugins'), state: at('state') };
}

describe('starter notes', () => {
  test('a new home gets them, and an old one keeps what its owner made of them', () => {
    const at = home();
    expect(writeStarterNotes(at)).toBe(true);
    for (const name of ['SOUL.md', 'USER.md', 'MEMORY.md', 'AGENTS.md'])
      expect(existsSync(join(at.memory, name))).toBe(true);
    rmSync(join(at.memory, 'SOUL.md'));
    writeFileSync(join(at.memory, 'USER.md'), 'mine');
    expect(writeStarterNotes(at)).toBe(false);
    expect(existsSync(join(at.memory, 'SOUL.md'))).toBe(false);
    expect(readFileSync(join(at.memory, 'USER.md'), 'utf8')).toBe('mine');
  });
});

describe('carried plugins', () => {
  function make() {
    const at = home();
    const installed = new Map<string, PluginSummary>();
    const added: string[] = [];
    let sha = 'v1';
    let reads = 0;
    const plugins = {
      list: () => [...installed.values()],
      async add(name: string) {
        if (name === 'broken') throw new PxError('sandbox.unavailable', 'no seccomp');
        added.push(name);
        const summary = { name, version: '1', sha256: sha, source: `px:${name}` };
        installed.set(name, summary as PluginSummary);
        return summary as PluginInfo;
      },
    };
    const logged: string[] = [];
    const log = createLog({ sinks: [(entry) => logged.push(`${entry.level} ${entry.message}`)] });
    const start = (digest: string, names = ['clock'], given = true) => {
      sha = digest;
      const carried = async () => {
        reads++;
        return names.map((name) => ({ name, sha256: digest, given }));
      };
      return installCarried({ carried, plugins, home: at, log, version: digest, executable: process.execPath });
    };
    return { installed, added, logged, start, reads: () => reads };
  }

  test('are installed at the first start, and only then', async () => {
    const { added, start, reads } = make();
    await start('v1');
    await start('v1');
    expect(added).toEqual(['clock']);
    expect(reads()).toBe(1);
  });

  test('are brought up to date by a newer px', async () => {
    const { added, installed, start } = make();
    await start('v1');
    await start('v2');
    expect(added).toEqual(['clock', 'clock']);
    expect(installed.get('clock')?.sha256).toBe('v2');
  });

  test('one that is only there to be added is not, and is brought up to date once it was', async () => {
    const { added, installed, start } = make();
    await start('v1', ['weather'], false);
    expect(added).toEqual([]);
    installed.set('weather', { name: 'weather', sha256: 'v1', source: 'px:weather' } as PluginSummary);
    await start('v2', ['weather'], false);
    expect(added).toEqual(['weather']);
  });

  test('stay away once removed, also in a newer px', async () => {
    const { added, installed, start } = make();
    await start('v1');
    installed.delete('clock');
    await start('v1');
    await start('v2');
    expect(added).toEqual(['clock']);
  });

  test('do not replace one a person put in their place', async () => {
    const { added, installed, start } = make();
    await start('v1');
    const own = installed.get('clock');
    if (own) installed.set('clock', { ...own, sha256: 'mine', source: '/home/ada/clock.wasm' });
    await start('v2');
    expect(added).toEqual(['clock']);
  });

  test('one that fails is told, tried again at the next start, and does not stop the others', async () => {
    const { added, logged, start } = make();
    await start('v1', ['broken', 'clock']);
    await start('v1', ['broken', 'clock']);
    expect(added).toEqual(['clock']);
    expect(logged.filter((line) => line.includes('broken could not be installed: no seccomp'))).toHaveLength(2);
  });
});
