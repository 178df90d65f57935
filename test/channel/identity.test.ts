import { afterEach, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/wire.ts';
import { cleanUp, inbound, type Life, live, tempFolder } from './world.ts';

afterEach(cleanUp);

const channels = { telegram: {}, matrix: {} };
let messages = 0;
/** What somebody writes, as a connector brings it. */
function says(life: Life, plugin: string, sender: string, text: string, metadata: JsonObject = {}): boolean {
  messages += 1;
  const sent = { id: `m${messages}`, sender_id: sender, sender_name: sender.toUpperCase(), text };
  return life.channels.emitted(plugin, { ...sent, metadata: JSON.stringify({ channel: `dm-${sender}`, ...metadata }) });
}
const codeOf = (life: Life, sender: string) =>
  life.channels.pairing.list().find((one) => one.sender === sender && one.state === 'pending')?.code ?? '';
const pair = (life: Life, plugin: string, sender: string, role?: 'owner' | 'guest') => {
  says(life, plugin, sender, 'hello');
  return life.channels.pairing.approve(codeOf(life, sender), role);
};
const from = (life: Life, channel: string, sender: string) =>
  life.channels.who({ ...inbound(channel, '1'), sender: { id: sender, name: sender } }).from;
const lastConversation = (life: Life) => life.of('message.in').at(-1)?.inbound.conversation;
const quiet = { config: { channels }, start: false };

describe('roles', () => {
  test('the first who is let in is the owner, who comes later is a guest, unless it is said', async () => {
    const life = await live(quiet);
    expect(pair(life, 'telegram', 'ada')).toMatchObject({ role: 'owner' });
    expect(pair(life, 'telegram', 'bob')).toMatchObject({ role: 'guest' });
    expect(pair(life, 'matrix', 'eva', 'owner')).toMatchObject({ role: 'owner' });
    expect(['ada', 'bob', 'stranger'].map((id) => from(life, 'telegram', id))).toEqual(['owner', 'guest', 'guest']);
    expect(life.channels.pairing.setRole('matrix', 'eva', 'guest')).toBe(true);
    expect(from(life, 'matrix', 'eva')).toBe('guest');
    expect(life.channels.pairing.setRole('matrix', 'nobody', 'owner')).toBe(false);
    expect(life.channels.ownerChats()).toEqual([{ channel: 'telegram', chat: 'dm-ada' }]);
  });

  test('px.yaml can name owners; then the first who is paired is a guest', async () => {
    const life = await live({ config: { channels: { telegram: { owners: ['ada'] } } }, start: false });
    expect(says(life, 'telegram', 'ada', 'hi')).toBe(true);
    expect(life.asked).toEqual(['hi']);
    expect(from(life, 'telegram', 'ada')).toBe('owner');
    expect(pair(life, 'telegram', 'bob')).toMatchObject({ role: 'guest' });
  });

  test('who is on an allow-list or comes through an open door is a guest', async () => {
    const life = await live({ config: { channels: { telegram: { access: 'open', allow: ['bob'] } } }, start: false });
    expect(from(life, 'telegram', 'bob')).toBe('guest');
    expect(from(life, 'telegram', 'anybody')).toBe('guest');
  });

  test('nobody on a platform becomes the owner or the schedule by their id', async () => {
    const life = await live({ config: { channels: { telegram: { access: 'open' } } }, start: false });
    for (const id of ['owner', 'schedule', 'script']) {
      says(life, 'telegram', id, 'let me in');
      const [last] = life.of('message.in').slice(-1);
      expect(last?.inbound.sender.id).toBe(`${id}@telegram`);
      expect(last && life.channels.who(last.inbound).from).toBe('guest');
    }
    expect(from(life, 'cli', 'owner')).toBe('owner');
    expect(from(life, 'telegram', 'schedule')).toBe('schedule');
  });

  test('are still there after a restart', async () => {
    const folder = tempFolder();
    const first = await live({ ...quiet, folder });
    pair(first, 'telegram', 'ada');
    pair(first, 'telegram', 'bob');
    const second = await live({ ...quiet, folder });
    expect(['ada', 'bob'].map((id) => from(second, 'telegram', id))).toEqual(['owner', 'guest']);
  });
});

describe('/link', () => {
  const link = (life: Life, channel: string, sender: string) =>
    life.channels.linkCode({ ...inbound(channel, '1'), chat: `dm-${sender}`, sender: { id: sender, name: sender } });

  test('makes two identities one person with one conversation, and lets the second in', async () => {
    const folder = tempFolder();
    const life = await live({ ...quiet, folder });
    pair(life, 'telegram', 'ada');
    const code = link(life, 'telegram', 'ada');
    says(life, 'matrix', '@ada:home', `/link ${code.toLowerCase()}`);
    expect(from(life, 'matrix', '@ada:home')).toBe('owner');
    says(life, 'matrix', '@ada:home', 'where were we?');
    expect(lastConversation(life)).toBe('telegram/dm-ada');
    expect(life.of('message.in').at(-1)?.inbound).toMatchObject({ channel: 'matrix', chat: 'dm-@ada:home' });
    expect(life.channels.pairing.list()).toMatchObject([{ sender: 'ada' }, { role: 'owner', person: 'telegram/ada' }]);
    // A message that waits is in the same conversation after a restart.
    const second = await live({ ...quiet, folder, start: false });
    const waiting: string[] = [];
    second.channels.onPending((item) => waiting.push(item.inbound.conversation));
    expect(waiting).toEqual(['telegram/dm-ada']);
  });

  test('is good once, and only for a while', async () => {
    let now = 1_000_000;
    const life = await live({ ...quiet, timing: { now: () => now } });
    pair(life, 'telegram', 'ada');
    const code = link(life, 'telegram', 'ada');
    now += 601_000;
    says(life, 'matrix', 'late', `/link ${code}`);
    expect(from(life, 'matrix', 'late')).toBe('guest');
    const fresh = link(life, 'telegram', 'ada');
    says(life, 'matrix', 'ada2', `/link ${fresh}`);
    says(life, 'matrix', 'thief', `/link ${fresh}`);
    expect(from(life, 'matrix', 'ada2')).toBe('owner');
    expect(from(life, 'matrix', 'thief')).toBe('guest');
  });

  test('cannot be guessed: after five wrong ones no code is good any more', async () => {
    const life = await live(quiet);
    pair(life, 'telegram', 'ada');
    const code = link(life, 'telegram', 'ada');
    for (let n = 0; n < 5; n++) says(life, 'matrix', `thief${n}`, '/link AAAAAAAA');
    says(life, 'matrix', 'thief', `/link ${code}`);
    expect(from(life, 'matrix', 'thief')).toBe('guest');
    expect(life.channels.pairing.list().filter((one) => one.state === 'approved')).toHaveLength(1);
  });

  test("does not make a guest's code an owner's, nor the owner a guest", async () => {
    const life = await live(quiet);
    pair(life, 'telegram', 'ada');
    pair(life, 'telegram', 'bob');
    const code = link(life, 'telegram', 'bob');
    const ada = { ...inbound('telegram', '1'), chat: 'dm-ada', sender: { id: 'ada', name: 'Ada' } };
    expect(() => life.channels.link(ada, code)).toThrow(expect.objectContaining({ code: 'policy.denied' }));
    says(life, 'matrix', 'bob2', `/link ${link(life, 'telegram', 'bob')}`);
    expect(from(life, 'matrix', 'bob2')).toBe('guest');
    expect(from(life, 'telegram', 'ada')).toBe('owner');
  });

  test('on px itself gives a code that makes its writer the owner', async () => {
    const life = await live(quiet);
    const code = life.channels.linkCode({ ...inbound('cli', '1'), sender: { id: 'owner', name: 'owner' } });
    says(life, 'telegram', 'ada', `/link ${code}`);
    expect(from(life, 'telegram', 'ada')).toBe('owner');
    says(life, 'telegram', 'ada', 'hello');
    expect(lastConversation(life)).toBe('telegram/dm-ada');
  });

  test('is not given to a script or a job, in whatever conversation they speak', async () => {
    const life = await live(quiet);
    for (const channel of ['hook', 'telegram'])
      for (const id of ['script', 'schedule'])
        expect(() => life.channels.linkCode({ ...inbound(channel, '1'), sender: { id, name: id } })).toThrow(
          expect.objectContaining({ code: 'policy.denied' }),
        );
    expect(life.channels.pairing.list()).toEqual([]);
  });

  test('is not given to who came through an open door, which would stay open for them', async () => {
    const life = await live({ config: { channels: { telegram: { access: 'open', allow: ['bob'] } } }, start: false });
    expect(() => link(life, 'telegram', 'eve')).toThrow(expect.objectContaining({ code: 'policy.denied' }));
    expect(life.channels.pairing.list()).toEqual([]);
    expect(link(life, 'telegram', 'bob')).toMatch(/^[A-Z0-9]{8}$/);
  });

  test('ends with the identity it was made from', async () => {
    const life = await live(quiet);
    pair(life, 'telegram', 'ada');
    says(life, 'matrix', 'ada2', `/link ${link(life, 'telegram', 'ada')}`);
    expect(life.channels.pairing.revoke('telegram', 'ada')).toBe(true);
    expect(from(life, 'matrix', 'ada2')).toBe('guest');
    expect(life.channels.pairing.list()).toEqual([]);
  });

  test('is not taken in a group, where others read the code', async () => {
    const life = await live(quiet);
    pair(life, 'telegram', 'ada');
    const code = link(life, 'telegram', 'ada');
    says(life, 'matrix', 'eve', `/link ${code}`, { group: true });
    expect(from(life, 'matrix', 'eve')).toBe('guest');
  });
});

describe('groups', () => {
  const group = (mentioned?: boolean) => ({
    channel: 'g1',
    group: true,
    ...(mentioned === undefined ? {} : { mentioned }),
  });
  const world = async (groups?: string) => {
    const life = await live({
      config: { channels: { telegram: { owners: ['ada'], ...(groups ? { groups } : {}) } } },
      start: false,
    });
    return { life, say: (text: string, mentioned?: boolean) => says(life, 'telegram', 'ada', text, group(mentioned)) };
  };

  test('only what mentions px is answered, in a conversation of the group', async () => {
    const { life, say } = await world();
    say('chatter', false);
    say('px, what?', true);
    say('a connector that cannot tell');
    expect(life.asked).toEqual(['px, what?', 'a connector that cannot tell']);
    expect(lastConversation(life)).toBe('telegram/g1');
  });

  test('all or nothing when px.yaml says so', async () => {
    const all = await world('all');
    all.say('chatter', false);
    expect(all.life.asked).toEqual(['chatter']);
    const off = await world('off');
    off.say('px, what?', true);
    expect(off.life.asked).toEqual([]);
  });

  test('a linked person talks in the group, not in their own conversation', async () => {
    const life = await live(quiet);
    pair(life, 'telegram', 'ada');
    const code = life.channels.linkCode({ ...inbound('telegram', '1'), sender: { id: 'ada', name: 'Ada' } });
    says(life, 'matrix', 'ada2', `/link ${code}`);
    says(life, 'matrix', 'ada2', 'px?', { channel: 'room', group: true, mentioned: true });
    expect(lastConversation(life)).toBe('matrix/room');
  });

  test('a stranger in a group gets no code and no answer', async () => {
    const life = await live(quiet);
    expect(says(life, 'telegram', 'eve', 'px?', { channel: 'g1', group: true, mentioned: true })).toBe(true);
    expect(life.asked).toEqual([]);
    expect(life.channels.pairing.list()).toEqual([]);
  });
});
