/**
 * Measures the memory: how well it finds (LoCoMo, Cranfield, against plain FTS5, when their data is there) and how far it reaches (a generated vault).
 * Prints the tables of docs/search.md, with bounds; takes about five minutes. Exit code 1 when a bound does not hold.
 * usage: bun scripts/bench/memory.ts [--notes N] [--data FOLDER] [--binary FILE] [--wait SECONDS] [--write]
 *   --notes   notes in the generated vault (100,000); 0 leaves the reach out     --data  where the collections are (../shared/data)
 *   --binary  the px that is started on the vault (dist/px)                      --wait  how long it rests before its memory is measured (40)
 *   --write   also write the tables to docs/search.md
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { indexOnce } from '../../src/memory/memory.ts';
import { testMemory } from '../../test/memory/home.ts';
import { type Row, table, verdict } from './measure.ts';
import { daemonReach } from './memory-daemon.ts';
import { machine } from './report.ts';
import { type Collection, cranfield, locomo, plainFts5, qualityOf, writeVault } from './retrieval.ts';

const { values } = parseArgs({
  options: {
    notes: { type: 'string', default: '100000' },
    binary: { type: 'string', default: resolve(import.meta.dir, '../../dist/px') },
    wait: { type: 'string', default: '40' },
    write: { type: 'boolean', default: false },
    data: { type: 'string', default: resolve(import.meta.dir, '../../../shared/data') },
  },
});

/** The figures of a collection as rows of the page, and px's against plain FTS5 as rows with bounds. */
async function quality({ name, notes, questions }: Collection): Promise<{ lines: string[]; rows: Row[] }> {
  await using t = await testMemory();
  writeVault(t.home.memory, notes);
  await indexOnce(t.home.root);
  const memory = await t.reopen();
  const px = (text: string) => memory.search(text, { limit: 40 }).map((hit) => hit.path);
  const plain = plainFts5(notes);
  const lines = (kind: string, some: Collection['questions']) =>
    [['plain FTS5', plain] as const, ['px', px] as const].map(([who, rank]) => {
      const { recall5, recall10, ndcg10, msPerQuestion } = qualityOf(some, rank);
      const figures = [recall5, recall10, ndcg10].map((one) => one.toFixed(1)).join(' | ');
      return {
        line: `| ${name}${kind} | ${who} | ${figures} |`,
        figures: { recall5, recall10, ndcg10 },
        msPerQuestion,
      };
    });
  for (const [kind, some] of Map.groupBy(questions, (one) => one.kind))
    if (kind !== '')
      console.log(
        lines(`, ${kind}`, some)
          .map((one) => one.line)
          .join('\n'),
      );
  const all = lines('', questions);
  const [base, own] = all.map((one) => one.figures);
  const rows = (['recall5', 'recall10', 'ndcg10'] as const).map((what) => ({
    what: `${name}: ${what}, plain FTS5 against px`,
    value: (base?.[what] ?? 0) / (own?.[what] ?? 1),
    unit: 'x',
    bound: 1,
  }));
  return { lines: all.map((one) => one.line), rows };
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

async function reach(count: number): Promise<Row[]> {
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
    what: `first index of ${count} notes, each thousand (333 ms are 3,000 notes a second)`,
    value: (first / count) * 1e6,
    unit: 'ms',
    bound: 333,
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
  return rows;
}

/** Puts a table where docs/search.md has a mark for it. */
function write(name: string, text: string): void {
  const page = resolve(import.meta.dir, '../../docs/search.md');
  const now = readFileSync(page, 'utf8');
  const mark = new RegExp(`(<!-- measured: ${name} -->\\n)[\\s\\S]*?(<!-- /measured -->)`);
  if (!mark.test(now)) throw new Error(`docs/search.md has no place for ${name}`);
  writeFileSync(
    page,
    now.replace(mark, (_, from: string, to: string) => `${from}${text}\n${to}`),
  );
}

const rows: Row[] = [];
const lines = ['| | ranking | R@5 | R@10 | nDCG@10 |', '|---|---|---|---|---|'];
for (const collection of [
  locomo(join(values.data, 'locomo/locomo-dev.json')),
  cranfield(join(values.data, 'cranfield')),
]) {
  if (!collection) continue;
  const found = await quality(collection);
  lines.push(...found.lines);
  rows.push(...found.rows);
}
if (lines.length > 2) {
  console.log(`\n${lines.join('\n')}`);
  if (values.write) write('quality', lines.join('\n'));
}
if (Number(values.notes) > 0) {
  const reached = await reach(Number(values.notes));
  rows.push(...reached);
  const text = `${machine()}\n\n${table(reached)}`;
  console.log(`\n${text}`);
  if (values.write) write('reach', text);
}
console.log(`\n${verdict(rows)}`);
process.exit(rows.some((row) => row.bound !== undefined && row.value > row.bound) ? 1 : 0);
