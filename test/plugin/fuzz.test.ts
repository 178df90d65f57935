import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { prepareComponent } from '../../src/plugin/prepare.ts';
import { verb } from './forced.ts';
import { mutate } from './fuzz/mutate.ts';
import { createRandom } from './fuzz/random.ts';
import { corpus, fuzz, type TargetName, targetNames } from './fuzz/run.ts';
import { codeOf } from './home.ts';

/** How many broken files each reader is given here; `bun scripts/fuzz.ts` goes on for as long as wanted. */
const budget: Record<TargetName, number> = {
  types: 8_000,
  core: 12_000,
  frames: 4_000,
  manifest: 6_000,
  translate: 500,
};
const what: Record<TargetName, string> = {
  types: 'the WIT reader',
  core: 'the name check and the cap rewriter',
  frames: 'the frame decoder',
  manifest: 'the manifest reader',
  translate: 'the transpiler, behind the checks',
};
const seed = 20261122;

describe('bytes that may be anything', () => {
  for (const target of targetNames)
    test(`${what[target]}: answers or refuses, in time, and keeps every promise`, async () => {
      const { runs, made, crashes } = await fuzz(target, budget[target], seed);
      expect(crashes.map(({ bytes, error }) => `${error} ${bytes.toBase64()}`)).toEqual([]);
      expect(runs).toBeGreaterThan(budget[target]);
      if (target === 'translate') expect(made).toBeGreaterThan(budget[target] / 30);
    }, 120_000);

  test('the whole preparation in its locked process ends with a refusal of its own or with checked files', async () => {
    const random = createRandom(seed);
    const files = corpus().map(([, bytes]) => bytes);
    const pick = () => files[random.below(files.length)] ?? new Uint8Array();
    const options = { command: verb('__prepare'), mode: 'required' as const };
    const inputs = [...files, ...Array.from({ length: 12 }, () => mutate(pick(), pick(), random))];
    for (const bytes of inputs)
      expect(await codeOf(prepareComponent(options, bytes, 8))).toMatch(
        /^(ok|plugin\.(invalid|imports|unsafe|memory))$/,
      );
    expect(existsSync('PLANTED')).toBe(false);
  }, 120_000);

  test('a component whose strings are latin1+utf16, over which the transpiler panics, is refused with the reason', async () => {
    const [, bytes] = corpus().find(([name]) => name === 'latin1-utf16.wasm') ?? ['', new Uint8Array()];
    const work = prepareComponent({ command: verb('__prepare'), mode: 'required' }, bytes, 8);
    expect(work).rejects.toThrow('latin1+utf16');
    expect(await codeOf(work)).toBe('plugin.invalid');
  });
});
