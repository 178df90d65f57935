import { describe, expect, test } from 'bun:test';
import { frame } from '../../src/tui/frame.ts';
import { draw, plain } from '../../src/tui/line.ts';
import { takeStatus } from '../../src/tui/reduce.ts';
import { createScreen } from '../../src/tui/screen.ts';
import { type Pane, panes } from '../../src/tui/state.ts';
import type { Status } from '../../src/wire/wire.ts';
import { after, asciiOnly, at, clockTurn, colourful, question, shown } from './world.ts';

const status: Status = {
  version: '0.1.0',
  home: '/home/me',
  pid: 42,
  uptimeMs: 60_000,
  model: { ref: 'openai/gpt-5', offline: false, note: 'chosen in px.yaml' },
  config: { problem: '' },
  memory: { rssBytes: 40 * 1_048_576, notes: 12, chunks: 99 },
  cpuMs: 100,
  queue: { running: 0, waiting: 3 },
  channels: [{ id: 'telegram', plugin: 'telegram', state: 'failing', detail: 'no network' }],
  plugins: [{ name: 'clock', state: 'idle', pid: null, detail: '', rssBytes: null }],
  sandbox: { mode: 'required', layers: { seccomp: 'active' } },
};

describe('panes', () => {
  test('the chat shows what was said and the tool where it was called', () => {
    const text = shown(after(...clockTurn)).join('\n');
    expect(text).toContain('› what time is it?');
    expect(text).toMatch(/✓ clock_now \{"zone":"UTC"\} 42 ms\n {4}noon\n● It is noon\./);
  });

  test('a turn that runs streams, with its tool still open', () => {
    const text = shown(after(...clockTurn.slice(0, 3))).join('\n');
    expect(text).toContain('… clock_now');
    expect(text).toContain('1 running');
  });

  test('turns, with tools, time and tokens', () => {
    const state = after(...clockTurn);
    state.view.pane = 'turns';
    const text = shown(state).join('\n');
    expect(text).toMatch(/✓ \d\d:\d\d:\d\d cli\/default +stop +0\.0 ms 1200\+34 tok openai\/gpt-5/);
    expect(text).toContain('✓ clock_now 42 ms');
  });

  test('plugins, with executions and denials', () => {
    const state = after(
      { type: 'plugin.started', plugin: 'weather', pid: 9, ms: 14 },
      { type: 'plugin.denied', plugin: 'weather', capability: 'egress', detail: 'GET https://evil.example/' },
      { type: 'plugin.call', plugin: 'weather', function: 'forecast', ms: 123, ok: true },
    );
    state.view.pane = 'plugins';
    const text = shown(state).join('\n');
    expect(text).toMatch(/weather +working +1 +0 +1 +123 ms/);
    expect(text).toContain('✗ weather denied egress GET https://evil.example/');
    expect(text).toContain('✓ weather forecast 123 ms');
    expect(text).toContain('Plugins!');
  });

  test('a plugin that was stopped, with the reason', () => {
    const detail = 'stopped after 5 faults in 10 minutes';
    const plugins = [{ name: 'trap', state: 'quarantined' as const, pid: null, detail, rssBytes: null }];
    const state = after();
    takeStatus(state, { ...status, plugins }, at);
    state.view.pane = 'plugins';
    expect(shown(state).join('\n')).toMatch(/trap +quarantined .*\n.* {2}stopped after 5 faults in 10/);
  });

  test('the log from the chosen level up', () => {
    const entry = (level: 'debug' | 'warn', message: string) => ({
      type: 'log' as const,
      entry: { at, level, scope: 'px', message },
    });
    const state = after(entry('debug', 'small talk'), entry('warn', 'look here'));
    state.view.pane = 'log';
    expect(shown(state).join('\n')).not.toContain('small talk');
    expect(shown(state).join('\n')).toContain('warn  px look here');
    state.view.level = 'debug';
    expect(shown(state).join('\n')).toContain('small talk');
  });

  test('models and their tokens', () => {
    const state = after(...clockTurn);
    state.view.pane = 'models';
    expect(shown(state).join('\n')).toMatch(/openai\/gpt-5 +1 +1200 +1000 +34/);
  });

  test('the keys fit a screen of 24 rows, each of them', () => {
    const state = after();
    state.view.overlay = { kind: 'help' };
    state.view.toast = { text: 'Copied.', bad: false, until: at + 6000 };
    const text = shown(state, 80, 24).join('\n');
    expect(text).toContain('fg comes back');
    expect(text).toMatch(/q, Ctrl-C twice +quit/);
  });

  test('health: memory and processor as plots, queue, channels', () => {
    const state = after();
    takeStatus(state, status, at);
    takeStatus(state, { ...status, cpuMs: 1100 }, at + 2000);
    state.view.pane = 'health';
    const text = shown(state).join('\n');
    expect(text).toMatch(/memory +██ 40\.0 MB/);
    expect(text).toMatch(/processor +█ 50\.0 %/);
    expect(text).toContain('0 running, 3 waiting');
    expect(text).toContain('● telegram failing no network');
  });

  test('a processor time that began anew with another process is no sample', () => {
    const state = after();
    takeStatus(state, { ...status, cpuMs: 9000 }, at);
    takeStatus(state, { ...status, pid: 43, cpuMs: 10 }, at + 2000);
    expect(state.cpu).toEqual([]);
  });
});

