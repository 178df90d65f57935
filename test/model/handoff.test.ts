import { describe, expect, test } from 'bun:test';
import type { JsonObject, Message, ToolResultPart } from '../../src/wire/wire.ts';
import { ask, never, open, read } from './fakes.ts';
import { type Script, type Speaker, serve, speakers, streamed } from './speakers.ts';

const keys = { OPENAI_API_KEY: 'k-1234567', ANTHROPIC_API_KEY: 'k-1234567', GEMINI_API_KEY: 'k-1234567' };
const tools = [
  {
    name: 'get_weather',
    description: 'Weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
];

/** What a provider answers when it thinks and calls two tools, with ids in its own manner. */
const asking: Script = {
  thinking: { text: 'Two cities.', signature: 'c2lnbmF0dXJl' },
  text: ['I look.'],
  calls: [
    { id: 'call_1', name: 'get_weather', args: { city: 'Oslo' }, signature: 'Z2VtaW5p' },
    { id: 'call_2', name: 'get_weather', args: { city: 'Rome' } },
  ],
};

async function exchange(speaker: Speaker, messages: Message[], script: Script) {
  await using server = serve(speaker, () => streamed(speaker, script));
  const { models } = await open({ yaml: server.yaml(), env: keys });
  const result = await read(models.stream(ask(speaker.ref, '', { messages, tools }), never), speaker.ref);
  models.close();
  expect(result.end?.error).toBeUndefined();
  return { message: result.message, body: server.bodies[0] ?? {} };
}

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const resultsFor = (message: Message): Message => ({
  role: 'tool',
  parts: message.parts.flatMap((p): ToolResultPart[] =>
    p.type === 'tool-call'
      ? [
          {
            type: 'tool-result',
            callId: p.id,
            name: p.name,
            content: [{ type: 'text', text: `${p.args['city']}: sun` }],
            isError: false,
          },
        ]
      : [],
  ),
});

/** The conversation on the wire, as far as every API must agree on it. */
function seen(speaker: Speaker, body: JsonObject): string[] {
  const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value : []) as JsonObject[];
  const inner = (value: unknown): JsonObject =>
    (typeof value === 'object' && value !== null ? value : {}) as JsonObject;
  if (speaker.title === 'openai (responses)')
    return list(body['input']).flatMap((item) => {
      if (item['type'] === 'function_call') return [`call ${item['call_id']} ${item['arguments']}`];
      if (item['type'] === 'function_call_output') return [`result ${item['call_id']} ${item['output']}`];
      if (item['type'] === 'reasoning') return [`thought ${item['encrypted_content']}`];
      return [
        `${item['role']} ${typeof item['content'] === 'string' ? item['content'] : list(item['content']).map((c) => c['text'])}`,
      ];
    });
  if (speaker.provider === 'gemini')
    return list(body['contents']).flatMap((c) =>
      list(c['parts']).map((p) => {
        const call = inner(p['functionCall']);
        const result = inner(p['functionResponse']);
        if (p['functionCall'])
          return `call ${call['id']} ${JSON.stringify(call['args'])}${p['thoughtSignature'] ? ` signed ${p['thoughtSignature']}` : ''}`;
        if (p['functionResponse']) return `result ${result['id']} ${inner(result['response'])['output']}`;
        return `${c['role'] === 'model' ? 'assistant' : 'user'} ${p['text']}`;
      }),
    );
  if (speaker.provider === 'anthropic')
    return list(body['messages']).flatMap((m) =>
      list(m['content']).map((b) => {
        if (b['type'] === 'tool_use') return `call ${b['id']} ${JSON.stringify(b['input'])}`;
        if (b['type'] === 'tool_result')
          return `result ${b['tool_use_id']} ${list(b['content']).map((c) => c['text'])}`;
        if (b['type'] === 'thinking') return `thought ${b['signature']}`;
        return `${m['role']} ${b['text']}`;
      }),
    );
  return list(body['messages'])
    .filter((m) => m['role'] !== 'system')
    .flatMap((m) => {
      if (m['role'] === 'tool') return [`result ${m['tool_call_id']} ${m['content']}`];
      const said = m['content'] ? [`${m['role']} ${m['content']}`] : [];
      const calls = list(m['tool_calls']).map((c) => {
        const args = inner(c['function'])['arguments'];
        return `call ${c['id']} ${typeof args === 'string' ? args : JSON.stringify(args)}`;
      });
      return [...(m['reasoning_content'] ? [`thought ${m['reasoning_content']}`] : []), ...said, ...calls];
    });
}

for (const from of speakers)
  for (const to of speakers)
    test(`a tool loop begun by ${from.title} goes on with ${to.title}`, async () => {
      const first = await exchange(from, [user('Weather?')], asking);
      const { body } = await exchange(to, [user('Weather?'), first.message, resultsFor(first.message)], {
        text: ['Sunny.'],
      });
      const wire = seen(to, body);
      const ids = wire.filter((w) => w.startsWith('call ')).map((w) => w.split(' ')[1]);
      const signed =
        to.provider !== 'gemini'
          ? ''
          : from.provider === 'gemini'
            ? ' signed Z2VtaW5p'
            : ' signed skip_thought_signature_validator';
      // A thought goes back only where it came from, with its proof.
      const own =
        from === to
          ? {
              anthropic: ['thought c2lnbmF0dXJl'],
              openai: [to.signs ? 'thought c2lnbmF0dXJl' : 'thought Two cities.'],
              lab: ['thought Two cities.'],
              gemini: [],
              ollama: [],
            }[to.provider]
          : [];
      expect(wire).toEqual([
        'user Weather?',
        ...own,
        'assistant I look.',
        `call ${ids[0]} {"city":"Oslo"}${signed}`,
        `call ${ids[1]} {"city":"Rome"}`,
        `result ${ids[0]} Oslo: sun`,
        `result ${ids[1]} Rome: sun`,
      ]);
    });

