import { PxError } from '../error/error.ts';

/** The custom section of a component that holds its manifest, as JSON in UTF-8. */
const sectionName = 'px:plugin';
/** Largest manifest, in bytes. */
const maxManifest = 65_536;
const headerBytes = 8;
/** More sections than any toolchain makes: a file of nothing but empty ones must not hold up px. */
const maxSections = 65_536;

/** Where the sections of a component or module begin and end; ends quietly at what is no section. */
function* sections(bytes: Uint8Array): Generator<{ id: number; from: number; body: number; end: number }> {
  for (let at = headerBytes, n = 0; at < bytes.length && n < maxSections; n++) {
    const size = number(bytes, at + 1);
    if (!size || size.end + size.value > bytes.length) return;
    const end = size.end + size.value;
    yield { id: bytes[at] ?? -1, from: at, body: size.end, end };
    at = end;
  }
}

/** An unsigned LEB128 number of at most 32 bits. */
function number(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: from + i + 1 };
  }
  return undefined;
}

/** The custom sections of one name. */
function* named(bytes: Uint8Array, wanted: string): Generator<{ from: number; payload: Uint8Array; end: number }> {
  for (const { id, from, body, end } of sections(bytes)) {
    const name = id === 0 ? number(bytes, body) : undefined;
    if (!name || name.end + name.value > end || name.value !== wanted.length) continue;
    const payload = name.end + name.value;
    if (Buffer.from(bytes.subarray(name.end, payload)).toString('latin1') !== wanted) continue;
    yield { from, payload: bytes.subarray(payload, end), end };
  }
}

/** The manifest inside a component; undefined when it has none. Throws PxError `plugin.invalid` when it is no JSON, or there are two. */
export function embeddedManifest(component: Uint8Array): unknown {
  const [found, second] = [...named(component, sectionName)];
  if (!found) return undefined;
  if (second) throw new PxError('plugin.invalid', `it has two sections ${sectionName}`);
  if (found.payload.length > maxManifest)
    throw new PxError('plugin.invalid', `its section ${sectionName} is larger than ${maxManifest} bytes`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(found.payload)) ?? {};
  } catch (cause) {
    throw new PxError('plugin.invalid', `its section ${sectionName} is no JSON`, { cause });
  }
}

/** The component with this manifest inside, in the place of one it had. Throws PxError `plugin.invalid`, `too-large`. */
export function embedManifest(component: Uint8Array, manifest: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  if (text.length > maxManifest) throw new PxError('too-large', `a manifest has at most ${maxManifest} bytes`);
  return withSection(component, sectionName, text);
}

/** The component with this custom section, in the place of those of its name. Throws PxError `plugin.invalid`. */
export function withSection(component: Uint8Array, called: string, payload: Uint8Array): Uint8Array {
  if (!isComponent(component)) throw new PxError('plugin.invalid', 'it is not a WebAssembly component');
  // Behind a section that is cut off nothing would be found.
  const whole = [...sections(component)].at(-1)?.end ?? headerBytes;
  if (whole !== component.length) throw new PxError('plugin.invalid', 'the component is damaged');
  const name = new TextEncoder().encode(called);
  const kept: Uint8Array[] = [];
  let at = 0;
  for (const { from, end } of named(component, called)) {
    kept.push(component.subarray(at, from));
    at = end;
  }
  kept.push(component.subarray(at));
  const nameSize = leb(name.length);
  const size = leb(nameSize.length + name.length + payload.length);
  return Buffer.concat([...kept, Uint8Array.of(0, ...size, ...nameSize), name, payload]);
}

/** Whether bytes are a component, and not a core module. */
export function isComponent(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[4] === 0x0d;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}
