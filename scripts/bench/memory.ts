/**
 * Measures the memory: how well it finds (LoCoMo, Cranfield, against plain FTS5, when their data is there) and how far it reaches (a generated vault).
 * usage: bun scripts/bench/memory.ts [--notes N] [--data FOLDER] [--binary FILE] [--wait SECONDS]
 *   --notes   notes in the generated vault (100,000); 0 leaves the reach out     --data  where the collections are (../shared/data)
 *   --binary  the px that is started on the vault (dist/px)                      --wait  how long it rests before its memory is measured (40)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { indexOnce } from '../../src/memory/memory.ts';
import { testMemory } from '../../test/memory/home.ts';
import { type Row, table } from './measure.ts';
import { daemonReach } from './memory-daemon.ts';
import { type Collection, cranfield, locomo, plainFts5, type Quality, qualityOf, writeVault } from './retrieval.ts';

const { values } = parseArgs({
  options: {
    notes: { type: 'string', default: '100000' },
    binary: { type: 'string', default: resolve(import.meta.dir, '../../dist/px') },
    wait: { type: 'string', default: '40' },
    data: { type: 'string', default: resolve(import.meta.dir, '../../../shared/data') },
  },
});

const line = (name: string, q: Quality) =>
  `| ${name} | ${q.recall5.toFixed(1)} | ${q.recall10.toFixed(1)} | ${q.ndcg10.toFixed(1)} | ${q.msPerQuestion.toFixed(2)} |`;

async function quality({ name, notes, questions }: Collection): Promise<void> {
  await using t = await testMemory();
  writeVault(t.home.memory, notes);
  await indexOnce(t.home.root);
  const memory = await t.reopen();
  const px = (text: string) => memory.search(text, { limit: 40 }).map((hit) => hit.path);
  const plain = plainFts5(notes);
  const rows = [line('plain FTS5', qualityOf(questions, plain)), line('px', qualityOf(questions, px))];
  for (const [kind, some] of Map.groupBy(questions, (one) => one.kind))
    if (kind !== '')
      rows.push(line(`plain, ${kind}`, qualityOf(some, plain)), line(`px, ${kind}`, qualityOf(some, px)));
  console.log(`\n${name}: ${notes.size} notes, ${questions.length} questions\n`);
  console.log(['| ranking | R@5 | R@10 | nDCG@10 | ms a question |', '|---|---|---|---|---|', ...rows].join('\n'));
}

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A word of the generated language: few are frequent, most are rare, as people write. */
function word(random: () => number): string {
  const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');
  let n = Math.floor(60_000 ** random());
  let text = '';
  do {
    text += syllables[n % 20];
    n = Math.floor(n / 20);
  } while (n > 0);
  return text;
}

/** Writes so many generated notes; returns what makes more words. */
function writeNotes(folder: string, count: number): (n: number) => string {
  const random = randomFrom(42);
  const words = (n: number) => Array.from({ length: n }, () => word(random)).join(' ');
  for (let n = 0; n < count; n++) {
    const below = join(folder, `f${n % 200}`);
    if (n < 200) mkdirSync(below, { recursive: true });
    writeFileSync(join(below, `${n}.md`), `# ${words(3)}\n\n${words(40)}\n\n## ${words(2)}\n\n${words(60)}\n`);
  }
  return words;
}

async function reach(count: number): Promise<void> {
  await using t = await testMemory();
  const { root } = t.home;
  const words = writeNotes(join(root, 'memory'), count);
  const seconds = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
  };
  const rows: Row[] = [];
  const first = await seconds(() => indexOnce(root));
  rows.push({
    what: `first index, seconds a thousand of ${count} notes`,
    value: (first / count) * 1000,
    unit: 's',
    bound: 1 / 3,
  });
  rows.push({ what: 're-check of all files', value: await seconds(() => indexOnce(root)), unit: 's', bound: 2 });
  const memory = await t.reopen();
  const times = Array.from({ length: 500 }, (_, n) => {
    const question = words(3 + (n % 5));
    const started = performance.now();
    memory.search(question);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  rows.push({ what: 'search, p50', value: times[250] ?? Number.NaN, unit: 'ms', bound: 5 });
  rows.push({ what: 'search, p99', value: times[495] ?? Number.NaN, unit: 'ms', bound: 25 });
  rows.push(...(await daemonReach(values.binary, count, writeNotes, Number(values.wait) * 1000)));
  console.log(`\n${table(rows)}`);
}

for (const collection of [
  locomo(join(values.data, 'locomo/locomo-dev.json')),
  cranfield(join(values.data, 'cranfield')),
])
  if (collection) await quality(collection);
if (Number(values.notes) > 0) await reach(Number(values.notes));
