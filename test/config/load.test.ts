import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { mayRepeatKey } from '../../src/config/repeat.ts';
import { refusal, World } from './world.ts';

describe('px.yaml', () => {
  test('may be missing, empty or all comments: everything has its default', async () => {
    for (const yaml of [undefined, '', '# nothing\n\n', '---\n', 'model:\ngateway:\n  # port: 1\n', '{}']) {
      using world = new World();
      const { current } = await world.open(yaml);
      expect(current.gateway.port).toBe(7979);
      expect(current.model.default).toBe('auto');
      expect(current.sandbox.mode).toBe('required');
    }
  });

  test('is read with anchors, quotes, lists and references left as they are', async () => {
    using world = new World();
    const { current } = await world.open(`
providers:
  openai: { api_key: secret:OPENAI, base_url: "http://\${HOST}/v1" }
  ollama: {base_url: '\${OLLAMA}'}
channels:
  telegram:
    allow: [123456789, "42", '@ada']
  work: &work
    plugin: telegram
  home: *work
plugins:
  telegram:
    settings: { token: secret:TG, nested: { url: "\${X}" }, list: [1, null] }
    grants:
      egress:
        - GET,POST https://api.telegram.org/
        - http://*.home.lan:8080/x
      private_hosts: ["nas.lan:8080", "[::1]:80"]
      secrets:
        TG: ["https://api.telegram.org/bot"]
  clock:
`);
    expect(current.providers.openai.api_key).toBe('secret:OPENAI');
    expect(current.channels['telegram']?.allow).toEqual(['123456789', '42', '@ada']);
    expect(current.channels['home']?.plugin).toBe('telegram');
    expect(current.plugins['telegram']?.settings).toEqual({
      token: 'secret:TG',
      nested: { url: '${X}' },
      list: [1, null],
    });
    expect(current.plugins['clock']?.limits.memory_mb).toBe(64);
  });
});

