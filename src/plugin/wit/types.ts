/** A WIT value type as plain JSON data. `opaque` is what px cannot write as JSON (resources, streams, futures). */
export type WitType =
  | { kind: WitPrimitive }
  | { kind: 'list'; of: WitType }
  | { kind: 'option'; of: WitType }
  | { kind: 'result'; ok: WitType | null; err: WitType | null }
  | { kind: 'tuple'; of: WitType[] }
  | { kind: 'record'; fields: WitField[] }
  | { kind: 'variant'; cases: WitCase[] }
  | { kind: 'enum'; cases: string[] }
  | { kind: 'flags'; names: string[] }
  | { kind: 'opaque'; what: string };

/** A WIT type without parts. */
export type WitPrimitive = WitInteger | 'bool' | 'f32' | 'f64' | 'char' | 'string';
/** An integer type of WIT. */
export type WitInteger = 's8' | 'u8' | 's16' | 'u16' | 's32' | 'u32' | 's64' | 'u64';

/** A record's field, a parameter. Names are as in WIT, in kebab-case. */
export interface WitField {
  name: string;
  type: WitType;
  docs?: string;
}

/** A variant's case; `null`: without a payload. */
interface WitCase {
  name: string;
  type: WitType | null;
}

/** A function a component exports. */
export interface WitFunction {
  /** `post-message`, or `iface#name` inside an exported interface: `project-x:demo/math@0.1.0#add`. */
  name: string;
  /** The keys that lead from jco's exports object to the function: `['postMessage']`, `['project-x:demo/math@0.1.0', 'add']`. */
  jsPath: string[];
  params: WitField[];
  /** The value it returns; of `result<T, E>` the T. `null`: none. */
  result: WitType | null;
  /** The E of a `result<T, E>`, `null` when it has no payload; `undefined` when the function cannot fail by its type. */
  error?: WitType | null;
  /** From the component's `px-docs` or `package-docs` section; empty without one. */
  docs: string;
  /** Why px cannot call it; empty when it can. */
  notCallable: string;
}

/** Whether a function is the `main` of a program: what that leaves behind is not fit to run it again. */
export const isMain = (name: string): boolean => name.startsWith('wasi:cli/run') && name.endsWith('#run');

/** What a component asks for and offers, read from its own bytes. */
export interface ComponentTypes {
  /** Names of what it needs from its host: `project-x:core/host-api@0.1.0`. Interfaces of types alone are left out. */
  imports: string[];
  functions: WitFunction[];
}

/** `dark-blue` or `HTTP-api` as jco spells it: `darkBlue`, `httpApi`. */
export function camel(name: string): string {
  return name
    .split('-')
    .map((w, i) => (i === 0 ? w.toLowerCase() : w.charAt(0).toUpperCase() + w.slice(1).toLowerCase()))
    .join('');
}

/** `dark-blue` as a JSON key: `dark_blue`. */
export function snake(name: string): string {
  return name.replaceAll('-', '_').toLowerCase();
}
