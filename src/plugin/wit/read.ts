import { PxError } from '../../error/error.ts';
import { Cursor, hex, invalid } from './cursor.ts';
import { applyTypeDocs, type Docs, functionDocs, noDocs, readDocs } from './docs.ts';
import {
  declare,
  type Exports,
  type FuncType,
  type Item,
  readAlias,
  readExternDesc,
  readExternName,
  readSortIndex,
  readTypeDef,
  Scope,
} from './scope.ts';
import { type ComponentTypes, camel, type WitFunction, type WitType } from './types.ts';
import { extent, opaquePart } from './valtype.ts';

/** Sections with documentation: wit-component's own, and the one px's build adds because wit-component drops its own from components. */
const docsSections = ['package-docs', 'px-docs'];
/** Most entries a component may declare over all its parts. */
const maxItems = 200_000;
/** Most functions px lists. */
const maxFunctions = 512;
/** Longest written-out types: of one function, and of all together, in characters. */
const maxTypes = { one: 65_536, all: 1_048_576, depth: 24 };

/**
 * Reads what a component imports and exports from its bytes alone (Component Model binary format): nothing is compiled or run.
 * Whether the core code inside is valid is not looked at. Time and memory are bounded by the file's size.
 * Throws PxError `plugin.invalid` for a core module, anything malformed, and asynchronous components.
 */
export function readComponent(bytes: Uint8Array): ComponentTypes {
  const header = bytes.subarray(0, 8);
  if (header[0] !== 0 || header[1] !== 0x61 || header[2] !== 0x73 || header[3] !== 0x6d)
    throw invalid('it does not begin like a WebAssembly file');
  if (header[6] === 0 && header[7] === 0) throw invalid('it is a core module; make a component of it first');
  const found = { docs: noDocs };
  const root = readBody(new Cursor(bytes, 0, bytes.length, { left: maxItems }), null, found);
  const functions: WitFunction[] = [];
  for (const [name, item] of root.imports) if (item.sort === 'instance') applyTypeDocs(found.docs, name, item.exports);
  applyTypeDocs(found.docs, '', root.exports);
  if (isPackage(root))
    throw new PxError('plugin.invalid', 'it is a WIT package, which has types and no code', {
      hint: 'A plugin is a component that implements one.',
    });
  for (const [name, item] of root.exports) {
    if (item.sort === 'func') {
      if (!isBuildHook(name, item.type)) functions.push(describe(name, [camel(name)], item.type, found.docs));
    } else if (item.sort === 'instance') functions.push(...inside(name, item.exports, found.docs));
    if (functions.length > maxFunctions) throw invalid(`it exports more than ${maxFunctions} functions`);
  }
  const size = functions.reduce((sum, f) => sum + weigh([...f.params.map((p) => p.type), f.result, f.error]).size, 0);
  if (size > maxTypes.all) throw invalid('its types are too large');
  return { imports: [...root.imports].filter(([, item]) => mustBeGiven(item)).map(([name]) => name), functions };
}

/** What registries also hold beside components: interfaces written down as a component that exports types alone. */
function isPackage({ exports, components, instances }: Scope): boolean {
  return (
    exports.size > 0 &&
    components.length === 0 &&
    instances.length === 0 &&
    [...exports.values()].every(({ sort, ...of }) => sort === 'type' && 'def' in of && of.def.is === 'component')
  );
}

/** What was built for WASI 0.3. */
const asynchronous = (what: string) =>
  new PxError('plugin.invalid', `the component is asynchronous (it uses ${what}); px runs synchronous ones`, {
    hint: 'Build it without async functions, streams and futures: for WASI 0.2.',
  });

/** componentize-qjs and componentize-py leave the function behind with which they put the script in while they build. */
function isBuildHook(name: string, { params }: FuncType): boolean {
  const given = params.map((p) => p.name).join();
  return name === 'init' && (given === 'shim,script,entry-path,disable-gc' || given === 'app-name,symbols,stub-wasi');
}

/** Types, and interfaces of nothing but types, reach nothing: nobody has to grant or supply them. */
function mustBeGiven(item: Item): boolean {
  if (item.sort === 'type') return item.def.is === 'resource' && item.def.fresh;
  return item.sort !== 'instance' || [...item.exports.values()].some(mustBeGiven);
}

