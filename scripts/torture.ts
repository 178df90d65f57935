#!/usr/bin/env bun
/** The long torture: `bun scripts/torture.ts [--seed N] [--messages N] [--chats N] [--kills N] [--failures 0..1] [--px PATH]`. */
import { parseArgs } from 'node:util';
import { torture } from '../test/e2e/torture/torture.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    messages: { type: 'string', default: '1000' },
    chats: { type: 'string', default: '12' },
    kills: { type: 'string', default: '200' },
    failures: { type: 'string', default: '0.15' },
    px: { type: 'string' },
  },
});
console.log(`seed ${values.seed}`);
const report = await torture({
  seed: Number(values.seed),
  messages: Number(values.messages),
  chats: Number(values.chats),
  kills: Number(values.kills),
  failures: Number(values.failures),
  ...(values.px === undefined ? {} : { command: [values.px] }),
  say: console.log,
});
console.log(JSON.stringify(report, null, 2));
process.exit(report.problems.length === 0 ? 0 : 1);
