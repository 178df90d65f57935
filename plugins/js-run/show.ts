/** How deep into a value it is shown, and how many parts of one. */
const maxDepth = 5;
const maxParts = 200;

/** A value in words, as a console shows it: a text of its own stands as it is. At most `room` characters and a little more. */
export function show(value: unknown, room: number): string {
  return typeof value === 'string' ? value.slice(0, room + 1) : inner(value, room, 0, new Set());
}

function inner(value: unknown, room: number, depth: number, around: Set<object>): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[function ${value.name || 'without a name'}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (around.has(value)) return '[circular]';
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth >= maxDepth) return Array.isArray(value) ? '[…]' : '{…}';
  const within = new Set([...around, value]);
  const part = (one: unknown, left: number) => inner(one, left, depth + 1, within);
  if (Array.isArray(value)) return joined('[', value, part, ']', room);
  if (ArrayBuffer.isView(value) && 'length' in value)
    return joined(`${nameOf(value)} [`, value as unknown as Iterable<unknown>, part, ']', room);
  if (value instanceof Set) return joined('Set {', value, part, '}', room);
  if (value instanceof Map)
    return joined('Map {', value, ([key, held], left) => `${part(key, left)} => ${part(held, left)}`, '}', room);
  const name = nameOf(value);
  const open = name === '' || name === 'Object' ? '{' : `${name} {`;
  return joined(open, Object.keys(value), (key, left) => `${key}: ${part(Reflect.get(value, key), left)}`, '}', room);
}

const nameOf = (value: object): string => {
  const maker: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof maker === 'function' ? maker.name : '';
};

/** Parts with commas between them, until there is no room. */
function joined<T>(
  open: string,
  parts: Iterable<T>,
  text: (part: T, left: number) => string,
  close: string,
  room: number,
) {
  const out: string[] = [];
  let left = room;
  for (const part of parts) {
    if (out.length === maxParts || left <= 0) {
      out.push('…');
      break;
    }
    const said = text(part, left);
    left -= said.length + 2;
    out.push(said);
  }
  const space = open.endsWith('{') && out.length > 0 ? ' ' : '';
  return `${open}${space}${out.join(', ')}${space}${close}`;
}
