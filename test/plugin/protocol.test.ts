import { describe, expect, test } from 'bun:test';
import * as v from 'valibot';
import { FromChild, readFromChild } from '../../src/plugin/protocol.ts';

describe('a frame from a child', () => {
  const frames: unknown[] = [
    { t: 'done', id: 1, ok: null },
    { t: 'done', id: 0, ok: { deep: ['x'] }, more: 'is dropped' },
    { t: 'host', n: 1, fn: 'log', args: [] },
    { t: 'host', n: 3, fn: 'x'.repeat(64), args: [1, { a: null }], more: 1 },
    { t: 'ready' },
    { t: 'failed', id: 2, err: 'no' },
    { t: 'refused', id: 2, why: 'output', message: 'm' },
    { t: 'trap', message: 'm' },
    { t: 'locked', layers: { seccomp: 'active' } },
    ...[null, undefined, 1, 'done', [], {}, { t: 'shutdown' }, { t: ['done'] }, { t: 'refused', id: 1, why: 'x' }],
    ...[{ id: -1 }, { id: 1.5 }, { id: '1' }, { id: null }, { id: Number.NaN }, {}].map((id) => ({
      t: 'done',
      ok: 1,
      ...id,
    })),
    { t: 'done', id: 1 },
    { t: 'host', n: -1, fn: 'log', args: [] },
    { t: 'host', n: 1, fn: 'x'.repeat(65), args: [] },
    { t: 'host', n: 1, fn: 7, args: [] },
    { t: 'host', n: 1, fn: 'log', args: { length: 0 } },
    { t: 'host', n: 1, fn: 'log' },
    JSON.parse('{"t":"host","n":1,"fn":"log","args":[],"__proto__":{"n":2}}'),
    JSON.parse('{"__proto__":{"t":"done","id":1,"ok":1}}'),
  ];
  test('read by hand is what its schema says, whatever is sent', () => {
    for (const frame of frames) {
      const told = v.safeParse(FromChild, frame);
      expect([frame, readFromChild(frame)]).toEqual([frame, told.success ? told.output : undefined]);
    }
  });
});
