import { afterEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeAt } from '../../src/config/config.ts';
import { openApprovals, standingPage } from '../../src/policy/policy.ts';
import { openSecrets } from '../../src/secret/secret.ts';
import { openStore } from '../../src/store/store.ts';
import { createBus, type PxEvent } from '../../src/wire/wire.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const question = {
  conversation: 'telegram/1' as const,
  turn: 't1',
  call: 'c1',
  tool: 'slack_post',
  origin: 'mcp/slack',
  arguments: '{"text":"hi"}',
  reason: 'px.yaml says ask',
  labels: [] as string[],
  asked: 'Ada',
};

function desk(now = () => 1_000_000) {
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const approvals = openApprovals({ bus, now });
  const ask = (over: Partial<typeof question> = {}, ms = 60_000, signal = new AbortController().signal) =>
    approvals.ask({ ...question, ...over }, ms, signal);
  const id = () => approvals.list()[0]?.id ?? '';
  return { approvals, events, ask, id };
}

describe('a question', () => {
  test('waits for a word, is told on the bus, and is answered once', async () => {
    const { approvals, events, ask, id } = desk();
    const answer = ask();
    expect(approvals.list()).toMatchObject([{ tool: 'slack_post', expires: 1_060_000 }]);
    const [asked] = events;
    expect(asked).toMatchObject({ type: 'approval.asked', conversation: 'telegram/1', call: 'c1' });
    const name = id();
    expect(name).toMatch(/^[A-Z0-9]{4}$/);
    approvals.decide(name.toLowerCase(), 'once', 'Ada');
    expect(await answer).toEqual({ decision: 'once', by: 'Ada' });
    expect(events[1]).toMatchObject({ type: 'approval.decided', id: name, decision: 'once', by: 'Ada' });
    expect(() => approvals.decide(name, 'once', 'Ada')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(approvals.standing()).toEqual([]);
  });

  test('that nobody answers is a no when its time is over', async () => {
    const { approvals, events, ask } = desk();
    expect(await ask({}, 5)).toEqual({ decision: 'expired', by: 'px' });
    expect(approvals.list()).toEqual([]);
    expect(events.map((event) => event.type)).toEqual(['approval.asked', 'approval.decided']);
  });

  test('ends with its turn, and with px', async () => {
    const { approvals, ask } = desk();
    const stop = new AbortController();
    const stopped = ask({}, 60_000, stop.signal);
    stop.abort();
    expect((await stopped).decision).toBe('expired');
    const closed = ask();
    approvals.close();
    expect((await closed).decision).toBe('expired');
    expect((await ask({}, 60_000, AbortSignal.abort())).decision).toBe('expired');
  });
});

describe('a yes for longer', () => {
  test('covers its tool in its conversation only', async () => {
    const { approvals, ask, id } = desk();
    const answer = ask();
    approvals.decide(id(), 'session', 'Ada');
    await answer;
    expect(approvals.covers('slack_post', 'telegram/1', false)).toMatchObject({ by: 'Ada', until: 0 });
    expect(approvals.covers('slack_delete', 'telegram/1', false)).toBeUndefined();
    expect(approvals.covers('slack_post', 'telegram/2', false)).toBeUndefined();
  });

  test('given before text from outside was read does not cover a call after it', async () => {
    const { approvals, ask, id } = desk();
    const before = ask();
    approvals.decide(id(), 'session', 'Ada');
    await before;
    expect(approvals.covers('slack_post', 'telegram/1', true)).toBeUndefined();
    const after = ask({ labels: ['plugin/web-fetch'] });
    approvals.decide(id(), 'session', 'Ada');
    await after;
    expect(approvals.covers('slack_post', 'telegram/1', true)).toBeDefined();
  });

  test('ends with its time, with /new, or when it is taken back', async () => {
    let now = 1_000_000;
    const { approvals, ask, id } = desk(() => now);
    for (const decision of ['time', 'session'] as const) {
      const answer = ask();
      approvals.decide(id(), decision, 'Ada', 30);
      await answer;
    }
    expect(approvals.standing().map((one) => one.until)).toEqual([1_000_000 + 30 * 60_000, 0]);
    approvals.endSession('telegram/1');
    expect(approvals.standing()).toHaveLength(1);
    now += 31 * 60_000;
    expect(approvals.standing()).toEqual([]);
    const answer = ask();
    const name = id();
    approvals.decide(name, 'session', 'Ada');
    await answer;
    expect(approvals.revoke(name)).toBe(true);
    expect(approvals.revoke(name)).toBe(false);
    expect(approvals.covers('slack_post', 'telegram/1', false)).toBeUndefined();
  });
});

describe('memory/approvals.md', () => {
  function home() {
    const folder = mkdtempSync(join(tmpdir(), 'px-approvals-'));
    folders.push(folder);
    const home = homeAt(folder);
    mkdirSync(home.memory);
    const trouble: string[] = [];
    const env = { home: undefined, userHome: folder, get: () => undefined };
    const open = () => {
      const store = openStore(join(home.state, 'px.db'));
      const page = standingPage(home.memory, openSecrets(store, home, env), (what) => trouble.push(what));
      return { store, approvals: openApprovals({ bus: createBus(), page }) };
    };
    const lose = () => {
      for (const end of ['', '-wal', '-shm']) rmSync(join(home.state, `px.db${end}`), { force: true });
    };
    return { open, lose, file: join(home.memory, 'approvals.md'), trouble };
  }
  const grant = async ({ approvals }: ReturnType<ReturnType<typeof home>['open']>) => {
    const answer = approvals.ask(
      { ...question, asked: 'Ada --> | x', conversation: 'telegram/1' },
      60_000,
      new AbortController().signal,
    );
    approvals.decide(approvals.list()[0]?.id ?? '', 'session', 'Ada --> | x');
    await answer;
  };

  test('brings what was allowed back when every database is lost', async () => {
    const { open, lose, file, trouble } = home();
    const first = open();
    await grant(first);
    const before = first.approvals.standing();
    first.store.close();
    lose();
    const second = open();
    expect(second.approvals.standing()).toEqual(before);
    expect(readFileSync(file, 'utf8')).toContain('| slack_post | telegram/1 | /new | no | Ada --\\> \\| x |');
    expect(trouble).toEqual([]);
    second.store.close();
  });

  test('that somebody else wrote or changed allows nothing', async () => {
    const { open, file, trouble } = home();
    const first = open();
    await grant(first);
    first.store.close();
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('slack_post', 'bank_pay'));
    const second = open();
    expect(second.approvals.standing()).toEqual([]);
    expect(second.approvals.covers('bank_pay', 'telegram/1', false)).toBeUndefined();
    expect(trouble).toHaveLength(1);
    second.store.close();
    writeFileSync(file, 'nonsense');
    const third = open();
    expect(third.approvals.standing()).toEqual([]);
    third.store.close();
  });
});