describe('a mistake names file, line, column, key, what was expected and the nearest valid one', () => {
  const cases: [yaml: string, message: string, data: Record<string, unknown>][] = [
    [
      'log:\n  level: info\nmodel:\n  defualt: openai/gpt-5\n',
      'px.yaml:4:3: unknown key "defualt" in model — did you mean "default"?',
      { line: 4, column: 3, key: 'model.defualt', suggestion: 'default' },
    ],
    ['modle: {}\n', 'px.yaml:1:1: unknown key "modle" — did you mean "model"?', { key: 'modle', suggestion: 'model' }],
    [
      'gateway:\n  port: "80"\n',
      'px.yaml:2:9: gateway.port: expected a whole number from 0 to 65535, got "80"',
      { line: 2, column: 9, key: 'gateway.port', expected: 'a whole number from 0 to 65535' },
    ],
    ['gateway: {port: 99999}\n', 'px.yaml:1:17: gateway.port: expected a whole number from 0 to 65535, got 99999', {}],
    [
      'channels:\n  tg:\n    access: pairng\n',
      'px.yaml:3:13: channels.tg.access: expected one of `pairing`, `allow-list`, `open`, got "pairng" — did you mean "pairing"?',
      { suggestion: 'pairing' },
    ],
    [
      'plugins:\n  web:\n    grants:\n      egress:\n        - GET https://ok.example/\n        - example.com\n',
      'px.yaml:6:11: plugins.web.grants.egress[1]: expected a rule like `GET,POST https://api.example.com/v1/`, got "example.com"',
      { key: 'plugins.web.grants.egress[1]' },
    ],
    ['gateway: []\n', 'px.yaml:1:10: gateway: expected a section, got a list', {}],
    ['plugins:\n  web: yes please\n', 'px.yaml:2:8: plugins.web: expected a section, got "yes please"', {}],
    ['- a\n- b\n', 'px.yaml:1:1: px.yaml holds a list or several documents', {}],
    ['a: 1\n---\nb: 2\n', 'px.yaml:1:1: px.yaml holds a list or several documents', {}],
    ['just words\n', 'px.yaml:1:1: px.yaml holds "just words"', {}],
    [
      'plugins:\n  Tele Gram: {}\n',
      'px.yaml:2:14: "Tele Gram" cannot stand in plugins: expected a name of small letters, digits and dashes that starts with a letter',
      {},
    ],
    [
      'log:\n  level: info\n  level: debug\n',
      'px.yaml:3:3: key "level" stands here a second time',
      { line: 3, column: 3 },
    ],
    ['plugins:\n  a: {enabled: true, enabled: false}\n', 'px.yaml:2:22: key "enabled" stands here a second time', {}],
    [
      'registries:\n  ghcr.io:\n    user: ada\n',
      'px.yaml:3:5: registries."ghcr.io".password: expected text, got nothing',
      { key: 'registries."ghcr.io".password' },
    ],
    ['__proto__:\n  x: 1\n', 'px.yaml:1:1: unknown key "__proto__"', {}],
    ['agent:\n  constructor: 1\n', 'px.yaml:2:3: unknown key "constructor" in agent', {}],
  ];
  for (const [yaml, message, data] of cases)
    test(message, async () => {
      using world = new World();
      const error = await refusal(world.open(yaml));
      expect(error.message).toBe(message);
      expect(error.data).toMatchObject({ file: world.home().config, ...data });
      expect(error.hint).toBeString();
    });

  test('rules of what a plugin may reach are looked at', async () => {
    const wrong = [
      'egress: [example.com]',
      'egress: ["GET https://*.com/"]',
      'egress: ["GET https://a.*.com/"]',
      'egress: ["GET https://user@example.com/"]',
      'egress: ["GET https://example.com./"]',
      'egress: ["GET https://\u0435xample.com/"]',
      'egress: ["GET https://example.com/?q"]',
      'private_hosts: [nas.lan]',
      'private_hosts: ["*:80"]',
      'secrets: {T: ["https://api.example.com"]}',
      'secrets: {T: ["https://*/"]}',
      'secrets: {T: [api.example.com/]}',
      'secrets: {"a b": []}',
    ];
    for (const grant of wrong) {
      using world = new World();
      const error = await refusal(world.open(`plugins:\n  p:\n    grants:\n      ${grant}\n`));
      expect([grant, error.code, error.message]).toEqual([
        grant,
        'config.invalid',
        expect.stringContaining('px.yaml:4:'),
      ]);
    }
  });

  test('a text that is no YAML has a place too', async () => {
    for (const [yaml, line] of [
      ['model:\n  default: [a, b\nlog: {}\n', 3],
      ['a: "open\n', 1],
      ['model:\n\tdefault: x\n', 2],
      ['a: b: c\n', 1],
    ] as const) {
      using world = new World();
      const error = await refusal(world.open(yaml));
      expect(error.code).toBe('config.unreadable');
      expect(error.data).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
      expect(error.message).toMatch(/^px\.yaml:\d+:\d+: /);
      expect(Math.abs(Number(/:(\d+):/.exec(error.message)?.[1]) - line)).toBeLessThanOrEqual(1);
    }
  });

  test('a star without quotes is told to want them, where it stands', async () => {
    for (const [yaml, message] of [
      ['policy:\n  x: *nope\n', 'px.yaml:2:6: "*nope" that begins with * has to stand in quotes'],
      ['agent: {tools: {deny: [*]}}\n', 'px.yaml:1:24: a text that begins with * has to stand in quotes'],
      [
        'plugins:\n  p:\n    grants:\n      egress:\n        - * https://*/\n',
        'px.yaml:5:11: a text that begins with *',
      ],
      ['a: "open\nb: *c\n', 'px.yaml:3:1: Missing closing "quote'],
    ] as const) {
      using world = new World();
      const error = await refusal(world.open(yaml));
      expect([error.code, error.message]).toEqual(['config.unreadable', expect.stringContaining(message)]);
    }
  });

  test('all of them are told, the first in the file as the message', async () => {
    using world = new World();
    const error = await refusal(
      world.open('log:\n  levle: info\n  x: 1\nagent:\n  max_steps: many\ngateway:\n  hots: a\n'),
    );
    expect(error.message).toBe('px.yaml:2:3: unknown key "levle" in log — did you mean "level"? (and 3 more)');
    expect(error.data).toMatchObject({
      problems: [{ key: 'log.levle' }, { key: 'log.x' }, { key: 'agent.max_steps' }, { key: 'gateway.hots' }],
    });
    expect(error.hint).toContain('px.yaml:5:14: agent.max_steps: expected a whole number from 1 to 200');
  });

  test('a key typed into it is refused and not repeated', async () => {
    using world = new World();
    const error = await refusal(world.open('providers:\n  openai:\n    api_key: sk-live-1234567890\n'));
    expect(error.message).toContain('px.yaml:3:14: providers.openai.api_key: expected a reference');
    expect(JSON.stringify([error, error.hint])).not.toContain('sk-live');
    const lab = 'base_url: "http://x", api_key: sk-live-1234567890';
    const named = await refusal(world.open(`providers:\n  compatible:\n    lab: { ${lab} }\n`));
    expect(named.message).toContain('providers.compatible.lab.api_key: expected a reference');
    const login = await refusal(world.open('registries: { ghcr.io: { user: ada, password: hunter22 } }'));
    expect(login.message).toContain('registries."ghcr.io".password: expected a reference');
    expect(login.message).not.toContain('hunter22');
    const taken = await refusal(world.open('providers:\n  compatible:\n    openai: { base_url: "http://x" }\n'));
    expect(taken.code).toBe('config.invalid');
    const wrong = await refusal(
      world.open('plugins:\n  a:\n    grants:\n      secrets:\n        T: sk-live-1234567890\n'),
    );
    expect(JSON.stringify([wrong, wrong.hint])).not.toContain('sk-live');
  });

  test('what no person writes is refused quickly: bombs, circles, depth, size, other encodings, folders', async () => {
    const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`).join('\n')}\n`;
    const indented = bomb.replace(/^/gm, '      ');
    const start = performance.now();
    for (const yaml of [
      bomb,
      `plugins:\n  p:\n    settings:\n${indented}`,
      'plugins:\n  p:\n    settings: &s\n      again: *s\n',
      `plugins: {p: {settings: ${'{a: '.repeat(40)}1${'}'.repeat(40)}}}\n`,
      `# ${'x'.repeat(1_100_000)}\n`,
    ]) {
      using world = new World();
      expect((await refusal(world.open(yaml))).code).toMatch(/^config\./);
    }
    expect(performance.now() - start).toBeLessThan(3_000);
    using world = new World();
    writeFileSync(world.home().config, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]));
    expect((await refusal(world.open())).message).toContain('UTF-8');
    using other = new World();
    mkdirSync(other.home().config);
    expect((await refusal(other.open())).code).toBe('config.unreadable');
  });
});

