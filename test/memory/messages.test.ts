import { describe, expect, test } from 'bun:test';
import { type JournalEntry, messagesFromJournal } from '../../src/memory/memory.ts';
import { dice } from './nasty.ts';

const user = (text: string): JournalEntry => ({
  at: 1,
  kind: 'user',
  sender: { id: 'a', name: 'A' },
  channel: 'c',
  messageId: 'm',
  text,
});
const answer = (text: string, turn = 't'): JournalEntry => ({
  at: 1,
  kind: 'assistant',
  turn,
  model: 'openai/gpt-5',
  text,
});
const call = (id: string, turn = 't'): JournalEntry => ({
  at: 1,
  kind: 'tool-call',
  turn,
  call: { type: 'tool-call', id, name: 'clock', args: {} },
});
const result = (id: string, text = 'ok', turn = 't'): JournalEntry => ({
  at: 1,
  kind: 'tool-result',
  turn,
  ms: 1,
  result: { type: 'tool-result', callId: id, name: 'clock', content: [{ type: 'text', text }], isError: false },
});
const shape = (entries: JournalEntry[]) =>
  messagesFromJournal(entries).map((message) =>
    [
      message.role,
      ...message.parts.map((part) =>
        part.type === 'text' || part.type === 'thinking'
          ? part.text
          : part.type === 'tool-call'
            ? `call ${part.id}`
            : part.type === 'tool-result'
              ? `${part.isError ? 'error' : 'result'} ${part.callId}`
              : part.type,
      ),
    ].join(', '),
  );

describe('messages from the journal', () => {
  test('a turn with thinking, parallel calls and an answer', () => {
    const entries: JournalEntry[] = [
      user('hi'),
      { at: 1, kind: 'thinking', turn: 't', text: 'hm', signature: 's', provider: 'anthropic' },
      answer('let me see'),
      call('a'),
      call('b'),
      result('b'),
      result('a'),
      answer('done'),
      {
        at: 1,
        kind: 'turn-end',
        turn: 't',
        messageId: 'm',
        reason: 'stop',
        usage: { input: 1, output: 1, cachedInput: 0 },
      },
      { at: 1, kind: 'note', text: 'n' },
      user('thanks'),
    ];
    expect(shape(entries)).toEqual([
      'user, hi',
      'assistant, hm, let me see, call a, call b',
      'tool, result a, result b',
      'assistant, done',
      'user, thanks',
    ]);
    expect(messagesFromJournal(entries)[1]).toMatchObject({
      model: 'openai/gpt-5',
      parts: [{ type: 'thinking', signature: 's', provider: 'anthropic' }, {}, {}, {}],
    });
  });

  test('a call that never got its result gets an error result', () => {
    expect(shape([user('hi'), call('a'), call('b'), result('a'), user('still there?')])).toEqual([
      'user, hi',
      'assistant, call a, call b',
      'tool, result a, error b',
      'user, still there?',
    ]);
  });

  test('results without a call, a beginning without a person and empty texts are left out', () => {
    expect(shape([result('x'), answer('lost'), user(''), user('hi'), result('y'), answer(''), answer('yes')])).toEqual([
      'user, hi',
      'assistant, yes',
    ]);
    expect(shape([answer('alone'), call('a')])).toEqual([]);
  });

  test('a thought that led to nothing is left out; messages in a row are joined', () => {
    const thought: JournalEntry = { at: 1, kind: 'thinking', turn: 't', text: 'hm' };
    expect(shape([user('one'), thought, user('two'), answer('a', 't1'), answer('b', 't2')])).toEqual([
      'user, one, two',
      'assistant, a, b',
    ]);
  });

  test('ids used again in a later turn are made unique, with their own results', () => {
    expect(
      shape([user('1'), call('a', 't1'), result('a', 'x', 't1'), user('2'), call('a', 't2'), result('a', 'y', 't2')]),
    ).toEqual(['user, 1', 'assistant, call a', 'tool, result a', 'user, 2', 'assistant, call a_2', 'tool, result a_2']);
  });

  test('whatever the entries, the shape is one all providers take', () => {
    for (let seed = 1; seed < 400; seed++) {
      const roll = dice(seed);
      const id = () => `c${roll(4)}`;
      const turn = () => `t${roll(3)}`;
      const entries = Array.from({ length: roll(14) }, (): JournalEntry => {
        const kinds = [
          () => user(roll(4) ? 'u' : ''),
          () => answer(roll(4) ? 'a' : '', turn()),
          () => call(id(), turn()),
          () => result(id(), 'r', turn()),
          (): JournalEntry => ({ at: 1, kind: 'thinking', turn: turn(), text: 'h' }),
        ];
        return (kinds[roll(kinds.length)] ?? (() => user('u')))();
      });
      const messages = messagesFromJournal(entries);
      const seen = new Set<string>();
      messages.forEach((message, at) => {
        const before = messages[at - 1];
        expect(message.parts.length).toBeGreaterThan(0);
        if (at === 0) expect(message.role).toBe('user');
        if (before?.role === 'user') expect(message.role).toBe('assistant');
        if (before?.role === 'assistant') {
          const calls = before.parts.filter((part) => part.type === 'tool-call').map((part) => part.id);
          expect(message.role).toBe(calls.length > 0 ? 'tool' : 'user');
          if (message.role === 'tool') expect(message.parts.map((part) => part.callId)).toEqual(calls);
        }
        if (message.role === 'assistant') {
          for (const part of message.parts) {
            if (part.type !== 'tool-call') continue;
            expect(seen.has(part.id)).toBe(false);
            seen.add(part.id);
          }
          if (at === messages.length - 1) expect(message.parts.some((part) => part.type === 'tool-call')).toBe(false);
        }
      });
    }
  });
});
