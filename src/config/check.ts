import * as v from 'valibot';
import { nearest } from './nearest.ts';
import { type ConfigPath, formatPath, isMap, valueAt } from './path.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { reference } from './section/text.ts';
import { type Shape, shapeAt, shapeOf } from './shape.ts';

/** Something wrong in px.yaml; its line and column are found later, when it is told. */
export interface Problem {
  code: 'config.invalid' | 'config.unknown-key';
  path: ConfigPath;
  /** Without the place: `unknown key "modle" in model`. */
  message: string;
  expected: string;
  suggestion?: string;
}

/** Deeper or larger than anybody writes by hand: aliases of aliases that grow without bound. */
const maxDepth = 24;
const maxValues = 20_000;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Parsed YAML as a Config with every default, or everything that is wrong with it. */
export function checkConfig(data: unknown): { config: Config } | { problems: Problem[] } {
  const walk = new Walk();
  // An empty file, or one that has comments only.
  const tidy = walk.visit(data ?? {}, shapeOf(ConfigSchema), []);
  if (walk.stopped) return { problems: walk.problems };
  walk.problems.push(...literalCredentials(tidy), ...mcpProblems(tidy));
  const result = v.safeParse(ConfigSchema, tidy);
  if (result.success && walk.problems.length === 0) return { config: result.output };
  const problems = [...walk.problems, ...(result.issues ?? []).flatMap((issue) => fromIssue(issue, tidy))];
  const seen = new Set<string>();
  return {
    problems: problems.filter(({ path }) => {
      const place = formatPath(path);
      return !seen.has(place) && seen.add(place);
    }),
  };
}

/** Follows data and schema side by side: finds what valibot stays silent about, and leaves out what stands empty (`model:`). */
class Walk {
  problems: Problem[] = [];
  stopped = false;
  #count = 0;

  visit(value: unknown, shape: Shape, path: ConfigPath): unknown {
    if (path.length > maxDepth || ++this.#count > maxValues) {
      if (!this.stopped)
        this.#wrong(path, 'px.yaml is nested too deeply or too large', 'a configuration written by hand');
      this.stopped = true;
    }
    if (this.stopped) return undefined;
    if (shape.kind === 'any') {
      if (Array.isArray(value)) return value.map((entry, i) => this.visit(entry, shape, [...path, i]));
      return isMap(value) ? this.#map(value, shape, path) : value;
    }
    if (shape.kind === 'list') {
      if (!Array.isArray(value)) return value;
      return value.map((entry, i) => this.visit(entry, shapeOf(shape.item), [...path, i]));
    }
    if (shape.kind === 'value') return value;
    if (isMap(value)) return this.#map(value, shape, path);
    const what = path.length === 0 ? 'px.yaml holds' : `${formatPath(path)}: expected ${shape.type}, got`;
    const given = path.length === 0 && Array.isArray(value) ? 'a list or several documents' : shown(value, path);
    this.#wrong(path, `${what} ${given}`, shape.type);
    return {};
  }

  #map(value: Record<string, unknown>, shape: Shape, path: ConfigPath): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const at = [...path, key];
      const next = shape.kind === 'section' ? shape.entries.get(key) : shape.item;
      if (forbiddenKeys.has(key) || (shape.kind === 'section' && next === undefined)) {
        this.problems.push(unknownKey(at, [...shape.entries.keys()]));
        continue;
      }
      if (value[key] === null && shape.kind !== 'any') {
        // `telegram:` alone means a plugin or channel with its defaults.
        if (shape.kind === 'map' && shapeOf(next).kind === 'section') out[key] = {};
        continue;
      }
      out[key] = this.visit(value[key], shape.kind === 'any' ? shape : shapeOf(next), at);
    }
    return out;
  }

  #wrong(path: ConfigPath, message: string, expected: string): void {
    this.problems.push({ code: 'config.invalid', path, message, expected });
  }
}