describe('looking for repeated keys without a parser', () => {
  const same = [
    'a: 1\nb: 2\n',
    'a:\n  x: 1\nb:\n  x: 1\n',
    'a:\n  - x: 1\n    y: 1\n  - x: 2\n    y: 2\n',
    'a:\n- x: 1\n- x: 2\nb: 1\n',
    'a: {x: 1, y: 2}\nb: {x: 1}\nc: ${x}\n',
    'a: "b: c"\nd: "b: c"\n# a: 1\n',
    'p:\n  one:\n    g:\n      e: 1\n  two:\n    g:\n      e: 1\n',
    'a: http://x:80\nb: http://x:80\n',
  ];
  for (const yaml of same)
    test(`finds none in ${JSON.stringify(yaml)}`, () => {
      expect(mayRepeatKey(yaml)).toBe(false);
      parse(yaml);
    });

  for (const yaml of [
    'a: 1\na: 2\n',
    'a: 1\n"a": 2\n',
    "'a': 1\na: 2\n",
    'a:\n  x: 1\n  y: 2\n  x: 3\n',
    'a:\n  - x: 1\n    x: 2\n',
    'a:\n  b:\n    c: 1\n  b:\n    d: 1\n',
    'a: {x: 1, x: 2}\n',
    'a: {x: 1,\n x: 2}\n',
    'a: 1\n# between\n\na : 2\n',
    'a: 1\r\nb: 1\r\na: 2\r\n',
    'a: &x\n  b: 1\nc: 1\na: *x\n',
  ])
    test(`sees one in ${JSON.stringify(yaml)}`, () => {
      expect(mayRepeatKey(yaml)).toBe(true);
      expect(() => parse(yaml)).toThrow();
    });
});
