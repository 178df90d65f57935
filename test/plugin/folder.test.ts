import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import { importsMore } from '../../src/plugin/engine/folder.ts';
import { openHome, type TestHome } from './home.ts';

/** A folder of a plugin with these files. */
function folder(home: TestHome, name: string, files: Record<string, string>): string {
  const root = join(home.root, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => new Error('it was installed'),
    (e: unknown) => e,
  );
  return thrown instanceof PxError ? `${thrown.code} ${thrown.message} ${thrown.hint ?? ''}` : String(thrown);
}

describe('a script with imports', () => {
  test('is installed with its own files and its npm packages, in every way packages say where they are', async () => {
    await using home = await openHome();
    const root = folder(home, 'many', {
      'package.json':
        '{"name":"many","type":"module","imports":{"#inner":"./src/inner.ts"},"scripts":{"postinstall":"touch ran"}}',
      'plugin.ts': `
        import { kvSet, kvGetText } from 'px';
        import esm, { two } from 'esm-one';
        import cjs from 'cjs-one';
        import { deep } from '@scope/exported/deep';
        import data from './data.json';
        import { help } from './src/help.js';
        import { inner } from '#inner';
        import { shim } from 'browsered';
        export async function all() {
          kvSet('k', 'v');
          const late = await import('./src/late.ts');
          return [esm, two, cjs.three, deep, data.n, help(), inner, shim, late.late, kvGetText('k'), process.env.NODE_ENV];
        }`,
      'data.json': '{"n": 5}',
      'src/help.ts': 'export const help = (): string => "help";',
      'src/inner.ts': 'export const inner = "inner";',
      'src/late.ts': 'export const late = "late";',
      'node_modules/esm-one/package.json':
        '{"name":"esm-one","exports":{".":{"node":"./no.js","import":"./index.mjs"}}}',
      'node_modules/esm-one/index.mjs': 'export default 1; export const two = 2;',
      'node_modules/cjs-one/package.json': '{"name":"cjs-one","main":"lib/main","scripts":{"install":"touch ran"}}',
      'node_modules/cjs-one/lib/main.js':
        'const other = require("./other"); exports.three = other + require("nested");',
      'node_modules/cjs-one/lib/other/index.js': 'module.exports = 1;',
      'node_modules/cjs-one/node_modules/nested/index.js': 'module.exports = 2;',
      'node_modules/@scope/exported/package.json':
        '{"name":"@scope/exported","exports":{"./*":{"types":"./x.d.ts","default":"./dist/*.js"}}}',
      'node_modules/@scope/exported/dist/deep.js': 'export const deep = "deep";',
      'node_modules/browsered/package.json':
        '{"name":"browsered","main":"./node.js","browser":{"./node.js":"./web.js","fs":false}}',
      'node_modules/browsered/node.js': 'exports.shim = require("net");',
      'node_modules/browsered/web.js': 'const fs = require("fs"); exports.shim = typeof fs.readFileSync;',
    });
    await home.plugins.add(root);
    expect(await home.plugins.call('many', 'all', [])).toEqual([
      1,
      2,
      3,
      'deep',
      5,
      'help',
      'inner',
      'undefined',
      'late',
      'v',
      'production',
    ]);
    expect(existsSync(join(root, 'ran'))).toBe(false);
  }, 20_000);

  test('that needs what cannot be had is refused, and the import is named with the module that asks for it', async () => {
    await using home = await openHome();
    const add = (name: string, files: Record<string, string>) => refusal(home.plugins.add(folder(home, name, files)));
    expect(
      await add('one', { 'plugin.ts': 'import { readFileSync } from "node:fs"; export const a = readFileSync;' }),
    ).toContain('plugin.ts imports "node:fs", which is a part of Node.js that a plugin does not have');
    expect(
      await add('two', {
        'plugin.ts': 'import "dep"; export const a = 1;',
        'node_modules/dep/index.js': 'require("child_process")',
      }),
    ).toContain('node_modules/dep/index.js imports "child_process", which is a part of Node.js');
    expect(await add('three', { 'plugin.ts': 'import x from "left-pad"; export const a = x;' })).toMatch(
      /imports "left-pad", which is not in node_modules of the folder.*npm install --ignore-scripts/,
    );
    expect(await add('four', { 'plugin.ts': 'import x from "./gone.ts"; export const a = x;' })).toContain(
      'no such file',
    );
    expect(
      await add('five', {
        'plugin.ts': 'import x from "./bad.ts"; export const a = x;',
        'bad.ts': 'export const = 1;',
      }),
    ).toContain('bad.ts:1');
    expect(home.plugins.list()).toEqual([]);
  }, 20_000);

  test('reads nothing outside its folder: absolute paths, dots, links, and text imports', async () => {
    await using home = await openHome();
    home.file('outside.ts', 'export default "outside";');
    const tries = [
      'import x from "../outside.ts"; export const a = x;',
      `import x from "${home.root}/outside.ts"; export const a = x;`,
      'import x from "./linked.ts"; export const a = x;',
      'import x from "dep"; export const a = x;',
      'import x from "/etc/hostname" with { type: "text" }; export const a = x;',
      'import x from "file:///etc/hostname"; export const a = x;',
      'import x from "./../../../../../../../etc/hostname" with { type: "text" }; export const a = x;',
      'import x from "#out"; export const a = x;',
    ];
    for (const [i, text] of tries.entries()) {
      const root = folder(home, `try-${i}`, {
        'plugin.ts': text,
        'package.json': '{"imports":{"#out":"./../outside.ts"}}',
        'node_modules/dep/package.json': '{"main":"../../../outside.ts"}',
      });
      symlinkSync(join(home.root, 'outside.ts'), join(root, 'linked.ts'));
      expect(await refusal(home.plugins.add(root))).toMatch(/^plugin\.invalid .*imports/);
    }
  }, 30_000);

  test('reads nothing of the homes of the person and of px because a package.json stands there, and nothing hidden', async () => {
    await using home = await openHome();
    // As an `npm install` in the wrong folder leaves it, with what another program keeps there.
    home.file('package.json', '{"dependencies":{"left":"1"}}');
    home.file('keys.json', '{"key":"s3cret"}');
    folder(home, 'node_modules/left', { 'index.js': 'module.exports = 1;' });
    const script = (from: string) => `import x from ${JSON.stringify(from)}; export const a = () => x;`;
    for (const from of ['../keys.json', 'left', '../state/px.json', './.secrets.json', './key.pem', './linked.json']) {
      const root = folder(home, 'script', { 'plugin.ts': script(from), '.secrets.json': '{}', 'key.pem': 'PEM' });
      if (!existsSync(join(root, 'linked.json'))) symlinkSync('.secrets.json', join(root, 'linked.json'));
      expect([from, await refusal(home.plugins.add(root))]).toEqual([
        from,
        expect.stringMatching(/^plugin\.invalid .*imports/),
      ]);
    }
    // A script that stands there itself has no neighbours.
    expect(await refusal(home.plugins.add(home.file('plugin.ts', script('./keys.json'))))).toContain(
      'Put it into a folder of its own',
    );
    // The package below is one as ever, also as pnpm lays it out.
    const root = folder(home, 'fine', {
      'package.json': '{}',
      'src/plugin.ts': "import x from '../data.json'; import y from 'left'; export const a = () => [x.n, y];",
      'data.json': '{"n":1}',
      'node_modules/.pnpm/left@1/node_modules/left/index.js': 'module.exports = 2;',
    });
    symlinkSync('.pnpm/left@1/node_modules/left', join(root, 'node_modules/left'));
    await home.plugins.add(join(root, 'src/plugin.ts'), { name: 'fine' });
    expect(await home.plugins.call('fine', 'a', [])).toEqual([1, 2]);
  }, 60_000);

  test('holds up nothing of px, whatever it is made of: blanks, deep or wide maps of a package', async () => {
    expect(importsMore(`from${' '.repeat(1_000_000)}`)).toBe(false);
    expect(importsMore('import '.repeat(200_000))).toBe(false);
    expect(importsMore(`import${' '.repeat(1_000_000)}"x"`)).toBe(true);
    await using home = await openHome();
    const deep = (left: string, right: string) => `${left.repeat(100_000)}"./x.js"${right.repeat(100_000)}`;
    for (const [i, exports] of [
      deep('[', ']'),
      deep('{"default":', '}'),
      `{"./*": "./${'*'.repeat(400_000)}"}`,
      `{${Array.from({ length: 20_000 }, (_, n) => `"./${n}*": "./x.js"`).join()}}`,
    ].entries()) {
      const root = folder(home, `wide-${i}`, {
        'plugin.ts': `import x from "dep/${'y'.repeat(3000)}"; export const a = x;`,
        'node_modules/dep/package.json': `{"exports":${exports}}`,
      });
      expect(await refusal(home.plugins.add(root))).toMatch(/^plugin\.invalid .*imports "dep/);
    }
  }, 60_000);

  test('runs nothing of it while bundling: a macro is refused', async () => {
    await using home = await openHome();
    const root = folder(home, 'macro', {
      'plugin.ts': 'import { run } from "./macro.ts" with { type: "macro" }; export const a = run();',
      'macro.ts': `export function run() { require('node:fs').writeFileSync(${JSON.stringify(join(home.root, 'ran'))}, ''); return 1; }`,
    });
    expect(await refusal(home.plugins.add(root))).toContain('Macros are disabled');
    expect(existsSync(join(home.root, 'ran'))).toBe(false);
  }, 20_000);
});
