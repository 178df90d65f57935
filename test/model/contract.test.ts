import { describe, expect, spyOn, test } from 'bun:test';
import { stopwatch } from '../stopwatch.ts';
import { ask, never, open, read } from './fakes.ts';
import { raw, refuse, type Script, type Speaker, serve, speakers, streamed } from './speakers.ts';

const keys = {
  OPENAI_API_KEY: 'sk-test-1234567',
  ANTHROPIC_API_KEY: 'sk-test-1234567',
  GEMINI_API_KEY: 'sk-test-1234567',
};
const tool = {
  name: 'get_weather',
  description: 'Weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};

/** The messages of an answer up to its first text. */
function begun(speaker: Speaker): string[] {
  const all = speaker.say({ text: ['begun'] });
  return all.slice(0, all.findIndex((m) => m.includes('begun')) + 1);
}

// One list of behaviours, every provider, each through its real SDK.
for (const speaker of speakers) {
  const run = async (
    reply: Parameters<typeof serve>[1],
    options: { more?: object; retryMs?: number; signal?: AbortSignal; tools?: (typeof tool)[] } = {},
  ) => {
    await using server = serve(speaker, reply);
    const { models } = await open({
      yaml: server.yaml(options.more),
      env: keys,
      ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
    });
    const request = ask(speaker.ref, 'hello', { tools: options.tools ?? [] });
    const result = await read(models.stream(request, options.signal ?? never), speaker.ref);
    models.close();
    return { ...result, bodies: server.bodies, headers: server.headers };
  };
  const say = (script: Script, pieces?: number) => () => streamed(speaker, script, pieces);

  describe(speaker.title, () => {
    test('hands text on as it comes, and ends', async () => {
      const pieces = ['Good ', 'morning', '!'];
      const all = speaker.say({ text: pieces });
      const gates = pieces.map(() => Promise.withResolvers<void>());
      await using server = serve(speaker, () =>
        raw(speaker, async (send) => {
          let from = 0;
          for (const [n, gate] of gates.entries()) {
            const to = all.findIndex((m) => m.includes(pieces[n] ?? '')) + 1;
            for (const message of all.slice(from, to)) send(message);
            from = to;
            // The next piece is sent when this one was handed on.
            await gate.promise;
          }
          for (const message of all.slice(from)) send(message);
        }),
      );
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const texts: string[] = [];
      for await (const event of models.stream(ask(speaker.ref, 'hello'), never)) {
        if (event.type === 'text') gates[texts.push(event.text) - 1]?.resolve();
        if (event.type === 'end') expect(event).toEqual({ type: 'end', reason: 'stop' });
      }
      expect(texts).toEqual(pieces);
    });

    test('makes one event of what came at once', async () => {
      const text = Array.from({ length: 200 }, (_, n) => `${n} `);
      const result = await run(say({ text }));
      expect(result.text).toBe(text.join(''));
      expect(result.events.filter((e) => e.type === 'text').length).toBeLessThan(20);
    });

    test('keeps characters whole when bytes come torn', async () => {
      const text = ['naïve ', '日本語 ', '👩‍👩‍👧 ', 'שלום'];
      const result = await run(say({ text }, 7));
      expect(result.text).toBe(text.join(''));
    });

    test('keeps thinking apart from text', async () => {
      const result = await run(say({ thinking: { text: 'Let me see.', signature: 'sig-abc=' }, text: ['42'] }));
      expect(result.thinking).toBe('Let me see.');
      expect(result.text).toBe('42');
    });

    test('hands over parallel tool calls with whole arguments', async () => {
      const calls = [
        { id: 'call_a', name: 'get_weather', args: { city: 'Zürich', deep: { list: [1, null, true] } } },
        { id: 'call_b', name: 'get_weather', args: { city: 'Rome' } },
      ];
      const result = await run(say({ text: ['Looking.'], calls }, 11), { tools: [tool] });
      expect(result.calls.map(({ id, name, args }) => ({ id, name, args }))).toEqual(calls);
      expect(result.end?.reason).toBe('tool-calls');
      expect(result.text).toBe('Looking.');
    });

    if (!['gemini', 'ollama'].includes(speaker.provider))
      test('tells which tool is called before its arguments have come', async () => {
        const all = speaker.say({ calls: [{ id: 'call_a', name: 'get_weather', args: { city: 'Zürich' } }] });
        const named = all.findIndex((m) => m.includes('get_weather')) + 1;
        const told = Promise.withResolvers<string>();
        await using server = serve(speaker, () =>
          raw(speaker, async (send) => {
            for (const message of all.slice(0, named)) send(message);
            await told.promise;
            for (const message of all.slice(named)) send(message);
          }),
        );
        const { models } = await open({ yaml: server.yaml(), env: keys });
        const request = ask(speaker.ref, 'hello', { tools: [tool], onTool: told.resolve });
        const { calls } = await read(models.stream(request, never), speaker.ref);
        models.close();
        expect(calls.map(({ name }) => name)).toEqual([await told.promise]);
      });

    test('takes a call without arguments as an empty object', async () => {
      const result = await run(say({ calls: [{ id: 'call_a', name: 'now', args: {} }] }));
      expect(result.calls[0]?.args).toEqual({});
    });

    test('tells a broken tool call as a broken stream', async () => {
      const script = { calls: [{ id: 'call_a', name: 'get_weather', args: {} }], brokenArgs: '{"city": "Par' };
      const reply = speaker.provider === 'gemini' || speaker.provider === 'ollama' ? { brokenArgs: '' } : script;
      const result = await run(say(reply), { tools: [tool] });
      expect(result.calls).toEqual([]);
      expect(result.end?.error?.code).toBe('model.stream');
    });

    test('tells usage with cached tokens once, before the end', async () => {
      const usage = { input: 120, output: 15, cachedInput: 80 };
      const { events } = await run(say({ text: ['x'], usage }));
      expect(events.at(-2)).toEqual({ type: 'usage', usage: speaker.caches ? usage : { ...usage, cachedInput: 0 } });
    });

    test('ends before a word that stops it, whoever knows the word, and shows nothing of it', async () => {
      const text = ['A st', 'ory EN', 'd. EN', 'D of it, and', ' more'];
      await using server = serve(speaker, () => streamed(speaker, { text }, 9));
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const told = (stop: string[]) => read(models.stream(ask(speaker.ref, 'hello', { stop }), never));
      expect(await told(['Z', 'END', 'of'])).toMatchObject({ text: 'A story ENd. ', end: { reason: 'stop' } });
      expect((await told(['E N D', 'morel'])).text).toBe(text.join(''));
      models.close();
    });

    test('says when the answer was cut at the limit', async () => {
      expect((await run(say({ text: ['and then'], end: 'length' }))).end?.reason).toBe('length');
    });

    test('takes an empty answer as an answer', async () => {
      const result = await run(say({}));
      expect(result.text).toBe('');
      expect(result.end).toEqual({ type: 'end', reason: 'stop' });
    });

    test('takes a stream that stops in the middle as broken, keeping what came', async () => {
      const result = await run(() =>
        raw(speaker, async (send) => {
          // All but the closing messages.
          const whole = speaker.say({ text: ['half an ', 'answer'] });
          for (const message of whole.slice(0, whole.findLastIndex((m) => m.includes('answer')) + 1)) send(message);
        }),
      );
      expect(result.text).toBe('half an answer');
      expect(result.end).toMatchObject({ reason: 'error', error: { code: 'model.stream', retryable: true } });
    });

    test('takes garbage in the stream as broken, without printing it', async () => {
      const printed = (['log', 'warn', 'error'] as const).map((level) =>
        spyOn(console, level).mockImplementation(() => {}),
      );
      const result = await run(() =>
        raw(speaker, async (send) => {
          // Anthropic's protocol ignores events without a name.
          if (speaker.provider === 'anthropic') send('event: content_block_delta\n');
          send(speaker.contentType === 'text/event-stream' ? 'data: {"cut": \n\n' : '{"cut": \n');
          for (const message of speaker.say({ text: ['goes on'] })) send(message);
        }),
      );
      expect(result.end?.error?.code).toBe('model.stream');
      for (const spy of printed) {
        expect(spy).not.toHaveBeenCalled();
        spy.mockRestore();
      }
    });

    test('takes an overload inside the stream as an overload', async () => {
      const result = await run(() =>
        raw(speaker, async (send) => send(speaker.errorEvent('busy', 'overloaded_error'))),
      );
      expect(result.end?.error).toMatchObject({ code: 'model.overloaded', retryable: true });
    });

    for (const moment of [
      'before the server answers',
      'in the middle of the stream',
      'while waiting to try again',
    ] as const)
      test(`stops within 50 ms ${moment}`, async () => {
        const gone = Promise.withResolvers<void>();
        let reached = () => {};
        await using server = serve(speaker, async () => {
          reached();
          if (moment === 'while waiting to try again') return refuse(speaker, 503, 'busy');
          if (moment === 'before the server answers') await gone.promise;
          return raw(speaker, async (send) => {
            for (const message of begun(speaker)) send(message);
            await gone.promise;
          });
        });
        const { models } = await open({ yaml: server.yaml(), env: keys, retryMs: 60_000 });
        const attempt = async () => {
          const controller = new AbortController();
          let took = stopwatch();
          reached = () =>
            setTimeout(() => {
              took = stopwatch();
              controller.abort();
            }, 30);
          // Nothing else ends it: the server says no more.
          const { end } = await read(models.stream(ask(speaker.ref, 'hello'), controller.signal));
          expect(end).toEqual({ type: 'end', reason: 'aborted' });
          return took();
        };
        // What the machine does beside may hold up one of them.
        let least = await attempt();
        for (let more = 0; more < 4 && least >= 50; more++) least = Math.min(least, await attempt());
        expect(least).toBeLessThan(50);
        gone.resolve();
        models.close();
      });

    test('sends nothing when it was stopped before it began', async () => {
      const result = await run(say({ text: ['x'] }), { signal: AbortSignal.abort() });
      expect(result.end?.reason).toBe('aborted');
      expect(result.bodies.length).toBe(0);
    });

    test('closes the connection when the reader leaves', async () => {
      const closed = Promise.withResolvers<void>();
      await using server = serve(speaker, () => {
        let timer: Timer;
        return new Response(
          new ReadableStream({
            start(sink) {
              const more = speaker.say({ text: ['again '] }).filter((m) => m.includes('again') || m.includes('_start'));
              timer = setInterval(() => sink.enqueue(new TextEncoder().encode(more.join(''))), 2);
            },
            cancel() {
              clearInterval(timer);
              closed.resolve();
            },
          }),
          { headers: { 'content-type': speaker.contentType } },
        );
      });
      const { models } = await open({ yaml: server.yaml(), env: keys });
      for await (const event of models.stream(ask(speaker.ref, 'hello'), never)) if (event.type === 'text') break;
      await closed.promise;
    });

    const refusals: [status: number, code: string, retryable: boolean, message: string][] = [
      [401, 'model.auth', false, 'bad key'],
      [403, 'model.auth', false, 'not yours'],
      [404, 'model.unknown', false, 'no such model'],
      [400, 'model.bad-request', false, 'messages: wrong'],
      [400, 'model.overflow', false, "This model's maximum context length is 10 tokens"],
      [413, 'model.overflow', false, 'too big'],
      [500, 'model.overloaded', true, 'oops'],
      [503, 'model.overloaded', true, 'busy'],
      [529, 'model.overloaded', true, 'Overloaded'],
    ];
    test.each(refusals)('says HTTP %d as %s', async (status, code, retryable, message) => {
      const { end, bodies } = await run(() => refuse(speaker, status, message));
      expect(end).toMatchObject({
        reason: 'error',
        error: { code, retryable, data: { status, provider: speaker.provider } },
      });
      expect(end?.error?.message).toContain(message);
      expect(bodies.length).toBe(retryable ? 3 : 1);
    });

    test('says how long a rate limit lasts, and does not wait for a long one', async () => {
      const { end, bodies } = await run(() => refuse(speaker, 429, 'slow down', { 'retry-after': '3600' }));
      expect(end?.error).toMatchObject({
        code: 'model.rate-limit',
        retryable: true,
        data: { status: 429, retryAfterMs: 3_600_000 },
      });
      expect(bodies.length).toBe(1);
    });

    test('tries again when nothing was shown yet, as soon as the provider allows', async () => {
      const times: number[] = [];
      const { text, end } = await run((_, attempt) => {
        times.push(performance.now());
        return attempt === 1
          ? refuse(speaker, 429, 'slow down', { 'retry-after-ms': '150' })
          : streamed(speaker, { text: ['there'] });
      });
      expect(text).toBe('there');
      expect(end?.reason).toBe('stop');
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(140);
    });

    test('never tries again after something was shown', async () => {
      const { text, bodies } = await run(() =>
        raw(speaker, async (send) => {
          for (const message of speaker
            .say({ text: ['shown'] })
            .filter((m) => !m.includes('stop') && !m.includes('STOP')))
            send(message);
        }),
      );
      expect(text).toBe('shown');
      expect(bodies.length).toBe(1);
    });

    test('says which address does not answer', async () => {
      const { models } = await open({
        yaml: {
          providers:
            speaker.provider === 'lab'
              ? { compatible: { lab: { base_url: 'http://127.0.0.1:9' } } }
              : { [speaker.provider]: { base_url: 'http://127.0.0.1:9' } },
        },
        env: keys,
      });
      const { end } = await read(models.stream(ask(speaker.ref, 'hello'), never));
      expect(end?.error).toMatchObject({ code: 'model.unreachable', retryable: true });
      expect(end?.error?.message).toContain('http://127.0.0.1:9');
      expect(end?.error?.hint).toBeTruthy();
    });

    test('says when the address is a web page and not the API', async () => {
      const { end } = await run(
        () => new Response('<html>Welcome</html>', { headers: { 'content-type': 'text/html' } }),
      );
      expect(end?.error?.code).toBe('model.bad-request');
      expect(end?.error?.hint).toContain('base_url');
    });

    test('does not repeat the key when the server does', async () => {
      const { end } = await run(() => refuse(speaker, 401, 'Incorrect API key provided: sk-test-1234567'), {
        more: { api_key: '${OPENAI_API_KEY}' },
      });
      expect(JSON.stringify(end)).not.toContain('sk-test-1234567');
    });

    test('does not carry the key along a redirect', async () => {
      await using thief = serve(speaker, () => streamed(speaker, { text: ['got it'] }));
      const { end } = await run(() => Response.redirect(thief.url, 307), { more: { api_key: '${OPENAI_API_KEY}' } });
      expect(end?.error?.code).toBe('model.bad-request');
      expect(thief.headers.length).toBe(0);
    });

    test('gives a renamed tool its own name back', async () => {
      const odd = { ...tool, name: '9 odd.näme' };
      await using server = serve(speaker, (body) => {
        const sent = /"name":"(_9_odd_n[^"]*)"/.exec(JSON.stringify(body))?.[1] ?? 'not sent';
        return streamed(speaker, { calls: [{ id: 'call_a', name: sent, args: {} }] });
      });
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const { calls } = await read(models.stream(ask(speaker.ref, 'hello', { tools: [odd] }), never));
      expect(calls[0]?.name).toBe(odd.name);
    });
  });
}