/** Keys of providers and passwords of registries written out instead of referred to. */
function literalCredentials(data: unknown): Problem[] {
  const paths = [['providers'], ['providers', 'compatible']].flatMap((place) => {
    const providers = valueAt(data, place);
    return Object.keys(isMap(providers) ? providers : {}).map((name) => [...place, name, 'api_key']);
  });
  const registries = valueAt(data, ['registries']);
  const passwords = Object.keys(isMap(registries) ? registries : {}).map((host) => ['registries', host, 'password']);
  return [...paths, ...passwords].flatMap((path): Problem[] => {
    const value = valueAt(data, path);
    if (typeof value !== 'string' || reference.pattern.test(value)) return [];
    const message = `${formatPath(path)}: expected ${reference.expected}, not the ${path.at(-1) === 'password' ? 'password' : 'key'} itself; \`px secret set\` keeps it encrypted`;
    return [{ code: 'config.invalid', path, message, expected: reference.expected }];
  });
}

/** An MCP server is a program or an address, and what is secret in its environment or headers is referred to. */
function mcpProblems(data: unknown): Problem[] {
  const servers = valueAt(data, ['mcp', 'servers']);
  return Object.entries(isMap(servers) ? servers : {}).flatMap(([name, server]): Problem[] => {
    if (!isMap(server)) return [];
    const path = ['mcp', 'servers', name];
    const problems: Problem[] = [];
    if ((server['command'] === undefined) === (server['url'] === undefined)) {
      const expected = 'either `command` or `url`';
      problems.push({ code: 'config.invalid', path, message: `${formatPath(path)}: expected ${expected}`, expected });
    }
    for (const place of ['env', 'headers']) {
      const values = server[place];
      for (const [key, value] of Object.entries(isMap(values) ? values : {})) {
        if (typeof value !== 'string' || value === '' || reference.pattern.test(value)) continue;
        if (!/key|token|secret|passw|authorization|cookie|credential/i.test(key)) continue;
        const at = [...path, place, key];
        const { expected } = reference;
        const message = `${formatPath(at)}: expected ${expected}, not the value itself; \`px secret set\` keeps it encrypted`;
        problems.push({ code: 'config.invalid', path: at, message, expected });
      }
    }
    return problems;
  });
}

/** The problem of a key nobody knows. */
export function unknownKey(path: ConfigPath, valid: string[]): Problem {
  const key = String(path.at(-1) ?? '');
  const parent = formatPath(path.slice(0, -1));
  const suggestion = nearest(key, valid);
  const where = parent === '' ? '' : ` in ${parent}`;
  const more = suggestion === undefined ? '' : ` — did you mean "${suggestion}"?`;
  return {
    code: 'config.unknown-key',
    path,
    message: `unknown key ${JSON.stringify(key)}${where}${more}`,
    expected: valid.length === 0 ? 'another name' : `one of ${valid.join(', ')}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function fromIssue(issue: v.BaseIssue<unknown>, data: unknown): Problem[] {
  const path: ConfigPath = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const atKey = issue.path?.at(-1)?.origin === 'key';
  if (issue.kind === 'schema' && atKey) {
    // Of a key nobody knows the walk has told; any other is one that has to be there.
    if (issue.expected === 'never') return [];
    const expected = shapeAt(path)?.type ?? 'a value';
    return [
      { code: 'config.invalid', path, message: `${formatPath(path)}: expected ${expected}, got nothing`, expected },
    ];
  }
  if (atKey)
    return [
      {
        code: 'config.invalid',
        path,
        message: `${JSON.stringify(String(path.at(-1)))} cannot stand in ${formatPath(path.slice(0, -1))}: expected ${issue.message}`,
        expected: issue.message,
      },
    ];
  const expected = shapeAt(path)?.type ?? issue.expected ?? 'another value';
  const options = issue.type === 'picklist' ? (expected.match(/`([^`]*)`/g) ?? []).map((o) => o.slice(1, -1)) : [];
  const value = valueAt(data, path);
  const suggestion = typeof value === 'string' ? nearest(value, options) : undefined;
  const more = suggestion === undefined ? '' : ` — did you mean "${suggestion}"?`;
  return [
    {
      code: 'config.invalid',
      path,
      message: `${formatPath(path)}: expected ${expected}, got ${shown(value, path)}${more}`,
      expected,
      ...(suggestion === undefined ? {} : { suggestion }),
    },
  ];
}

/** The wrong value, short; never one that may be a secret typed into the wrong file. */
function shown(value: unknown, path: ConfigPath): string {
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  if (value === null || value === undefined) return 'nothing';
  if (path.some((part) => /key|token(?!s)|secret|password/i.test(String(part)))) return 'something else';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
