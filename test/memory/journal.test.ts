import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JournalEntry, openJournal, verifyJournal } from '../../src/memory/memory.ts';
import type { ConversationId, EndReason, ModelRef } from '../../src/wire/wire.ts';
import { dice, nasty, nastyObject, nastyText } from './nasty.ts';

let root = '';
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'px-journal-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const fresh = () => join(root, `m${++count}`);
const noon = new Date(2025, 10, 22, 14, 3).getTime();
const said = (text: string, at = noon): JournalEntry => ({
  at,
  kind: 'user',
  sender: { id: '4711', name: 'Ada' },
  channel: 'telegram',
  messageId: 'm1',
  text,
});
const textOf = (entry: JournalEntry): string => (entry.kind === 'user' ? entry.text : '');
const dayFile = (memory: string, folder = 'telegram-4711') => join(memory, 'journal', folder, '2025-11-22.md');

function randomEntry(roll: (n: number) => number): JournalEntry {
  const text = nastyText(roll);
  const turn = nastyText(roll);
  const at = noon + roll(1000);
  const model: ModelRef = `${nastyText(roll)}/m`;
  switch (roll(8)) {
    case 0:
      return {
        ...said(text, at),
        kind: 'user',
        sender: { id: nastyText(roll), name: nastyText(roll) },
        ...(roll(3) ? {} : { outside: [`guest/${nastyText(roll)}`] }),
      } as JournalEntry;
    case 1:
      return { at, kind: 'assistant', turn, model, text };
    case 2:
      return {
        at,
        kind: 'thinking',
        turn,
        text,
        ...(roll(2) ? { signature: nastyText(roll), provider: 'anthropic' } : {}),
      };
    case 3:
      return {
        at,
        kind: 'tool-call',
        turn,
        call: { type: 'tool-call', id: text, name: nastyText(roll), args: nastyObject(roll) },
      };
    case 4: {
      const content = Array.from({ length: roll(4) }, () =>
        roll(3)
          ? { type: 'text' as const, text: nastyText(roll) }
          : { type: 'image' as const, mime: 'image/png', data: roll(2) ? 'iVBORw0KGgo=' : 'not base64!' },
      );
      return {
        at,
        kind: 'tool-result',
        turn,
        ms: roll(99),
        result: { type: 'tool-result', callId: text, name: 'x', content, isError: roll(2) === 1 },
      };
    }
    case 5: {
      const reason: EndReason = roll(2) ? 'stop' : 'error';
      return {
        at,
        kind: 'turn-end',
        turn,
        messageId: text,
        reason,
        usage: { input: roll(9), output: roll(9), cachedInput: 0 },
        ...(reason === 'error' ? { error: { code: 'model.auth', message: text, retryable: false, hint: text } } : {}),
      };
    }
    case 6:
      return { at, kind: 'model', model, by: text };
    default:
      return { at, kind: 'note', text, ...(roll(2) ? { data: nastyObject(roll) } : {}) };
  }
}

describe('what is written is read back', () => {
  test('random entries full of nasty text survive, in any batch size', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed);
      const memory = fresh();
      const conversation: ConversationId = `telegram/${seed}`;
      const all: JournalEntry[] = [];
      for (let append = 0; append < 4; append++) {
        const entries = Array.from({ length: 1 + roll(6) }, () => randomEntry(roll));
        await openJournal(memory).append(conversation, entries);
        all.push(...entries);
      }
      expect(await openJournal(memory).read(conversation, 1000)).toEqual(all);
      expect(await verifyJournal(memory)).toEqual({ ok: true, files: 1, entries: all.length });
    }
  });

  test.each(nasty.map((text) => [text.slice(0, 40), text]))(
    'as a message, thought, result and note: %j',
    async (_, text) => {
      const memory = fresh();
      const entries: JournalEntry[] = [
        said(text),
        { at: noon, kind: 'thinking', turn: 't', text },
        {
          at: noon,
          kind: 'tool-result',
          turn: 't',
          ms: 1,
          result: { type: 'tool-result', callId: 'c', name: 'n', content: [{ type: 'text', text }], isError: false },
        },
        { at: noon, kind: 'note', text },
      ];
      await openJournal(memory).append('telegram/4711', entries);
      expect(await openJournal(memory).read('telegram/4711', 9)).toEqual(entries);
    },
  );

  test('ordinary text stands in the file as it was said', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('Buy *milk*\n\n- and bread')]);
    expect(readFileSync(dayFile(memory), 'utf8')).toContain(
      '## 14:03 Ada\n\nBuy *milk*\n\n- and bread\n\n<!-- px user #1 ',
    );
  });

  test('a file that git or an editor gave CR LF line ends still reads', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('one\ntwo'), said('three')]);
    writeFileSync(dayFile(memory), readFileSync(dayFile(memory), 'utf8').replaceAll('\n', '\r\n'));
    expect(await openJournal(memory).read('telegram/4711', 9)).toEqual([said('one\ntwo'), said('three')]);
  });

  test('the latest entries come from several days, oldest first', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    const day = 86_400_000;
    for (let n = 0; n < 5; n++)
      await journal.append('cli/default', [said(`a${n}`, noon + n * day), said(`b${n}`, noon + n * day)]);
    const texts = (await journal.read('cli/default', 3)).map(textOf);
    expect(texts).toEqual(['b3', 'a4', 'b4']);
    expect(await verifyJournal(memory)).toEqual({ ok: true, files: 5, entries: 10 });
  });

  test('an entry from an earlier day goes behind the later ones, so that the order stays', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    await journal.append('cli/default', [said('today')]);
    await journal.append('cli/default', [said('late', noon - 3 * 86_400_000)]);
    expect((await journal.read('cli/default', 9)).map(textOf)).toEqual(['today', 'late']);
  });

  test('a long file is read from its end', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    await journal.append(
      'cli/default',
      Array.from({ length: 200 }, (_, n) => said(`${n} ${'x'.repeat(9000)}`)),
    );
    await journal.append('cli/default', [said('last')]);
    const got = await journal.read('cli/default', 150);
    expect(got.length).toBe(150);
    expect(got.at(-1)).toEqual(said('last'));
  });

  test('an entry of a later px is kept as a note', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('hello')]);
    const file = dayFile(memory);
    writeFileSync(file, readFileSync(file, 'utf8').replace('px user #1', 'px hologram #1'));
    const [entry] = await openJournal(memory).read('telegram/4711', 1);
    expect(entry).toMatchObject({ kind: 'note', data: { unreadable: 'hologram' } });
  });
});

