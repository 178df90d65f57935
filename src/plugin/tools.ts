import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import { type Json, type JsonSchema, tooDeep } from '../wire/wire.ts';
import { toolFunctions } from './functions.ts';
import type { PluginTool } from './plugin.ts';
import type { Entry, ListedTool } from './registry.ts';
import { argumentsOf, schemaOfParams } from './wit/json.ts';
import type { WitFunction } from './wit/types.ts';

/** How the tools reach their plugins. */
export interface ToolPlugins {
  /** Calls a function of a plugin by its exact name. */
  call(plugin: string, fn: string, args: Json[], signal: AbortSignal): Promise<Json>;
  /** Starts the plugin's process for a call that is likely to come. */
  soon(plugin: string): void;
}

const maxTools = 64;
const maxSchema = 16_384;

/** The tools of the given plugins, each name once: the first of two plugins that want the same one has it. */
export function toolsOf(plugins: [name: string, entry: Entry][], { call, soon: begin }: ToolPlugins): PluginTool[] {
  const taken = new Set<string>();
  const unique = (name: string) => {
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name.slice(0, 60)}_${n}`;
    taken.add(free);
    return free;
  };
  return plugins.flatMap(([plugin, entry]) => {
    const functions = toolFunctions(entry);
    const soon = () => begin(plugin);
    const shorts = functions.map(({ name }) => shortName(name));
    /** The function's name, with that of its interface where another one has the same. */
    const called = (fn: WitFunction) => {
      const short = shortName(fn.name);
      const iface = fn.name.includes('#') ? (fn.name.split('#')[0]?.split('/').at(-1)?.split('@')[0] ?? '') : '';
      return shorts.filter((one) => one === short).length > 1 && iface !== '' ? `${iface}-${short}` : short;
    };
    return [
      ...entry.listed.map((tool): PluginTool => {
        const run = async (args: { [key: string]: Json }, signal: AbortSignal) =>
          asText(await call(plugin, 'call-tool', [tool.name, JSON.stringify(args)], signal));
        const { description, parameters } = tool;
        return { plugin, name: unique(toolName(plugin, tool.name)), description, parameters, call: run, soon };
      }),
      ...functions.map((fn): PluginTool => {
        const run = async (args: { [key: string]: Json }, signal: AbortSignal) =>
          asText(await call(plugin, fn.name, argumentsOf(fn.params, args), signal));
        const name = called(fn);
        return {
          plugin,
          name: unique(toolName(plugin, name)),
          description: fn.docs || `${name} of the plugin ${plugin}. ${entry.manifest.description}`.trim(),
          parameters: schemaOfParams(fn.params),
          call: run,
          soon,
        };
      }),
    ];
  });
}

/** `add` for `demo:math/ops@0.1.0#add`. */
const shortName = (fn: string) => fn.slice(fn.indexOf('#') + 1);

/** `<plugin>_<function>` in letters models take, without saying the plugin's name twice. */
export function toolName(plugin: string, fn: string): string {
  const word = (text: string) => text.replace(/[^A-Za-z0-9]+/g, '_');
  const name = word(fn);
  const prefix = word(plugin);
  const whole = name === prefix || name.startsWith(`${prefix}_`) ? name : `${prefix}_${name}`;
  return whole.slice(0, 64);
}

const asText = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));

const Schema = v.pipe(
  v.record(
    v.string(),
    v.custom<Json>(() => true),
  ),
  v.check((schema) => !tooDeep(schema) && JSON.stringify(schema).length <= maxSchema),
);
const Listed = v.pipe(
  v.array(
    v.looseObject({
      name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
      description: v.pipe(v.string(), v.maxLength(4000)),
    }),
  ),
  v.maxLength(maxTools),
);

/** What `list-tools` or a script's `tools` said, checked. Throws ValiError. */
export function readListed(json: Json): ListedTool[] {
  return v.parse(Listed, json).map((tool) => ({
    name: tool.name,
    description: tool.description,
    parameters: asSchema(tool['parameters'] ?? tool['input_schema']),
  }));
}

/** A schema given as an object or as JSON text; one that asks for nothing when there is none. */
function asSchema(given: unknown): JsonSchema {
  const schema = v.parse(Schema, (typeof given === 'string' ? parsed(given) : given) ?? {});
  return { type: 'object', ...schema };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PxError('plugin.invalid', 'the schema of one of its tools is not JSON', { cause });
  }
}
