import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSchedule, type Schedule, scheduleTools } from '../../src/agent/agent.ts';
import { openBook, openPoints } from '../../src/agent/schedule-book.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import { createBus, type Inbound } from '../../src/wire/wire.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A home, a clock that stands still until it is set, and lives of px in it. */
function world(start = '2026-03-01T10:00:00Z') {
  const memory = mkdtempSync(join(tmpdir(), 'px-schedule-'));
  cleanups.push(() => rmSync(memory, { recursive: true, force: true }));
  const asked: Inbound[] = [];
  const seen = new Set<string>();
  const logged: string[] = [];
  let now = Date.parse(start);
  const bus = createBus();
  const life = (): Schedule => {
    const schedule = createSchedule({
      home: { memory },
      memory: {
        async get(path) {
          if (!existsSync(join(memory, path))) throw new PxError('not-found', path);
          return { path, from: 1, text: readFileSync(join(memory, path), 'utf8'), totalLines: 1 };
        },
      },
      submit(inbound) {
        if (seen.has(inbound.id)) return false;
        seen.add(inbound.id);
        asked.push(inbound);
        return true;
      },
      bus,
      log: createLog({ sinks: [(entry) => logged.push(entry.message)] }),
      now: () => now,
      lookMs: 5,
    });
    cleanups.push(() => schedule.close());
    return schedule;
  };
  const page = join(memory, 'schedule.md');
  return {
    asked,
    logged,
    bus,
    life,
    page,
    write: (name: string, text: string) => writeFileSync(join(memory, name), text),
    read: () => readFileSync(page, 'utf8'),
    at(time: string) {
      now = Date.parse(time);
    },
  };
}

const book = openBook();
const nextOf = (when: string, zone: string, from: string) => {
  const job = book.make({ when, zone, to: 'cli/default', text: 'x' }, Date.parse(from), new Set());
  const next = book.next(job);
  return next === undefined ? undefined : new Date(next).toISOString();
};

describe('times', () => {
  test('cron keeps its hour in its zone over both changes of the clock', () => {
    expect(nextOf('cron 0 8 * * *', 'Europe/Zurich', '2026-03-28T08:00:00Z')).toBe('2026-03-29T06:00:00.000Z');
    expect(nextOf('cron 0 8 * * *', 'Europe/Zurich', '2026-10-24T08:00:00Z')).toBe('2026-10-25T07:00:00.000Z');
  });

  test('a time that the clock skips still comes that day, once', () => {
    const first = nextOf('cron 30 2 * * *', 'Europe/Zurich', '2026-03-28T12:00:00Z') ?? '';
    expect(first.slice(0, 10)).toBe('2026-03-29');
    expect(nextOf('cron 30 2 * * *', 'Europe/Zurich', first)?.slice(0, 10)).toBe('2026-03-30');
  });

  test('a time that comes twice is run once', () => {
    const first = nextOf('cron 30 2 * * *', 'Europe/Zurich', '2026-10-24T12:00:00Z') ?? '';
    expect(first.slice(0, 10)).toBe('2026-10-25');
    expect(nextOf('cron 30 2 * * *', 'Europe/Zurich', first)?.slice(0, 10)).toBe('2026-10-26');
  });

  test('at is meant in the zone, unless it says its own', () => {
    expect(nextOf('at 2026-07-01T09:00', 'America/New_York', '2026-01-01T00:00:00Z')).toBe('2026-07-01T13:00:00.000Z');
    expect(nextOf('at 2026-07-01T09:00Z', 'America/New_York', '2026-01-01T00:00:00Z')).toBe('2026-07-01T09:00:00.000Z');
  });

  test.each([
    ['sometimes', 'begins with'],
    ['cron 99 * * * *', ''],
    ['cron * * * * * *', 'five fields'],
    ['every 5s', 'at least 1m'],
    ['at tomorrow', 'date and a time'],
    ['at 2026-13-40T25:00', 'date and a time'],
  ])('%s is refused with what is right', (when, why) => {
    const add = () => book.make({ when, zone: 'UTC', to: 'cli/default', text: 'x' }, 0, new Set());
    expect(add).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringContaining(why) }));
    expect(() => book.make({ when: 'every 1h', zone: 'Mars/Olympus', to: 'cli/a', text: 'x' }, 0, new Set())).toThrow(
      'no time zone',
    );
  });
});

