import { PxError } from '../error/error.ts';
import type { PluginFunction } from './plugin.ts';
import type { Entry } from './registry.ts';
import { schemaOf } from './wit/json.ts';
import type { WitFunction } from './wit/types.ts';

/** Exports the contract's worlds give a meaning of their own: px calls them, the agent does not. */
const messaging = [
  'post-message',
  'poll-events',
  'next-wait',
  'on-wait',
  'on-webhook',
  'describe',
  'set-typing',
  'react',
  'edit-message',
  'get-history',
  'abilities',
  'next-send',
  'on-sent',
  'fetch-file',
  'set-commands',
  'account',
  'set-webhook',
  'next-socket',
  'on-socket',
];
const toolWorld = ['list-tools', 'call-tool'];

/** What kind of plugin a component's exports make it. */
export function kindOf(functions: WitFunction[]): 'messaging' | 'tool' | 'component' {
  const names = new Set(functions.map((fn) => fn.name));
  if (names.has('post-message') && names.has('poll-events')) return 'messaging';
  return toolWorld.every((name) => names.has(name)) ? 'tool' : 'component';
}

/** The functions of a component that are tools in themselves. */
export function toolFunctions(entry: Pick<Entry, 'kind' | 'functions'>): WitFunction[] {
  if (entry.kind === 'script') return [];
  const worlds = new Set([...(entry.kind === 'messaging' ? messaging : []), ...toolWorld]);
  return entry.functions.filter((fn) => fn.notCallable === '' && !worlds.has(fn.name) && !isToolchainHook(fn));
}

/** What a toolchain leaves behind: componentize-qjs exports `init`. */
const isToolchainHook = (fn: WitFunction) => fn.name === 'init' && fn.params.length === 0 && fn.result === null;

/** A function as people and programs see it. */
export function describeFunction(fn: WitFunction): PluginFunction {
  return {
    name: fn.name,
    params: fn.params.map((p) => ({ name: p.name, schema: schemaOf(p.type) })),
    result: fn.result ? schemaOf(fn.result) : null,
    docs: fn.docs,
    notCallable: fn.notCallable,
  };
}

/**
 * The function a person or the daemon named: exactly, by its last part or two (`add` or `ops#add` for `demo:math/ops#add`), or in camelCase or
 * snake_case. Throws PxError `plugin.function`.
 */
export function findFunction(plugin: string, entry: Pick<Entry, 'functions'>, wanted: string): WitFunction {
  const found = entry.functions.find((fn) => fn.name === wanted) ?? nearest(entry, wanted);
  if (!found) {
    const names = entry.functions.filter((fn) => fn.notCallable === '').map((fn) => fn.name);
    throw new PxError('plugin.function', `${plugin} has no function ${JSON.stringify(wanted.slice(0, 100))}`, {
      hint: names.length > 0 ? `It has: ${some(names)}` : 'It exports no function that can be called.',
    });
  }
  if (found.notCallable !== '')
    throw new PxError('plugin.function', `${found.name} cannot be called: ${found.notCallable}`);
  return found;
}

/** The first names that fit into a line or a few, and how many more there are. */
function some(names: string[]): string {
  let end = 0;
  for (let length = 0; end < names.length && length < 500; end++) length += names[end]?.length ?? 0;
  const more = names.length - end;
  return `${names.slice(0, end).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function nearest({ functions }: Pick<Entry, 'functions'>, wanted: string): WitFunction | undefined {
  const same = (name: string) => plain(name) === plain(wanted);
  // `project-x:demo/math@0.1.0#add` is also `math#add` and `add`.
  const shorter = (name: string) => [name, name.replace(/^.*\/(.*?)(@.*)?#/, '$1#'), name.split('#')[1] ?? ''];
  const near = functions.filter((fn) => shorter(fn.name).some(same));
  return near.length === 1 ? near[0] : undefined;
}

const plain = (name: string) => name.replace(/[-_]/g, '').toLowerCase();
