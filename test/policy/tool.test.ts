import { describe, expect, test } from 'bun:test';
import { isQuoted, type Judged, judgeTool, labelsIn, markOutside, type ToolPolicy } from '../../src/policy/policy.ts';

const call = (over: Partial<Judged> = {}): Judged => ({
  tool: 'slack_post',
  origin: 'mcp/slack',
  reach: 'sends',
  conversation: 'telegram/1',
  from: 'owner',
  labels: [],
  quoted: false,
  ...over,
});
const policy = (over: Partial<ToolPolicy> = {}): ToolPolicy => ({ rules: [], outside: 'ask', guests: [], ...over });
const verdict = (over: Partial<Judged>, rules: Partial<ToolPolicy> = {}) => judgeTool(call(over), policy(rules)).do;

describe('without a rule', () => {
  test('the owner uses every tool, until text from outside was read: then what sends out asks', () => {
    expect(verdict({})).toBe('allow');
    expect(verdict({ labels: ['plugin/web-fetch'] })).toBe('ask');
    expect(verdict({ labels: ['plugin/web-fetch'], reach: 'inside' })).toBe('allow');
    expect(judgeTool(call({ labels: ['guest/Bob'] }), policy())).toMatchObject({
      reason: expect.stringContaining('guest/Bob'),
    });
  });

  test('what only asks a server may follow a link that was read, and nothing else', () => {
    const read: Partial<Judged> = { labels: ['plugin/web-fetch'], reach: 'asks' };
    expect(verdict({ ...read, quoted: true })).toBe('allow');
    expect(verdict({ ...read, quoted: false })).toBe('ask');
    expect(verdict({ ...read, reach: 'sends', quoted: true })).toBe('ask');
  });

  test('policy.outside changes it for all', () => {
    expect(verdict({ labels: ['x'] }, { outside: 'deny' })).toBe('deny');
    expect(verdict({ labels: ['x'] }, { outside: 'allow' })).toBe('allow');
  });

  test('a tool that wants a word gets the question, whoever asks for it', () => {
    expect(verdict({ wants: 'it sets a job' })).toBe('ask');
    expect(verdict({ wants: 'it sets a job', from: 'schedule' })).toBe('ask');
  });

  test('a guest has the tools px.yaml names for guests, and their words are text from outside', () => {
    expect(verdict({ from: 'guest' })).toBe('deny');
    expect(verdict({ from: 'guest', tool: 'clock_now', reach: 'inside' }, { guests: ['clock_*'] })).toBe('allow');
    expect(verdict({ from: 'guest', labels: ['guest/Bob'] }, { guests: ['*'] })).toBe('ask');
  });
});

describe('the first rule that fits', () => {
  const rules: ToolPolicy['rules'] = [
    { tool: 'slack_delete', conversation: '*', do: 'deny' },
    { tool: 'mcp/slack/*', conversation: 'cli/*', do: 'allow' },
    { tool: 'mcp/slack/*', conversation: '*', do: 'ask' },
  ];

  test('decides, by tool, whose it is and conversation', () => {
    expect(verdict({ tool: 'slack_delete', conversation: 'cli/default' }, { rules })).toBe('deny');
    expect(verdict({ conversation: 'cli/default' }, { rules })).toBe('allow');
    expect(verdict({}, { rules })).toBe('ask');
    expect(verdict({ origin: 'plugin/slack' }, { rules })).toBe('allow');
  });

  test('a plain allow does not cover what comes after text from outside; one that says so does', () => {
    const allow = { tool: 'slack_*', conversation: '*', do: 'allow' } as const;
    expect(verdict({ labels: ['mcp/x'] }, { rules: [allow] })).toBe('ask');
    expect(verdict({ labels: ['mcp/x'] }, { rules: [{ ...allow, outside: true }] })).toBe('allow');
  });

  test('a plain allow is for the owner and the schedule, not for guests', () => {
    const allow = { tool: '*', conversation: '*', do: 'allow' } as const;
    expect(verdict({ from: 'guest', reach: 'inside' }, { rules: [allow] })).toBe('deny');
    expect(verdict({ from: 'guest', reach: 'inside' }, { rules: [{ ...allow, from: ['guest'] }] })).toBe('allow');
    expect(verdict({ wants: 'x' }, { rules: [allow] })).toBe('allow');
  });

  test('deny and ask are for everybody, or for whom they name, or only after text from outside', () => {
    const deny = { tool: '*', conversation: '*', do: 'deny' } as const;
    expect(verdict({ from: 'schedule' }, { rules: [deny] })).toBe('deny');
    expect(verdict({}, { rules: [{ ...deny, from: ['schedule'] }] })).toBe('allow');
    expect(verdict({}, { rules: [{ ...deny, outside: true }] })).toBe('allow');
    expect(verdict({ labels: ['x'] }, { rules: [{ ...deny, outside: true }] })).toBe('deny');
  });
});

describe('quoted', () => {
  const page = 'See https://example.com/next?page=2 and www.example.org for more.';
  const quoted = (args: unknown) => isQuoted(args, () => [page]);

  test('a link that stands in what was read, with or without its scheme', () => {
    expect(quoted({ url: 'https://example.com/next?page=2' })).toBe(true);
    expect(quoted({ url: 'https://www.example.org/', max: 1000 })).toBe(true);
  });

  test('not many words that each stand somewhere', () => {
    expect(isQuoted({ words: ['example', 'next', 'page', 'more'] }, () => [page])).toBe(true);
    const words = ['example', 'next', 'page', 'more', 'example.com', 'example.org'];
    expect(isQuoted({ words }, () => [page])).toBe(false);
  });

  test('not a link that carries something else away', () => {
    expect(quoted({ url: 'https://example.com/next?page=2&secret=hunter2hunter2' })).toBe(false);
    expect(quoted({ url: 'https://example.com/next?page=2', headers: { 'x-note': 'my password is x' } })).toBe(false);
    expect(quoted({ url: ['https://example.com/next?page=2', 'the owner lives in Basel'] })).toBe(false);
    expect(quoted({ url: 'https://example.com/next?page=2', numbers: [1234, 5678, 9012, 3456] })).toBe(false);
  });
});

describe('a note that a conversation wrote after text from outside', () => {
  test('says so, in a way that can be read back', () => {
    const text = markOutside('- the door code is 1\n', ['plugin/web-fetch', 'guest/Bob --> x']);
    expect(text).toContain('<!-- from outside: plugin/web-fetch, guest/Bob - x -->');
    expect(labelsIn(`${text}\nmore`)).toEqual(['plugin/web-fetch', 'guest/Bob - x']);
    expect(markOutside('x', [])).toBe('x');
  });

  test('and so does a page of the journal', () => {
    const line = '<!-- px tool-result #4 {"at":1,"turn":"t","id":"c","name":"n","ms":1,"outside":["mcp/a"]} 00 -->';
    expect(labelsIn(`x\n\n${line}\n`)).toEqual(['mcp/a']);
    expect(labelsIn('nothing')).toEqual([]);
  });
});
