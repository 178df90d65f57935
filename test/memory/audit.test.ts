import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditTools, type JournalEntry } from '../../src/memory/memory.ts';
import { testMemory } from './home.ts';

const tools = await auditTools();
const tuesday = new Date(2025, 10, 18, 9, 30).getTime();
const saturday = new Date(2025, 10, 22, 14).getTime();
const usage = { input: 1, output: 1, cachedInput: 0 };

const turn = (at: number, n: number, name: string): JournalEntry[] => [
  { at, kind: 'user', sender: { id: '1', name: 'Ada' }, channel: 'cli', messageId: `m${n}`, text: `please ${name}` },
  {
    at,
    kind: 'tool-call',
    turn: `t${n}`,
    call: { type: 'tool-call', id: `c${n}`, name, args: { url: 'https://a.example/' } },
  },
  { at, kind: 'note', text: 'approved', data: { approval: { call: `c${n}`, decision: 'allow', by: 'Grace' } } },
  {
    at,
    kind: 'tool-result',
    turn: `t${n}`,
    ms: 12,
    result: {
      type: 'tool-result',
      callId: `c${n}`,
      name,
      content: [{ type: 'text', text: 'fetched' }],
      isError: n > 1,
    },
  },
  { at, kind: 'assistant', turn: `t${n}`, model: 'offline/px', text: 'done' },
  { at, kind: 'turn-end', turn: `t${n}`, messageId: `m${n}`, reason: 'stop', usage },
];

async function world() {
  const t = await testMemory();
  await t.memory.journal.append('cli/x', turn(tuesday, 1, 'web_fetch'));
  await t.memory.journal.append('cli/x', turn(saturday, 2, 'clock_now'));
  await t.memory.journal.append('web/y', [{ at: saturday, kind: 'note', text: 'hello' }]);
  await t.memory.settled();
  const file = (day: string, folder = 'cli-x') => join(t.home.memory, 'journal', folder, `${day}.md`);
  const verify = () => tools.verifyJournals(t.home.memory, tools.headsPath(t.home.state));
  return Object.assign(t, { file, verify });
}

