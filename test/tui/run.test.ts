import { describe, expect, test } from 'bun:test';
import { createClient } from '../../src/client/client.ts';
import { run } from '../../src/tui/run.ts';
import type { Terminal } from '../../src/tui/terminal.ts';
import { until } from '../e2e/px.ts';
import { at, clockTurn } from './world.ts';

const status = {
  version: '0.1.0',
  home: '/h',
  pid: 1,
  uptimeMs: 1,
  model: { ref: 'openai/gpt-5', offline: false, note: '' },
  config: { problem: '' },
  memory: { rssBytes: 1, notes: 0, chunks: 0 },
  cpuMs: 1,
  queue: { running: 0, waiting: 0 },
  channels: [],
  plugins: [],
  sandbox: { mode: 'required', layers: {} },
};

/** A gateway as far as the monitor asks: it answers a message with one turn. */
function fakeGateway(port = 0) {
  const answers: Record<string, unknown> = {
    '/healthz': { ok: true },
    '/api/status': status,
    '/api/pairing': { pairings: [] },
    '/api/approvals': { approvals: [], standing: [] },
    '/api/models': { default: { ref: 'openai/gpt-5', why: '' }, models: [] },
    '/api/conversations/cli/default': {
      conversation: 'cli/default',
      model: null,
      entries: [{ at, kind: 'note', text: 'an old note' }],
    },
  };
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    fetch(request, server) {
      const { pathname } = new URL(request.url);
      if (pathname === '/api/events') return server.upgrade(request) ? undefined : new Response(null, { status: 400 });
      const answer = answers[pathname];
      return answer
        ? Response.json(answer)
        : Response.json({ error: { code: 'not-found', message: pathname, retryable: false } }, { status: 404 });
    },
    websocket: {
      message(ws, raw) {
        const said: { type: string; token?: string } = JSON.parse(String(raw));
        if (said.type === 'auth') ws.send(JSON.stringify({ type: 'ready', version: said.token }));
        if (said.type === 'chat') for (const event of clockTurn) ws.send(JSON.stringify({ at, ...event }));
      },
    },
  });
  return server;
}

function fakeTerminal() {
  let bytes = '';
  let restored = 0;
  let input = (_chunk: string) => {};
  let gone = (_signal: NodeJS.Signals) => {};
  const terminal: Terminal = {
    columns: 80,
    rows: 24,
    busy: false,
    write: (more) => {
      bytes += more;
    },
    onInput: (listener) => {
      input = listener;
    },
    onResize() {},
    onGone: (listener) => {
      gone = listener;
    },
    suspend() {},
    restore: () => {
      restored++;
    },
  };
  return {
    terminal,
    type: (text: string) => input(text),
    signal: (name: NodeJS.Signals) => gone(name),
    saw: (text: string) => until(text, () => bytes.includes(text), 5000),
    get restored() {
      return restored;
    },
  };
}

describe('the monitor over a gateway', () => {
  const start = (server: ReturnType<typeof fakeGateway>, find = () => server) => {
    const screen = fakeTerminal();
    const client = () => createClient({ url: `http://127.0.0.1:${find().port}`, token: 't' });
    const connect = async () => ((await client().alive()) ? client() : undefined);
    const over = run(
      { client: client(), connect, conversation: 'cli/default', ascii: false, colour: true },
      screen.terminal,
    );
    return { screen, over };
  };

  test('shows the journal, sends what is typed, shows the answer, gives the terminal back on q', async () => {
    await using server = fakeGateway();
    const { screen, over } = start(server);
    await screen.saw('live');
    await screen.saw('an old note');
    screen.type('what time is it?\r');
    await screen.saw('It is noon.');
    screen.type('\u001b');
    await screen.saw('q quit');
    screen.type('q');
    expect(await over).toBe(0);
    expect(screen.restored).toBe(1);
  });

  test('says that the connection is lost and finds the px that was started again elsewhere', async () => {
    const first = fakeGateway();
    let now = first;
    const { screen, over } = start(first, () => now);
    await screen.saw('live');
    await first.stop(true);
    await screen.saw('no connection');
    await using second = fakeGateway();
    now = second;
    await screen.saw('Connected again.');
    screen.type('what time is it?\r');
    await screen.saw('It is noon.');
    screen.signal('SIGTERM');
    expect(await over).toBe(143);
    expect(screen.restored).toBe(1);
  });

  test('copies by OSC 52', async () => {
    await using server = fakeGateway();
    const { screen, over } = start(server);
    await screen.saw('live');
    screen.type('what time is it?\r');
    await screen.saw('It is noon.');
    screen.type('\u001b');
    await screen.saw('q quit');
    screen.type('y');
    await screen.saw(`\u001b]52;c;${btoa('It is noon.')}\u0007`);
    screen.type('q');
    await over;
  });

  test('what px refuses is said', async () => {
    await using server = fakeGateway();
    const { screen, over } = start(server);
    await screen.saw('live');
    screen.type('\u001b');
    await screen.saw('q quit');
    screen.type('/');
    screen.type('x\r');
    await screen.saw('/api/memory/search');
    screen.signal('SIGHUP');
    expect(await over).toBe(129);
  });
});
