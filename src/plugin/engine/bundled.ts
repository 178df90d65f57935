import * as v from 'valibot';
import { carried } from './engine.ts';

/** A plugin that px carries. */
export interface Bundled {
  file: Uint8Array;
  kind: 'wasm' | 'script';
  /** The name its file would have on disk: `clock.wasm`, `telegram.js`. */
  filename: string;
  /** As its `plugin.yaml` was when px was built; not checked yet. */
  manifest: unknown;
  /** Whether a new home gets it without being asked. */
  given: boolean;
}

const manifests = v.record(
  v.string(),
  v.object({
    file: v.string(),
    given: v.boolean(),
    manifest: v.record(v.string(), v.unknown()),
  }),
);

/** The plugins px carries, by name. `px plugin add NAME` installs one. */
export async function bundledPlugins(): Promise<Record<string, Bundled>> {
  const pack = await carried();
  const index = v.parse(manifests, JSON.parse(new TextDecoder().decode(await pack.read('manifests.json'))));
  const plugins = Object.entries(index).map(
    async ([name, { file, ...about }]): Promise<[string, Bundled]> => [
      name,
      { file: await pack.read(file), kind: file.endsWith('.wasm') ? 'wasm' : 'script', filename: file, ...about },
    ],
  );
  return Object.fromEntries(await Promise.all(plugins));
}
