import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import {
  createLog,
  type LogEntry,
  type LogLevel,
  markdownLogSink,
  printable,
  terminalLogSink,
} from '../../src/log/log.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'px-log-'));
  folders.push(path);
  return path;
}
function collect(options: Parameters<typeof createLog>[0] = {}) {
  const entries: LogEntry[] = [];
  const log = createLog({ ...options, sinks: [(entry) => entries.push(entry)] });
  return { log, entries };
}
const entry = (message: string, more: Partial<LogEntry> = {}): LogEntry => ({
  at: new Date(2031, 4, 27, 14, 3, 9).getTime(),
  level: 'info',
  scope: 'gateway',
  message,
  ...more,
});

describe('the log', () => {
  test('keeps levels from the threshold up, and the threshold can change', () => {
    const { log, entries } = collect({ level: 'warn' });
    const all: LogLevel[] = ['debug', 'info', 'warn', 'error'];
    for (const level of all) log[level](level);
    log.setLevel('debug');
    log.scope('x').debug('now');
    expect(entries.map((e) => `${e.scope} ${e.message}`)).toEqual(['px warn', 'px error', 'x now']);
  });

  test('takes sinks away again, and one that throws harms neither the others nor the caller', () => {
    const { log, entries } = collect();
    const remove = log.addSink(() => {
      throw new Error('broken sink');
    });
    const after: string[] = [];
    log.addSink((e) => after.push(e.message));
    log.info('one');
    remove();
    log.info('two');
    expect([entries.length, after]).toEqual([2, ['one', 'two']]);
  });

  test('scrubs messages and every text in fields, keys too', () => {
    const { log, entries } = collect({ scrub: (text) => text.replaceAll('hunter2', '[redacted]') });
    log.info('it is hunter2', { a: 'hunter2', hunter2: 1, deep: { list: ['x hunter2'] }, error: new Error('hunter2') });
    expect(JSON.stringify(entries)).not.toContain('hunter2');
    expect(entries[0]?.fields).toEqual({
      a: '[redacted]',
      '[redacted]': 1,
      deep: { list: ['x [redacted]'] },
      error: '[redacted]',
    });
  });

  test('leaves out what cannot be scrubbed, and harms nobody who logs', () => {
    const entries: LogEntry[] = [];
    const scrub = () => {
      throw new Error('the database is closed');
    };
    createLog({ scrub, sinks: [(entry) => entries.push(entry)] }).info('sk-secret', { key: 'sk-secret' });
    expect(JSON.stringify(entries)).not.toContain('sk-secret');
    expect(entries[0]?.message).toContain('left out');
  });

  test('shows control and direction-changing characters instead of obeying them, in fields too', () => {
    const { log, entries } = collect();
    const nasty = 'a\u001b[2Jb\u202ec\u0000d\u2066\u200b\u009b31m\rx';
    log.info(nasty, { nasty, [nasty]: { nasty } });
    expect(entries[0]?.message).toBe('a\\u001b[2Jb\\u202ec\\u0000d\\u2066\\u200b\\u009b31m\\u000dx');
    expect(JSON.stringify(entries[0])).toBe(printable(JSON.stringify(entries[0])));
    expect(Object.values(entries[0]?.fields ?? {})[0]).toBe(entries[0]?.message);
  });

  test('takes any field: errors, circles, huge ones, ones that throw', () => {
    const { log, entries } = collect();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const hostile = {
      get value() {
        throw new Error('no');
      },
    };
    log.info('x', {
      circle,
      hostile,
      big: 'x'.repeat(100_000),
      many: Array.from({ length: 1_000 }, (_, i) => i),
      n: 5n,
      bytes: new Uint8Array(9),
      date: new Date(0),
      failure: new PxError('timeout', 'too slow'),
      none: undefined,
      yes: true,
    });
    const fields = entries[0]?.fields ?? {};
    expect(JSON.stringify(fields).length).toBeLessThan(6_000);
    expect(fields).toMatchObject({
      hostile: '(unreadable)',
      n: '5',
      bytes: '(9 bytes)',
      date: '1970-01-01T00:00:00.000Z',
      failure: 'timeout: too slow',
      yes: true,
    });
  });
});

describe('the terminal', () => {
  const show = (e: LogEntry, colour = false) => {
    let out = '';
    terminalLogSink((text) => (out += text), { colour })(e);
    return out;
  };

  test('shows one line an entry, with colour only when told so', () => {
    const e = entry('listens', { fields: { port: 7979, host: 'a b', name: 'px' } });
    expect(show(e)).toBe('14:03:09 info  gateway: listens port=7979 host="a b" name=px\n');
    expect(show(e, true)).toBe('14:03:09 \u001b[36minfo \u001b[0m gateway: listens port=7979 host="a b" name=px\n');
  });

  test('a message cannot look like a second entry', () => {
    expect(show(entry('one\n14:03:10 info  gateway: forged'))).toBe(
      '14:03:09 info  gateway: one\n    14:03:10 info  gateway: forged\n',
    );
  });
});

describe('the Markdown log', () => {
  test('has one readable line an entry and one file a day, for its owner only', () => {
    const dir = join(folder(), 'memory', 'log');
    const sink = markdownLogSink(dir);
    sink(entry('listens', { fields: { port: 7979 } }));
    sink(entry('slow\nprovider', { level: 'warn', scope: 'model/openai' }));
    sink(entry('next day', { at: new Date(2031, 4, 28, 0, 0, 1).getTime() }));
    sink.close();
    expect(readdirSync(dir).sort()).toEqual(['2031-05-27.md', '2031-05-28.md']);
    const path = join(dir, '2031-05-27.md');
    expect(readFileSync(path, 'utf8')).toBe(
      '# Log of 2031-05-27\n\n- 14:03:09 info `gateway` listens `port=7979`\n- 14:03:09 **warn** `model/openai` slow ⏎ provider\n',
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('goes on in a file that is there, and what a message says stays text', () => {
    const dir = folder();
    for (const text of ['first', '<img src=x onerror=alert(1)> [click](javascript:x)\n# Heading']) {
      const sink = markdownLogSink(dir);
      sink(entry(text));
      sink.close();
      sink.close();
      sink(entry('after the end'));
    }
    const lines = readFileSync(join(dir, '2031-05-27.md'), 'utf8').split('\n');
    expect(lines).toHaveLength(5);
    expect(Bun.markdown.html(lines.slice(2).join('\n'))).not.toMatch(/<img|<a |<h1/);
  });

  test('writes by itself after a moment', async () => {
    const dir = folder();
    const sink = markdownLogSink(dir);
    sink(entry('soon'));
    const path = join(dir, '2031-05-27.md');
    const end = Date.now() + 5_000;
    while (Date.now() < end && !(await Bun.file(path).exists())) await Bun.sleep(20);
    expect(readFileSync(path, 'utf8')).toContain('soon');
    sink.close();
  });

  test('never throws, not even where nothing can be written', () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    const sink = markdownLogSink(join(file, 'log'));
    for (let i = 0; i < 500; i++) sink(entry('lost'));
    sink.close();
  });
});