describe('conversations', () => {
  test('ids with any characters get a safe folder each and come back', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    const ids: ConversationId[] = [
      'telegram/-100123',
      'a-b/c',
      'a/b-c',
      'm/!room:example.org',
      'x/../../etc',
      'x/.',
      'x/..',
      'x/',
      `l/${'ö'.repeat(300)}`,
      'w/a/b\\c',
      'w/日本',
      'w/\ud800',
      '../x',
    ];
    for (const id of ids) await journal.append(id, [said('hi')]);
    const folders = readdirSync(join(memory, 'journal'));
    expect(new Set(folders).size).toBe(ids.length);
    expect(folders.filter((name) => !/^[\w.=~-]{1,200}$/.test(name) || name.startsWith('.'))).toEqual([]);
    expect((await journal.conversations()).map((one) => one.conversation).sort()).toEqual([...ids].sort());
    for (const id of ids) expect(await journal.read(id, 1)).toEqual([said('hi')]);
  });

  test('are listed latest first with their number of entries', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    await journal.append('cli/a', [said('1', noon), said('2', noon + 1)]);
    await journal.append('cli/b', [said('1', noon + 9)]);
    expect(await journal.conversations()).toEqual([
      { conversation: 'cli/b', lastAt: noon + 9, entries: 1 },
      { conversation: 'cli/a', lastAt: noon + 1, entries: 2 },
    ]);
  });
});

