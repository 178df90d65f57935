import { describe, expect, test } from 'bun:test';
import { checkArguments } from '../../src/tool/tool.ts';
import type { Json } from '../../src/wire/wire.ts';

const schema = {
  type: 'object',
  properties: {
    city: { type: 'string', minLength: 1, maxLength: 5 },
    days: { type: 'integer', minimum: 1, maximum: 7 },
    unit: { enum: ['c', 'f'] },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 2 },
    where: { type: 'object', properties: { lat: { type: 'number' } }, required: ['lat'], additionalProperties: false },
    note: { anyOf: [{ type: 'null' }, { type: 'string' }] },
  },
  required: ['city'],
  additionalProperties: false,
};

describe('arguments of a tool call', () => {
  test.each<Json>([
    { city: 'Oslo' },
    { city: 'Oslo', days: 3, unit: 'c', tags: ['a', 'b'], where: { lat: 1.5 }, note: null },
    { city: '🌍🌍🌍🌍🌍' },
  ])('that fit pass: %j', (args) => {
    expect(checkArguments(schema, args)).toEqual([]);
  });

  test.each<[Json, string]>([
    [{}, '"city" is missing'],
    [{ city: 5 }, '"city" must be string, not number'],
    [{ city: '' }, '"city" must be at least 1 characters'],
    [{ city: 'Reykjavik' }, '"city" must be at most 5 characters'],
    [{ city: 'Oslo', days: 2.5 }, '"days" must be integer, not number'],
    [{ city: 'Oslo', days: 8 }, '"days" must be at most 7'],
    [{ city: 'Oslo', unit: 'k' }, '"unit" must be one of "c", "f"'],
    [{ city: 'Oslo', tags: ['a', 1] }, '"tags[1]" must be string, not number'],
    [{ city: 'Oslo', where: {} }, '"where.lat" is missing'],
    [{ city: 'Oslo', where: { lat: 1, lon: 2 } }, '"where.lon" is not known; it takes lat'],
    [{ city: 'Oslo', note: 3 }, '"note" has none of the allowed shapes'],
    [{ city: 'Oslo', town: 'x' }, '"town" is not known; it takes city, days, unit, tags, where, note'],
    [[], 'the arguments must be object, not array'],
  ])('that do not fit are named: %j', (args, problem) => {
    expect(checkArguments(schema, args)).toEqual([problem]);
  });

  test('a key from the prototype does not count as given or as known', () => {
    expect(checkArguments({ type: 'object', required: ['toString'] }, {})).toEqual(['"toString" is missing']);
    const closed = { type: 'object', properties: {}, additionalProperties: false };
    expect(checkArguments(closed, JSON.parse('{"__proto__": 1}'))).toEqual([
      '"__proto__" is not known; it takes nothing',
    ]);
  });

  test('a flood of problems is cut', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
    expect(checkArguments({ type: 'object', additionalProperties: false }, many)).toHaveLength(5);
  });
});
