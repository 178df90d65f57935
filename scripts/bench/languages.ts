/**
 * One example in every language px's authors use, measured in the executable, and printed as a table. Takes about two minutes.
 * usage: bun scripts/bench/languages.ts [--binary FILE] [--write]      --write: also into docs/languages.md
 */
import { writeFileSync } from 'node:fs';
import { arch, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { binary as usual } from '../../test/e2e/px.ts';
import { type Guest, guests, ownMiB, sizeOf, startBench } from './guests.ts';
import { median } from './measure.ts';

const { values } = parseArgs({
  options: { binary: { type: 'string', default: usual }, write: { type: 'boolean', default: false } },
});

const short = { idle_ms: 250 };
const limits = Object.fromEntries(guests.map(({ name }) => [name, short]));
await using bench = await startBench(resolve(values.binary), limits);

async function measure(guest: Guest): Promise<string> {
  const added = await bench.add(guest);
  const cold: number[] = [];
  for (let i = 0; i < 7; i++) {
    await bench.resting();
    cold.push((await bench.call(guest.name, 'add', i, 2)).ms);
  }
  const warm = async (fn: string, ...args: (string | number)[]) => {
    const times: number[] = [];
    for (let i = 0; i < 300; i++) times.push((await bench.call(guest.name, fn, ...args)).ms);
    // The first ones are made while the engine still compiles.
    return median(times.slice(50));
  };
  const add = await warm('add', 1, 2);
  const greet = await warm('greet', 'Zoë');
  const pid = bench.pid(guest.name);
  const own = pid === undefined ? Number.NaN : ownMiB(pid);
  const size = sizeOf(guest);
  const shown = size < 1e6 ? `${(size / 1e3).toFixed(1)} KB` : `${(size / 1e6).toFixed(1)} MB`;
  return `| ${guest.language} | ${shown} | ${(added / 1000).toFixed(1)} s | ${median(cold).toFixed(0)} ms | ${add.toFixed(2)} ms | ${greet.toFixed(2)} ms | ${own.toFixed(0)} MiB |`;
}

const rows: string[] = [];
for (const guest of guests) rows.push(await measure(guest));
const table = [
  '| language | file | `px plugin add` | first call | warm call | with a host call | own memory |',
  '|---|---|---|---|---|---|---|',
  ...rows,
].join('\n');
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${arch()}; load average at the end ${loadavg()
  .map((n) => n.toFixed(1))
  .join(', ')}`;
console.log(`${table}\n\n${machine}`);
if (values.write)
  writeFileSync(
    join(import.meta.dir, '../../docs/languages.md'),
    `# Languages

Written by \`bun scripts/bench/languages.ts --write\`; do not edit.

A plugin may be written in any language that makes WebAssembly components. The same small world,
[\`plugins/example.wit\`](../plugins/example.wit), stands in [\`plugins/\`](../plugins/README.md) in each of these, built by its usual toolchain, and
[one suite](../test/plugin/languages.test.ts) runs on all of them.

${table}

- Machine: ${machine}.
- \`px plugin add\`: the whole command, in which the file is checked, translated and started once. Later starts take it from the cache.
- First call: no process ran; median of 7. Warm call: \`add(1, 2)\`, and \`greet\` with a line into px's log; median of 250. As px counts them
  (\`ms\` of the event \`plugin.call\`), without HTTP.
- Own memory: pages the plugin's process wrote to, after 600 calls; the others are the executable's, which it shares with the daemon. Without a call the process ends after \`idle_ms\`.
`,
  );
