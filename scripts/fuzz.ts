/**
 * Breaks components and frames at random and looks whether px keeps its promises; what breaks one is written into the corpus, where every
 * test run tries it again. CI runs a fixed number with a fixed seed (test/plugin/fuzz.test.ts); this runs as long as wanted.
 *
 *   bun scripts/fuzz.ts [SECONDS] [SEED]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { corpusFolder, fuzz, targetNames } from '../test/plugin/fuzz/run.ts';

const seconds = Number(process.argv[2] ?? 60);
let seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const until = performance.now() + seconds * 1000;
const known = new Set<string>();
let found = 0;
while (performance.now() < until)
  for (const target of targetNames) {
    const { runs, made, panics, crashes } = await fuzz(target, target === 'translate' ? 300 : 4000, ++seed);
    console.log(
      `${target} seed ${seed}: ${runs} runs, ${made} translated, ${panics} panics, ${crashes.length} crashes`,
    );
    for (const { bytes, error } of crashes) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const kind = why.replace(/\d+/g, 'N');
      if (known.has(kind)) continue;
      known.add(kind);
      found++;
      const name = `crash-${new Bun.CryptoHasher('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`;
      writeFileSync(join(corpusFolder, name), bytes);
      console.log(`  ${name}: ${why}\n${error instanceof Error ? error.stack : ''}`);
    }
  }
process.exit(found > 0 ? 1 : 0);
