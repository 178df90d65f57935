import { readFileSync } from 'node:fs';
import { arch, cpus, getPriority, loadavg, release, totalmem } from 'node:os';
import { type Row, table, verdict } from './measure.ts';

/** What a run was measured on, as Markdown. */
export function machine(): string {
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  const cores = cpus();
  const load = loadavg()
    .map((n) => n.toFixed(1))
    .join(', ');
  return `- Machine: ${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}, ${arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB
- System: ${system}, Linux ${release()}, Bun ${Bun.version}
- Load average at the end (1, 5, 15 minutes): ${load}; nice value ${getPriority()}`;
}

/** The page docs/bench.md: the table of one run and what it was measured on. */
export function report(rows: Row[]): string {
  return `# Measurements

Written by \`bun scripts/bench/bench.ts --write\`; do not edit. Bounds are those px promises; \`empty program\` is an empty Bun program compiled
with the same flags and measured in the same run. One process on the same machine is both the Telegram server and the model.

${machine()}

${table(rows)}

${verdict(rows)}

- At rest: 60 s after the start, Telegram polling, three plugins installed, 10,000 notes indexed. RSS is the sum of \`VmRSS\` over the daemon
  and its children. After work: 60 s after the last of 100 turns with a tool call each, through the \`openai\` package.
- A first call begins when the plugin's process has ended and px has given its own memory back: it pays for both.
- A tool call is timed by px itself, around policy, argument check, the call and the scrubbing of the result: \`ms\` of \`turn.tool-result\`.
  Warm calls are made by turns of ten calls each, a model call before each of them; the first call of a turn comes after everything a turn
  begins with, and is shown by itself too.
`;
}