describe('a write that was cut off', () => {
  test('at any byte of the last append: earlier entries survive, the torn one never half counts, the chain goes on', async () => {
    const memory = fresh();
    const file = dayFile(memory);
    const last: JournalEntry[] = [
      said('zwei 🎉'),
      { at: noon, kind: 'assistant', turn: 't', model: 'offline/px', text: 'drei' },
    ];
    await openJournal(memory).append('telegram/4711', [said('eins')]);
    const before = statSync(file).size;
    await openJournal(memory).append('telegram/4711', last);
    const whole = readFileSync(file);
    for (let size = before; size <= whole.length; size++) {
      writeFileSync(file, whole.subarray(0, size));
      const complete = size >= whole.length - 1;
      expect(await openJournal(memory).read('telegram/4711', 9)).toEqual<JournalEntry[]>(
        complete ? [said('eins'), ...last] : [said('eins')],
      );
      await openJournal(memory).append('telegram/4711', [said('vier')]);
      const after = await openJournal(memory).read('telegram/4711', 9);
      expect(after.filter((entry) => entry.kind !== 'note')).toEqual<JournalEntry[]>([
        said('eins'),
        ...(complete ? last : []),
        said('vier'),
      ]);
      const verdict = await verifyJournal(memory);
      expect(verdict).toEqual({ ok: true, files: 1, entries: after.length });
    }
  });

  test('at any byte of the very first append, header included', async () => {
    const memory = fresh();
    const file = dayFile(memory);
    await openJournal(memory).append('telegram/4711', [said('eins'), said('zwei')]);
    const whole = readFileSync(file);
    for (let size = 0; size < whole.length - 1; size += size < 140 ? 1 : 7) {
      writeFileSync(file, whole.subarray(0, size));
      await openJournal(memory).append('telegram/4711', [said('drei')]);
      const after = await openJournal(memory).read('telegram/4711', 9);
      expect(after.filter((entry) => entry.kind !== 'note')).toEqual<JournalEntry[]>([said('drei')]);
      expect((await verifyJournal(memory)).ok).toBe(true);
    }
  });

  test('on the second day chains to the first', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('gestern', noon - 86_400_000)]);
    await openJournal(memory).append('telegram/4711', [said('heute')]);
    truncateSync(dayFile(memory), statSync(dayFile(memory)).size - 10);
    await openJournal(memory).append('telegram/4711', [said('weiter')]);
    expect((await verifyJournal(memory)).ok).toBe(true);
    expect((await openJournal(memory).conversations())[0]?.entries).toBe(3);
  });

  test('what was torn off stays visible as a note', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('eins')]);
    appendFileSync(dayFile(memory), '\n## 14:04 Ada\n\nhalf a sen');
    await openJournal(memory).append('telegram/4711', [said('zwei')]);
    const entries = await openJournal(memory).read('telegram/4711', 9);
    expect(entries[1]).toMatchObject({ kind: 'note', text: '## 14:04 Ada\n\nhalf a sen', data: { recovered: true } });
  });

  test('kill -9 of a process that appends all the time loses no finished append', async () => {
    const memory = fresh();
    const script = join(root, 'appender.ts');
    const surface = join(import.meta.dir, '../../src/memory/memory.ts');
    writeFileSync(
      script,
      `import { openJournal } from ${JSON.stringify(surface)};
       const journal = openJournal(process.argv[2]);
       for (let n = Number(process.argv[3]); ; n++) {
         await journal.append('cli/kill', [1, 2, 3].map((part) => ({ at: 0, kind: 'note', text: n + '.' + part + ' ' + 'x'.repeat(3000) })));
         process.stdout.write(n + '\\n');
       }`,
    );
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const child = Bun.spawn([process.execPath, script, memory, String(next)], { stdout: 'pipe', stderr: 'ignore' });
      let printed = '';
      const decoder = new TextDecoder();
      for await (const bytes of child.stdout) {
        printed += decoder.decode(bytes);
        if (printed.split('\n').length > 3 + round * 5) break;
      }
      child.kill(9);
      await child.exited;
      const done = Number(printed.trim().split('\n').at(-1));
      const texts = (await openJournal(memory).read('cli/kill', 100_000)).flatMap((entry) =>
        entry.kind === 'note' && !entry.data ? [entry.text.split(' ')[0] ?? ''] : [],
      );
      const stored = texts.length / 3;
      expect(stored).toBeGreaterThanOrEqual(done + 1);
      expect(texts).toEqual(Array.from({ length: stored }, (_, n) => [1, 2, 3].map((part) => `${n}.${part}`)).flat());
      next = stored;
    }
    await openJournal(memory).append('cli/kill', [said('after')]);
    expect((await verifyJournal(memory)).ok).toBe(true);
  }, 30_000);

  test('a write that another px made meanwhile is noticed', async () => {
    const memory = fresh();
    const one = openJournal(memory);
    const other = openJournal(memory);
    for (let n = 0; n < 3; n++) {
      await one.append('cli/x', [said(`one ${n}`)]);
      await other.append('cli/x', [said(`other ${n}`)]);
    }
    expect(await verifyJournal(memory)).toEqual({ ok: true, files: 1, entries: 6 });
  });

  test('appends asked for at once keep their order', async () => {
    const memory = fresh();
    const journal = openJournal(memory);
    await Promise.all(Array.from({ length: 30 }, (_, n) => journal.append('cli/x', [said(String(n))])));
    expect((await journal.read('cli/x', 99)).map(textOf)).toEqual(Array.from({ length: 30 }, (_, n) => String(n)));
  });
});

describe('verify', () => {
  async function threeDays() {
    const memory = fresh();
    const journal = openJournal(memory);
    for (const n of [-2, -1, 0])
      await journal.append('telegram/4711', [said(`x${n}`, noon + n * 86_400_000), said('yes'), said('no')]);
    return memory;
  }

  test('names the first altered line', async () => {
    const memory = await threeDays();
    const file = dayFile(memory);
    const text = readFileSync(file, 'utf8');
    const line = text.slice(0, text.indexOf('## 14:03 Ada\n\nyes')).split('\n').length;
    writeFileSync(file, text.replace('\n\nyes\n', '\n\nyep\n'));
    expect(await verifyJournal(memory)).toEqual({
      ok: false,
      path: 'journal/telegram-4711/2025-11-22.md',
      line,
      reason: 'altered',
    });
  });

  test('sees any single changed byte', async () => {
    const memory = fresh();
    await openJournal(memory).append('telegram/4711', [said('eins'), said('zwei')]);
    const file = dayFile(memory);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length - 1; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      expect([at, (await verifyJournal(memory, 'telegram/4711')).ok]).toEqual([at, false]);
    }
  });

  test('sees an entry or a whole day taken out', async () => {
    const memory = await threeDays();
    const file = dayFile(memory);
    const text = readFileSync(file, 'utf8');
    const from = text.indexOf('## 14:03 Ada\n\nyes');
    writeFileSync(file, text.slice(0, from) + text.slice(text.indexOf('## 14:03 Ada\n\nno')));
    expect((await verifyJournal(memory)).ok).toBe(false);
    writeFileSync(file, text);
    rmSync(file.replace('22.md', '21.md'));
    expect(await verifyJournal(memory)).toMatchObject({ ok: false, reason: 'file missing before', line: 1 });
  });
});
