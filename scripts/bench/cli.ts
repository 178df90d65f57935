/**
 * Measures every verb that only asks, against a px that runs: wall time from start to end, and peak memory of its process. Takes half a
 * minute. Exit code 1 when a bound does not hold.
 * usage: bun scripts/bench/cli.ts [--binary FILE] [--write]      --write: also into docs/bench-cli.md
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Px, binary as usual } from '../../test/e2e/px.ts';
import { median, type Row, table, verdict } from './measure.ts';
import { machine } from './report.ts';

const { values } = parseArgs({
  options: { binary: { type: 'string', default: usual }, write: { type: 'boolean', default: false } },
});
const binary = resolve(values.binary);
const runs = 7;
const verbs = `status
plugin list
plugin inspect clock
plugin logs clock
memory search bicycle
memory list
memory show MEMORY.md
memory log
model list
config get
config check
config explain gateway.port
secret list
context
usage
pairing list
approvals list
inbox list
outbox list
schedule list
mcp list
audit show
audit verify
portal
completions bash
man
--help`.split('\n');

/** Verbs that go through a whole home: how long they take depends on it, their memory must not. */
const large = { notes: 10_000, fileMiB: 100 };

/** Made without growing: the peak that the system tells of a child is never below what its parent had. */
async function largeHome(): Promise<Px> {
  const home = new Px({ command: [binary], config: {} });
  const notes = join(home.home, 'memory/notes');
  mkdirSync(notes, { recursive: true });
  mkdirSync(join(home.home, 'state'));
  for (let n = 0; n < large.notes; n++)
    writeFileSync(join(notes, `${n}.md`), `# Note ${n}\n\n${'tea at five '.repeat(150)}\n`);
  const file = openSync(join(notes, 'picture.bin'), 'w');
  const piece = Buffer.alloc(2 ** 20);
  for (let mib = 0; mib < large.fileMiB; mib++) writeSync(file, randomFillSync(piece));
  closeSync(file);
  return home;
}

/** Runs a verb once: ms, and MiB at most. Throws when it fails: a fast refusal is no result. */
async function once(home: string, verb: string): Promise<{ ms: number; mib: number }> {
  const start = performance.now();
  const child = Bun.spawn([binary, '--home', home, ...verb.split(' ')], { stdin: 'ignore', stdout: 'ignore' });
  const code = await child.exited;
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`px ${verb} ended with ${code}`);
  return { ms, mib: (child.resourceUsage()?.maxRSS ?? Number.NaN) / 2 ** 20 };
}

await using px = await new Px({ command: [binary] }).serve();
await px.installed();
await px.run('chat', 'remember that my bicycle is called Gudrun');
const measured: { verb: string; ms: number; mib: number }[] = [];
for (const verb of verbs) {
  await once(px.home, verb);
  const all = [];
  for (let run = 0; run < runs; run++) all.push(await once(px.home, verb));
  measured.push({ verb, ms: median(all.map((one) => one.ms)), mib: median(all.map((one) => one.mib)) });
}
await using full = await largeHome();
const archive = join(full.home, 'px.tar.zst');
const whole = `${large.notes.toLocaleString('en-US')} notes and a file of ${large.fileMiB} MiB, peak memory`;
const backup = await once(full.home, `backup ${archive}`);
const restore = await once(join(full.home, 'restored'), `restore ${archive}`);
const rows: Row[] = measured.flatMap(({ verb, ms, mib }) => [
  { what: `\`px ${verb}\`, p50 of ${runs}`, value: ms, unit: 'ms', bound: 100 },
  { what: `\`px ${verb}\`, peak memory`, value: mib, unit: 'MiB', bound: 60 },
]);
rows.push(
  { what: `\`px backup\` of ${whole}`, value: backup.mib, unit: 'MiB', bound: 60 },
  { what: `\`px restore\` of it, peak memory`, value: restore.mib, unit: 'MiB', bound: 60 },
);
const text = `${table(rows)}\n\n${verdict(rows)}\n`;
console.log(text);
if (values.write)
  writeFileSync(
    join(import.meta.dir, '../../docs/bench-cli.md'),
    `# Measurements of the command line\n\nWritten by \`bun scripts/bench/cli.ts --write\`; do not edit. From start to end of the process, against a px that runs.\n\n${machine()}\n\n${text}`,
  );
// Not at once: the px that was measured ends first, and its homes go.
process.exitCode = rows.every((row) => row.value <= (row.bound ?? 0)) ? 0 : 1;