describe.each(speakers.map((s) => [s.title, s] as const))('%s accepts', (_, speaker) => {
  const call = (id: string, name = 'get_weather'): Message => ({
    role: 'assistant',
    parts: [{ type: 'tool-call', id, name, args: { city: 'Oslo' } }],
    model: 'ollama/x',
  });
  const result = (callId: string, text = 'sun'): Message => ({
    role: 'tool',
    parts: [{ type: 'tool-result', callId, name: 'get_weather', content: [{ type: 'text', text }], isError: false }],
  });
  const send = async (messages: Message[]) => {
    const { body } = await exchange(speaker, messages, { text: ['ok'] });
    return { wire: seen(speaker, body), body };
  };

  test('ids and names no API takes', async () => {
    const { wire, body } = await send([
      user('a'),
      call('fc|weird id/€'.repeat(9), 'böse namen.x'),
      result('fc|weird id/€'.repeat(9)),
    ]);
    const id = wire[1]?.split(' ')[1] ?? '';
    expect(id).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
    expect(wire[2]).toBe(`result ${id} sun`);
    expect(JSON.stringify(body)).toContain('b_se_namen_x');
  });

  test('the same id twice, and calls and results that lost each other', async () => {
    const { wire } = await send([
      user('a'),
      call('x'),
      result('x', 'first'),
      call('x'),
      result('x', 'second'),
      call('lonely'),
      user('b'),
      result('orphan'),
    ]);
    const ids = wire.flatMap((w) => (w.startsWith('call ') ? [w.split(' ')[1]] : []));
    expect(new Set(ids).size).toBe(3);
    expect(wire[2]).toBe(`result ${ids[0]} first`);
    expect(wire[4]).toBe(`result ${ids[1]} second`);
    expect(wire[6]).toStartWith(`result ${ids[2]} `);
    expect(wire.join()).not.toContain('orphan');
  });

  test('empty texts, one role twice, an assistant first and last, half a surrogate', async () => {
    const { wire, body } = await send([
      { role: 'assistant', parts: [{ type: 'text', text: 'Hi.' }] },
      user(''),
      user('one'),
      user('two \ud83d'),
      { role: 'assistant', parts: [{ type: 'text', text: ' ' }] },
      { role: 'assistant', parts: [{ type: 'text', text: 'Bye.' }] },
    ]);
    expect(wire[0]).toStartWith('user ');
    expect(wire[1]).toBe('assistant Hi.');
    expect(wire.at(-1)).toStartWith('user ');
    expect(JSON.stringify(body)).not.toContain('\\ud83d');
    expect(wire.filter((w) => w.trim().split(' ').length < 2)).toEqual([]);
  });

  test('an image in a message and in a tool result', async () => {
    const image = { type: 'image' as const, mime: 'image/png', data: 'iVBORw0KGgo=' };
    const { body } = await send([
      { role: 'user', parts: [{ type: 'text', text: 'look' }, image] },
      call('x'),
      {
        role: 'tool',
        parts: [{ type: 'tool-result', callId: 'x', name: 'get_weather', content: [image], isError: false }],
      },
    ]);
    expect(JSON.stringify(body).split('iVBORw0KGgo=').length).toBe(3);
  });

  test('a schema with what JSON Schema allows', async () => {
    await using server = serve(speaker, () => streamed(speaker, { text: ['ok'] }));
    const { models } = await open({ yaml: server.yaml(), env: keys });
    const parameters = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      anyOf: [{ required: ['a'] }],
      properties: { a: { const: 1 }, b: { type: ['string', 'null'], pattern: '^x' } },
    };
    await read(models.stream(ask(speaker.ref, 'x', { tools: [{ name: 't', description: '', parameters }] }), never));
    const sent = JSON.stringify(server.bodies[0]);
    expect(sent).not.toContain('$schema');
    expect(sent).not.toContain('anyOf');
    if (speaker.provider === 'gemini') {
      expect(sent).toContain('"a":{"enum":[1]}');
      expect(sent).not.toContain('pattern');
    }
  });
});

test('a redacted thought of Anthropic goes back as it came', async () => {
  const speaker = speakers.find((s) => s.provider === 'anthropic');
  if (!speaker) throw new Error('no speaker');
  const history: Message[] = [
    user('a'),
    {
      role: 'assistant',
      parts: [
        { type: 'thinking', text: '', signature: 'redacted:b3BhcXVl', provider: 'anthropic' },
        { type: 'tool-call', id: 'x', name: 't', args: {} },
      ],
      model: 'anthropic/claude-opus-5',
    },
    {
      role: 'tool',
      parts: [{ type: 'tool-result', callId: 'x', name: 't', content: [{ type: 'text', text: 'y' }], isError: false }],
    },
  ];
  const { body } = await exchange(speaker, history, { text: ['ok'] });
  expect(JSON.stringify(body)).toContain('{"type":"redacted_thinking","data":"b3BhcXVl"}');
});
