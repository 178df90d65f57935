import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notBuilt, Px, until } from '../px.ts';
import type { Purpose } from './between.ts';
import { type Model, type Reply, startModel } from './model.ts';
import { odd } from './odd.ts';
import type { Lacks, Need, Platform, Seen } from './platform.ts';

const long = Array.from({ length: 2_000 }, (_, i) => (i % 60 === 59 ? `word${i}.\n\n` : `word${i}`)).join(' ');
const slow = 'This comes slowly, word by word, and it is whole in the end. '.repeat(5).trim();
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** What the model does: each message has a key `[k1]`, by which its answer is known. */
function reply(said: string): Reply {
  const key = /\[k\d+\]/.exec(said)?.[0] ?? '';
  // A connector that hears itself would go on for ever.
  if (/^Heard/.test(said)) return 'never';
  const number = /odd text (\d+)/.exec(said)?.[1];
  if (number !== undefined) return { say: `Heard ${key} ${odd[Number(number)]}` };
  if (said.includes('a long text')) return { say: `Heard ${key} ${long}` };
  if (said.includes('slowly')) return { say: `Heard ${key} ${slow}`, slowly: true };
  if (said.includes('do you like it')) return { call: 'react', args: { emoji: '👍' }, say: `Heard ${key}` };
  if (said.includes('the picture'))
    return { call: 'send_file', args: { path: 'files/out.png', caption: `a *dot* ${key}` }, say: `Heard ${key}` };
  return { say: `Heard ${key}` };
}

