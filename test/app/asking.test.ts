import { expect, test } from 'bun:test';
import { tellApproval } from '../../src/app/asking.ts';
import { createLog } from '../../src/log/log.ts';
import type { Approval, Inbound } from '../../src/wire/wire.ts';
import { fakeConfig } from '../tool/fakes.ts';

const approval: Approval = {
  id: 'K7MW',
  conversation: 'telegram/1',
  turn: 't',
  call: 'c',
  tool: 'post',
  origin: 'mcp/slack',
  arguments: '{"text":"hi"}',
  reason: 'px.yaml says ask',
  labels: [],
  asked: 'Bob',
  at: 0,
  expires: 900_000,
};

/** What is sent where when this one's message led to a question. */
function told(channel: string, sender: string, over: Partial<Approval> = {}) {
  const sent: { to: string; text: string; buttons: string[] }[] = [];
  const channels = {
    who: ({ sender: { id } }: Inbound) => ({
      from: id === 'owner' ? ('owner' as const) : id === 'guest' ? ('guest' as const) : ('schedule' as const),
      name: id,
    }),
    ownerChats: () => [{ channel: 'telegram', chat: 'ada' }],
    send: (to: string, chat: string, text: string, extras?: { choices?: { says: string }[] }) =>
      void sent.push({ to: `${to}/${chat}`, text, buttons: (extras?.choices ?? []).map((choice) => choice.says) }),
  };
  const config = fakeConfig({ channels: { telegram: {}, matrix: {} } });
  const inbound: Inbound = {
    ...{ conversation: `${channel}/chat`, channel, chat: 'chat', id: 'm', text: 'x', at: 0 },
    sender: { id: sender, name: sender },
  };
  tellApproval({ channels, config, log: createLog() })({ ...approval, ...over }, inbound);
  return sent;
}

test('the owner is asked in the chat they wrote in, with a button for each answer', () => {
  const [one, ...more] = told('matrix', 'owner');
  expect(more).toEqual([]);
  expect(one).toMatchObject({
    to: 'matrix/chat',
    buttons: ['/approve K7MW', '/approve K7MW session', '/approve K7MW 1h', '/deny K7MW'],
  });
  expect(one?.text).toBe(
    '🔐 May I use post?\n{"text":"hi"}\nWhy I ask: px.yaml says ask. Without a word I will not, after 15 minutes.\nYes or no?',
  );
});

test('for a guest the owner is asked in their own chat, and the guest is told so', () => {
  const [one, two] = told('matrix', 'guest');
  expect(one?.to).toBe('telegram/ada');
  expect(one?.text).toContain('(Bob in telegram/1)');
  expect(one?.text).not.toContain('Yes or no?');
  expect(two).toEqual({ to: 'matrix/chat', text: 'I have to ask my owner first.', buttons: [] });
});

test('for a script or the schedule of px itself the owner is asked in their own chat; at px itself the question is on the screen', () => {
  for (const [channel, sender] of [
    ['hook', 'script'],
    ['api', 'owner'],
    ['cli', 'schedule'],
  ] as const)
    expect(told(channel, sender).map((one) => one.to)).toEqual(['telegram/ada']);
  for (const channel of ['cli', 'web']) expect(told(channel, 'owner')).toEqual([]);
});

test('a long call is shown with its beginning and its end', () => {
  const [one] = told('matrix', 'owner', { arguments: `${'a'.repeat(600)}${'b'.repeat(600)}` });
  expect(one?.text).toContain('a … (400 more characters: px approvals list) … b');
});
