import { describe, expect, test } from 'bun:test';
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getPath } from '../../src/config/config.ts';
import { refusal, World } from './world.ts';

const before = `# my px
model:            # who answers
  aliases:
    fast: openai/gpt-5-mini    # cheap
  default:   'openai/gpt-5'    # good

# where it listens
gateway:
    port: 7979
    origins: [ "https://a.example",
               "https://b.example" ]   # two
plugins:
  clock:
`;

/** Written as no program would. */
const odd = `# top
model:   # which
  # why
  default: offline/px    # trailing
  aliases: { fast: 'openai/gpt-5-mini',   l: "o/x" }
plugins:
  a: { settings: { x: 1 } }   # flow
  b:
    settings:
      list: [ 1,2,   3 ]
      text: |
        several
        lines
gateway: {port: 5}

# end
`;

async function edited(yaml: string, path: string, value: unknown): Promise<string> {
  using world = new World();
  const store = await world.open(yaml);
  await store.set(path, value);
  if (value !== undefined) expect({ at: getPath(store.current, path) }).toMatchObject({ at: value });
  expect(readdirSync(world.root)).toEqual(['px.yaml']);
  return readFileSync(store.home.config, 'utf8');
}

describe('setting a key', () => {
  test('changes that value and not one character more', async () => {
    expect(await edited(before, 'model.default', 'anthropic/claude')).toBe(
      before.replace("'openai/gpt-5'", 'anthropic/claude'),
    );
    expect(await edited(before, 'gateway.port', 0)).toBe(before.replace('7979', '0'));
    expect(await edited(before, 'gateway.origins[1]', 'https://c.example')).toBe(
      before.replace('"https://b.example"', 'https://c.example'),
    );
  });

  test('adds a section at the end, also of a file of comments or one that does not exist', async () => {
    expect(await edited(before, 'log.level', 'debug')).toBe(`${before}\nlog:\n  level: debug\n`);
    expect(await edited('# only this', 'log.level', 'debug')).toBe('# only this\n\nlog:\n  level: debug\n');
    expect(await edited('', 'log.level', 'debug')).toBe('log:\n  level: debug\n');
  });

  test('adds a key below the others of its section, in their column', async () => {
    expect(await edited(before, 'model.max_output_tokens', 999)).toBe(
      before.replace("'openai/gpt-5'    # good\n", "'openai/gpt-5'    # good\n  max_output_tokens: 999\n"),
    );
    expect(await edited(before, 'model.aliases.slow', 'openai/x')).toBe(
      before.replace('# cheap\n', '# cheap\n    slow: openai/x\n'),
    );
    expect(await edited(before, 'gateway.host', '::1')).toBe(before.replace('# two\n', '# two\n    host: ::1\n'));
    expect(await edited(before, 'plugins.web.limits.cpu_ms', 50)).toBe(
      `${before}  web:\n    limits:\n      cpu_ms: 50\n`,
    );
    const literal = 'plugins:\n  p:\n    settings:\n      text: |\n        one\n        two\n\n# end\n';
    expect(await edited(literal, 'plugins.p.settings.more', 1)).toBe(literal.replace('two\n', 'two\n      more: 1\n'));
  });

  test('goes below keys that stand empty, and takes lists and maps', async () => {
    expect(await edited(before, 'plugins.clock.enabled', false)).toContain('clock:\n    enabled: false');
    expect(await edited('agent:\n', 'agent.max_steps', 5)).toBe('agent:\n  max_steps: 5\n');
    expect(await edited('{}\n', 'agent.max_steps', 5)).toContain('max_steps: 5');
    expect(await edited('', 'agent.tools.deny', ['a*', 'b'])).toContain('deny:\n      - a*\n      - b\n');
    const grants = { secrets: { T: ['https://a.example/'] } };
    expect(await edited(before, 'plugins.clock.grants.secrets', grants.secrets)).toContain('T:');
  });

  test('quotes what YAML would read as something else', async () => {
    for (const text of ['yes', '007', 'a: b', '# no', "it's", 'null', '- x', 'two\nlines', '', ' x ', '*a', '${A} "b"'])
      await edited('plugins: {p: {settings: {v: old}}} # here\n', 'plugins.p.settings.v', text);
  });

  test('takes keys with dots in quotes', async () => {
    expect(await edited(before, 'model.aliases."gpt-4.1"', 'openai/gpt-4.1')).toContain('gpt-4.1: openai/gpt-4.1');
  });

  test('to undefined takes it away', async () => {
    expect(await edited(before, 'model.default', undefined)).toBe(before.replace(/ {2}default:.*\n/, ''));
    expect(await edited(before, 'model.aliases', undefined)).toBe(before.replace(/ {2}aliases:.*\n.*\n/, ''));
    expect(await edited(before, 'gateway.origins', undefined)).toBe(before.replace(/ {4}origins:.*\n.*\n/, ''));
    expect(await edited(odd, 'agent.max_steps', undefined)).toBe(odd);
  });

  test('writes no line anew but those of the entry it stands in, where that has them for itself', async () => {
    const change = async (path: string, value: unknown, from: string, to: string) =>
      expect([path, await edited(odd, path, value)]).toEqual([path, odd.replace(from, to)]);
    await change(
      'model.aliases.big',
      'x/y',
      '{ fast: \'openai/gpt-5-mini\',   l: "o/x" }',
      '{ fast: \'openai/gpt-5-mini\', l: "o/x", big: x/y }',
    );
    await change(
      'model.aliases.l',
      undefined,
      '{ fast: \'openai/gpt-5-mini\',   l: "o/x" }',
      "{ fast: 'openai/gpt-5-mini' }",
    );
    await change('plugins.a.settings.y', 2, '{ x: 1 } }   #', '{ x: 1, y: 2 } } #');
    await change('plugins.b.settings.text', 'one', '|\n        several\n        lines', 'one');
    await change(
      'model',
      { default: 'x/y' },
      odd.slice(odd.indexOf('model:'), odd.indexOf('plugins:')),
      'model:\n  default: x/y\n',
    );
  });

  test('to undefined takes sections along that are empty then, but not what they mean or a comment in them', async () => {
    const grants =
      'plugins:\n  p:\n    settings: {a: 1}\n    grants:\n      egress: [ "GET https://a.example/" ]\n# end\n';
    expect(await edited(grants, 'plugins.p.grants.egress', undefined)).toBe(grants.replace(/ {4}grants:\n.*\n/, ''));
    const commented = grants.replace('grants:', 'grants:\n      # mine');
    expect(await edited(commented, 'plugins.p.grants.egress', undefined)).toContain('# mine');
    // A channel that is named is one; an alias list is nothing without aliases.
    expect(await edited('channels: {x: {enabled: true}}\n', 'channels.x.enabled', undefined)).toBe(
      'channels: { x: {} }\n',
    );
    expect(await edited('# top\nmodel: {aliases: {a: x/y}}\n', 'model.aliases.a', undefined)).toBe('# top\n');
  });

  test('keeps the rights of the file and a symbolic link', async () => {
    using world = new World();
    const target = join(world.folder('dotfiles'), 'my.yaml');
    writeFileSync(target, 'log: {level: info}\n');
    chmodSync(target, 0o640);
    symlinkSync(target, world.home().config);
    const store = await world.open();
    await store.set('log.level', 'debug');
    expect(lstatSync(store.home.config).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('log: {level: debug}\n');
    expect(statSync(target).mode & 0o777).toBe(0o640);
  });

  test('in many calls at once loses none', async () => {
    using world = new World();
    const store = await world.open(before);
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.set(`plugins.p${i}.enabled`, false)));
    expect(Object.keys(store.current.plugins)).toHaveLength(21);
    await store.reload();
    expect(Object.keys(store.current.plugins)).toHaveLength(21);
  });
});

