import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app/app.ts';
import { type Environment, homeAt } from '../../src/config/config.ts';

/** Everything that must outlive the databases, as a person would ask for it. */
async function told(app: App) {
  await app.memory.settled();
  return {
    people: app.channels.pairing.list(),
    allowed: app.approvals.standing(),
    jobs: (await app.schedule.list()).map(({ id, when, to }) => ({ id, when, to })),
    conversations: await app.memory.journal.conversations(),
    messages: (await app.sessions.open('cli/x')).messages,
    model: (await app.sessions.open('cli/x')).model,
    entries: await app.memory.journal.read('cli/x', 100),
    notes: await app.memory.list(),
    stats: app.memory.stats(),
    hits: app.memory.search('flamingo').map((hit) => `${hit.path}#${hit.line}`),
    changes: await app.memory.history.log(),
  };
}

test('every database is deleted in mid-life, and nothing but what was in flight is missed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'px-survive-'));
  const home = homeAt(root);
  const env: Environment = { home: undefined, userHome: root, get: () => undefined };
  const start = () => startApp({ home, env, version: '0', log: () => {}, quiet: true });
  try {
    let app = await start();
    const done = Promise.withResolvers<void>();
    app.bus.on((event) => event.type === 'turn.end' && done.resolve());
    const sender = { id: 'owner', name: 'Ada' };
    const message = { conversation: 'cli/x', channel: 'cli', chat: 'x', id: 'm1', sender, at: Date.now() } as const;
    app.submit({ ...message, text: 'my flamingo is called Otto' });
    await done.promise;
    await app.setModel('cli/x', 'offline/px');
    await app.memory.write('birds.md', 'the flamingo likes shrimps', 'append', { conversation: 'cli/x', turn: 't' });
    // A job the agent asked for, allowed until the end of the session.
    app.bus.on((event) => event.type === 'approval.asked' && app.approvals.decide(event.id, 'session', 'Ada'));
    const job = '/tool schedule_add {"when":"every 2h","text":"feed Otto"}';
    const scheduled = new Promise<void>((resolve) => {
      app.bus.on((event) => event.type === 'turn.end' && resolve());
    });
    app.submit({ ...message, id: 'm2', text: job });
    await scheduled;
    const before = await told(app);
    expect(before.allowed).toMatchObject([{ tool: 'schedule_add', conversation: 'cli/x', by: 'Ada' }]);
    expect(before.jobs).toMatchObject([{ to: 'cli/x' }]);
    expect(before.hits.length).toBeGreaterThan(0);
    expect(before.messages.length).toBeGreaterThan(1);
    await app.close();
    const databases = readdirSync(home.state).filter((name) => /\.db(-|$)/.test(name));
    expect(databases.length).toBeGreaterThan(1);
    for (const name of databases) rmSync(join(home.state, name));
    app = await start();
    expect(await told(app)).toEqual(before);
    await app.memory.rebuild();
    expect(await told(app)).toEqual(before);
    await app.close();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 30_000);
