import { type Cursor, hex, invalid } from './cursor.ts';
import type { WitField, WitType } from './types.ts';
import { extent, type Lookup, label, readDefinedType, readValType } from './valtype.ts';

/** A component function's type. */
export interface FuncType {
  params: WitField[];
  result: WitType | null;
  async: boolean;
}

/** What an instance or component offers, by name. */
export type Exports = Map<string, Item>;

/** What a type index can stand for. */
export type TypeDef =
  | { is: 'value'; type: WitType }
  | { is: 'func'; type: FuncType }
  | { is: 'instance'; exports: Exports }
  | { is: 'component'; exports: Exports }
  /** `fresh`: made or demanded here, not another name of one that is known. */
  | { is: 'resource'; fresh: boolean };

/** Something that can be imported, exported or aliased. */
export type Item =
  | { sort: 'func'; type: FuncType }
  | { sort: 'type'; def: TypeDef }
  | { sort: 'instance'; exports: Exports }
  | { sort: 'component'; exports: Exports }
  | { sort: 'core' };

const maxDepth = 16;

/** The index spaces of one component, or of one component or instance type, and the way out to those around it. */
export class Scope {
  readonly types: TypeDef[] = [];
  readonly funcs: FuncType[] = [];
  readonly instances: Exports[] = [];
  readonly components: Exports[] = [];
  readonly imports: Exports = new Map();
  readonly exports: Exports = new Map();
  readonly parent: Scope | null;
  readonly depth: number;

  constructor(parent: Scope | null) {
    this.parent = parent;
    this.depth = parent ? parent.depth + 1 : 0;
    if (this.depth > maxDepth) throw invalid('it nests too deeply');
  }

  /** Puts an item at the end of its index space. */
  push(item: Item): void {
    if (item.sort === 'func') this.funcs.push(item.type);
    else if (item.sort === 'type') this.types.push(item.def);
    else if (item.sort === 'instance') this.instances.push(item.exports);
    else if (item.sort === 'component') this.components.push(item.exports);
  }

  /** The item of a sort (0x01 function, 0x03 type, 0x04 component, 0x05 instance) at an index. */
  item(sort: number, index: number): Item {
    if (sort === 0x01) return { sort: 'func', type: at(this.funcs, index) };
    if (sort === 0x03) return { sort: 'type', def: at(this.types, index) };
    if (sort === 0x04) return { sort: 'component', exports: at(this.components, index) };
    if (sort === 0x05) return { sort: 'instance', exports: at(this.instances, index) };
    throw invalid(`it uses the unknown sort ${hex(sort)}`);
  }

  /** The value type at an index. */
  readonly value: Lookup = (index) => {
    const def = at(this.types, index);
    if (def.is === 'value') return def.type;
    if (def.is === 'resource') return { kind: 'opaque', what: 'a resource' };
    throw invalid('a type index names no value type');
  };
}

function at<T>(space: T[], index: number): T {
  const found = space[index];
  if (found === undefined) throw invalid('an index is out of range');
  return found;
}

/** Reads a sort and an index; core sorts are read over. */
export function readSortIndex(c: Cursor, scope: Scope): Item {
  const sort = c.byte();
  if (sort === 0x00) {
    c.byte();
    c.u32();
    return { sort: 'core' };
  }
  return scope.item(sort, c.u32());
}

/** Reads an import's or export's name with the forms that carry a version. */
export function readExternName(c: Cursor): string {
  const form = c.byte();
  const name = c.name();
  if (form === 0x02) c.name();
  else if (form > 0x02) throw invalid(`a name has the unknown form ${hex(form)}`);
  return name;
}

