import type { PrepareFrame } from '../protocol.ts';
import { readBlob, readFrame, writeFrame } from './pipe.ts';

/** What the daemon answers to a question about a module of the folder. A file's text follows a `path` that was asked for with `load`. */
type Answer = { path: string } | { empty: true } | { error: string };

const loaders = new Map<string, 'ts' | 'tsx' | 'js' | 'jsx' | 'json'>([
  ['ts', 'ts'],
  ['mts', 'ts'],
  ['cts', 'ts'],
  ['tsx', 'tsx'],
  ['js', 'jsx'],
  ['mjs', 'js'],
  ['cjs', 'js'],
  ['jsx', 'jsx'],
  ['json', 'json'],
]);
const own = /^(px|project-x:core\/host-api(@0\.1\.0)?)$/;
const nothing = 'px-empty';
const folder = 'px-folder';

/**
 * Begins to bundle and stops before the first module, when Bun's bundler has opened what it needs: then the process can be locked. What is given
 * back goes on: it bundles a script, what it imports and the packages it uses into one module. No file is opened for that: each module is
 * asked for over the pipe, and the daemon decides what belongs to the folder. Macros, which would run while bundling, are off.
 */
export async function beginBundling(): Promise<(job: PrepareFrame) => Promise<void>> {
  let failure: string | undefined;
  const begun = Promise.withResolvers<void>();
  const entry = Promise.withResolvers<string>();
  const ask = (question: object): Answer => {
    writeFrame(question);
    return readFrame<Answer>();
  };
  const building = Bun.build({
    entrypoints: ['plugin'],
    // Not in Bun's types; without it a module imported as a macro would run in this process.
    ...{ macros: false },
    format: 'esm',
    target: 'browser',
    minify: true,
    throw: false,
    // Packages ask it which of their two forms is wanted; the name is put together since nothing here reads an environment.
    define: { [['process', 'env', 'NODE_ENV'].join('.')]: '"production"' },
    plugins: [
      {
        name: 'px',
        setup(build) {
          build.onResolve({ filter: /.*/ }, async ({ path, importer, kind }) => {
            if (kind.startsWith('entry-point')) {
              begun.resolve();
              return { path: await entry.promise, namespace: folder };
            }
            if (own.test(path)) return { path, external: true };
            const how = kind.startsWith('require') ? 'require' : 'import';
            const answer = ask({ t: 'resolve', from: importer, specifier: path, how });
            if ('path' in answer) return { path: answer.path, namespace: folder };
            if ('error' in answer) failure ??= answer.error;
            return { path, namespace: nothing };
          });
          build.onLoad({ filter: /.*/, namespace: nothing }, () => ({
            contents: 'module.exports = {};',
            loader: 'js',
          }));
          build.onLoad({ filter: /.*/, namespace: folder }, ({ path }) => {
            const answer = ask({ t: 'load', path });
            if ('error' in answer) {
              failure ??= answer.error;
              return { contents: '', loader: 'js' };
            }
            const contents = new TextDecoder().decode(readBlob());
            return { contents, loader: loaders.get(path.slice(path.lastIndexOf('.') + 1)) ?? 'js' };
          });
        },
      },
    ],
  });
  await Promise.race([begun.promise, building]);
  return async ({ filename }) => {
    entry.resolve(filename);
    const { success, outputs, logs } = await building;
    const [made] = outputs;
    const first = logs[0];
    const place =
      first && 'position' in first && first.position
        ? ` (${first.position.file.replace(/^.*?:/, '')}:${first.position.line})`
        : '';
    if (failure === undefined && success && made) writeFrame({ t: 'bundled', code: await made.text() });
    else
      writeFrame({
        t: 'refused',
        code: 'plugin.invalid',
        message: (failure ?? `it cannot be bundled: ${first?.message ?? 'unknown'}${place}`).slice(0, 4000),
      });
  };
}