/** Reads one component, the outermost or a nested one, and gives its scope. */
function readBody(c: Cursor, parent: Scope | null, found: { docs: Docs }): Scope {
  const [a, b, layer, d] = [...c.take(8).subarray(4)];
  if (a !== 0x0d || b !== 0 || layer !== 1 || d !== 0) throw invalid('its version is not one px knows');
  const scope = new Scope(parent);
  while (!c.done) {
    c.spend();
    const id = c.byte();
    const section = c.slice(c.u32());
    if (id === 0) {
      if (!parent && docsSections.includes(section.name()))
        found.docs = readDocs(section.take(section.end - section.at));
    } else if (id === 4) {
      scope.components.push(readBody(section, scope, found).exports);
    } else if (id >= 5 && id <= 11 && id !== 9) {
      readSection(id, section, scope);
      section.finish(`section ${id}`);
    } else if (id > 3) throw invalid(`it has the unknown section ${id}`);
  }
  return scope;
}

function readSection(id: number, c: Cursor, scope: Scope): void {
  c.list(() => {
    if (id === 5) scope.instances.push(readInstance(c, scope));
    else if (id === 6) readAlias(c, scope);
    else if (id === 7) scope.types.push(readTypeDef(c, scope));
    else if (id === 8) readCanon(c, scope);
    else if (id === 10) {
      const name = readExternName(c);
      const item = readExternDesc(c, scope);
      declare(scope.imports, name, item);
      scope.push(item);
    } else {
      const name = readExternName(c);
      const own = readSortIndex(c, scope);
      const item = c.optional(() => readExternDesc(c, scope)) ?? own;
      if (item.sort !== own.sort) throw invalid('an export is not what it says');
      declare(scope.exports, name, item);
      scope.push(item);
    }
  });
}

/** An instance: of a component (what it exports does not depend on the arguments), or put together from named items. */
function readInstance(c: Cursor, scope: Scope): Exports {
  const form = c.byte();
  const exports: Exports = new Map();
  if (form === 0x00) {
    const component = scope.item(0x04, c.u32());
    c.list(() => {
      c.name();
      readSortIndex(c, scope);
    });
    return component.sort === 'component' ? component.exports : exports;
  }
  if (form !== 0x01) throw invalid('an instance has an unknown form');
  c.list(() => {
    const name = readExternName(c);
    declare(exports, name, readSortIndex(c, scope));
  });
  return exports;
}

/** One canonical definition; a lift makes a component function, the others make core functions, which px does not follow. */
function readCanon(c: Cursor, scope: Scope): void {
  const code = c.byte();
  if (code <= 0x01 && c.byte() === 0x00) {
    c.u32();
    c.list(() => readOption(c));
    if (code === 0x01) return;
    const item = scope.item(0x03, c.u32());
    if (item.sort !== 'type' || item.def.is !== 'func') throw invalid('a function has no function type');
    scope.funcs.push(item.def.type);
  } else if (code >= 0x02 && code <= 0x04) c.u32();
  else throw asynchronous(`the built-in ${hex(code)}`);
}

function readOption(c: Cursor): void {
  const code = c.byte();
  // jco's transpiler panics over it.
  if (code === 0x02) throw invalid('its strings are latin1+utf16; px takes utf8 and utf16');
  if (code >= 0x03 && code <= 0x05) c.u32();
  else if (code > 0x05) throw asynchronous(`the option ${hex(code)}`);
}

/** The functions of an exported interface. */
function inside(iface: string, exports: Exports, docs: Docs): WitFunction[] {
  applyTypeDocs(docs, iface, exports);
  const out: WitFunction[] = [];
  for (const [name, item] of exports)
    if (item.sort === 'func' && !isBuildHook(name, item.type))
      out.push(describe(`${iface}#${name}`, [iface, camel(name)], item.type, docs));
  return out;
}

function describe(name: string, jsPath: string[], type: FuncType, docs: Docs): WitFunction {
  const fallible = type.result?.kind === 'result' ? type.result : undefined;
  const all = [...type.params.map((p) => p.type), type.result];
  const { size, depth } = weigh(all);
  const base = { name, jsPath, docs: functionDocs(docs, name) };
  const plainName = name.slice(name.indexOf('#') + 1);
  let why = '';
  if (size > maxTypes.one || depth > maxTypes.depth)
    return { ...base, params: [], result: null, notCallable: 'its types are too large' };
  if (!/^[a-zA-Z][a-zA-Z0-9-]*$/.test(plainName)) why = 'it belongs to a resource';
  else if (type.async) why = 'it is asynchronous';
  else {
    const part = all.map(opaquePart).find((p) => p !== undefined);
    if (part) why = `it takes or returns ${part}, which cannot be written as JSON`;
  }
  return {
    ...base,
    params: type.params,
    result: fallible ? fallible.ok : type.result,
    ...(fallible ? { error: fallible.err } : {}),
    notCallable: why,
  };
}

function weigh(types: (WitType | null | undefined)[]): { size: number; depth: number } {
  const known = types.flatMap((t) => (t ? [extent(t)] : []));
  return { size: known.reduce((n, e) => n + e.size, 0), depth: Math.max(0, ...known.map((e) => e.depth)) };
}