describe('verify', () => {
  test('passes over what px wrote, also after a restart and more turns', async () => {
    await using t = await world();
    const memory = await t.reopen();
    await memory.journal.append('cli/x', turn(saturday + 1, 3, 'web_fetch'));
    expect(await t.verify()).toEqual({ conversations: 2, files: 3, entries: 19, problems: [] });
  });

  test('names the first altered line of each conversation', async () => {
    await using t = await world();
    for (const [day, folder] of [['2025-11-18'], ['2025-11-22', 'web-y']] as const) {
      const path = t.file(day, folder);
      writeFileSync(path, readFileSync(path, 'utf8').replace('a.example', 'b.example').replace('hello', 'hallo'));
    }
    const { problems } = await t.verify();
    expect(problems.map((one) => [one.path, one.reason])).toEqual([
      ['journal/cli-x/2025-11-18.md', 'altered'],
      ['journal/web-y/2025-11-22.md', 'altered'],
    ]);
    const lines = readFileSync(t.file('2025-11-18'), 'utf8').split('\n');
    expect(lines[(problems[0]?.line ?? 0) - 1]).toContain('web_fetch');
  });

  test('passes over an end that px was killed before it noted, and watches the next one again', async () => {
    await using t = await world();
    const head = join(tools.headsPath(t.home.state), 'cli-x');
    const noted = readFileSync(head, 'utf8');
    await t.memory.journal.append('cli/x', turn(saturday + 1, 3, 'web_fetch'));
    // At once: an entry that is taken away is noticed however soon px is killed after it.
    expect(readFileSync(head, 'utf8')).not.toBe(noted);
    writeFileSync(head, noted);
    const memory = await t.reopen();
    expect((await t.verify()).problems).toEqual([]);
    await memory.journal.append('cli/x', turn(saturday + 2, 4, 'web_fetch'));
    expect(await t.verify()).toEqual({ conversations: 2, files: 3, entries: 25, problems: [] });
    const path = t.file('2025-11-22');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, text.indexOf('\n', text.indexOf('<!-- px turn-end')) + 1));
    expect((await t.verify()).problems).toMatchObject([{ reason: 'newest entries missing' }]);
  });

  test('notices that the newest entries, the newest day or a whole conversation are gone', async () => {
    await using t = await world();
    const path = t.file('2025-11-22');
    const text = readFileSync(path, 'utf8');
    truncateSync(path, text.indexOf('\n**tool**') + 1);
    writeFileSync(path, text.slice(0, text.indexOf('<!-- px+ tool-call')).replace('px+ user', 'px+ user'));
    expect((await t.verify()).problems).toMatchObject([{ path: 'journal/cli-x/2025-11-22.md' }]);
    rmSync(path);
    expect((await t.verify()).problems).toMatchObject([
      { path: 'journal/cli-x/2025-11-18.md', reason: 'newest entries missing' },
    ]);
    rmSync(join(t.home.memory, 'journal/cli-x'), { recursive: true });
    expect((await t.verify()).problems).toMatchObject([{ path: 'journal/cli-x', reason: 'conversation missing' }]);
  });

  test('still knows when px went on writing after the newest day was removed', async () => {
    await using t = await world();
    rmSync(t.file('2025-11-22'));
    const memory = await t.reopen();
    for (let n = 4; n < 9; n++) await memory.journal.append('cli/x', turn(saturday + n, n, 'web_fetch'));
    expect((await t.verify()).problems).toMatchObject([{ reason: 'rewritten' }]);
  });

  test('still knows when what px wrote since ends at the very number that was removed', async () => {
    await using t = await world();
    rmSync(t.file('2025-11-22'));
    const memory = await t.reopen();
    await memory.journal.append('cli/x', turn(saturday + 4, 4, 'web_fetch'));
    await t.reopen();
    expect((await t.verify()).problems).toMatchObject([{ reason: 'rewritten' }]);
  });

  test('notices a journal written anew with hashes that fit', async () => {
    await using t = await world();
    await using forged = await testMemory();
    await forged.memory.journal.append('cli/x', turn(tuesday, 1, 'clock_now'));
    await forged.memory.journal.append('cli/x', turn(saturday, 2, 'clock_now'));
    for (const day of ['2025-11-18', '2025-11-22'])
      writeFileSync(t.file(day), readFileSync(join(forged.home.memory, `journal/cli-x/${day}.md`)));
    expect((await t.verify()).problems).toMatchObject([{ reason: 'rewritten' }]);
  });
});

describe('show', () => {
  test('answers what px did on Tuesday, with which tool, for whom and approved by whom', async () => {
    await using t = await world();
    const period = tools.periodOf('tuesday', saturday);
    const lines = await tools.auditLines(t.home.memory, period ? { period } : {});
    expect(lines.filter((one) => one.kind === 'tool-call')).toMatchObject([
      {
        conversation: 'cli/x',
        what: 'web_fetch',
        detail: '{"url":"https://a.example/"}',
        ok: true,
        ms: 12,
        asked: 'Ada',
        approval: { decision: 'allow', by: 'Grace' },
      },
    ]);
    const [first] = lines;
    const text = await t.memory.get(first?.path ?? '', first?.line, 1);
    expect(text.text).toBe('**tool** `web_fetch`');
  });

  test('filters by tool, conversation and person', async () => {
    await using t = await world();
    const names = async (filter: Parameters<typeof tools.auditLines>[1]) =>
      (await tools.auditLines(t.home.memory, filter)).map((one) => one.what);
    expect(await names({ tool: 'web*' })).toEqual(['web_fetch']);
    expect(await names({ tool: 'clock_now', by: 'grace' })).toEqual(['clock_now']);
    expect(await names({ by: 'Mallory' })).toEqual([]);
    expect(await names({ conversation: 'web/y', all: true })).toEqual(['note']);
    expect(await names({ all: true })).toHaveLength(13);
  });
});

