import { describe, expect, test } from 'bun:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { schemaOfParams } from '../../src/plugin/wit/json.ts';
import type { WitPrimitive, WitType } from '../../src/plugin/wit/types.ts';
import type { Json, JsonObject, JsonSchema } from '../../src/wire/wire.ts';
import { ask, never, open, read } from './fakes.ts';
import { type Speaker, serve, speakers, streamed } from './speakers.ts';

// What tools of plugins and MCP servers ask for is taken by every provider: one schema it refuses would refuse the whole request.

const keys = { OPENAI_API_KEY: 'k-1234567', ANTHROPIC_API_KEY: 'k-1234567', GEMINI_API_KEY: 'k-1234567' };
const kinds: WitPrimitive[] = 'bool string char f32 f64 s8 u8 s16 u16 s32 u32 s64 u64'.split(' ') as WitPrimitive[];
const text: WitType = { kind: 'string' };
const point: WitType = { kind: 'record', fields: [{ name: 'x-axis', type: { kind: 's32' }, docs: 'Across.' }] };
const shape: WitType = {
  kind: 'variant',
  cases: [
    { name: 'no-shape', type: null },
    { name: 'spot', type: point },
    { name: 'many', type: { kind: 'list', of: point } },
  ],
};

/** Every type a component's functions can have, alone and in each other. */
const wit: WitType[] = [
  ...kinds.map((kind): WitType => ({ kind })),
  { kind: 'list', of: { kind: 'u8' } },
  { kind: 'list', of: { kind: 'tuple', of: [text, point, text] } },
  { kind: 'option', of: text },
  { kind: 'option', of: { kind: 'option', of: point } },
  { kind: 'result', ok: point, err: text },
  { kind: 'result', ok: null, err: null },
  { kind: 'tuple', of: [text] },
  { kind: 'tuple', of: [] },
  shape,
  { kind: 'list', of: { kind: 'option', of: shape } },
  { kind: 'enum', cases: ['dark-blue', 'red'] },
  { kind: 'flags', names: ['read', 'write'] },
  { kind: 'opaque', what: 'a stream' },
];

/** What servers of the field send, each refused by one provider or another as it is; `names` must still be asked for. */
const odd: [names: string[], schema: JsonSchema][] = [
  [['tags'], { properties: { tags: { type: 'array', description: 'no items' } } }],
  [
    ['anything', 'list'],
    { properties: { anything: true, list: { type: 'array', items: false } }, required: ['anything', 'gone'] },
  ],
  [
    ['filter[id]', '$top', 'user name'],
    {
      properties: { 'filter[id]': {}, $top: { type: 'integer' }, 'user name': { type: 'string' } },
      required: ['$top'],
    },
  ],
  [
    ['place', 'tree'],
    {
      definitions: { Place: { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] } },
      $defs: { title: { type: 'object', properties: { child: { $ref: '#/$defs/title' }, name: { type: 'string' } } } },
      properties: {
        place: { $ref: '#/definitions/Place', description: 'Where.' },
        tree: { $ref: '#/$defs/title' },
        far: { $ref: 'https://example.com/x' },
      },
    },
  ],
  [['town'], { $ref: '#/$defs/In', $defs: { In: { type: 'object', properties: { town: { type: 'string' } } } } }],
  [
    ['one', 'two'],
    {
      oneOf: [
        { properties: { one: { type: 'string' } }, required: ['one'] },
        { properties: { two: { type: 'string' } } },
      ],
    },
  ],
  [
    ['one', 'two'],
    {
      allOf: [{ properties: { one: { type: 'string' } }, required: ['one'] }],
      properties: { two: { type: 'string' } },
    },
  ],
  [
    ['size', 'pair', 'pick', 'flag', 'link', 'either', 'map'],
    {
      $schema: 'http://json-schema.org/draft-04/schema#',
      id: 'x',
      type: 'object',
      properties: {
        size: { type: 'number', exclusiveMinimum: true, minimum: '0', required: true },
        pair: { type: 'array', items: [{ type: 'string' }, true] },
        pick: { enum: ['', 'a', null, true, 3] },
        flag: { const: true },
        link: { type: 'any', format: 'uri', examples: 'https://example.com', pattern: '^h' },
        either: { type: ['string', 'null'], default: null, nullable: true },
        map: {
          type: 'object',
          additionalProperties: { type: 'array' },
          patternProperties: { '^x': true },
          propertyNames: { pattern: '^x' },
        },
      },
      type2: 'kept',
      examples: [{}],
      additionalProperties: false,
    },
  ],
  [[], { type: 'object', properties: [], required: [] } as unknown as JsonSchema],
  [[], { type: 'string' }],
];

