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
 * The function a person or the daemon named: exactly, by its last part (`add` for `demo:math/ops#add`), or in camelCase or
 * snake_case. Throws PxError `plugin.function`.
 */
export function findFunction(plugin: string, entry: Pick<Entry, 'functions'>, wanted: string): WitFunction {
  const found = entry.functions.find((fn) => fn.name === wanted) ?? nearest(entry, wanted);
  if (!found) {
    const names = entry.functions.map((fn) => fn.name).join(', ');
    throw new PxError('plugin.function', `${plugin} has no function ${JSON.stringify(wanted.slice(0, 100))}`, {
      hint: names ? `It has: ${names.slice(0, 500)}` : 'It exports no function.',
    });
  }
  if (found.notCallable !== '')
    throw new PxError('plugin.function', `${found.name} cannot be called: ${found.notCallable}`);
  return found;
}

function nearest({ functions }: Pick<Entry, 'functions'>, wanted: string): WitFunction | undefined {
  const same = (name: string) => plain(name) === plain(wanted);
  const near = functions.filter((fn) => same(fn.name) || same(fn.name.split('#')[1] ?? ''));
  return near.length === 1 ? near[0] : undefined;
}

const plain = (name: string) => name.replace(/[-_]/g, '').toLowerCase();
