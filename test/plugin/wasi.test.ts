import { describe, expect, test } from 'bun:test';
import { endLines, inertWasi, isInertWasi } from '../../src/plugin/child/wasi.ts';
import { inertSockets } from '../../src/plugin/child/wasi-sockets.ts';

interface Waits {
  ready(): boolean;
  block(): void;
}
type Functions = Record<string, (...args: unknown[]) => unknown>;

describe('WASI that reaches nothing', () => {
  const lines: string[] = [];
  const wasi = inertWasi((level, line) => lines.push(`${level} ${line}`));
  const of = (name: string) => wasi[name] as Functions;

  test('sleeps as long as asked, and poll waits for the first that is ready', () => {
    const clock = of('wasi:clocks/monotonic-clock');
    const begun = performance.now();
    const soon = clock['subscribeDuration']?.(40_000_000n) as Waits;
    const late = clock['subscribeInstant']?.((clock['now']?.() as bigint) + 3_600_000_000_000n) as Waits;
    expect([soon.ready(), late.ready()]).toEqual([false, false]);
    expect(of('wasi:io/poll')['poll']?.([late, soon])).toEqual(Uint32Array.of(1));
    const slept = performance.now() - begun;
    expect(slept).toBeGreaterThanOrEqual(39);
    expect(slept).toBeLessThan(1000);
    expect([soon.ready(), late.ready()]).toEqual([true, false]);
  });

  test('gives no variable, no argument, no folder, no input', () => {
    expect(of('wasi:cli/environment')['getEnvironment']?.()).toEqual([]);
    expect(of('wasi:cli/environment')['getArguments']?.()).toEqual([]);
    expect(of('wasi:filesystem/preopens')['getDirectories']?.()).toEqual([]);
    const input = of('wasi:cli/stdin')['getStdin']?.() as Functions;
    expect(() => input['read']?.(10n)).toThrow();
  });

  test('writes what is printed into the log, line by line, of bounded length', () => {
    const out = of('wasi:cli/stdout')['getStdout']?.() as Functions;
    const text = (s: string) => new TextEncoder().encode(s);
    const [one, two] = [text('grü'), text('ße\nsecond')];
    for (const bytes of [one.subarray(0, 3), one.subarray(3), two]) out['write']?.(bytes);
    out['blockingWriteAndFlush']?.(text(`${'x'.repeat(10_000)}\n`));
    expect(lines[0]).toBe('info grüße');
    expect(lines[1]?.length).toBeLessThan(20_000);
  });

  test('ends a line that a call left open, once', () => {
    const out = of('wasi:cli/stdout')['getStdout']?.() as Functions;
    const before = lines.length;
    out['write']?.(new TextEncoder().encode('no line end'));
    endLines();
    endLines();
    expect(lines.slice(before)).toEqual(['info no line end']);
  });

  test('has sockets, none of which can be had', () => {
    const sockets = inertSockets() as Record<string, Functions>;
    for (const [iface, fn] of [
      ['wasi:sockets/tcp-create-socket', 'createTcpSocket'],
      ['wasi:sockets/udp-create-socket', 'createUdpSocket'],
      ['wasi:sockets/ip-name-lookup', 'resolveAddresses'],
    ] as const) {
      let thrown: unknown;
      try {
        sockets[iface]?.[fn]?.('ipv4');
      } catch (e) {
        thrown = e;
      }
      expect(thrown).toEqual({ payload: 'access-denied' });
    }
  });

  test('is each of these interfaces, and no other', () => {
    for (const name of [...Object.keys(wasi), ...Object.keys(inertSockets())]) {
      expect([name, isInertWasi(name), isInertWasi(`${name}@0.2.9`)]).toEqual([name, true, true]);
      expect([isInertWasi(`${name}@0.3.0`), isInertWasi(`${name}-more`), isInertWasi(`x${name}`)]).not.toContain(true);
    }
    for (const name of ['wasi:http/outgoing-handler', 'wasi:keyvalue/store', 'wasi:filesystem/other', 'wasi:cli/run'])
      expect(isInertWasi(name)).toBe(false);
  });
});
