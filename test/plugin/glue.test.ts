import { expect, test } from 'bun:test';
import { direct, withoutDebug } from '../../src/plugin/child/glue.ts';
import { transpile } from '../engine/component.ts';

/** A component in jco's two layouts: the code of some stands deeper than that of others. */
test('a component that waits for nothing runs without books on its calls, however its code is indented', async () => {
  const files = await transpile(
    new Uint8Array(await Bun.file(new URL('../../build/plugins/clock.wasm', import.meta.url)).arrayBuffer()),
  );
  const code = withoutDebug(new TextDecoder().decode(files.get('plugin.js')));
  for (const laid of [
    code,
    code.replace(/^ {2}/gm, ''),
    code.replace(/^/gm, '  ').replace(/^ {2}export/gm, 'export'),
  ]) {
    const component = direct(laid).split('export function instantiate')[1] ?? '';
    expect({ books: component.includes('createNewCurrentTask'), none: component.includes('oneTask') }).toEqual({
      books: false,
      none: true,
    });
  }
});
