/**
 * Measures what px promises of its sandbox and prints a table: memory of working plugins and after them, plugins that loop, and what fifty
 * installed ones cost. Takes about five minutes; leave the machine alone meanwhile. Exit code 1 when a bound does not hold.
 * usage: bun scripts/bench/plugins.ts [--binary FILE] [--only memory|left|loops|fifty] [--write]      --write: also into docs/bench-plugins.md
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { binary as usual } from '../../test/e2e/px.ts';
import { type Bench, type Guest, guests, ownMiB, percentile, startBench } from './guests.ts';
import { median, type Row, table, treeRssMiB, verdict } from './measure.ts';

const { values } = parseArgs({
  options: {
    binary: { type: 'string', default: usual },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
if (values.write && values.only) throw new Error('--write is for all parts together');
const binary = resolve(values.binary);
const rows: Row[] = [];
/** Until px has given back what work left behind, in ms. */
const settled = 15_000;

function guest(name: string): Guest {
  const found = guests.find((g) => g.name === name);
  if (!found) throw new Error(`the example ${name} is not built: bun scripts/build-plugins.ts --examples`);
  return found;
}

/** Own memory of a plugin that works. */
async function ownMemory(): Promise<void> {
  const slow = { idle_ms: 2500 };
  await using bench = await startBench(binary, { rust: slow, ts: slow });
  for (const [name, bound] of [
    ['rust', 12],
    ['ts', 21],
  ] as const) {
    await bench.add(guest(name));
    const own: number[] = [];
    for (let i = 0; i < 3; i++) {
      await bench.resting();
      for (let n = 0; n < 10; n++) await bench.call(name, 'greet', `number ${n}`);
      await Bun.sleep(1500);
      const pid = bench.pid(name);
      if (pid !== undefined) own.push(ownMiB(pid));
    }
    const what = `own memory of a working plugin: ${guest(name).language}`;
    rows.push({ what, value: median(own), unit: 'MiB', bound });
  }
}

/** What is left of plugins after fifty starts. */
async function leftMemory(): Promise<void> {
  const quick = { idle_ms: 50 };
  await using bench = await startBench(binary, { rust: quick, ts: quick });
  for (const name of ['rust', 'ts']) {
    await bench.add(guest(name));
    await cycles(bench, name, 5);
    await Bun.sleep(settled);
    const before = treeRssMiB(bench.px.pid);
    await cycles(bench, name, 50);
    await Bun.sleep(settled);
    const grown = treeRssMiB(bench.px.pid) - before;
    const what = `memory left by 50 starts and stops: ${guest(name).language}`;
    rows.push({ what, value: grown, unit: 'MiB', bound: 1 });
  }
}

async function cycles(bench: Bench, name: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await bench.call(name, 'greet', `number ${i}`);
    await bench.resting();
  }
}

/** A plugin that loops: how late it is stopped, and whether px answers meanwhile. */
async function loops(): Promise<void> {
  const cpuMs = 1000;
  await using bench = await startBench(binary, { rust: { cpu_ms: cpuMs }, ts: { cpu_ms: cpuMs } });
  for (const name of ['rust', 'ts']) {
    await bench.add(guest(name));
    const late: number[] = [];
    const health: number[] = [];
    for (let i = 0; i < 4; i++) {
      await bench.call(name, 'add', 1, 2);
      const spin = bench.call(name, 'spin');
      let running = true;
      void spin.finally(() => {
        running = false;
      });
      while (running) {
        const begun = performance.now();
        await fetch(`${bench.px.url}/healthz`);
        health.push(performance.now() - begun);
        await Bun.sleep(2);
      }
      late.push((await spin).ms - cpuMs);
      // A few faults stop a plugin for good.
      await bench.px.run('plugin', 'resume', name);
    }
    const { language } = guest(name);
    rows.push({
      what: `a looping plugin stops after its limit by: ${language}`,
      value: median(late),
      unit: 'ms',
      bound: 50,
    });
    rows.push({
      what: `\`/healthz\` meanwhile, p99 of ${health.length}: ${language}`,
      value: percentile(health, 99),
      unit: 'ms',
      bound: 20,
    });
  }
}

/** Start and memory at rest of two homes in turn, one with fifty plugins more. */
async function fifty(): Promise<void> {
  await using none = await startBench(binary);
  await using many = await startBench(binary);
  for (let i = 1; i <= 50; i++) await many.add(guest(i % 2 ? 'rust' : 'ts'), `guest-${i}`);
  const homes = [none, many].map(({ px }) => ({ px, starts: [] as number[], memory: [] as number[] }));
  for (let i = 0; i < 15; i++)
    for (const { px, starts } of homes) {
      await px.stop();
      const begun = performance.now();
      await px.serve();
      starts.push(performance.now() - begun);
    }
  for (let i = 0; i < 3; i++) {
    for (const { px } of homes) {
      await px.stop();
      await px.serve();
    }
    await Bun.sleep(settled);
    for (const { px, memory } of homes) memory.push(treeRssMiB(px.pid));
  }
  const [less, more] = homes.map(({ starts, memory }) => ({ start: median(starts), memory: median(memory) }));
  if (!less || !more) throw new Error('no home');
  rows.push({ what: 'start to ready, p50 of 15', value: less.start, unit: 'ms', bound: undefined });
  rows.push({ what: 'start to ready with fifty plugins more', value: more.start, unit: 'ms', bound: less.start + 5 });
  rows.push({ what: 'memory at rest, whole tree', value: less.memory, unit: 'MiB', bound: undefined });
  rows.push({ what: 'memory with fifty plugins more', value: more.memory, unit: 'MiB', bound: less.memory + 1 });
}

const parts = { memory: ownMemory, left: leftMemory, loops, fifty };
for (const [name, measure] of Object.entries(parts))
  if (values.only === undefined || values.only === name) await measure();
const load = loadavg()
  .map((n) => n.toFixed(1))
  .join(', ');
console.log(`${table(rows)}\n\n${verdict(rows)}; load average at the end ${load}`);
if (values.write)
  writeFileSync(
    join(import.meta.dir, '../../docs/bench-plugins.md'),
    `# Measurements of the sandbox

Written by \`bun scripts/bench/plugins.ts --write\`; do not edit. Bounds are those px promises. Load average at the end: ${load}.

${table(rows)}

${verdict(rows)}

- Own memory: pages the plugin's process wrote to; the others are the executable's, which it shares with the daemon.
- Left by starts and stops: resident memory of the daemon and its children, ${settled / 1000} s after the last stop, less that before the first.
- The processor time of a process is counted by the kernel in steps of 10 ms, and on a busy machine passes slower than the clock.
`,
  );
process.exit(rows.some((r) => r.bound !== undefined && r.value > r.bound) ? 1 : 0);
