import { describe, expect, test } from 'bun:test';
import { configJsonSchema, configReference, explain, getPath, nearest } from '../../src/config/config.ts';
import { configKeys } from '../../src/config/explain.ts';
import { World } from './world.ts';

describe('explain', () => {
  test('tells what a key is, its type and its default', () => {
    expect(explain('gateway.port')).toEqual({
      key: 'gateway.port',
      description: 'TCP port; 0 picks a free one.',
      default: 7979,
      type: 'a whole number from 0 to 65535',
      keys: [],
    });
    expect(explain('channels.telegram.access')).toMatchObject({
      key: 'channels.telegram.access',
      default: 'pairing',
      type: 'one of `pairing`, `allow-list`, `open`',
    });
    expect(explain('agent')).toMatchObject({ type: 'a section', keys: expect.arrayContaining(['max_steps', 'tools']) });
    expect(explain().keys).toContain('model');
    expect(explain('plugins.x.settings.whatever.deep').type).toBe('any value');
  });

  test('of an unknown key names the nearest', () => {
    expect(() => explain('gatway.port')).toThrow('unknown key "gatway" — did you mean "gateway"?');
    expect(() => explain('model.aliass')).toThrow('unknown key "aliass" in model — did you mean "aliases"?');
    expect(() => explain('gateway.port.x')).toThrow('unknown key "x" in gateway.port');
  });
});

test('every key has a description', () => {
  expect(
    configKeys().filter(({ key, description }) => description === '' && !/\.NAME$|^providers\.\w+$/.test(key)),
  ).toEqual([]);
});

test('the reference lists every value with its default', () => {
  const text = configReference();
  for (const { key, keys } of configKeys())
    if (keys.length === 0 && key.includes('.')) expect(text).toContain(`\`${key}\``);
  expect(text).toContain('| `gateway.port` | a whole number from 0 to 65535 | `7979` |');
  expect(Bun.markdown.html(text)).toContain('<table>');
});

test('the JSON Schema describes what a person writes', async () => {
  const schema = await configJsonSchema();
  expect(getPath(schema, 'properties.gateway.properties.port')).toMatchObject({
    type: 'integer',
    maximum: 65535,
    default: 7979,
  });
  expect(getPath(schema, 'additionalProperties')).toBe(false);
  expect(getPath(schema, 'required')).toEqual([]);
});

test('a value is read by its path', async () => {
  using world = new World();
  const { current } = await world.open('model: {aliases: {"a.b": x/y}}\nagent: {tools: {deny: [one, two]}}\n');
  expect(getPath(current, 'gateway.port')).toBe(7979);
  expect(getPath(current, 'model.aliases."a.b"')).toBe('x/y');
  expect(getPath(current, 'agent.tools.deny[1]')).toBe('two');
  expect(getPath(current, 'agent.nothing.here')).toBeUndefined();
  expect(getPath(current, 'constructor.name')).toBeUndefined();
});

describe('the nearest word', () => {
  const words = ['default', 'aliases', 'max_output_tokens', 'port', 'host', 'timeout_seconds'];
  test('forgives a typing mistake or two, other dashes, and an abbreviation', () => {
    for (const [word, meant] of [
      ['defualt', 'default'],
      ['Default', 'default'],
      ['alias', 'aliases'],
      ['maxOutputTokens', 'max_output_tokens'],
      ['max-output-token', 'max_output_tokens'],
      ['prot', 'port'],
      ['hots', 'host'],
      ['timeout', 'timeout_seconds'],
    ] as const)
      expect([word, nearest(word, words)]).toEqual([word, meant]);
  });

  test('is none when nothing is near', () => {
    for (const word of ['', 'x', 'banana', 'temperature', 'p'.repeat(10_000)])
      expect(nearest(word, words)).toBeUndefined();
    expect(nearest('port', [])).toBeUndefined();
  });
});
