import { expect, spyOn, test } from 'bun:test';
import type { ErrorShape } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import type { ModelEvent } from '../../src/model/model.ts';
import { withRetry } from '../../src/model/retry.ts';
import { never } from './fakes.ts';

const busy: ErrorShape = { code: 'model.overloaded', message: 'busy', retryable: true };

/** How long each further attempt was waited for, in ms, of a model that fails each time. */
async function waits(chance: number, error = busy): Promise<number[]> {
  const log = createLog();
  const told: number[] = [];
  const info = spyOn(log, 'info').mockImplementation((_, data) => {
    told.push(Number(data?.['waitMs']));
  });
  using random = spyOn(Math, 'random').mockReturnValue(chance);
  async function* fails(): AsyncIterable<ModelEvent> {
    yield { type: 'end', reason: 'error', error };
  }
  const events = await Array.fromAsync(withRetry(fails, { signal: never, log, baseMs: 10 }));
  expect(events).toEqual([{ type: 'end', reason: 'error', error }]);
  expect(info).toHaveBeenCalledTimes(2);
  expect(random.mock.calls.length).toBe(error === busy ? 2 : 0);
  return told;
}

test('the pauses grow, and no two programs that fail together come back together', async () => {
  expect(await waits(0)).toEqual([5, 10]);
  expect(await waits(0.5)).toEqual([10, 20]);
  expect(await waits(0.99)).toEqual([15, 30]);
});

test('a pause the provider asks for is kept as it is', async () => {
  expect(await waits(0.99, { ...busy, data: { retryAfterMs: 7 } })).toEqual([7, 7]);
});
