import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { type App, startApp } from '../../src/app/app.ts';
import { type Client, createClient } from '../../src/client/client.ts';
import { homeAt } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import type { TurnEvent } from '../../src/wire/wire.ts';
import { refuse, type Speaker, serve, speakers, streamed } from '../model/speakers.ts';

/** Two providers, the first of which may be away; a px between them and a client. */
const find = (title: string): Speaker => {
  const found = speakers.find((one) => one.title === title);
  if (!found) throw new Error(title);
  return found;
};
const openai = find('openai (chat)');
const anthropic = find('anthropic');
const id = 'web/one' as const;
const png = { mime: 'image/png', data: 'iVBORw0KGgo=' };
const csv = { mime: 'text/csv', name: 'prices.csv', data: Buffer.from('plum,3\n').toString('base64') };

let away = false;
let root: string;
let one: ReturnType<typeof serve>;
let two: ReturnType<typeof serve>;
let app: App;
let gateway: Gateway;
let client: Client;

beforeEach(async () => {
  away = false;
  root = mkdtempSync(join(tmpdir(), 'px-switching-'));
  one = serve(openai, () => (away ? refuse(openai, 401, 'no') : streamed(openai, { text: ['from one'] })));
  two = serve(anthropic, () =>
    streamed(anthropic, { thinking: { text: 'secret thought', signature: 's' }, text: ['from two'] }),
  );
  const home = homeAt(root);
  writeFileSync(
    home.config,
    `model:
  default: openai/gpt-4o
  aliases: { second: ${anthropic.ref} }
  fallbacks: [second]
providers:
  openai: { base_url: "${one.url}/v1", api: chat, api_key: "\${K}" }
  anthropic: { base_url: "${two.url}", api_key: "\${K}" }
`,
  );
  const get = (name: string) => (name === 'K' ? 'test-key-123' : undefined);
  app = await startApp({ home, env: { home: undefined, userHome: root, get }, version: '1.2.3', quiet: true });
  gateway = await startGateway({ app, port: 0 });
  client = createClient({ url: gateway.url, token: gateway.token });
});
afterEach(async () => {
  await gateway.stop();
  await app.close();
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const follow = async (text: string, options: { model?: string } = {}) => {
  const events: TurnEvent[] = [];
  for await (const event of client.follow(id, text, options)) events.push(event);
  return events;
};

describe('a model', () => {
  test('for one message, by the API and by /model NAME TEXT; the conversation keeps its own', async () => {
    expect((await client.ask(id, 'hi', { model: 'second' })).answer).toBe('from two');
    expect((await client.ask(id, '/model second hi there')).answer).toBe('from two');
    expect(JSON.stringify(two.bodies.at(-1))).not.toContain('/model');
    expect((await client.ask(id, 'hi')).answer).toBe('from one');
    const { entries } = await client.conversation(id);
    expect(JSON.stringify(entries)).toContain('"text":"hi there"');
  });

  test('for a conversation, and back to what px.yaml says', async () => {
    await client.setModel(id, 'second');
    expect((await client.ask(id, 'hi')).answer).toBe('from two');
    expect(await client.setModel(id, 'default')).toEqual({ conversation: id, model: 'openai/gpt-4o' });
    expect((await client.ask(id, 'hi')).answer).toBe('from one');
  });

  test('by an edit of px.yaml, while px runs', async () => {
    await app.config.set('model.default', 'second');
    expect((await client.ask(id, 'hi')).answer).toBe('from two');
  });

  test('that nobody knows is not guessed, for one message either', async () => {
    expect((await client.ask(id, '/model secnd hi')).answer).toContain('Did you mean `second`');
    expect(one.bodies).toEqual([]);
  });

  test('of px.yaml that fails is replaced, and everybody sees which answered and why', async () => {
    away = true;
    const events = await follow('hi');
    const note = events.find((event) => event.type === 'turn.note');
    expect(note?.type === 'turn.note' && note.text).toMatch(/openai\/gpt-4o did not answer .* answers instead/);
    const end = events.at(-1);
    expect(end?.type === 'turn.end' && end.text).toContain('from two');
    expect(end?.type === 'turn.end' && end.text).toContain(`${anthropic.ref} answered instead of openai/gpt-4o`);
  });

  test.each([
    ['for the conversation', async () => void (await client.setModel(id, 'openai/gpt-4o')), {}],
    ['with the message', async () => {}, { model: 'openai/gpt-4o' }],
  ])('that a person chose %s is never replaced', async (_, choose, options) => {
    await choose();
    away = true;
    const end = (await follow('hi', options)).at(-1);
    expect(end?.type === 'turn.end' && end.error?.code).toBe('model.auth');
    expect(two.bodies).toEqual([]);
  });
});

test('thoughts are shown, or kept from everybody but the journal', async () => {
  const thoughts = (events: TurnEvent[]) => events.filter((event) => event.type === 'turn.thinking').length;
  expect(thoughts(await follow('hi', { model: 'second' }))).toBeGreaterThan(0);
  await app.config.set('model.thinking', 'hidden');
  expect(thoughts(await follow('hi', { model: 'second' }))).toBe(0);
  expect(JSON.stringify(two.bodies.at(-1))).toContain('"display":"omitted"');
  // The proof goes back in the next request all the same.
  expect(JSON.stringify(two.bodies.at(-1))).toContain('"signature":"s"');
});

describe('pictures and documents', () => {
  const read = (entry: unknown) => JSON.stringify(entry);

  test('reach the model with the message, stay in the conversation and beside the journal', async () => {
    await client.ask(id, 'how much?', { attachments: [png, csv] });
    expect(read(one.bodies[0])).toContain('data:image/png;base64,iVBORw0KGgo=');
    expect(read(one.bodies[0])).toContain('[Document prices.csv (text/csv)]\\nplum,3');
    await client.ask(id, 'and now?', { model: 'second' });
    expect(read(two.bodies[0])).toContain('iVBORw0KGgo=');
    const folder = join(root, 'memory/journal/web-one');
    const kept = readdirSync(join(folder, 'media')).map((name) => readFileSync(join(folder, 'media', name)));
    expect(kept.map((bytes) => bytes.toString('base64')).sort()).toEqual([csv.data, png.data].sort());
    const { entries } = await client.conversation(id);
    expect(read(entries)).not.toContain(png.data);
    expect(read(entries)).toContain('"name":"prices.csv","bytes":7');
  });

  test('come from a connector in metadata.attachments; what is none is left out, and who watches gets no bytes', async () => {
    const seen: string[] = [];
    app.bus.on((event) => seen.push(read(event)));
    const metadata = {
      attachments: [png, { mime: '../x', data: 'AA==' }, { mime: 'text/plain', data: 'not base64!' }],
    };
    const sender = { id: 'owner', name: 'owner' };
    const ended = Promise.withResolvers<void>();
    app.bus.on((event) => event.type === 'turn.end' && ended.resolve());
    app.submit({ conversation: id, channel: 'web', chat: 'one', id: 'm1', sender, text: '', at: Date.now(), metadata });
    await ended.promise;
    expect(read(one.bodies[0]).split('base64,').length).toBe(2);
    expect(seen.join()).not.toContain(png.data);
  });

  test('come through the OpenAI API to the agent', async () => {
    const api = new OpenAI({ apiKey: gateway.token, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const file_data = `data:text/csv;base64,${csv.data}`;
    await api.chat.completions.create({
      model: 'px',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${png.data}` } },
            { type: 'file', file: { filename: csv.name, file_data } },
          ],
        },
      ],
    });
    await api.responses.create({
      model: anthropic.ref,
      input: [{ role: 'user', content: [{ type: 'input_file', filename: csv.name, file_data }] }],
    });
    expect(read(one.bodies[0])).toContain(png.data);
    for (const body of [one.bodies[0], two.bodies[0]]) expect(read(body)).toContain('plum,3');
  });
});
