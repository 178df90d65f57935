import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import { bundleScript } from '../../src/plugin/engine/bundle.ts';

/** Runs a bundle as the engine does. */
const exportsOf = (source: string, filename = 'plugin.ts'): Record<string, unknown> =>
  new Function('__px_import', bundleScript(source, filename))((id: string) => ({
    log: (...a: unknown[]) => [id, ...a],
  }));
const refusal = (source: string): string => {
  try {
    bundleScript(source, 'plugin.ts');
  } catch (e) {
    if (e instanceof PxError && e.code === 'plugin.invalid') return e.message;
    throw e;
  }
  return 'accepted';
};

describe('bundling a script', () => {
  test('types go, imports are given, every form of export is found', () => {
    const made = exportsOf(`
      import { log, log as l } from 'px';
      import * as raw from 'project-x:core/host-api@0.1.0';
      import type { Nothing } from './nowhere';
      export const one: number = 1, { two, ...rest } = { two: 2, three: 3 };
      export let changing = 0;
      export function bump(): void { changing++; }
      export async function later() {}
      export class Thing { x?: string }
      enum Color { Red }
      const hidden = Color.Red;
      export { hidden as shown, Color };
      export const logged = [l('a'), raw.log('b')] as const;
      export default function main() { return 'main'; }
    `);
    expect(Object.keys(made).sort()).toEqual(
      'Color Thing bump changing default later logged one rest shown two'.split(' '),
    );
    expect(made['logged']).toEqual([
      ['px', 'a'],
      ['project-x:core/host-api@0.1.0', 'b'],
    ]);
    expect([made['one'], made['two'], made['rest'], made['shown']]).toEqual([1, 2, { three: 3 }, 0]);
    (made['bump'] as () => void)();
    expect(made['changing']).toBe(1);
    expect((made['default'] as () => string)()).toBe('main');
  });

  test('default exports without a name work', () => {
    expect(exportsOf('export default { a: 1 };')).toEqual({ default: { a: 1 } });
    expect(typeof exportsOf('export default class extends Array {}')['default']).toBe('function');
    expect(typeof exportsOf('export default () => 1')['default']).toBe('function');
  });

  test('lines inside texts and comments that look like imports or exports stay text', () => {
    const source =
      'export const text = `\nexport const fake = 1;\nimport { x } from "y";\n${`\nexport default 3\n`}`;\n/*!\nexport const no = 1;\n*/\nexport const after = /`/.test("`");';
    const made = exportsOf(source, 'plugin.js');
    expect(Object.keys(made)).toEqual(['after', 'text']);
    expect(made['text']).toBe('\nexport const fake = 1;\nimport { x } from "y";\n\nexport default 3\n');
  });

  test('anything but px and host-api is refused and named', () => {
    for (const from of [
      'node:fs',
      './other.ts',
      'bun',
      'fs',
      '/etc/passwd',
      'px/other',
      'project-x:core/plugin-source',
    ])
      expect(refusal(`import { x } from '${from}'; export const y = x;`)).toContain(`imports ${JSON.stringify(from)}`);
    expect(refusal(`export const y = () => import('node:fs');`)).toContain('imports "node:fs"');
    expect(refusal(`export * from 'px';`)).toContain('a form px does not know');
    expect(refusal(`export { log } from 'px';`)).toContain('a form px does not know');
  });

  test('a syntax error says the line', () => {
    expect(refusal('const a = 1;\nconst b = ;')).toMatch(/^plugin\.ts: line 2: /);
  });

  test('an import marked as a macro does not run anything here', () => {
    const folder = mkdtempSync(join(tmpdir(), 'px-macro-'));
    const ran = join(folder, 'ran');
    const macro = join(folder, 'macro.ts');
    writeFileSync(
      macro,
      `require('node:fs').writeFileSync(${JSON.stringify(ran)}, ''); export function evil() { return 1; }`,
    );
    const forms = [
      `import { evil } from ${JSON.stringify(macro)} with { type: 'macro' };`,
      `import { evil } from ${JSON.stringify(macro)} with { type: '\\u006dacro' };`,
      `import { evil } from ${JSON.stringify(macro)} assert { type: 'macro' };`,
      `import { evil } from ${JSON.stringify(`macro:${macro}`)};`,
      `import { log as evil } from 'px' with { type: 'macro' };`,
    ];
    for (const form of forms) expect(refusal(`${form}\nexport const x = evil();`)).not.toBe('accepted');
    expect(existsSync(ran)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test('thousands of decoy lines are refused, quickly', () => {
    const at = performance.now();
    expect(refusal(`export const t = \`${'\nexport const x = 1;'.repeat(20_000)}\n\`;`)).toContain('too many lines');
    expect(performance.now() - at).toBeLessThan(3_000);
  });
});
