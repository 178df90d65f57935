import { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { auditTools } from '../../../src/memory/memory.ts';
import { Px, until } from '../px.ts';
import { type BotApi, startBotApi } from './bot-api.ts';
import { chance } from './chance.ts';
import { startMockModel } from './model.ts';

/** Where a kill -9 can fall. */
const points = ['stream', 'tool', 'journal', 'before-send', 'after-send', 'index', 'anywhere'] as const;
type Point = (typeof points)[number];

/** One run of the torture. */
export interface TortureOptions {
  seed: number;
  messages: number;
  chats: number;
  kills: number;
  /** How often platform and provider fail, 0 to 1. */
  failures: number;
  /** How the executable is called, where it is not dist/px. */
  command?: string[];
  say?: (line: string) => void;
}

/** What became of it. */
export interface TortureReport {
  answered: number;
  /** Texts px reported as of unknown fate. */
  unknown: number;
  kills: { [point: string]: number };
  /** Everything that is not as promised, in words. Empty when all is well. */
  problems: string[];
  ms: number;
}

/** Longest wait for an armed kill and for the last answers, in ms. */
const KILL_MS = 3_000;
const END_MS = 120_000;

/** Talks to px over a platform and a provider that fail, kills it again and again, and looks what became of each message. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const begun = performance.now();
  const dice = chance(options.seed);
  const kills: { [point: string]: number } = {};
  const said = new Map<number, string[]>();
  let armed: { point: Point; after: number } | undefined;
  let struck = Promise.withResolvers<void>();
  /** The daemon is gone the moment this returns: what it was doing is cut in the middle. */
  const reach = (point: Point) => {
    if (!armed || (armed.point !== point && armed.point !== 'anywhere')) return;
    if (armed.after-- > 0) return;
    kills[armed.point] = (kills[armed.point] ?? 0) + 1;
    armed = undefined;
    process.kill(px.pid, 'SIGKILL');
    struck.resolve();
  };

  await using telegram = startBotApi({
    chance: dice,
    failures: options.failures,
    sending: (moment) => reach(moment === 'before' ? 'before-send' : 'after-send'),
  });
  await using model = startMockModel({ chance: dice, failures: options.failures, paceMs: 3, at: reach });
  const owners = Array.from({ length: options.chats }, (_, chat) => String(chat + 1));
  await using px = new Px({
    config: { ...telegram.config, ...model.config, channels: { telegram: { access: 'open', owners } } },
    env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
    ...(options.command ? { command: options.command } : {}),
  });
  await px.serve();
  await px.installed();

  /** Files that change tell of a write under way. Looked at without rest while a kill waits for it. */
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const watchFiles = async () => {
    const day = () => new Date().toISOString().slice(0, 10);
    const journals = () => [...said.keys()].map((c) => join(px.home, `memory/journal/telegram-${c}/${day()}.md`));
    const looks: [Point, () => string[]][] = [
      ['journal', journals],
      ['index', () => [join(px.home, 'state/index.db-wal')]],
    ];
    const before = new Map<string, number>();
    while (armed) {
      for (const [point, paths] of looks)
        for (const path of paths()) {
          const now = size(path);
          const was = before.get(path);
          before.set(path, now);
          if (was !== undefined && was !== now) reach(point);
        }
      await Bun.sleep(0);
    }
  };

  let sent = 0;
  const speak = (count: number) => {
    for (let i = 0; i < count && sent < options.messages; i++) {
      const chat = 1 + dice.below(options.chats);
      const keys = said.get(chat) ?? [];
      said.set(chat, keys);
      const key = `[c${chat}m${keys.length + 1}]`;
      keys.push(key);
      sent += 1;
      telegram.say(chat, `${key} ${dice.pick(['hello', 'please note this', 'what time is it', 'how are you'])}`);
    }
  };

  const burst = Math.max(1, Math.ceil(options.messages / (options.kills + 1)));
  for (let kill = 0; kill < options.kills; kill++) {
    struck = Promise.withResolvers();
    armed = { point: dice.pick(points), after: dice.below(5) };
    speak(burst);
    void watchFiles();
    await Promise.race([struck.promise, Bun.sleep(KILL_MS)]);
    if (armed) {
      armed = undefined;
      kills['idle'] = (kills['idle'] ?? 0) + 1;
    }
    await px.kill9();
    await px.serve();
  }
  speak(options.messages);
  options.say?.(`${sent} messages, ${JSON.stringify(kills)}`);

  const reported = async (): Promise<string[]> => {
    const list = (await (await px.fetch('/api/outbox')).json()) as { parts: { text: string; state: string }[] };
    return list.parts.filter((part) => part.state === 'unknown').map((part) => part.text);
  };
  let problems: string[] = [];
  let unknown: string[] = [];
  await until(
    'every message to be answered',
    async () => {
      unknown = await reported();
      problems = judge(said, telegram, unknown);
      return problems.length === 0;
    },
    END_MS,
  ).catch(() => {});
  if (problems.length > 0)
    for (const path of ['/api/inbox', '/api/outbox', '/api/status'])
      options.say?.((await (await px.fetch(path)).text()).slice(0, 3000));
  // What came twice would come now.
  await Bun.sleep(300);
  problems = judge(said, telegram, unknown);
  const inbox = (await (await px.fetch('/api/inbox')).json()) as { messages: { state: string; text: string }[] };
  for (const one of inbox.messages) problems.push(`${one.text} is still in the inbox (${one.state})`);
  if ((await px.stop()) !== 0) problems.push('px did not end well');
  const audit = await auditTools();
  const chains = await audit.verifyJournals(join(px.home, 'memory'), audit.headsPath(join(px.home, 'state')));
  for (const one of chains.problems) problems.push(`journal ${one.path}:${one.line}: ${one.reason}`);
  for (const name of ['px.db', 'index.db']) problems.push(...unsound(join(px.home, 'state', name)));
  if (problems.length > 0) options.say?.(px.log.split('\n').slice(-80).join('\n'));
  return {
    answered: sent - problems.length,
    unknown: unknown.length,
    kills,
    problems,
    ms: Math.round(performance.now() - begun),
  };
}

