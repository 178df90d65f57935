import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { type Fake, fakeApp } from '../gateway/fake-app.ts';
import { openclawHome } from '../memory/openclaw.ts';
import { stopwatch } from '../stopwatch.ts';
import { px } from './px.ts';

type NewJob = Parameters<Fake['app']['schedule']['add']>[0];

let fake: Fake;
let gateway: Gateway;
const stored: [string, string][] = [];
const set: [string, unknown][] = [];
beforeAll(async () => {
  fake = fakeApp();
  fake.app.secrets.set = (name, value) => void stored.push([name, value]);
  fake.app.config.set = async (key, value) => void set.push([key, value]);
  gateway = await startGateway({ app: fake.app, port: 0 });
});
afterAll(() => gateway.stop());

const run = (args: string[], stdin?: string) =>
  px(['--home', fake.app.home.root, ...args], stdin === undefined ? {} : { stdin });

describe('with a px that runs', () => {
  test('chat prints the answer and ends', async () => {
    expect(await run(['chat', 'good', 'morning'])).toEqual({ code: 0, stdout: 'you said good morning\n', stderr: '' });
    expect(fake.submitted.at(-1)).toMatchObject({ conversation: 'cli/default', text: 'good morning' });
  });

  test('chat takes the message from stdin, and a conversation by name', async () => {
    expect((await run(['chat', '--conversation', 'work'], 'from a pipe\n')).stdout).toBe('you said from a pipe\n');
    expect(fake.submitted.at(-1)).toMatchObject({ conversation: 'cli/work', text: 'from a pipe' });
  });

  test('chat --json prints one object', async () => {
    const { stdout } = await run(['chat', '--json', '--model', 'a/b', 'hi']);
    expect(JSON.parse(stdout)).toEqual({
      answer: 'you said hi',
      model: 'offline/px',
      conversation: 'cli/default',
      turn: expect.any(String),
      reason: 'stop',
    });
    expect(fake.submitted.at(-1)?.metadata).toEqual({ model: 'a/b' });
  });

  test('an answer cannot steer the terminal', async () => {
    fake.turn = ({ conversation }, emit) =>
      emit({ type: 'turn.text', conversation, turn: '', text: 'safe\u001b]0;owned\u0007\u001b[31mred' });
    const { stdout } = await run(['chat', 'x']);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('safe');
  });

  test('plugin call prints the result as JSON, and exits 1 with the error of the guest', async () => {
    expect(await run(['plugin', 'call', 'sum', 'add', '[1,"two",null]'])).toEqual({
      code: 0,
      stdout: '[1,"two",null]\n',
      stderr: '',
    });
    const failed = await run(['plugin', 'call', 'sum', 'fail']);
    expect(failed).toEqual({ code: 1, stdout: '', stderr: 'px: it said no\n' });
    const json = JSON.parse((await run(['plugin', 'call', 'sum', 'fail', '--json'])).stdout);
    expect(json.error).toMatchObject({ code: 'plugin.guest', data: { reason: 'no' } });
  });

  test('import hands the jobs of another program to it, and a name it has already is there already', async () => {
    const added: NewJob[] = [];
    const add = async (job: NewJob) => {
      if (job.when.startsWith('at ')) throw new PxError('conflict', `There is a job ${job.id} already.`);
      added.push(job);
      return { ...job, zone: 'UTC', since: 1, id: job.id ?? '' };
    };
    Object.assign(fake.app, { schedule: { add } });
    const old = join(fake.app.home.root, 'old');
    openclawHome(old);
    const { stdout, stderr } = await run(['import', 'openclaw', old, '--jobs', '--to', 'discord/7']);
    expect(stderr).toBe('');
    expect(stdout).toContain('Added 3 jobs to the schedule');
    expect(stdout).toMatch(/same {6}job Century/);
    expect(added.map(({ when, zone, to }) => [when, zone, to])).toEqual([
      ['cron 30 7 * * 1-5', 'America/Los_Angeles', 'discord/7'],
      ['every 2h', expect.any(String), 'discord/7'],
      ['every 2h', expect.any(String), 'discord/7'],
    ]);
  });

  test('status tells the model and that it is offline', async () => {
    expect((await run(['status'])).stdout).toContain('offline/px (offline)');
    expect(JSON.parse((await run(['status', '--json'])).stdout)).toMatchObject({ model: { offline: true } });
  });

  test('memory search joins words and prints file#line', async () => {
    const { stdout } = await run(['memory', 'search', 'green', 'tea']);
    expect(stdout).toContain('a.md#3');
    expect(stdout).toContain('green tea');
    const long = await run(['memory', 'search', `green tea ${'and so on '.repeat(10_000)}`]);
    expect([long.code, long.stderr, long.stdout]).toEqual([0, '', expect.stringContaining('a.md#3')]);
    expect(await run(['memory', 'show', 'a.md'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/\S/) });
    expect(await run(['memory', 'show', 'a.md#99'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ends at line'),
    });
  });

  test('what the gateway does not take is a mistake in the command line, told without the words of its API', async () => {
    const { code, stderr } = await run(['secret', 'set', 'bad name'], 'x');
    expect([code, stderr]).toEqual([
      2,
      'px: name: a secret has letters, digits, `_`, `.` and `-`\n    `px secret set --help` shows how it is used.\n',
    ]);
    expect((await run(['memory', 'search', ' '])).code).toBe(2);
  });

  test('a secret is read from stdin and never printed', async () => {
    const { code, stdout, stderr } = await run(['secret', 'set', 'TELEGRAM_TOKEN'], '123:abc\n');
    expect(code).toBe(0);
    expect(stored).toEqual([['TELEGRAM_TOKEN', '123:abc']]);
    expect(stdout + stderr).not.toContain('123:abc');
    expect((await run(['secret', 'set', 'PIN'], '4711')).stderr).toContain('does not cover it');
    expect((await run(['secret', 'set', 'X', 'value'])).code).toBe(2);
    expect((await run(['secret', 'set', 'X'], '')).code).toBe(2);
  });

  test('config set goes through it, values as JSON where they are', async () => {
    await run(['config', 'set', 'a.b', 'true']);
    await run(['config', 'set', 'a.c', '["x"]']);
    await run(['config', 'set', 'a.d', 'plain text']);
    expect(set).toEqual([
      ['a.b', true],
      ['a.c', ['x']],
      ['a.d', 'plain text'],
    ]);
  });

  test('portal prints a link that signs in once', async () => {
    const link = (await run(['portal'])).stdout.trim();
    expect(link).toStartWith(`${gateway.url}/#`);
    const code = link.split('#')[1];
    const signIn = () =>
      fetch(`${gateway.url}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
    expect((await signIn()).status).toBe(200);
    expect((await signIn()).status).toBe(401);
  });

  test('verbs are quick', async () => {
    await run(['status']);
    const took = stopwatch();
    await run(['status']);
    expect(took()).toBeLessThan(600);
  });
});

test('an address left behind by a px that was killed counts as none', async () => {
  const left = fakeApp();
  const { state, root } = left.app.home;
  const gone = await startGateway({ app: left.app, port: 0 });
  const { url, token } = gone;
  await gone.stop();
  writeFileSync(join(state, 'gateway.json'), JSON.stringify({ url, token, pid: 1 }));
  const { code, stderr } = await px(['--home', root, 'status']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('px serve')]);
});