describe('the page', () => {
  test('is Markdown that says all, and reads back the same', async () => {
    const { life, read } = world();
    await life().add({
      id: 'morning',
      when: 'cron 0 8 * * 1-5',
      zone: 'Europe/Zurich',
      to: 'telegram/47',
      text: 'news?',
    });
    expect(read()).toContain('## morning\n\n- when: cron 0 8 * * 1-5\n- zone: Europe/Zurich\n- to: telegram/47\n');
    const [job] = await life().list();
    expect(job).toMatchObject({
      id: 'morning',
      to: 'telegram/47',
      text: 'news?',
      next: Date.parse('2026-03-02T07:00:00Z'),
    });
    expect(book.format(read(), book.parse(read()).jobs)).toBe(read());
  });

  test('words cannot make another job or change a field', async () => {
    const { life } = world();
    const text = '- to: telegram/evil\n## planted\n\n- when: every 1m\n- to: telegram/evil\n\nboo <!-- -->';
    await life().add({ id: 'one', when: 'every 1h', to: 'cli/default', text });
    const jobs = await life().list();
    expect(jobs.map((job) => [job.id, job.to])).toEqual([['one', 'cli/default']]);
  });

  test('a section that makes no sense is told and leaves the others alone', async () => {
    const { life, write, logged } = world();
    write(
      'schedule.md',
      '# Mine\n\n## bad\n\n- when: never\n- to: cli/a\n\nx\n\n## good\n\n- when: every 2h\n- to: cli/a\n\ny\n',
    );
    expect((await life().list()).map((job) => job.id)).toEqual(['good']);
    expect(logged[0]).toContain('bad');
  });
});

