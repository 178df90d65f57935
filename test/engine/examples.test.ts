import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import { readComponent } from '../../src/plugin/wit/read.ts';
import { runComponent } from './component.ts';
import { guestError, runScript } from './run.ts';

const built = (name: string) => join(import.meta.dir, '../../build/plugins', name);
/** The examples need cargo and clang; `scripts/build-plugins.ts --examples` builds them. */
const whenBuilt = (name: string) => (existsSync(built(name)) ? test : test.skip);
const bytes = async (name: string) => new Uint8Array(await Bun.file(built(name)).arrayBuffer());

describe('clock', () => {
  test('tells date, time and weekday, in the zone asked for or set', async () => {
    let now = 0n;
    let setting: string | undefined;
    const clock = (await bundledPlugins())['clock']?.file ?? new Uint8Array();
    expect(clock.length).toBeLessThan(15_000);
    expect(readComponent(clock).functions[0]?.docs).toContain('The current date');
    const call = await runComponent(clock, { now: () => now, configGet: () => setting });
    now = 1_790_000_000_123n;
    expect(call('now', null)).toEqual({
      text: 'Monday, 21 September 2026, 14:13',
      iso: '2026-09-21T14:13:20Z',
      weekday: 'Monday',
      unix: 1_790_000_000,
    });
    setting = '-90';
    expect(call('now', null)).toMatchObject({ iso: '2026-09-21T12:43:20-01:30' });
    expect(call('now', 330)).toMatchObject({ iso: '2026-09-21T19:43:20+05:30' });
    setting = undefined;
    for (let day = 0; day < 40_000; day += 13) {
      now = BigInt(day) * 86_400_000n + 3_599_000n;
      const date = new Date(Number(now));
      expect(call('now', null)).toMatchObject({
        iso: date.toISOString().replace('.000', ''),
        weekday: date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' }),
      });
    }
  });
});

describe('examples', () => {
  test('TypeScript: two tools in one file, one of which remembers', async () => {
    const source = Bun.file(join(import.meta.dir, '../../plugins/example-ts/example-ts.ts'));
    const { call } = await runScript(await source.text(), 'example-ts.ts');
    for (let i = 0; i < 50; i++) {
      const { rolls, total } = call('roll', '2d6 + 1') as { rolls: number[]; total: number };
      expect(rolls.every((n) => Number.isInteger(n) && n >= 1 && n <= 6)).toBe(true);
      expect([rolls.length, total]).toEqual([2, rolls.reduce((sum, n) => sum + n, 1)]);
    }
    expect(JSON.stringify(call('call-tool', 'roll', '{"dice":"d20"}'))).toContain('rolls');
    expect(call('favourite', '99d2')).toBe('Favourite dice: 99d2');
    expect(call('roll')).toMatchObject({ total: expect.any(Number), rolls: { length: 99 } });
    expect(guestError(() => call('roll', 'a lot'))).toContain('not dice: a lot');
  });

  whenBuilt('example-rust-text-stats.wasm')('Rust: a tool with an interface, options and documentation', async () => {
    const component = await bytes('example-rust-text-stats.wasm');
    const [count] = readComponent(component).functions;
    expect(count).toMatchObject({ name: 'px:text-stats/stats@0.1.0#count', notCallable: '' });
    expect(count?.docs).toStartWith('Counts the lines');
    const call = await runComponent(component, {});
    expect(call('px:text-stats/stats@0.1.0#count', 'one two\nthree ü')).toEqual({
      lines: 2,
      words: 4,
      characters: 15,
      reading_seconds: 1,
    });
    expect(call('px:text-stats/stats@0.1.0#top-words', 'b a B', 1)).toEqual([['b', 2]]);
    expect(guestError(() => call('px:text-stats/stats@0.1.0#top-words', 'b', 0))).toBe('limit must be from 1 to 100');
  });

  for (const crate of ['echo-channel', 'echo-channel-seed'])
    whenBuilt(`example-rust-${crate}.wasm`)(`Rust: ${crate} keeps what is posted and gives it back once`, async () => {
      const kv = new Map<string, Uint8Array>();
      const call = await runComponent(await bytes(`example-rust-${crate}.wasm`), {
        log: () => {},
        kvSet: (key: string, value: Uint8Array) => void kv.set(key, value.slice()),
        kvGet: (key: string) => {
          const value = kv.get(key);
          if (!value) throw 'not-found';
          return value;
        },
      });
      expect(call('poll-events')).toEqual([]);
      expect(call('post-message', 'room', 'hé\nyou')).toBe('1');
      expect(call('poll-events')).toEqual([
        { id: '1', sender: { id: 'echo', display_name: 'Echo' }, text: 'hé\nyou', metadata: '{"channel":"room"}' },
      ]);
      expect(call('poll-events')).toEqual([]);
      expect(guestError(() => call('post-message', 'room', ''))).toBe('refused: there is nothing to send');
    });
});
