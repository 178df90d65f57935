import { frame } from '../../src/tui/frame.ts';
import { plain } from '../../src/tui/line.ts';
import type { Look } from '../../src/tui/look.ts';
import { takeEvent } from '../../src/tui/reduce.ts';
import { emptyState, type State } from '../../src/tui/state.ts';
import type { EventBody } from '../../src/wire/wire.ts';

export const colourful: Look = { ascii: false, colour: true };
export const asciiOnly: Look = { ascii: true, colour: false };
export const at = Date.UTC(2026, 0, 2, 12, 0, 0);

/** A state in which these things have happened, one after the other. */
export function after(...events: EventBody[]): State {
  const state = emptyState('cli/default');
  state.link = 'live';
  for (const event of events) takeEvent(state, { at, ...event } as Parameters<typeof takeEvent>[1]);
  return state;
}

/** What the screen says, row by row. */
export function shown(state: State, columns = 80, rows = 24, look: Look = colourful): string[] {
  return frame(state, columns, rows, look, at).map((row) =>
    row.right ? plain(row.left).padEnd(row.right.column - 1) + plain(row.right.line) : plain(row.left),
  );
}

const turn = { conversation: 'cli/default', turn: 't1' } as const;

/** A person asks, a tool is called, the model answers. */
export const clockTurn: EventBody[] = [
  {
    type: 'message.in',
    inbound: {
      conversation: 'cli/default',
      channel: 'cli',
      chat: 'default',
      id: 'm1',
      sender: { id: 'owner', name: 'owner' },
      text: 'what time is it?',
      at,
    },
  },
  { type: 'turn.start', ...turn, model: 'openai/gpt-5', messageId: 'm1' },
  { type: 'turn.tool', ...turn, call: { type: 'tool-call', id: 'c1', name: 'clock_now', args: { zone: 'UTC' } } },
  {
    type: 'turn.tool-result',
    ...turn,
    result: {
      type: 'tool-result',
      callId: 'c1',
      name: 'clock_now',
      content: [{ type: 'text', text: 'noon' }],
      isError: false,
    },
    ms: 42,
  },
  { type: 'turn.text', ...turn, text: 'It is ' },
  { type: 'turn.text', ...turn, text: 'noon.' },
  { type: 'turn.usage', ...turn, model: 'openai/gpt-5', usage: { input: 1200, output: 34, cachedInput: 1000 } },
  { type: 'turn.end', ...turn, model: 'openai/gpt-5', reason: 'stop', text: 'It is noon.' },
];

/** px asks before it does something. */
export const question: Extract<EventBody, { type: 'approval.asked' }> = {
  type: 'approval.asked',
  ...turn,
  id: 'K7MW',
  call: 'c9',
  tool: 'post',
  origin: 'mcp/slack',
  arguments: '{"text":"hello"}',
  reason: 'px.yaml says ask',
  labels: ['plugin/web-fetch'],
  asked: 'Ada',
  expires: at + 900_000,
};
