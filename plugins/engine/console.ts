import { px } from './px.ts';

type Level = 'info' | 'warn' | 'error' | 'debug';

/** How far into what is logged one looks. */
const maxDepth = 6;

/** A value as a line of the log says it: text as it is, anything else much as it is written in code. */
function shown(value: unknown, depth = 0, within: readonly unknown[] = []): string {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[function ${value.name || 'without a name'}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Error)
    return `${value.name}: ${value.message}${value.cause === undefined ? '' : ` (cause: ${shown(value.cause, depth + 1, within)})`}`;
  if (within.includes(value)) return '[circular]';
  const inner = (of: unknown) => shown(of, depth + 1, [...within, value]);
  const list = (of: Iterable<unknown>) => Array.from(of, inner).join(',');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth >= maxDepth) return Array.isArray(value) ? '[…]' : '{…}';
  if (Array.isArray(value)) return `[${list(value)}]`;
  if (value instanceof Map)
    return `Map {${Array.from(value, ([key, of]) => `${inner(key)} => ${inner(of)}`).join(',')}}`;
  if (value instanceof Set) return `Set {${list(value)}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name} [${list(value as Uint8Array)}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return inner(value.toJSON());
  return `{${Object.entries(value)
    .map(([key, of]) => `${JSON.stringify(key)}:${inner(of)}`)
    .join(',')}}`;
}

/** What the first text says of those after it (`%s`, `%d`, `%o` …), and the rest behind it. */
function line([first, ...rest]: unknown[]): string {
  const values = [...rest];
  const text =
    typeof first === 'string' && rest.length > 0
      ? first.replace(/%([sdifjoOc%])/g, (sign: string, kind: string) => {
          if (kind === '%') return '%';
          if (values.length === 0) return sign;
          const value = values.shift();
          if (kind === 'c') return '';
          if (kind === 's') return shown(value);
          if (kind === 'd') return typeof value === 'bigint' ? shown(value) : String(Number(value));
          if (kind === 'i') return String(Number.parseInt(String(value), 10));
          if (kind === 'f') return String(Number.parseFloat(String(value)));
          return shown(value, 1);
        })
      : shown(first);
  return [text, ...values.map((value) => shown(value))].join(' ');
}

let indent = '';
const say =
  (level: Level) =>
  (...values: unknown[]): void =>
    px.log(level, indent + (values.length === 0 ? '' : line(values)));
const [log, info, warn, error, debug] = [say('info'), say('info'), say('warn'), say('error'), say('debug')];

const counts = new Map<string, number>();
const timers = new Map<string, number>();
const since = (label: string) => `${label}: ${px.now() - (timers.get(label) ?? px.now())} ms`;
const group = (...labels: unknown[]): void => {
  if (labels.length > 0) log(...labels);
  indent += '  ';
};

/** `console`, whose lines go to the plugin's log. */
export const hostConsole = {
  log,
  info,
  warn,
  error,
  debug,
  trace: (...values: unknown[]): void => debug('Trace:', ...values),
  dir: (value: unknown): void => log(shown(value, 1)),
  dirxml: log,
  table: (rows: unknown): void => {
    if (typeof rows !== 'object' || rows === null) log(rows);
    else for (const [key, row] of Object.entries(rows)) log(`${key}: ${shown(row, 1)}`);
  },
  assert: (holds?: unknown, ...values: unknown[]): void => {
    if (!holds) error(values.length === 0 ? 'Assertion failed' : `Assertion failed: ${line(values)}`);
  },
  group,
  groupCollapsed: group,
  groupEnd: (): void => {
    indent = indent.slice(2);
  },
  count: (label = 'default'): void => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    log(`${label}: ${counts.get(label)}`);
  },
  countReset: (label = 'default'): void => {
    counts.delete(label);
  },
  time: (label = 'default'): void => {
    timers.set(label, px.now());
  },
  timeLog: (label = 'default', ...values: unknown[]): void => log(since(label), ...values),
  timeEnd: (label = 'default'): void => {
    log(since(label));
    timers.delete(label);
  },
};