/** Runs what every connector must do, through its plugin in its sandbox, in the compiled px, on its platform. */
export function contract(name: string, lacks: Lacks, open: () => Promise<Platform>) {
  describe.skipIf(notBuilt !== undefined)(`the connector ${name}`, () => {
    let platform: Platform;
    let model: Model;
    let px: Px;
    let keys = 0;

    beforeAll(async () => {
      platform = await open();
      model = startModel(reply);
      const { channel, env } = platform;
      px = new Px({
        config: {
          ...platform.config({ access: 'open', owners: [platform.person] }),
          ...model.config,
        },
        env: { ...env, TEST_KEY: 'sk-test-1234567890' },
      });
      await px.serve();
      await px.installed(60_000);
      if (platform.plugin) expect(await px.run('plugin', 'add', platform.plugin)).toMatchObject({ code: 0 });
      platform.attach?.(px);
      mkdirSync(join(px.home, 'memory/files'), { recursive: true });
      writeFileSync(join(px.home, 'memory/files/out.png'), picture);
      await until(
        `${channel} to run`,
        async () => /^channel \S+ +running/m.test((await px.run('status')).stdout),
        60_000,
      );
    }, 120_000);
    afterAll(async () => {
      await px?.[Symbol.asyncDispose]();
      await model?.[Symbol.asyncDispose]();
      await platform?.[Symbol.asyncDispose]();
    });

    const found = async (key: string) => (await platform.seen()).filter((one) => one.text.includes(`Heard ${key}`));
    const say = async (text: string) => {
      const key = `[k${++keys}]`;
      return { key, id: await platform.say(`${text} ${key}`) };
    };
    const answerTo = async (text: string) => {
      const { key, id } = await say(text);
      const seen = await until(`the answer to ${text}`, async () => (await found(key))[0], 40_000);
      return { key, id, seen };
    };
    /** Fails when one of these is not answered, or twice: something said later has been answered by then. */
    const eachOnce = async (asked: string[]) => {
      await answerTo('and now this');
      const answers = await Promise.all(asked.map(async (key) => [key, (await found(key)).length]));
      expect(answers).toEqual(asked.map((key) => [key, 1]));
    };
    const outbox = async () => {
      const { parts } = (await (await px.fetch('/api/outbox')).json()) as {
        parts: { id: number; text: string; state: string; error: string }[];
      };
      return parts;
    };
    const between = () => {
      if (!platform.between) throw new Error(`${name} has no Between`);
      return platform.between;
    };
    /** Says something and ends px, as power loss would, when the platform has done its part and px does not know; starts it again. */
    const killedAt = async (purpose: Purpose, text: string) => {
      const { promise: reached, resolve } = Promise.withResolvers<void>();
      const key = `[k${++keys}]`;
      const its = new RegExp(`\\[k${keys}\\\\*\\]`);
      between().after = (done, body) => {
        if (done !== purpose || !its.test(body)) return;
        process.kill(px.pid, 'SIGKILL');
        resolve();
      };
      await platform.say(`${text} ${key}`);
      await reached;
      between().after = () => {};
      await px.kill9();
      await px.serve();
      return key;
    };
    const whole = (seen: Seen[]) => seen.map((one) => one.text).join(' ');
    const flat = (text: string) => text.replace(/\s+/g, ' ').trim();

    /** A behaviour of platforms that have what it needs. */
    const when = (need: Need, what: string, run: (p: Platform) => Promise<void>, ms = 60_000) => {
      const why = lacks[need];
      test.skipIf(why !== undefined)(why === undefined ? what : `${what} (${name}: ${why})`, () => run(platform), ms);
    };

    test('says that it can do what this suite tries', async () => {
      const { stdout } = await px.run('plugin', 'call', platform.channel, 'abilities', '[]');
      const says = new Set<string>(stdout.trim().startsWith('[') ? JSON.parse(stdout) : []);
      expect({
        react: says.has('react'),
        files: says.has('files'),
        typing: says.has('typing'),
        once: [...says].some((one) => one === 'once' || one.startsWith('once:')),
        streams: says.has('edit') || says.has('draft'),
      }).toEqual({
        react: platform.reactions !== undefined,
        files: platform.files !== undefined,
        typing: platform.typed !== undefined,
        once: platform.once === true,
        streams: platform.streams === true,
      });
      const { between, reactions, typed, files, webhook, streams } = platform;
      const missing = Object.entries({ between, reactions, typed, files, webhook, streams })
        .filter(([, has]) => has === undefined)
        .map(([need]) => need);
      expect(
        Object.keys(lacks)
          .filter((need) => need !== 'apart')
          .sort(),
      ).toEqual(missing.sort());
    }, 30_000);

    test('a message is answered once, and its answer goes out under the id that the platform gives', async () => {
      const { key, seen } = await answerTo('hello');
      expect(seen.text).toBe(`Heard ${key}`);
      expect(seen.id).not.toBe('');
      await eachOnce([key]);
    }, 60_000);

    when('between', 'a message that is brought twice is answered once', async () => {
      const { key } = await answerTo('hello');
      await between().again();
      await eachOnce([key]);
    });

    when(
      'between',
      'a message that px has not stored when it ends comes again',
      async () => {
        // The platform has given it away, and px never gets it.
        const key = await killedAt('receive', 'are you there');
        await until('the answer', async () => (await found(key)).length > 0, 30_000);
        await eachOnce([key]);
      },
      90_000,
    );

    when(
      'between',
      'a text that had arrived when px was ended is shown once; where that cannot be known it is told',
      async (p) => {
        const key = await killedAt('send', 'say it once');
        await answerTo('and after that');
        await eachOnce([key]);
        const unknown = (await outbox()).filter((part) => part.state === 'unknown' && part.text.includes(key));
        expect(unknown).toHaveLength(p.once || p.history ? 0 : 1);
        for (const { id } of unknown) expect((await px.run('outbox', 'drop', String(id))).code).toBe(0);
      },
      90_000,
    );

    when(
      'apart',
      'what is said while px is off is answered when it is back, in order and once',
      async (p) => {
        expect(await px.stop()).toBe(0);
        const asked: string[] = [];
        for (const text of ['first', 'second', 'third']) asked.push((await say(text)).key);
        await px.serve();
        await until('the last answer', async () => (await found(asked[2] ?? '')).length > 0, 30_000);
        await eachOnce(asked);
        const order = (await p.seen()).map((one) => /^Heard (\[k\d+\])/.exec(one.text)?.[1] ?? '');
        expect(order.filter((key) => asked.includes(key))).toEqual(asked);
      },
      90_000,
    );

    when('apart', 'a long text comes in several messages, without a word cut', async (p) => {
      const before = (await p.seen()).length;
      await say('a long text please');
      const all = async () => {
        const seen = (await p.seen()).slice(before);
        return /word1999\W*$/.test(seen.at(-1)?.text ?? '') && seen;
      };
      const parts = await until('all of it', all, 30_000);
      expect(parts.length).toBeGreaterThan(1);
      for (const part of parts) {
        expect(part.text.length).toBeLessThanOrEqual(p.maxText);
        expect(part.text).toMatch(/(?:^Heard|^\W*word\d+\b)[\s\S]*\bword\d+\W*$/);
      }
      expect(flat(whole(parts)).replace(/^Heard \[k\d+\] /, '')).toBe(flat(long));
    });

    test('no text is too odd to come in, or to go out', async () => {
      const asked: string[] = [];
      for (const [i, text] of odd.entries()) {
        asked.push((await say(`odd text ${i}`)).key);
        asked.push((await say(text)).key);
      }
      for (const key of asked) await until(`the answer to ${key}`, async () => (await found(key)).length > 0, 60_000);
      await eachOnce(asked);
      await until('an empty outbox', async () => (await outbox()).length === 0);
    }, 180_000);

    when('between', 'px waits when the platform asks it to', async (p) => {
      between().instead.push({ purpose: 'send', answer: () => p.refusals?.later() ?? new Response() });
      const begun = Date.now();
      const { key } = await answerTo('too fast');
      expect(Date.now() - begun).toBeGreaterThan(900);
      await eachOnce([key]);
      await until('an empty outbox', async () => (await outbox()).length === 0);
    });

    when(
      'between',
      'what the platform refuses for good is kept as a dead letter, and what follows goes out',
      async (p) => {
        between().instead.push({ purpose: 'send', answer: () => p.refusals?.never() ?? new Response() });
        const { key } = await say('refuse this');
        const dead = await until('a dead letter', async () => (await outbox()).find((part) => part.state === 'failed'));
        expect(dead.text).toContain(key);
        expect((await px.run('outbox', 'list')).stdout).toContain(dead.error.slice(0, 20));
        await answerTo('take this');
        expect(await found(key)).toEqual([]);
        expect((await px.run('outbox', 'retry', String(dead.id))).code).toBe(0);
        await until('the dead letter', async () => (await found(key)).length === 1);
        await until('an empty outbox', async () => (await outbox()).length === 0);
      },
    );

    when(
      'between',
      'a token that the platform does not know is said so, and px comes back by itself',
      async (p) => {
        const refused = () => p.refusals?.token() ?? new Response();
        for (let i = 0; i < 2; i++) between().instead.push({ purpose: 'send', answer: refused });
        for (let i = 0; i < 3; i++) between().instead.push({ purpose: 'receive', answer: refused });
        const { key } = await say('who am I');
        // Where messages come another way, as over a gateway, only what is sent is refused: that is no less a channel that fails.
        const state = async () => /^channel .*$/m.exec((await px.run('status')).stdout)?.[0] ?? '';
        await until('the refusal', async () => /failing.*token refused/.test(await state()), 30_000);
        await until('the answer', async () => (await found(key)).length === 1, 40_000);
        await until('the channel to run', async () => / running/.test(await state()), 20_000);
        between().instead.length = 0;
        await eachOnce([key]);
      },
      90_000,
    );

    when('streams', 'an answer that takes its time is one message, whole in the end', async (p) => {
      const { key } = await say('answer slowly');
      await until(
        'the whole answer',
        async () => (await found(key)).some((one) => one.text.endsWith('in the end.') && one.text.includes(slow)),
        40_000,
      );
      expect(await p.seen()).toSatisfy(
        (all: Seen[]) => all.filter((one) => one.text.includes(`Heard ${key}`)).length === 1,
      );
    });

    when('reactions', 'px reacts to a message', async (p) => {
      const { id } = await answerTo('do you like it');
      expect(await until('the reaction', async () => (await p.reactions?.(id))?.[0])).toStartWith('👍');
    });

    when('typed', 'px shows that it writes', async (p) => {
      // Not with each answer, since an app shows the sign for some seconds: with the first of all that were asked for by now.
      await answerTo('hello');
      expect(p.typed?.()).toBeGreaterThan(0);
    });

    when('files', 'a file comes in, is kept, and is shown to the model', async (p) => {
      const key = `[k${++keys}]`;
      await p.files?.send({ name: 'dot.png', mime: 'image/png', bytes: picture }, `look at this ${key}`);
      await until('the answer', async () => (await found(key)).length === 1, 30_000);
      const folder = join(px.home, 'memory/files', p.channel);
      const kept = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.(png|jpg)$/.test(file),
      );
      expect(readFileSync(join(folder, kept.at(-1) ?? '')).equals(picture)).toBe(true);
      expect(model.asked.some((text) => text.includes(picture.toString('base64')))).toBe(true);
    });

    when('files', 'a file goes out, with the words under it', async (p) => {
      const { key } = await answerTo('send me the picture');
      const seen = await until('the file', async () =>
        (await p.seen()).find((one) => one.file && one.text.includes(key)),
      );
      expect(seen.file).toMatchObject({ name: 'out.png', mime: 'image/png' });
      expect(Buffer.from(seen.file?.bytes ?? []).equals(picture)).toBe(true);
    });

    test('what was said in a chat is told: by the platform where it can, else by the journal', async () => {
      const { key } = await answerTo('remember this');
      const path = `/api/channels/${encodeURIComponent(platform.channel)}/${encodeURIComponent(platform.chat)}/history?limit=4`;
      const told = (await (await px.fetch(path)).json()) as { source: string; messages: { text: string }[] };
      expect(told.source).toBe(platform.history ? 'platform' : 'journal');
      const texts = told.messages.map((message) => message.text);
      expect(texts.findIndex((text) => text.includes(`remember this ${key}`))).toBeGreaterThan(-1);
      expect(texts.indexOf(`Heard ${key}`)).toBeGreaterThan(
        texts.findIndex((text) => text.includes(`remember this ${key}`)),
      );
    }, 60_000);

    when('webhook', 'messages are brought by webhook, to who knows its secret, and asked for again', async (p) => {
      expect((await px.run('config', 'set', `channels.${p.channel}.webhook`, px.url)).code).toBe(0);
      const address = await until('the webhook', () => p.webhook?.address());
      expect(address).toStartWith(`${px.url}/hooks/channel/${p.channel}/`);
      await answerTo('by webhook');
      expect(await p.webhook?.forged(address)).toBe(401);
      expect((await px.run('config', 'unset', `channels.${p.channel}.webhook`)).code).toBe(0);
      await until('no webhook', () => p.webhook?.address() === undefined);
      await answerTo('asked for again');
    });

    test('its token is nowhere in what px says, keeps or logs', async () => {
      const said = whole(await platform.seen());
      for (const token of Object.values(platform.env)) {
        expect(said).not.toContain(token);
        expect(px.log).not.toContain(token);
        expect(px.journal()).not.toContain(token);
      }
    });
  });
}