/** Reads what an import or export is said to be. */
export function readExternDesc(c: Cursor, scope: Scope): Item {
  const code = c.byte();
  if (code === 0x00) {
    c.byte();
    c.u32();
    return { sort: 'core' };
  }
  if (code === 0x03) {
    const bound = c.byte();
    if (bound === 0x01) return { sort: 'type', def: { is: 'resource', fresh: true } };
    if (bound === 0x00) {
      const def = at(scope.types, c.u32());
      return { sort: 'type', def: def.is === 'resource' ? { is: 'resource', fresh: false } : def };
    }
    throw invalid('a type bound is unknown');
  }
  const def = code === 0x01 || code === 0x04 || code === 0x05 ? at(scope.types, c.u32()) : undefined;
  if (code === 0x01 && def?.is === 'func') return { sort: 'func', type: def.type };
  if (code === 0x04 && def?.is === 'component') return { sort: 'component', exports: def.exports };
  if (code === 0x05 && def?.is === 'instance') return { sort: 'instance', exports: def.exports };
  throw invalid(`an import or export is of the unknown kind ${hex(code)}`);
}

/** Adds a name to a set of exports or imports; a second of the same name is refused. */
export function declare(names: Exports, name: string, item: Item): void {
  if (names.has(name)) throw invalid(`${JSON.stringify(name.slice(0, 60))} is declared twice`);
  names.set(name, item);
}

/** Reads one alias into its index space. */
export function readAlias(c: Cursor, scope: Scope): void {
  const sort = c.byte();
  if (sort === 0x00) c.byte();
  const target = c.byte();
  if (target === 0x01) {
    c.u32();
    c.name();
    if (sort !== 0x00) throw invalid('an alias of a core export is not a core item');
  } else if (target === 0x00) {
    const found = at(scope.instances, c.u32()).get(c.name());
    if (!found) throw invalid('an alias names what its instance does not have');
    scope.push(found);
  } else if (target === 0x02) {
    let outer: Scope | null = scope;
    for (let count = c.u32(); count > 0 && outer; count--) outer = outer.parent;
    const index = c.u32();
    if (!outer) throw invalid('an alias reaches outside the component');
    if (sort !== 0x00) scope.push(outer.item(sort, index));
  } else throw invalid('an alias has an unknown target');
}

/** Reads one entry of a type section. */
export function readTypeDef(c: Cursor, scope: Scope): TypeDef {
  const code = c.byte();
  if (code === 0x40 || code === 0x43) return { is: 'func', type: readFuncType(c, scope, code === 0x43) };
  if (code === 0x41 || code === 0x42) {
    const inner = new Scope(scope);
    c.list(() => readDecl(c, inner, code === 0x41));
    return { is: code === 0x41 ? 'component' : 'instance', exports: inner.exports };
  }
  if (code === 0x3f) {
    if (c.byte() !== 0x7f) throw invalid('a resource is not an i32');
    c.optional(() => c.u32());
    return { is: 'resource', fresh: true };
  }
  const type = readDefinedType(code, c, scope.value);
  extent(type);
  return { is: 'value', type };
}

function readFuncType(c: Cursor, scope: Scope, async: boolean): FuncType {
  const params = c.list(() => ({ name: label(c.name()), type: readValType(c, scope.value) }));
  if (new Set(params.map((p) => p.name)).size !== params.length) throw invalid('a function names a parameter twice');
  const form = c.byte();
  if (form === 0x00) return { params, result: readValType(c, scope.value), async };
  if (form !== 0x01 || c.byte() !== 0x00) throw invalid('a function has several results');
  return { params, result: null, async };
}

/** One declaration inside a component type (which may import) or an instance type. */
function readDecl(c: Cursor, scope: Scope, component: boolean): void {
  const code = c.byte();
  if (code === 0x01) scope.types.push(readTypeDef(c, scope));
  else if (code === 0x02) readAlias(c, scope);
  else if (code === 0x03 || code === 0x04) {
    if (code === 0x03 && !component) throw invalid('an instance type imports');
    const name = readExternName(c);
    const item = readExternDesc(c, scope);
    declare(code === 0x03 ? scope.imports : scope.exports, name, item);
    scope.push(item);
  } else throw invalid(`a type declares the unknown kind ${hex(code)}`);
}
