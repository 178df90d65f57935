import { parse } from 'valibot';
import type { ConfigStore } from '../../src/config/config.ts';
import { ConfigSchema } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import type { Memory } from '../../src/memory/memory.ts';
import type { PluginTool } from '../../src/plugin/plugin.ts';

/** A memory of plain files in a Map: enough for tools and prompts. */
export function fakeMemory(files: { [path: string]: string } = {}): Memory & { files: Map<string, string> } {
  const kept = new Map(Object.entries(files));
  const missing = (path: string) =>
    new PxError('not-found', `There is no note ${path}.`, { hint: 'memory_search finds notes.' });
  return {
    files: kept,
    journal: { append: async () => {}, read: async () => [], conversations: async () => [] },
    history: {
      log: async () => [],
      diff: async (n) => ({ n, path: '', diff: '' }),
      undo: async (n) => ({ n: 0, undoes: n, path: '', state: 'nothing' }),
    },
    search: (query, options) =>
      [...kept]
        .flatMap(([path, text]) =>
          text.split('\n').map((line, i) => ({ path, line: i + 1, heading: '', snippet: line, score: 1 })),
        )
        .filter((hit) => hit.snippet.includes(query))
        .slice(0, options?.limit ?? 10),
    relevant: () => [],
    async get(path, from = 1, lines = 1_000_000) {
      const text = kept.get(path);
      if (path.includes('..')) throw new PxError('memory.path', `${path} is outside memory/.`);
      if (text === undefined) throw missing(path);
      const all = text.split('\n');
      return { path, from, text: all.slice(from - 1, from - 1 + lines).join('\n'), totalLines: all.length };
    },
    async write(path, text, mode) {
      const before = mode === 'append' ? (kept.get(path) ?? '') : '';
      kept.set(path, before === '' ? text : `${before}\n${text}`);
      return { path, line: before === '' ? 1 : before.split('\n').length + 1 };
    },
    list: async () => [...kept.keys()],
    start: () => {},
    fresh: async () => {},
    settled: async () => {},
    rebuild: async () => {},
    ready() {},
    compare: async () => ({ files: 0, stale: 0, gone: 0, large: [] }),
    stats: () => ({ notes: kept.size, chunks: kept.size }),
    shrink() {},
    close: async () => {},
  };
}

/** The current config with a part of px.yaml over the defaults. */
export function fakeConfig(yaml: unknown = {}): Pick<ConfigStore, 'current'> {
  return { current: parse(ConfigSchema, yaml) };
}

/** A plugin's tool that answers with what it was given. */
export function echoTool(name: string, over: Partial<PluginTool> = {}): PluginTool {
  return {
    plugin: 'demo',
    name,
    description: `Says back what it was given.`,
    parameters: { type: 'object', properties: { text: { type: 'string' } } },
    call: async (args) => JSON.stringify(args),
    soon() {},
    ...over,
  };
}
