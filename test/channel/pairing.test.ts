import { afterEach, describe, expect, test } from 'bun:test';
import { cleanUp, guestMessage, type Life, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

const pairing = { channels: { chat: {}, other: { plugin: 'other' } } };
const hour = 3_600_000;

/** A life with a clock the test sets, and a way to talk to it as somebody. */
async function world(options: { folder?: string; config?: unknown } = {}) {
  const clock = { now: 1_800_000_000_000 };
  const platform = new Platform();
  const life = await live({ platform, config: pairing, timing: { now: () => clock.now }, ...options });
  const run = crypto.randomUUID();
  let id = 0;
  const says = async (text: string, sender = 'eve', metadata = {}) => {
    platform.waiting.push(guestMessage(`${run}-${id++}`, text, sender, metadata));
    await until(() => platform.waiting.length === 0);
    const polls = platform.calls.length;
    await until(() => platform.calls.length > polls);
  };
  return { clock, platform, life, says };
}
const codes = (life: Life) => life.channels.pairing.list().filter((p) => p.state === 'pending');
const codeOf = (life: Life, sender = 'eve') => codes(life).find((p) => p.sender === sender)?.code ?? '';

describe('a stranger', () => {
  test('gets one code and how to approve it, and is not answered', async () => {
    const { life, platform, says } = await world();
    await says('let me in');
    await says('hello?');
    await until(() => platform.visible.length > 0);
    const code = codeOf(life);
    expect(code).toMatch(/^[ACDEFGHJKMNPQRTVWXY34679]{8}$/);
    expect(platform.visible).toHaveLength(1);
    expect(platform.visible[0]?.text).toContain(`px pairing approve ${code}`);
    expect(life.asked).toEqual([]);
    expect(life.of('message.in')).toEqual([]);
    expect(life.of('pairing.requested')).toMatchObject([{ channel: 'chat', sender: 'eve', code }]);
  });

  test('is answered once approved, also after a restart, and not any more once revoked', async () => {
    const folder = tempFolder();
    const first = await world({ folder });
    await first.says('before');
    const typed = ` ${codeOf(first.life)
      .toLowerCase()
      .replace(/(.{4})/, '$1-')} `;
    expect(first.life.channels.pairing.approve(typed)).toEqual({
      ...{ channel: 'chat', sender: 'eve', name: 'EVE' },
      role: 'owner',
    });
    expect(first.life.of('pairing.approved')).toHaveLength(1);
    await until(() => first.platform.visible.some((m) => m.text.includes('paired')));
    await first.says('after');
    expect(first.life.asked).toEqual(['after']);
    await first.life.channels.close();
    const second = await world({ folder });
    await second.says('still me');
    expect(second.life.asked).toContain('still me');
    expect(second.life.channels.pairing.list()).toMatchObject([{ state: 'approved', code: '', expiresAt: 0 }]);
    expect(second.life.channels.pairing.revoke('chat', 'eve')).toBe(true);
    expect(second.life.channels.pairing.revoke('chat', 'eve')).toBe(false);
    await second.says('and now?');
    expect(second.life.asked).not.toContain('and now?');
  });

  test('cannot use a code twice, or one that is expired', async () => {
    const { life, says, clock } = await world();
    await says('hi');
    const used = codeOf(life);
    life.channels.pairing.approve(used);
    expect(() => life.channels.pairing.approve(used)).toThrow(expect.objectContaining({ code: 'pairing.unknown' }));
    expect(() => life.channels.pairing.approve('')).toThrow(expect.objectContaining({ code: 'pairing.unknown' }));
    await says('hi', 'mallory');
    const late = codeOf(life, 'mallory');
    clock.now += hour;
    expect(() => life.channels.pairing.approve(late)).toThrow(expect.objectContaining({ code: 'pairing.unknown' }));
    expect(codes(life)).toEqual([]);
    await says('hi again', 'mallory');
    expect(codeOf(life, 'mallory')).not.toBe(late);
  });

  test('with the id of a paired person on another channel stays a stranger', async () => {
    const { life, says } = await world();
    await says('hi');
    life.channels.pairing.approve(codeOf(life));
    const message = { id: '1', sender_id: 'eve', sender_name: 'Eve', text: 'it is me', metadata: null };
    life.channels.emitted('other', message);
    expect(life.asked).toEqual([]);
    expect(codes(life)).toMatchObject([{ channel: 'other', sender: 'eve' }]);
  });

  test('in a group is not answered, so that nobody makes px write to the others', async () => {
    const { life, platform, says } = await world();
    await says('hey bot', 'eve', { group: true, channel: 'room' });
    expect(codes(life)).toEqual([]);
    expect(platform.visible).toEqual([]);
  });

  test('cannot draw on the terminal of the owner with a name', async () => {
    const { life, platform } = await world();
    const message = guestMessage('1', 'hi');
    message.sender.display_name = '\u001b[2JYour mother\u202e\n(trusted)'.padEnd(500, 'x');
    platform.waiting.push(message);
    await until(() => codes(life).length === 1);
    const name = codes(life)[0]?.name ?? '';
    expect(name).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(name.length).toBeLessThanOrEqual(100);
  });
});

describe('guessing', () => {
  test('is refused after ten wrong codes, the right one too, until ten minutes have passed', async () => {
    const { life, says, clock } = await world();
    await says('hi');
    const right = codeOf(life);
    for (let i = 0; i < 10; i++) expect(() => life.channels.pairing.approve(`AAAAAAA${i}`)).toThrow(/No pairing/);
    expect(() => life.channels.pairing.approve(right)).toThrow(expect.objectContaining({ code: 'pairing.locked' }));
    clock.now += 600_001;
    expect(life.channels.pairing.approve(right).sender).toBe('eve');
  });

  test('part of a code, or a longer one, does not count', async () => {
    const { life, says } = await world();
    await says('hi');
    const right = codeOf(life);
    for (const wrong of [right.slice(0, 7), `${right}A`, `${right}\0`, '%', '________'])
      expect(() => life.channels.pairing.approve(wrong)).toThrow(expect.objectContaining({ code: 'pairing.unknown' }));
  });
});

describe('a flood of strangers', () => {
  test('opens at most twenty codes, makes px write at most twenty times, and leaves paired people alone', async () => {
    const { life, platform, says } = await world();
    await says('hi', 'friend');
    life.channels.pairing.approve(codeOf(life, 'friend'));
    for (let i = 0; i < 300; i++) platform.waiting.push(guestMessage(`f${i}`, 'spam', `bot${i % 150}`));
    await says('the flood is over', 'friend');
    await until(() => life.asked.length > 0);
    expect(life.asked).toEqual(['the flood is over']);
    expect(codes(life)).toHaveLength(20);
    await until(() => platform.visible.length === 22);
    expect(JSON.stringify(life.store.db.query('SELECT * FROM inbox').all())).not.toContain('spam');
  });
});

describe('access', () => {
  test('allow-list answers only those in it, and strangers hear nothing', async () => {
    const { life, platform, says } = await world({
      config: { channels: { chat: { access: 'allow-list', allow: ['ada'] } } },
    });
    await says('hi', 'ada');
    await says('hi there', 'eve');
    await says('hi there', 'ada ');
    expect(life.asked).toEqual(['hi']);
    expect(platform.visible).toEqual([]);
    expect(codes(life)).toEqual([]);
  });

  test('people in `allow` need no pairing', async () => {
    const { life, says } = await world({ config: { channels: { chat: { allow: ['ada'] } } } });
    await says('hi', 'ada');
    expect(life.asked).toEqual(['hi']);
  });

  test('a message that came as a stranger is not answered later, when it comes again', async () => {
    const { life, platform, says } = await world();
    platform.waiting.push(guestMessage('same', 'transfer everything', 'eve'));
    await until(() => codes(life).length === 1);
    life.channels.pairing.approve(codeOf(life));
    platform.waiting.push(guestMessage('same', 'transfer everything', 'eve'));
    await says('hello');
    expect(life.asked).toEqual(['hello']);
  });
});
