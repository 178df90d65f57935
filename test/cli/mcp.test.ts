import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { px } from './px.ts';

const home = mkdtempSync(join(tmpdir(), 'px-cli-mcp-'));
const server = resolve(import.meta.dir, '../tool/mcp-server.ts');

beforeAll(() => {
  const small = { command: process.execPath, args: [server] };
  const broken = { command: process.execPath, args: [server, 'dies'] };
  writeFileSync(
    join(home, 'px.yaml'),
    JSON.stringify({ model: { default: 'offline/px' }, mcp: { servers: { small, broken } } }),
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('px mcp lists servers, says that a program is fully trusted, and starts none', async () => {
  const { code, stdout } = await px(['--home', home, 'mcp', 'list']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('program, full trust')]);
  expect(stdout).toContain('never asked');
  expect(stdout).toContain('no sandbox');
}, 20_000);

test('px mcp test starts one and shows its tools; the list remembers them', async () => {
  const tried = await px(['--home', home, 'mcp', 'test', 'small']);
  expect([tried.code, tried.stdout]).toEqual([0, expect.stringContaining('answers as small 1.0.0')]);
  expect(tried.stdout).toContain('small_say');
  const listed = await px(['--home', home, 'mcp', 'list', '--json']);
  expect(JSON.parse(listed.stdout)[0]).toMatchObject({ name: 'small', state: 'off', pid: null });
  expect(JSON.parse(listed.stdout)[0].tools.length).toBeGreaterThan(5);
}, 20_000);

test('px mcp test says why it fails, with exit code 1', async () => {
  const { code, stderr } = await px(['--home', home, 'mcp', 'test', 'broken']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('no licence found')]);
  const wrong = await px(['--home', home, 'mcp', 'test', 'smal']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('Did you mean "small"?')]);
}, 20_000);