/** Each message has one visible answer, in order, or its answer is among those of unknown fate. */
function judge(said: Map<number, string[]>, telegram: BotApi, unknown: string[]): string[] {
  const problems: string[] = [];
  for (const [chat, keys] of said) {
    const shown = telegram.shown().filter((text) => text.chat === chat);
    const keyed = shown.map((text) => /\[c\d+m\d+\]/.exec(text.text)?.[0]);
    const order = keyed.flatMap((key) => (key === undefined ? [] : [keys.indexOf(key)]));
    for (const [at, place] of order.entries())
      if (at > 0 && place < (order[at - 1] ?? 0)) problems.push(`chat ${chat}: ${keys[place]} answered too late`);
    const wordless = keyed.filter((key) => key === undefined).length;
    let open = 0;
    for (const key of keys) {
      const times = keyed.filter((one) => one === key).length;
      if (times > 1) problems.push(`${key} was answered ${times} times`);
      if (times === 0 && !unknown.some((text) => text.includes(key))) open += 1;
    }
    // An answer that is an apology names no message: it stands for one that has no other.
    const lost = unknown.filter((text) => !text.includes('[c')).length;
    if (wordless > open) problems.push(`chat ${chat}: ${wordless - open} answers too many`);
    if (open > wordless + lost) problems.push(`chat ${chat}: ${open - wordless - lost} of ${keys.length} not answered`);
  }
  return problems;
}

/** What SQLite finds wrong in a database. */
function unsound(path: string): string[] {
  const db = new Database(path, { readonly: true });
  try {
    const rows = db.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all();
    return rows.filter((row) => row.integrity_check !== 'ok').map((row) => `${path}: ${row.integrity_check}`);
  } finally {
    db.close();
  }
}
