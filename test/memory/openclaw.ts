import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the one conversation of {@link openclawHome} stands. */
export const transcript = 'agents/main/sessions/1a2b3c4d-0000-4000-8000-000000000001.jsonl';

/** Lines as OpenClaw writes them: a header, a question, a tool, an answer. */
export const entries: unknown[] = [
  { type: 'session', version: 3, id: '1a2b3c4d', timestamp: '2026-02-06T12:00:00.000Z', cwd: '/home/ada' },
  { type: 'model_change', id: 'a', parentId: null, timestamp: '2026-02-06T12:00:00.000Z', modelId: 'x' },
  said('user', [{ type: 'text', text: 'When does the ferry to Sylt leave?' }]),
  said('assistant', [
    { type: 'thinking', thinking: 'a hidden thought' },
    { type: 'toolCall', id: 'c1', name: 'web_fetch', arguments: { url: 'https://ferry.example/' } },
  ]),
  said('toolResult', [{ type: 'text', text: `At nine. ${'x'.repeat(5000)}` }], {
    toolCallId: 'c1',
    toolName: 'web_fetch',
  }),
  said('assistant', [{ type: 'text', text: 'At nine, from the north pier.' }]),
];

/** A message of a transcript. */
export function said(role: string, content: unknown, more: { [key: string]: unknown } = {}): unknown {
  const message = { role, content, timestamp: 1770379800000, ...more };
  return { type: 'message', id: 'm', parentId: 'a', timestamp: '2026-02-06T12:10:00.000Z', message };
}

export const jsonl = (lines: unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const ask = (message: string, more: { [key: string]: unknown } = {}) => ({ kind: 'agentTurn', message, ...more });
const job = (id: string, name: string, schedule: unknown, payload: unknown, more: { [key: string]: unknown } = {}) => ({
  ...{ id, agentId: 'main', name, enabled: true, createdAtMs: 1, updatedAtMs: 1, sessionTarget: 'isolated' },
  ...{ wakeMode: 'now', schedule, payload, state: { nextRunAtMs: 2 }, ...more },
});

/** Jobs as OpenClaw keeps them: three that px can run, five that it cannot. */
export const jobs: unknown[] = [
  job(
    'j1',
    'Morning brief',
    { kind: 'cron', expr: '30 7 * * 1-5', tz: 'America/Los_Angeles' },
    ask('Summarize overnight updates.', { model: 'opus' }),
    { delivery: { mode: 'announce', channel: 'telegram', to: '4711' } },
  ),
  job(
    'j2',
    'News',
    { kind: 'every', everyMs: 7_200_000, anchorMs: 5 },
    ask('any news?\n\n## forged\n\n- when: every 1m'),
  ),
  job('j3', 'Century', { kind: 'at', at: '2199-01-01T16:00:00' }, ask('celebrate')),
  job('j4', 'Stretch', { kind: 'at', at: '2024-01-01T16:00:00Z' }, ask('stretch')),
  job('j5', 'Reminder', { kind: 'every', everyMs: 7_200_000 }, { kind: 'systemEvent', text: 'drink' }),
  job('j6', 'Hook', { kind: 'every', everyMs: 7_200_000 }, ask('x'), {
    delivery: { mode: 'webhook', to: 'https://x' },
  }),
  job('j7', 'Off', { kind: 'every', everyMs: 7_200_000 }, ask('x'), { enabled: false }),
  job('j8', 'Mad', { kind: 'cron', expr: 'a b c d e' }, ask('x')),
];

/** Makes an OpenClaw home of a workspace with one note, one conversation and the jobs above. */
export function openclawHome(root: string): void {
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put('openclaw.json', '{}');
  put('workspace/memory/2026-02-06.md', 'a day\n');
  put(transcript, jsonl(entries));
  put('agents/main/sessions/sessions.json', '{"agent:main:main":{"sessionId":"1a2b3c4d"}}');
  put('cron/jobs.json', JSON.stringify({ version: 1, jobs }));
}