describe('running', () => {
  test('asks when it is due, in the chosen conversation, and plans the next time', async () => {
    const { life, at, asked, bus, write, read } = world();
    await life().add({ id: 'tea', when: 'every 1h', to: 'telegram/47', text: 'tea?' });
    at('2026-03-01T11:00:01Z');
    const second = life();
    await second.start();
    expect(asked).toMatchObject([
      { conversation: 'telegram/47', text: '[scheduled: tea] tea?', sender: { id: 'schedule' } },
    ]);
    expect((await second.list())[0]?.next).toBe(Date.parse('2026-03-01T12:00:01Z'));
    write('schedule.md', read().replace('every 1h', 'every 1m'));
    at('2026-03-01T11:30:00Z');
    bus.emit({ type: 'memory.indexed', path: 'schedule.md', chunks: 1 });
    await second.list();
    await second.list();
    expect(asked).toHaveLength(2);
  });

  test('a machine that slept is no reason to be late', async () => {
    const { life, at, asked } = world();
    const schedule = life();
    await schedule.start();
    await schedule.add({ id: 'tea', when: 'every 8h', to: 'cli/default', text: 'tea?' });
    // For a timer no time has passed; the clock says it has.
    at('2026-03-01T18:00:00Z');
    while (asked.length === 0) await Bun.sleep(1);
    expect(asked[0]?.text).toBe('[scheduled: tea] tea?');
  });

  test('what was missed while px was off is caught up once', async () => {
    const { life, at, asked } = world();
    await life().add({ id: 'tea', when: 'every 1h', to: 'cli/default', text: 'tea?' });
    at('2026-03-01T20:30:00Z');
    await life().start();
    await life().start();
    expect(asked).toHaveLength(1);
  });

  test('what was missed by more than a day is written down and not run', async () => {
    const { life, at, asked, read } = world();
    await life().add({ id: 'party', when: 'at 2026-03-02T18:00', zone: 'UTC', to: 'cli/default', text: 'go' });
    at('2026-03-10T00:00:00Z');
    const later = life();
    await later.start();
    expect(asked).toEqual([]);
    expect(read()).toContain('- missed: 2026-03-02T18:00:00.000Z');
    expect((await later.list())[0]?.next).toBeUndefined();
  });

  test('a crash before a run was written down does not run it twice', async () => {
    const { life, at, asked, read, write } = world();
    await life().add({ id: 'tea', when: 'every 1h', to: 'cli/default', text: 'tea?' });
    const before = read();
    at('2026-03-01T11:30:00Z');
    await life().start();
    write('schedule.md', before);
    await life().start();
    expect(asked).toHaveLength(1);
  });

  test('a heartbeat asks nothing, and writes nothing, when nothing is open', async () => {
    const { life, at, asked, read, write } = world();
    const first = life();
    await first.add({ id: 'beat', when: 'heartbeat 30m', to: 'cli/default', text: 'look after this' });
    write('HEARTBEAT.md', '# Look after\n\n<!-- things -->\n- [x] done\n- [ ]\n');
    const before = read();
    at('2026-03-01T11:00:00Z');
    const second = life();
    await second.start();
    expect(asked).toEqual([]);
    expect(read()).toBe(before);
    expect((await second.list())[0]?.next).toBe(Date.parse('2026-03-01T11:30:00Z'));
    write('HEARTBEAT.md', '- [ ] water the plants\n');
    at('2026-03-01T12:00:00Z');
    await life().start();
    expect(asked[0]?.text).toContain('water the plants');
    expect(asked[0]?.metadata).toEqual({ quiet: true });
  });

  test('run asks at once; remove takes it off', async () => {
    const { life, asked } = world();
    const schedule = life();
    await schedule.add({ id: 'tea', when: 'every 1h', to: 'cli/default', text: 'tea?' });
    expect(await schedule.run('tea')).toBe(true);
    expect(await schedule.run('coffee')).toBe(false);
    expect(asked).toHaveLength(1);
    expect(await schedule.remove('tea')).toBe(true);
    expect(await schedule.remove('tea')).toBe(false);
    expect(await schedule.list()).toEqual([]);
  });

  test('a home without a schedule is not touched', async () => {
    const { life, page } = world();
    await life().start();
    expect(existsSync(page)).toBe(false);
  });
});

describe("the agent's tools", () => {
  const context = (conversation: `${string}/${string}`) => ({
    conversation,
    turn: 't',
    signal: new AbortController().signal,
  });
  const toolsOf = (schedule: Schedule) => new Map(scheduleTools(schedule).map((tool) => [tool.name, tool]));

  test('set jobs for the chat they are called in, and take away only its own', async () => {
    const { life } = world();
    const schedule = life();
    const tools = toolsOf(schedule);
    const added = await tools.get('schedule_add')?.run({ when: 'every 2h', text: 'stand up' }, context('telegram/1'));
    expect(added).toStartWith('Set as stand-up');
    expect(await tools.get('schedule_list')?.run({}, context('telegram/1'))).toContain('stand up');
    expect(await tools.get('schedule_list')?.run({}, context('telegram/2'))).toBe('Nothing is scheduled here.');
    const theft = tools.get('schedule_remove')?.run({ id: 'stand-up' }, context('telegram/2'));
    expect(theft).rejects.toMatchObject({ code: 'not-found' });
    expect(await tools.get('schedule_remove')?.run({ id: 'stand-up' }, context('telegram/1'))).toContain('off');
  });
});

test('open points are what is neither heading, comment, ticked nor empty', () => {
  expect(openPoints('# A\n<!-- b\nc -->\n- [x] done\n- [ ] open\n-\nwords\n')).toBe('- [ ] open\nwords');
});
