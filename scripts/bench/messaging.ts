#!/usr/bin/env bun
/**
 * Many chats at once: `bun scripts/bench/messaging.ts [--rate 50] [--chats 50] [--seconds 60] [--px PATH] [--write]`. A fake Bot API brings messages, a mock
 * model answers at once; what is left between a message and its answer is px. Prints lost, order, latencies, memory and idle processor time;
 * `--write` puts them into docs/messaging.md. `TMPDIR=/dev/shm` leaves the disk out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Px, until } from '../../test/e2e/px.ts';
import { startBotApi } from '../../test/e2e/torture/bot-api.ts';
import { chance } from '../../test/e2e/torture/chance.ts';
import { startMockModel } from '../../test/e2e/torture/model.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '50' },
    chats: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    px: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const [rate, chats, seconds] = [Number(values.rate), Number(values.chats), Number(values.seconds)];
const dice = chance(1);
await using telegram = startBotApi({ chance: dice, failures: 0, holdMs: 50_000 });
await using model = startMockModel({ chance: dice, failures: 0 });
await using px = new Px({
  config: { ...telegram.config, ...model.config },
  env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
  ...(values.px === undefined ? {} : { command: [values.px] }),
});
await px.serve();
await px.installed(60_000);

/** Resident memory of px and its children, in MB. */
const rss = () =>
  [String(px.pid), ...px.children()].reduce((sum, pid) => {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
    return sum + Number(kb) / 1024;
  }, 0);
/** Processor time px and its ended children have used, in seconds. */
const cpu = () => {
  const fields = readFileSync(`/proc/${px.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) / 100;
};

await Bun.sleep(6_000);
const before = rss();
// The first answer that brings nothing wakes the plugin. From then on px is at rest; each minute has an answer in it.
const minute = 60;
await Bun.sleep(minute * 1_000);
const idleFrom = cpu();
await Bun.sleep(minute * 1_000);
const idle = ((cpu() - idleFrom) / minute) * 100;

const saidAt = new Map<string, number>();
const begun = performance.now();
const first = Date.now();
let said = 0;
const loadFrom = cpu();
while (said < rate * seconds) {
  const due = Math.min(rate * seconds, Math.ceil(((performance.now() - begun) / 1000) * rate));
  for (; said < due; said++) {
    const chat = 1 + (said % chats);
    const key = `[c${chat}m${1 + Math.floor(said / chats)}]`;
    saidAt.set(key, Date.now());
    telegram.say(chat, `${key} hello`);
  }
  await Bun.sleep(2);
}
await until('all answers', () => telegram.shown().length >= said, 60_000).catch(() => {});
const load = cpu() - loadFrom;
const late: number[] = [];
/** Those that came after the first second, in which px gets up from rest. */
const warm: number[] = [];
const last = new Map<number, number>();
let disorder = 0;
for (const { chat, text, at } of telegram.shown()) {
  const key = /\[c\d+m(\d+)\]/.exec(text);
  const since = saidAt.get(key?.[0] ?? '') ?? 0;
  late.push(at - since);
  if (since > first + 1_000) warm.push(at - since);
  const place = Number(key?.[1]);
  if (place <= (last.get(chat) ?? 0)) disorder += 1;
  last.set(chat, place);
}
const percentile = (list: number[], p: number) =>
  list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))] ?? 0;
const loaded = rss();
// The last wait for the platform ends in it, and five quiet seconds follow.
await Bun.sleep(75_000);
const rows: [what: string, measured: string, bound: string][] = [
  [`messages, ${rate} a second over ${chats} chats`, String(said), ''],
  ['lost', String(said - telegram.shown().length), '0'],
  ['out of order in their chat', String(disorder), '0'],
  ['from message to answer, median', `${percentile(late, 0.5)} ms`, ''],
  ['99 of 100', `${percentile(late, 0.99)} ms`, '100 ms'],
  ['99 of 100 after the first second', `${percentile(warm, 0.99)} ms`, ''],
  ['slowest', `${percentile(late, 1)} ms`, ''],
  ['processor time a message', `${((load / said) * 1000).toFixed(1)} ms`, ''],
  ['processor at rest, a connector polling', `${idle.toFixed(2)} % of a core`, '0.3 %'],
  ['memory before, whole tree', `${Math.round(before)} MB`, ''],
  ['under load', `${Math.round(loaded)} MB`, ''],
  ['75 s after', `${Math.round(rss())} MB`, `${Math.round(before) + 10} MB`],
];
const table = ['| | measured | bound |', '|---|---:|---:|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
console.log(table);
if (values.write) {
  const path = new URL('../../docs/messaging.md', import.meta.url).pathname;
  const page = readFileSync(path, 'utf8');
  writeFileSync(path, page.replace(/(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/, `$1${table}\n$2`));
}
