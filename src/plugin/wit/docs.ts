import type { Exports } from './scope.ts';

/** The documentation a component carries in a `package-docs` or `px-docs` section, as wit-component writes it. */
export type Docs = Record<string, unknown>;

/** No documentation. */
export const noDocs: Docs = {};
const maxBytes = 262_144;
const maxText = 1_000;

/** Reads the section: a version byte, then JSON. Anything odd reads as no documentation: it is never a reason to refuse a component. */
export function readDocs(section: Uint8Array): Docs {
  if (section.length > maxBytes) return noDocs;
  try {
    return part(JSON.parse(new TextDecoder().decode(section.subarray(1))));
  } catch {
    return noDocs;
  }
}

/** The documentation of a function: `iface#name`, or a name in any of the worlds. */
export function functionDocs(docs: Docs, name: string): string {
  const hash = name.indexOf('#');
  if (hash >= 0)
    return text(part(member(docs, 'interfaces', shortName(name.slice(0, hash)))['funcs'])[name.slice(hash + 1)]);
  for (const world of Object.values(part(docs['worlds']))) {
    const found = text(part(part(world)['func_exports'])[name]);
    if (found) return found;
  }
  return '';
}

/** Writes the documentation of record fields onto the types an interface (or, with an empty name, the world) exports. */
export function applyTypeDocs(docs: Docs, iface: string, exports: Exports): void {
  const homes = iface ? [member(docs, 'interfaces', shortName(iface))] : Object.values(part(docs['worlds'])).map(part);
  for (const [name, item] of exports) {
    if (item.sort !== 'type' || item.def.is !== 'value' || item.def.type.kind !== 'record') continue;
    for (const home of homes) {
      const items = part(part(part(home['types'])[name])['items']);
      for (const field of item.def.type.fields) {
        const found = text(items[field.name]);
        if (found) field.docs = found;
      }
    }
  }
}

/** `ns:pkg/iface@1.0.0` → `iface`. */
function shortName(iface: string): string {
  return iface.slice(iface.lastIndexOf('/') + 1).split('@')[0] ?? iface;
}

function member(docs: Docs, group: string, name: string): Docs {
  return part(part(docs[group])[name]);
}

function part(value: unknown): Docs {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : noDocs;
}

/** Documentation is a string, or an object with `docs`. */
function text(value: unknown): string {
  const found = typeof value === 'string' ? value : part(value)['docs'];
  return typeof found === 'string' ? found.trim().slice(0, maxText) : '';
}
