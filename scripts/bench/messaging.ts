#!/usr/bin/env bun
/**
 * Many chats at once: `bun scripts/bench/messaging.ts [--rate 50] [--chats 50] [--seconds 60] [--px PATH]`. A fake Bot API brings messages, a mock
 * model answers at once; what is left between a message and its answer is px. Prints lost, order, latencies, memory and idle processor time.
 */
import { readFileSync } from 'node:fs';
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
const idleFrom = cpu();
await Bun.sleep(20_000);
const idle = ((cpu() - idleFrom) / 20) * 100;

const saidAt = new Map<string, number>();
const begun = performance.now();
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
const last = new Map<number, number>();
let disorder = 0;
for (const { chat, text, at } of telegram.shown()) {
  const key = /\[c\d+m(\d+)\]/.exec(text);
  late.push(at - (saidAt.get(key?.[0] ?? '') ?? 0));
  const place = Number(key?.[1]);
  if (place <= (last.get(chat) ?? 0)) disorder += 1;
  last.set(chat, place);
}
late.sort((a, b) => a - b);
const percentile = (p: number) => late[Math.min(late.length - 1, Math.floor(late.length * p))];
const loaded = rss();
const after: number[] = [];
for (let i = 0; i < 3; i++) {
  await Bun.sleep(15_000);
  after.push(Math.round(rss()));
}
console.log(
  JSON.stringify(
    {
      messages: said,
      answered: telegram.shown().length,
      disorder,
      overheadMs: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: late.at(-1) },
      idlePercentOfCore: Number(idle.toFixed(2)),
      cpuSeconds: Number(load.toFixed(1)),
      rssMb: { before: Math.round(before), loaded: Math.round(loaded), after15s30s45s: after },
    },
    null,
    2,
  ),
);