test('a missing key is said with both ways to set it, before anything is sent', async () => {
  for (const [ref, name] of [
    ['openai/gpt-5', 'OPENAI_API_KEY'],
    ['anthropic/claude-opus-5', 'ANTHROPIC_API_KEY'],
    ['gemini/gemini-2.5-pro', 'GEMINI_API_KEY'],
  ] as const) {
    const { models } = await open();
    const { end } = await read(models.stream(ask(ref, 'hello'), never));
    expect(end?.error).toMatchObject({
      code: 'model.auth',
      retryable: false,
      hint: `export ${name}=… or px secret set ${name}`,
    });
  }
});

test('a used-up quota is not tried again', async () => {
  const speaker = speakers[0];
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () =>
    refuse(speaker, 429, 'You exceeded your current quota', {}, 'insufficient_quota'),
  );
  const { models } = await open({ yaml: server.yaml(), env: keys });
  const { end } = await read(models.stream(ask(speaker.ref, 'hello'), never));
  expect(end?.error).toMatchObject({ code: 'model.rate-limit', retryable: false });
  expect(server.bodies.length).toBe(1);
});

test('every provider gives up after the configured silence, keeping what came', async () => {
  await Promise.all(
    speakers.map(async (speaker) => {
      const gone = Promise.withResolvers<void>();
      await using server = serve(speaker, () =>
        raw(speaker, async (send) => {
          for (const message of begun(speaker)) send(message);
          await gone.promise;
        }),
      );
      const { models } = await open({ yaml: server.yaml({ timeout_seconds: 1 }), env: keys });
      const { end, text } = await read(models.stream(ask(speaker.ref, 'hello'), never));
      gone.resolve();
      expect(text).toBe('begun');
      expect(end?.error).toMatchObject({ code: 'model.stream', retryable: true });
      expect(end?.error?.message).toContain('silent for 1 s');
    }),
  );
});
