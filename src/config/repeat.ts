/**
 * Whether a YAML text may hold a key twice in one mapping, which Bun's parser lets pass and which is always a mistake. Says yes
 * too often rather than too seldom: a yes is looked at again by a real parser.
 */
export function mayRepeatKey(text: string): boolean {
  /** Open mappings, by the column their keys stand in. */
  const open: { column: number; keys: Set<string> }[] = [];
  for (const line of text.split(/\r\n?|\n/)) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    if (/^(?:---|\.\.\.)/.test(line)) open.length = 0;
    if (mayRepeatInFlow(line)) return true;
    // `- a: 1` opens a mapping of its own, in the column of its key.
    const start = /^(\s*(?:-\s+)*)(.*)$/.exec(line);
    const column = start?.[1]?.length ?? 0;
    const dash = /-\s/.test(start?.[1] ?? '');
    const outer = dash ? (start?.[1]?.indexOf('-') ?? 0) : column;
    while ((open.at(-1)?.column ?? -1) > outer) open.pop();
    const key = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#][^#]*?))\s*:(?:\s|$)/.exec(start?.[2] ?? '');
    if (!key) continue;
    const name = key[1] ?? key[2] ?? key[3] ?? '';
    let top = open.at(-1);
    if (top?.column !== column) {
      top = { column, keys: new Set() };
      open.push(top);
    }
    if (top.keys.has(name)) return true;
    top.keys.add(name);
  }
  return false;
}

/** `{ a: 1, a: 2 }`, and anything in braces that goes on over the line's end. */
function mayRepeatInFlow(line: string): boolean {
  const flow = line.replace(/\$\{[^}]*\}/g, '');
  if (!flow.includes('{') && !flow.includes('}')) return false;
  if (flow.split('{').length !== flow.split('}').length) return true;
  const keys = [...flow.matchAll(/[{,]\s*(?:"([^"]*)"|'([^']*)'|([^\s{}[\],:"']+))\s*:/g)].map(
    (m) => m[1] ?? m[2] ?? m[3],
  );
  return new Set(keys).size !== keys.length;
}