test('a day is understood as people say it', () => {
  const days = (text: string) => {
    const found = tools.periodOf(text, saturday);
    return found && [found.from, found.to - 1].map((at) => new Date(at).toLocaleDateString('sv')).join(' ');
  };
  expect(days('today')).toBe('2025-11-22 2025-11-22');
  expect(days('Yesterday')).toBe('2025-11-21 2025-11-21');
  expect(days('tuesday')).toBe('2025-11-18 2025-11-18');
  expect(days('sat')).toBe('2025-11-22 2025-11-22');
  expect(days('last saturday')).toBe('2025-11-15 2025-11-15');
  expect(days('last 7 days')).toBe('2025-11-16 2025-11-22');
  expect(days('2025-02')).toBe('2025-02-01 2025-02-28');
  expect(days('7 May 2023')).toBe('2023-05-07 2023-05-07');
  expect(days('may 2023')).toBe('2023-05-01 2023-05-31');
  expect(days('2025-11-01..2025-11-07')).toBe('2025-11-01 2025-11-07');
  expect(tools.periodOf('2025-11-18..', saturday)?.from).toBe(new Date(2025, 10, 18).getTime());
  for (const odd of ['', '..', 'soon', '2025-13', '2025-02-31', 'x'.repeat(10_000)]) expect(days(odd)).toBeUndefined();
});

describe('a bundle', () => {
  test('verifies without its home, and tells whose key signed it', async () => {
    await using t = await world();
    await using other = await testMemory();
    const file = join(t.home.root, 'audit.tar');
    const done = await tools.exportAudit(t.home, file, '1.0.0');
    expect(await tools.checkAudit(file, t.home.state)).toMatchObject({
      ok: true,
      entries: 13,
      key: done.key,
      ours: true,
    });
    expect(await tools.checkAudit(file, other.home.state)).toMatchObject({ ok: true, ours: undefined });
    expect(await tools.exportAudit(t.home, file, '1.0.0').catch((thrown) => thrown)).toMatchObject({
      code: 'conflict',
    });
    expect((await tools.exportAudit(t.home, join(t.home.root, 'b.tar'), '1')).key).toBe(done.key);
    const nowhere = join(t.home.root, 'none/c.tar');
    expect(await tools.exportAudit(t.home, nowhere, '1').catch((thrown) => thrown)).toMatchObject({ code: 'usage' });
    expect(await tools.checkAudit(nowhere, undefined).catch((thrown) => thrown)).toMatchObject({ code: 'not-found' });
  });

  test('names what was altered, removed or added, and a signature that is not px’s', async () => {
    await using t = await world();
    const file = join(t.home.root, 'audit.tar');
    await tools.exportAudit(t.home, file, '1.0.0');
    const tampered = async (change: (files: Record<string, string>) => void) => {
      const files: Record<string, string> = {};
      for (const [path, one] of await new Bun.Archive(readFileSync(file)).files()) files[path] = await one.text();
      change(files);
      writeFileSync(`${file}.2`, await new Bun.Archive(files).bytes());
      return (await tools.checkAudit(`${file}.2`, undefined)).problems;
    };
    const path = 'memory/journal/cli-x/2025-11-18.md';
    const altered = await tampered((files) => {
      files[path] = (files[path] ?? '').replace('a.example', 'b.example');
    });
    expect(altered[0]).toBe('journal/cli-x/2025-11-18.md: altered');
    expect(altered[1]).toMatch(/^journal\/cli-x\/2025-11-18\.md:\d+: altered$/);
    expect(await tampered((files) => delete files['memory/journal/web-y/2025-11-22.md'])).toEqual([
      'journal/web-y/2025-11-22.md: missing',
      'journal/web-y:1: conversation missing',
    ]);
    expect(
      await tampered((files) => {
        files['memory/journal/../../../etc/passwd.md'] = 'x';
      }),
    ).toEqual(['memory/journal/../../../etc/passwd.md: not in the manifest']);
    expect(
      await tampered((files) => {
        files['manifest.json'] = (files['manifest.json'] ?? '').replace('"px": "1.0.0"', '"px": "1.0.1"');
      }),
    ).toEqual(['manifest.json: the signature does not fit']);
    writeFileSync(`${file}.3`, 'no bundle');
    expect(await tools.checkAudit(`${file}.3`, undefined).catch((thrown) => thrown)).toMatchObject({ code: 'usage' });
    expect(readdirSync(t.home.state).sort()).toContain('audit.key');
  });
});
