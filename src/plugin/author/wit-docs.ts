/** Something in a WIT file, with its documentation. */
export interface WitItem {
  /** `package`, `interface`, `world`, `record`, `func`, `export`, `import`, `field`, … */
  kind: string;
  name: string;
  /** The declaration without documentation and without a body. */
  text: string;
  docs: string;
  items: WitItem[];
}

/** Reads the shape and the documentation of a WIT file: enough for a reference page, not a checker. */
export function readWit(source: string): WitItem[] {
  const tokens = source.match(/\/\/\/[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|->|[\w%:@./*-]+|[^\s]/g) ?? [];
  let at = 0;
  const block = (inside: string): WitItem[] => {
    const items: WitItem[] = [];
    let docs: string[] = [];
    let words: string[] = [];
    let depth = 0;
    const end = (children: WitItem[] = []) => {
      if (words.length) items.push({ ...named(words, inside), docs: docs.join('\n'), items: children });
      docs = [];
      words = [];
    };
    for (let token = tokens[at++]; token !== undefined; token = tokens[at++]) {
      if (token.startsWith('///')) docs.push(token.slice(3).replace(/^ /, ''));
      else if (token.startsWith('//') || token.startsWith('/*')) continue;
      else if (token === '}' && depth === 0) {
        end();
        return items;
      } else if (token === '{' && depth === 0 && words[0] !== 'use') end(block(words[0] ?? ''));
      else if (depth === 0 && (token === ';' || (token === ',' && words[0] !== 'use' && inBody(inside)))) end();
      else {
        if ('(<{'.includes(token)) depth++;
        if (')>}'.includes(token)) depth--;
        words.push(token);
      }
    }
    return items;
  };
  return block('');
}

const inBody = (inside: string) => ['record', 'enum', 'variant', 'flags'].includes(inside);

function named(words: string[], inside: string): { kind: string; name: string; text: string } {
  const text = words
    .join(' ')
    .replace(/ ?([,:;]) ?/g, '$1 ')
    .replace(/([a-z0-9-]+): ([a-z0-9-]+\/)/g, '$1:$2')
    .replace(/ ?([(<]) ?/g, '$1')
    .replace(/ ?([)>])/g, '$1')
    .replace(/- >|->/g, '->')
    .trim();
  const [first = '', second = ''] = words;
  if (inBody(inside)) return { kind: 'field', name: first.replace(/:$/, ''), text };
  if (['export', 'import'].includes(first)) return { kind: first, name: second.replace(/:$/, ''), text };
  if (/^(package|interface|world|record|enum|variant|flags|resource|type|use|include)$/.test(first))
    return { kind: first, name: second, text };
  return { kind: 'func', name: first.replace(/:$/, ''), text };
}

/** The documentation of a WIT file as the JSON of wit-component's `package-docs` section. */
export function packageDocs(source: string) {
  const items = readWit(source);
  const of = (kind: string, list: WitItem[]) => list.filter((i) => i.kind === kind);
  const docs = (list: WitItem[]) =>
    Object.fromEntries(list.filter((i) => i.docs).map((i) => [i.name, { docs: i.docs }]));
  const types = (list: WitItem[]) =>
    Object.fromEntries(
      list
        .filter((i) => inBody(i.kind))
        .map((i) => [
          i.name,
          {
            ...(i.docs ? { docs: i.docs } : {}),
            items: Object.fromEntries(i.items.filter((f) => f.docs).map((f) => [f.name, f.docs])),
          },
        ]),
    );
  return {
    worlds: Object.fromEntries(
      of('world', items).map((w) => [w.name, { func_exports: docs(of('export', w.items)), types: types(w.items) }]),
    ),
    interfaces: Object.fromEntries(
      of('interface', items).map((i) => [i.name, { funcs: docs(of('func', i.items)), types: types(i.items) }]),
    ),
  };
}