describe('a key that cannot be set', () => {
  const cases: [path: string, value: unknown, message: string][] = [
    ['modle.default', 'x/y', 'unknown key "modle" — did you mean "model"?'],
    ['model.defualt', 'x/y', 'unknown key "defualt" in model — did you mean "default"?'],
    ['model.default.deeper', 1, 'unknown key "deeper" in model.default'],
    ['gateway.port', 'many', 'gateway.port: expected a whole number from 0 to 65535, got "many"'],
    ['log.level', 'loud', 'log.level: expected one of `debug`, `info`, `warn`, `error`, got "loud"'],
    ['gateway', 5, 'gateway: expected a section, got 5'],
    ['plugins.UP.enabled', true, '"UP" cannot stand in plugins'],
    ['providers.openai.api_key', 'sk-live-abc', 'providers.openai.api_key: expected a reference'],
    ['', 1, '"" is no key of px.yaml'],
    ['a..b', 1, '"a..b" is no key of px.yaml'],
    ['__proto__.x', 1, 'unknown key "__proto__"'],
  ];
  for (const [path, value, message] of cases)
    test(`${path || '(nothing)'} = ${JSON.stringify(value)}`, async () => {
      using world = new World();
      const store = await world.open(before);
      const error = await refusal(store.set(path, value));
      expect(error.message).toContain(message);
      expect(JSON.stringify([error, error.hint])).not.toContain('sk-live');
      expect(readFileSync(store.home.config, 'utf8')).toBe(before);
      await store.set('log.level', 'warn');
      expect(store.current.log.level).toBe('warn');
    });

  test('a file that is wrong already is not written into', async () => {
    using world = new World();
    const store = await world.open(before);
    writeFileSync(store.home.config, 'gateway: {prot: 1}\n');
    expect((await refusal(store.set('log.level', 'warn'))).message).toContain('px.yaml:1:11');
    expect(readFileSync(store.home.config, 'utf8')).toBe('gateway: {prot: 1}\n');
  });
});