describe('layout', () => {
  const busy = after(...clockTurn, ...clockTurn, {
    type: 'pairing.requested',
    channel: 'telegram',
    sender: '4711',
    code: 'ABCD',
  });
  takeStatus(busy, status, at);

  test('every pane fits every size, exactly as many rows as there are and none too wide', () => {
    for (const pane of panes)
      for (const [columns, rows] of [
        [80, 24],
        [20, 6],
        [40, 10],
        [109, 30],
        [110, 30],
        [200, 60],
      ] as const) {
        busy.view.pane = pane;
        const now = frame(busy, columns, rows, colourful, at);
        expect(now.length).toBe(rows);
        for (const row of now) if (row.right) expect(row.right.column).toBeLessThan(columns);
      }
  });

  test('a window that is too small says so', () => {
    expect(shown(busy, 10, 3)).toEqual(['px tui: too small']);
  });

  test('a wide one has the monitor beside the chat', () => {
    busy.view.pane = 'chat';
    const text = shown(busy, 120, 40).join('\n');
    for (const title of ['Health ─', 'Turns ─', 'Plugins ─', 'Log ─', '› what time is it?'])
      expect(text).toContain(title);
  });

  test('ASCII only is ASCII only', () => {
    const state = after(...clockTurn, {
      type: 'turn.text',
      conversation: 'cli/default',
      turn: 't2',
      text: '日本 “x” 👍',
    });
    takeStatus(state, status, at);
    for (const pane of panes) {
      state.view.pane = pane;
      for (const columns of [80, 130]) expect(shown(state, columns, 30, asciiOnly).join('')).toMatch(/^[ -~]*$/);
    }
  });

  test('without colours there are none, with them there are', () => {
    busy.view.pane = 'turns';
    const bytes = (colour: boolean) =>
      frame(busy, 80, 24, { ascii: false, colour }, at)
        .map((row) => draw(row.left, { ascii: false, colour }))
        .join('');
    expect(bytes(true)).toMatch(/\u001b\[[\d;]*3\d/);
    expect(bytes(false)).not.toMatch(/\u001b\[[\d;]*3\d/);
  });

  test('one who has scrolled up stays where they read while more comes', () => {
    const many = (from: number) =>
      Array.from({ length: 50 }, (_, i) => ({
        type: 'log' as const,
        entry: { at, level: 'info' as const, scope: 'px', message: `line ${from + i}.` },
      }));
    const state = after(...many(0));
    state.view.pane = 'log';
    shown(state);
    state.view.scroll.log = 10;
    const before = shown(state)[5];
    for (const event of many(50)) state.log.push(event.entry);
    expect(shown(state)[5]).toBe(before ?? '');
    expect(shown(state).join('\n')).toContain('more rows below');
  });
});

describe('hostile output', () => {
  const evil = '\u001b[2J\u001b]0;owned\u0007\u009b31mx\u202e\r\u001b[1;1Hpx ● live';

  test('nothing of a model, tool, plugin, sender or log line reaches the terminal raw', () => {
    const at1 = { conversation: 'cli/default', turn: evil } as const;
    const state = after(
      ...clockTurn,
      { type: 'turn.thinking', ...at1, text: evil },
      { type: 'turn.text', ...at1, text: evil },
      { type: 'turn.tool', ...at1, call: { type: 'tool-call', id: evil, name: evil, args: { evil } } },
      {
        type: 'turn.tool-result',
        ...at1,
        result: {
          type: 'tool-result',
          callId: evil,
          name: evil,
          content: [{ type: 'text', text: evil }],
          isError: true,
        },
        ms: 1,
      },
      { type: 'turn.usage', ...at1, model: `x/${evil}`, usage: { input: 1, output: 1, cachedInput: 0 } },
      {
        type: 'plugin.call',
        plugin: evil,
        function: evil,
        ms: 1,
        ok: false,
        error: { code: 'internal', message: evil, retryable: false },
      },
      { type: 'plugin.denied', plugin: evil, capability: evil, detail: evil },
      { type: 'pairing.requested', channel: evil, sender: evil, code: evil },
      { ...question, tool: evil, origin: evil, arguments: evil, reason: evil, labels: [evil], asked: evil },
      { type: 'log', entry: { at, level: 'error', scope: evil, message: evil, fields: { evil } } },
    );
    takeStatus(
      state,
      {
        ...status,
        home: evil,
        version: evil,
        model: { ref: evil, offline: false, note: evil },
        sandbox: { mode: evil, layers: { [evil]: evil } },
      },
      at,
    );
    state.model = evil;
    state.view.input = { text: evil, caret: 3 };
    const [waits] = state.approvals;
    const overlays = [
      undefined,
      ...(waits ? [{ kind: 'ask', approval: waits } as const] : []),
      { kind: 'pick', what: 'model', query: evil, choices: [evil], at: 0 },
      {
        kind: 'search',
        query: evil,
        asked: evil,
        at: 0,
        busy: false,
        hits: [{ path: evil, line: 1, heading: evil, snippet: evil, score: 1 }],
      },
    ] as const;
    for (const overlay of overlays)
      for (const pane of panes)
        for (const columns of [80, 130]) {
          state.view.overlay =
            overlay &&
            ({
              ...overlay,
              ...('choices' in overlay ? { choices: [...overlay.choices] } : {}),
              ...('hits' in overlay ? { hits: [...overlay.hits] } : {}),
            } as typeof state.view.overlay);
          state.view.pane = pane;
          const bad = frame(state, columns, 40, colourful, at)
            .flatMap((row) => [...row.left, ...(row.right?.line ?? [])])
            .filter((span) => /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(span.text));
          expect({ pane, columns, overlay: overlay?.kind, bad }).toEqual({
            pane,
            columns,
            overlay: overlay?.kind,
            bad: [],
          });
        }
  });

  test('an answer cannot look like a message of the person: each of its rows is indented', () => {
    const state = after({
      type: 'turn.text',
      conversation: 'cli/default',
      turn: 't',
      text: 'ok\n› yes, delete everything\n● done',
    });
    const rows = shown(state);
    expect(rows.some((row) => row.startsWith('› yes'))).toBe(false);
    expect(rows).toContain('  › yes, delete everything');
  });
});

describe('the screen', () => {
  const fake = (columns = 40, rows = 4) => {
    const sent: string[] = [];
    const terminal = {
      columns,
      rows,
      busy: false,
      write: (bytes: string) => void sent.push(bytes),
      onInput() {},
      onResize() {},
      onGone() {},
      suspend() {},
      restore() {},
    };
    return { sent, screen: createScreen(terminal, colourful) };
  };
  const row = (text: string) => ({ left: [{ text, style: 'plain' as const }] });

  test('only rows that changed are sent', () => {
    const { sent, screen } = fake();
    screen.paint([row('one'), row('two')]);
    screen.paint([row('one'), row('TWO')]);
    screen.paint([row('one'), row('TWO')]);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toContain('\u001b[2;1H');
    expect(sent[1]).not.toContain('one');
  });

  test('the right part stands at its column whatever the left one measures', () => {
    const { sent, screen } = fake();
    screen.paint([
      {
        left: [{ text: '👨‍👩‍👧'.repeat(30), style: 'plain' }],
        right: { column: 21, line: [{ text: 'side', style: 'plain' }] },
      },
    ]);
    expect(sent[0]).toContain('\u001b[21Gside');
    expect(plain([{ text: 'x', style: 'plain' }])).toBe('x');
  });
});

test('each pane has its own name', () => {
  const names: Pane[] = [...panes];
  expect(new Set(names).size).toBe(6);
});

test('another model that answers is said in the chat, and the conversation keeps its own', () => {
  const turn = { conversation: 'cli/default', turn: 't9' } as const;
  const state = after(
    { type: 'turn.start', ...turn, model: 'openai/gpt-5', messageId: 'm9' },
    { type: 'model.changed', conversation: turn.conversation, model: 'ollama/qwen3', by: 'failover', why: 'away' },
    { type: 'turn.note', ...turn, text: 'openai/gpt-5 did not answer (away); ollama/qwen3 answers instead.' },
    { type: 'turn.end', ...turn, model: 'ollama/qwen3', reason: 'stop', text: 'hi' },
  );
  expect(shown(state).join('\n')).toContain('ollama/qwen3 answers instead');
  expect(state.model).not.toBe('ollama/qwen3');
  expect(state.turns[0]?.model).toBe('ollama/qwen3');
});
