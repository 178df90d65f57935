import { describe, expect, test } from 'bun:test';
import { progressLine, withProgress } from '../../src/cli/progress.ts';
import { silentIo } from './io.ts';

describe('progress of long work', () => {
  test('is a bar with a share of a known total, and a count without one', () => {
    expect(progressLine('indexing', { done: 4600, total: 10_000, unit: 'notes' })).toBe(
      'indexing  ███████████               46%  4,600 of 10,000 notes',
    );
    expect(progressLine('indexing', { done: 12_000, total: 10_000, unit: 'notes' })).toContain('█ 100%');
    expect(progressLine('indexing', { done: 7, unit: 'notes' })).toBe('indexing  7 notes');
  });

  test('is shown at a terminal while the work goes on, and gone when it is done', async () => {
    const lines: string[] = [];
    const io = silentIo({ watched: true, progress: (line) => lines.push(line) });
    const { promise, resolve } = Promise.withResolvers<string>();
    let looks = 0;
    const done = await withProgress(io, 'indexing', promise, () => {
      if (++looks === 2) resolve('done');
      return { done: looks, total: 2, unit: 'notes' };
    });
    expect(done).toBe('done');
    expect(lines[0]).toContain('50%  1 of 2 notes');
    expect(lines.at(-1)).toBe('');
  });

  test('hides nothing of a failure, of the work or of the looking', async () => {
    const io = silentIo({ watched: true });
    const looking = withProgress(io, 'x', Bun.sleep(200), () => Promise.reject(new Error('no status')));
    expect(await looking.then(() => 'well')).toBe('well');
    const failed = withProgress(io, 'x', Promise.reject(new Error('disk full')), () => undefined);
    expect(failed).rejects.toThrow('disk full');
  });

  test('is nothing where no person watches', async () => {
    const io = silentIo({
      progress: (line) => {
        if (line !== '') throw new Error('shown');
      },
    });
    expect(await withProgress(io, 'x', Bun.sleep(1), () => undefined)).toBeUndefined();
  });
});