const tools = [
  ...wit.map((type, n) => ({
    name: `wit_${n}`,
    names: ['a_value'],
    parameters: schemaOfParams([{ name: 'a-value', type }]),
  })),
  ...odd.map(([names, parameters], n) => ({ name: `odd_${n}`, names, parameters })),
].map((tool) => ({ ...tool, description: '' }));

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every schema within one, by where it stands. */
function* within(schema: Json | undefined, at = ''): Generator<[string, Json | undefined]> {
  yield [at, schema];
  if (!isObject(schema)) return;
  for (const key of ['properties', 'patternProperties', '$defs'])
    for (const [name, one] of Object.entries(isObject(schema[key]) ? schema[key] : {}))
      yield* within(one, `${at}/${key}/${name}`);
  for (const key of ['items', 'additionalProperties', 'not', 'propertyNames'])
    if (key in schema && typeof schema[key] !== 'boolean') yield* within(schema[key], `${at}/${key}`);
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems'])
    for (const one of Array.isArray(schema[key]) ? schema[key] : []) yield* within(one, `${at}/${key}`);
}

const gemini =
  'type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering'.split(
    ' ',
  );

/** What each provider's own validator says no to, as its documentation and its users tell it. */
const refusals: Record<Speaker['provider'], (schema: JsonObject) => string | false | undefined> = {
  openai: (schema) => [schema['type']].flat().includes('array') && !('items' in schema) && 'array schema missing items',
  lab: () => false,
  anthropic: (schema) => Object.keys(schema['properties'] ?? {}).find((name) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(name)),
  gemini: (schema) => {
    const choices = Array.isArray(schema['enum']) ? schema['enum'] : [];
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    return (
      Object.keys(schema).find((key) => !gemini.includes(key)) ??
      (choices.some((one) => one === '' || !['string', 'number'].includes(typeof one)) ? 'enum' : undefined) ??
      required.map(String).find((name) => !isObject(schema['properties']) || !(name in schema['properties']))
    );
  },
  // Its server is written in Go and reads what it knows into these types.
  ollama: (schema) =>
    Object.entries({
      description: (value: Json) => typeof value === 'string',
      type: (value: Json) => [value].flat().every((one) => typeof one === 'string'),
      enum: Array.isArray,
      anyOf: (value: Json) => Array.isArray(value) && value.every(isObject),
      properties: (value: Json) => isObject(value) && Object.values(value).every(isObject),
      required: (value: Json) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    }).find(([key, fits]) => schema[key] !== undefined && !fits(schema[key] ?? null))?.[0],
};

const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });

/** The tools of a request's body as name and schema, wherever this API has them. */
function sentTools(body: JsonObject): Map<string, JsonObject> {
  const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value : []);
  const [first] = list(body['tools']);
  const all = first && 'functionDeclarations' in first ? list(first['functionDeclarations']) : list(body['tools']);
  return new Map(
    all.map((tool) => {
      const told = isObject(tool['function']) ? tool['function'] : tool;
      const schema = told['parameters'] ?? told['input_schema'] ?? told['parametersJsonSchema'];
      return [String(told['name']), isObject(schema) ? schema : {}];
    }),
  );
}

describe.each(speakers.map((one) => [one.title, one] as const))(
  'tools of plugins and servers, for %s',
  (_, speaker) => {
    const send = async (script: Parameters<typeof streamed>[1], more: object = {}) => {
      await using server = serve(speaker, () => streamed(speaker, script));
      const { models } = await open({ yaml: server.yaml(), env: keys });
      const got = await read(models.stream(ask(speaker.ref, 'x', { tools, ...more }), never), speaker.ref);
      return { ...got, body: server.bodies[0] ?? {} };
    };

    test('have schemas it takes, and lose no parameter', async () => {
      const sent = sentTools((await send({ text: ['ok'] })).body);
      for (const { name, names } of tools) {
        const schema = sent.get(name) ?? {};
        expect([name, ajv.validateSchema(schema), ajv.errors]).toEqual([name, true, null]);
        expect(schema['type']).toBe('object');
        expect(['anyOf', 'oneOf', 'allOf', 'enum', 'not'].filter((key) => key in schema)).toEqual([]);
        for (const [at, one] of within(schema)) {
          const place = `${name}${at}`;
          expect([place, isObject(one)]).toEqual([place, true]);
          if (isObject(one)) expect([place, refusals[speaker.provider](one) || undefined]).toEqual([place, undefined]);
        }
        const properties = Object.keys(schema['properties'] ?? {});
        if (speaker.provider === 'anthropic') expect(properties.length).toBeGreaterThanOrEqual(names.length);
        else expect(properties).toEqual(expect.arrayContaining(names));
      }
      expect(JSON.stringify([...sent])).not.toContain('$ref');
      expect(sent.get('odd_3')).toMatchObject({
        properties: {
          place: {
            type: 'object',
            description: 'Where.',
            properties: { town: { type: 'string' } },
            required: ['town'],
          },
          tree: { properties: { name: { type: 'string' } } },
        },
      });
      expect(sent.get('odd_6')?.['required']).toEqual(['one']);
    });

    test('are called under their own names for what they take', async () => {
      const schema = sentTools((await send({ text: ['ok'] })).body).get('odd_2');
      const [first = '', second = ''] = Object.keys(schema?.['properties'] ?? {});
      const args = { [first]: 'a', [second]: 3, other: 1 };
      const { calls } = await send({ calls: [{ id: 'c1', name: 'odd_2', args }] });
      expect(calls[0]?.args).toEqual({ 'filter[id]': 'a', $top: 3, other: 1 });
    });
  },
);
