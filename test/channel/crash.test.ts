import { afterEach, expect, test } from 'bun:test';
import { splitText } from '../../src/channel/channel.ts';
import { cleanUp, guestMessage, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

/** A platform that sends an update again until the next request confirms it, as Telegram does, and outlives px. */
class Telegram extends Platform {
  updates: ReturnType<typeof guestMessage>[] = [];
  confirmed = 0;
  handed = 0;

  constructor() {
    super();
    this.exports.push('next-wait', 'on-wait', 'describe');
    this.maxText = 64;
    this.request = () => {
      this.confirmed = this.handed;
      return { method: 'GET', url: 'https://chat.example', headers: [], body: null };
    };
    this.onHold = () => {
      this.waiting = this.updates.slice(this.confirmed);
      this.handed = this.updates.length;
      return {
        ok: { status: 200, headers: [], body: btoa(JSON.stringify(this.waiting.map((u) => JSON.stringify(u)))) },
      };
    };
  }

  /** The machine loses power at the n-th thing that happens between px and the plugin: from then on nothing comes back. */
  cutPowerAt(step: number): { cut: Promise<void> } {
    const { promise: cut, resolve } = Promise.withResolvers<void>();
    const never = new Promise<void>(() => {});
    let steps = 0;
    const tick = () => {
      if (steps++ < step) return undefined;
      resolve();
      return never;
    };
    this.before = tick;
    this.after = tick;
    return { cut };
  }
}

const question = 'what is it';
const answer = (text: string) =>
  `To "${text}": a long answer, which needs more than one part to be sent. End of "${text}".`;

for (let step = 0; step < 16; step++) {
  test(`power lost at step ${step}: one visible answer, or a part reported unknown, and never a part twice`, async () => {
    const folder = tempFolder();
    const world = new Telegram();
    world.updates.push(guestMessage('1', question));
    const power = world.cutPowerAt(step);
    const first = await live({ platform: world, folder, answer, timing: { closeWait: 1 } });
    await power.cut;
    const asked = first.asked.length;
    first.store.close();

    const after = new Telegram();
    after.updates = world.updates;
    after.confirmed = after.handed = world.confirmed;
    const second = await live({ platform: after, folder, answer });
    const seen = () => [...world.visible, ...after.visible].map((m) => m.text);
    const unknown = () => second.channels.undelivered().map((u) => u.text);
    const parts = splitText(answer(question), 64);
    expect(parts.length).toBeGreaterThan(1);
    await until(() => parts.every((part) => seen().includes(part) || unknown().includes(part)));
    after.updates.push(guestMessage('2', 'and then'));
    await until(() => seen().some((text) => text.includes('End of "and then"')));

    for (const part of parts) expect(seen().filter((text) => text === part).length).toBeLessThanOrEqual(1);
    expect(unknown().length).toBeLessThanOrEqual(1);
    expect(second.of('message.out').filter((e) => e.state === 'failed')).toHaveLength(unknown().length);
    expect(asked + second.asked.filter((text) => text === question).length).toBeLessThanOrEqual(2);
  });
}

test('a part that was being sent is not sent again, the parts after it are', async () => {
  const folder = tempFolder();
  const world = new Telegram();
  let sending = false;
  world.onPost = () => {
    sending = true;
    return new Promise(() => {});
  };
  const first = await live({ platform: world, folder, timing: { closeWait: 1 } });
  first.channels.send('chat', 'ada', answer('x'.repeat(30)));
  await until(() => sending);
  first.store.close();

  const after = new Telegram();
  const second = await live({ platform: after, folder });
  const rest = splitText(answer('x'.repeat(30)), 64).slice(1);
  await until(() => after.visible.length === rest.length);
  expect(after.visible.map((m) => m.text)).toEqual(rest);
  expect(second.channels.undelivered()).toMatchObject([{ state: 'unknown', chat: 'ada' }]);
  expect(second.log.some((e) => e.level === 'error' && e.message.includes('may be lost'))).toBe(true);
});
