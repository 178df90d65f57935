import { describe, expect, test } from 'bun:test';
import type { ModelRequest } from '../../src/model/model.ts';
import type { JsonObject, Message } from '../../src/wire/wire.ts';
import { ask, never, open, read } from './fakes.ts';
import { raw, refuse, type Script, type Speaker, serve, speakers, streamed } from './speakers.ts';

const keys = { OPENAI_API_KEY: 'k-1234567', ANTHROPIC_API_KEY: 'k-1234567', GEMINI_API_KEY: 'k-1234567' };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const picture = { type: 'image' as const, mime: 'image/png', data: 'iVBORw0KGgo=' };
const pdf = { type: 'file' as const, mime: 'application/pdf', name: 'offer.pdf', data: base64('%PDF-1.4 offer') };
const table = { type: 'file' as const, mime: 'text/csv', name: 'prices.csv', data: base64('plum,3\n') };
const user = (...parts: Extract<Message, { role: 'user' }>['parts']): Message => ({ role: 'user', parts });
const text = (said: string) => ({ type: 'text' as const, text: said });
const calls = (id: string): Message => ({
  role: 'assistant',
  parts: [{ type: 'tool-call', id, name: 'look', args: {} }],
  model: 'offline/px',
});
const result = (
  callId: string,
  content: Extract<Message, { role: 'tool' }>['parts'][number]['content'],
  isError = false,
) => ({ role: 'tool', parts: [{ type: 'tool-result', callId, name: 'look', content, isError }] }) satisfies Message;

/** What a provider was sent for a request, and what came back. */
async function send(speaker: Speaker, request: Partial<ModelRequest>, script: Script = { text: ['ok'] }) {
  await using server = serve(speaker, () => streamed(speaker, script));
  const { models } = await open({ yaml: server.yaml(), env: keys });
  const got = await read(models.stream(ask(speaker.ref, 'hello', request), never), speaker.ref);
  expect(got.end?.error?.code).toBe(
    script.end === 'refusal' && speaker.provider === 'gemini' ? 'model.refusal' : undefined,
  );
  const body = server.bodies[0] ?? {};
  return { ...got, body, sent: JSON.stringify(body) };
}

/** Where each API wants it; undefined where it has no such thing. */
const placed = {
  system: {
    'openai (chat)': '{"role":"system","content":"Be kind."}',
    'openai (responses)': '"instructions":"Be kind."',
    anthropic: '"system":[{"type":"text","text":"Be kind."',
    gemini: '"systemInstruction":{"parts":[{"text":"Be kind."}]',
    ollama: '{"role":"system","content":"Be kind."}',
  },
  stop: {
    'openai (chat)': '"stop":["END"]',
    'openai (responses)': undefined,
    anthropic: '"stop_sequences":["END"]',
    gemini: '"stopSequences":["END"]',
    ollama: '"stop":["END"]',
  },
  seed: {
    'openai (chat)': '"seed":7',
    'openai (responses)': undefined,
    anthropic: undefined,
    gemini: '"seed":7',
    ollama: '"seed":7',
  },
  picture: {
    'openai (chat)': '{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}',
    'openai (responses)': '"image_url":"data:image/png;base64,iVBORw0KGgo="',
    anthropic: '{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}',
    gemini: '{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}',
    ollama: '"images":["iVBORw0KGgo="]',
  },
  pdf: {
    'openai (chat)': `{"type":"file","file":{"filename":"offer.pdf","file_data":"data:application/pdf;base64,${pdf.data}"}}`,
    'openai (responses)': `{"type":"input_file","filename":"offer.pdf","file_data":"data:application/pdf;base64,${pdf.data}"}`,
    anthropic: `{"type":"document","title":"offer.pdf","source":{"type":"base64","media_type":"application/pdf","data":"${pdf.data}"}`,
    gemini: `{"inlineData":{"mimeType":"application/pdf","data":"${pdf.data}"}}`,
    ollama: 'The document offer.pdf (application/pdf) was attached. This model cannot read documents of its type.',
  },
  failed: {
    'openai (chat)': '"content":"Error: no such file"',
    'openai (responses)': '"output":"Error: no such file"',
    anthropic: '"is_error":true',
    gemini: '"response":{"error":"Error: no such file"}',
    ollama: '"content":"Error: no such file"',
  },
  schema: {
    'openai (chat)': '"response_format":{"type":"json_schema"',
    'openai (responses)': '"format":{"type":"json_schema"',
    anthropic: '"output_config":{"format":{"type":"json_schema"',
    gemini: '"responseJsonSchema":{',
    ollama: '"format":{"type":"object"',
  },
} as const;

const titles = ['openai (chat)', 'openai (responses)', 'anthropic', 'gemini', 'ollama'] as const;

