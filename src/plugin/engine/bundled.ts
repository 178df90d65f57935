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
}

const manifests = v.record(
  v.string(),
  v.object({
    file: v.string(),
    manifest: v.record(v.string(), v.unknown()),
  }),
);

/** The plugins px carries, by name: `telegram`, `clock`, `web-fetch`. `px plugin add NAME` installs one. */
export async function bundledPlugins(): Promise<Record<string, Bundled>> {
  const pack = await carried();
  const index = v.parse(manifests, JSON.parse(new TextDecoder().decode(await pack.read('manifests.json'))));
  const plugins = Object.entries(index).map(
    async ([name, { file, manifest }]): Promise<[string, Bundled]> => [
      name,
      { file: await pack.read(file), kind: file.endsWith('.wasm') ? 'wasm' : 'script', filename: file, manifest },
    ],
  );
  return Object.fromEntries(await Promise.all(plugins));
}
