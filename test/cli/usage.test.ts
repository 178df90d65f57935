import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pkg from '../../package.json';
import { cliReference } from '../../scripts/docs-cli.ts';
import { px } from './px.ts';

const home = mkdtempSync(join(tmpdir(), 'px-cli-'));

describe('px', () => {
  test('says its version', async () => {
    for (const flag of ['--version', '-v'])
      expect(await px([flag])).toEqual({ code: 0, stdout: `${pkg.version}\n`, stderr: '' });
  });

  test('helps when asked, on stdout', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout } = await px(args);
      expect(code).toBe(0);
      for (const verb of ['serve', 'chat', 'plugin', 'memory', 'config', 'doctor']) expect(stdout).toContain(verb);
    }
    const call = await px(['plugin', 'call', '--help']);
    expect(call.stdout).toContain('px plugin call NAME FUNCTION [ARGUMENTS]');
    expect(call.stdout).toContain(`px plugin call dice roll '["2d6+1"]'`);
    expect((await px(['help', 'plugin', 'call'])).stdout).toBe(call.stdout);
  });

  test('helps when typed too short, as a usage error', async () => {
    for (const args of [[], ['plugin']]) {
      const { code, stdout, stderr } = await px(args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('Verbs');
    }
  });

  test('prints JSON that cannot draw on a terminal, and means the same', async () => {
    const root = mkdtempSync(join(tmpdir(), 'px-draw-'));
    mkdirSync(join(root, 'memory'));
    const name = 'a\u009b31m\u202eb.md';
    writeFileSync(join(root, 'memory', name), 'x');
    const { stdout } = await px(['memory', 'list', '--json', '--home', root]);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(JSON.parse(stdout)).toContain(name);
  });

  test('says in doctor that others could change the home', async () => {
    const open = mkdtempSync(join(tmpdir(), 'px-open-'));
    chmodSync(open, 0o777);
    expect((await px(['doctor', '--home', open])).stdout).toContain('can be changed by every user');
  });

  test('names what was probably meant', async () => {
    const cases: [string[], string][] = [
      [['srve'], 'px serve'],
      [['plugin', 'lst'], 'px plugin list'],
      [['restart'], 'px service restart'],
      [['logs'], '`px plugin logs` or `px service logs`'],
      [['chat', '--modle', 'x', 'hi'], '--model'],
      [['serve', '--prot=0'], '--port'],
    ];
    for (const [args, meant] of cases) {
      const { code, stderr } = await px(args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(meant)]);
    }
  });

  test('refuses what does not fit, as usage, and never with a stack', async () => {
    const cases = [
      ['plugin', 'inspect'],
      ['plugin', 'call', 'sum', 'add', '{"a":1}'],
      ['plugin', 'call', 'sum', 'add', 'nope'],
      ['status', 'extra'],
      ['status', '--home'],
      ['serve', '--port', '99999'],
      ['serve', '--port', 'x'],
      ['memory', 'search', 'tea', '--limit', '0'],
      ['chat', '--conversation', 'a/b/c', 'hi'],
      ['chat'],
    ];
    for (const args of cases) {
      const { code, stdout, stderr } = await px([...args, ...(args.includes('--home') ? [] : ['--home', home])]);
      expect([args, code, stdout]).toEqual([args, 2, '']);
      expect(stderr).not.toContain('    at ');
    }
  });

  test('says what is missing or not taken, and what to type', async () => {
    expect((await px(['plugin', 'call', 'clock', '--home', home])).stderr).toBe(
      'px: px plugin call needs FUNCTION.\n    px plugin call clock now\n',
    );
    expect((await px(['plugin', 'new', 'x', '--lang', 'cobol', '--home', home])).stderr).toStartWith(
      'px: --lang takes ts, js, rust, go, python, c, not cobol.\n',
    );
  });

  test('gives errors as JSON when asked', async () => {
    const { code, stdout, stderr } = await px(['--home', home, 'status', '--json']);
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'gateway.unreachable',
        message: expect.any(String),
        hint: expect.stringContaining('px serve'),
        retryable: false,
      },
    });
  });

  test('gives help as JSON when asked', async () => {
    const { code, stdout } = await px(['plugin', 'call', '--help', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ line: 'px plugin call NAME FUNCTION [ARGUMENTS] [--flags]', verbs: [] }),
    ]);
    const short = await px(['plugin', '--json']);
    expect([short.code, JSON.parse(short.stdout)]).toMatchObject([2, { error: { code: 'usage' } }]);
  });

  test('has every verb with an example in the reference', async () => {
    const reference = await cliReference();
    expect(await Bun.file('docs/reference/cli.md').text()).toBe(reference);
    for (const block of reference.split(/^##+ /m).slice(1)) expect(block).toContain('```sh\npx ');
  });
});

describe('px config', () => {
  test('explains, gets, sets and checks without a daemon', async () => {
    const at = ['--home', mkdtempSync(join(tmpdir(), 'px-cli-'))];
    expect((await px(['config', 'explain', 'gateway.port', ...at])).stdout).toContain('7979');
    expect((await px(['config', 'get', 'gateway.port', ...at])).stdout).toBe('7979\n');
    expect((await px(['config', 'set', 'gateway.port', '8080', ...at])).code).toBe(0);
    expect(JSON.parse((await px(['config', 'get', 'gateway', '--json', ...at])).stdout)).toMatchObject({ port: 8080 });
    expect((await px(['config', 'check', ...at])).code).toBe(0);
    const wrong = await px(['config', 'set', 'gateway.prot', '1', ...at]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('port')]);
    expect((await px(['config', 'get', 'gateway.port', ...at])).stdout).toBe('8080\n');
  });

  test('takes a number as text where text is wanted', async () => {
    const at = ['--home', mkdtempSync(join(tmpdir(), 'px-cli-'))];
    expect(await px(['config', 'set', 'model.aliases.short', '4711', ...at])).toMatchObject({ code: 0 });
    expect((await px(['config', 'get', 'model.aliases.short', ...at])).stdout).toBe('4711\n');
  });
});