for (const speaker of speakers)
  describe(speaker.title, () => {
    const title = speaker.provider === 'lab' ? 'openai (chat)' : titles.find((one) => one === speaker.title);
    if (!title) throw new Error(speaker.title);
    const expectPlaced = (what: keyof typeof placed, sent: string) => {
      const wanted: string | undefined = placed[what][title];
      if (wanted !== undefined) expect(sent).toContain(wanted);
    };

    test('gets the system prompt, where words stop, and the seed', async () => {
      const { sent } = await send(speaker, { system: 'Be kind.', stop: ['END'], seed: 7 });
      for (const what of ['system', 'stop', 'seed'] as const) expectPlaced(what, sent);
    });

    test('is held to a JSON schema', async () => {
      const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
      const format = { type: 'schema' as const, name: 'answer', schema };
      const { sent, text: said } = await send(speaker, { format }, { text: ['{"a":', '1}'] });
      expectPlaced('schema', sent);
      expect(said).toBe('{"a":1}');
    });

    test('sees a picture', async () => {
      const { sent } = await send(speaker, { messages: [user(text('what is it?'), picture)] });
      expectPlaced('picture', sent);
    });

    test('reads a PDF, or is told that it has one it cannot read', async () => {
      const { sent } = await send(speaker, { messages: [user(text('sum it up'), pdf)] });
      expectPlaced('pdf', sent);
    });

    test('reads a text document', async () => {
      const { sent } = await send(speaker, { messages: [user(text('how much?'), table)] });
      expect(sent).toContain('[Document prices.csv (text/csv)]\\nplum,3');
    });

    test('is told that a tool failed', async () => {
      const failed = result('c1', [text('no such file')], true);
      expectPlaced('failed', (await send(speaker, { messages: [user(text('x')), calls('c1'), failed] })).sent);
    });

    test('sees the picture a tool brought, after the call it belongs to', async () => {
      const messages = [user(text('x')), calls('c1'), result('c1', [text('a chart'), picture])];
      const { sent } = await send(speaker, { messages });
      expect(sent.indexOf('iVBORw0KGgo=')).toBeGreaterThan(sent.indexOf('look'));
      expect(sent).toContain('a chart');
    });

    test('that takes no pictures is asked once more without them, is told so, and is not asked again', async () => {
      const blind = (body: JsonObject) =>
        JSON.stringify(body).includes('iVBORw0KGgo=')
          ? refuse(speaker, 400, 'image input is not supported by this model')
          : streamed(speaker, { text: ['I cannot see it.'] });
      await using server = serve(speaker, blind);
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const request = ask(speaker.ref, '', { messages: [user(text('what is it?'), picture)] });
      for (const requests of [2, 3]) {
        const { text: said, end } = await read(models.stream(request, never), speaker.ref);
        expect(said).toBe('I cannot see it.');
        expect(end).toEqual({ type: 'end', reason: 'stop' });
        expect(server.bodies.length).toBe(requests);
      }
      expect(JSON.stringify(server.bodies[1])).toContain('A picture (image/png) was attached');
      expect(JSON.stringify(server.bodies[1])).toContain('image input is not supported');
    });

    test('is asked for its thoughts, or to keep them', async () => {
      const asked = {
        'openai (chat)': undefined,
        'openai (responses)': ['"summary":"auto"', '"include":["reasoning.encrypted_content"]'],
        anthropic: ['"display":"summarized"', '"display":"omitted"'],
        gemini: ['"includeThoughts":true', '"includeThoughts":false'],
        ollama: undefined,
      }[title];
      const shown = await send(speaker, {}, { thinking: { text: 'hm', signature: 'sig' }, text: ['ok'] });
      const hidden = await send(speaker, { thinking: 'hidden' });
      expect(shown.thinking).toBe('hm');
      if (!asked) return;
      expect(shown.sent).toContain(asked[0] ?? '');
      expect(hidden.sent).not.toContain(asked[0] ?? '');
      expect(hidden.sent).toContain(asked[1] ?? '');
    });

    // Ollama's API has no way to refuse.
    test.skipIf(speaker.provider === 'ollama')('may refuse, where its API can say so, and that is said', async () => {
      const said = ['openai', 'lab'].includes(speaker.provider) ? { refusal: 'No.' } : {};
      const { end } = await send(speaker, {}, { ...said, end: 'refusal' });
      expect(end?.reason).toBe('refusal');
    });

    test('may cut a character in half between two pieces', async () => {
      const halves = ['a \ud83d', '\ude00 b', '\ud83d', '\ude00'];
      const messages = speaker.say({ text: halves });
      await using server = serve(speaker, () =>
        raw(speaker, async (sink) => {
          for (const message of messages) {
            sink(message);
            await Bun.sleep(2);
          }
        }),
      );
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const { events, text: said } = await read(models.stream(ask(speaker.ref, 'x'), never), speaker.ref);
      expect(said).toBe('a 😀 b😀');
      for (const event of events) if (event.type === 'text') expect(event.text.isWellFormed()).toBe(true);
    });

    test('may take its time for the first byte', async () => {
      await using server = serve(speaker, () =>
        raw(speaker, async (sink) => {
          await Bun.sleep(300);
          for (const message of speaker.say({ text: ['late'] })) sink(message);
        }),
      );
      const { models } = await open({ yaml: server.yaml({ timeout_seconds: 1 }), env: keys });
      expect((await read(models.stream(ask(speaker.ref, 'x'), never), speaker.ref)).text).toBe('late');
    });
  });

test('a server that speaks the OpenAI API needs no key and no name that px knows', async () => {
  const speaker = speakers[0];
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () => streamed(speaker, { text: ['here'] }));
  const { models } = await open({ yaml: server.yaml() });
  const request = ask('openai/some-lab/its-model:free', 'x', { temperature: 0.5 });
  expect((await read(models.stream(request, never), 'openai/x')).text).toBe('here');
  expect(server.bodies[0]).toMatchObject({ model: 'some-lab/its-model:free', max_tokens: 256, temperature: 0.5 });
});

test('a picture is left out only where the server said no to it', async () => {
  const speaker = speakers[0];
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () => refuse(speaker, 400, 'messages: wrong'));
  const { models } = await open({ yaml: server.yaml(), env: keys });
  const { end } = await read(models.stream(ask(speaker.ref, '', { messages: [user(picture)] }), never), speaker.ref);
  expect(end?.error?.code).toBe('model.bad-request');
  expect(server.bodies.length).toBe(2);
});
