import { PxError } from '../../error/error.ts';
import type { Form } from '../form.ts';

/** One place of px.yaml as a form shows it; its `key` is dotted and is the name of its field. */
export type Place = { key: string; name: string; description: string } & (
  | { kind: 'section'; places: Place[] }
  /** Named entries of one shape (channels, plugins); `add` is the name of the field that makes a new one. */
  | { kind: 'entries'; entries: Place[]; add: string }
  | { kind: 'choice'; value: string; options: string[]; usual: string }
  | { kind: 'flag'; value: string; usual: string }
  | { kind: 'number'; value: string; usual: string; least?: number; most?: number; whole: boolean }
  | { kind: 'text'; value: string; usual: string }
  | { kind: 'lines'; value: string; usual: string }
  | { kind: 'yaml'; value: string; usual: string }
);

type Schema = Record<string, unknown>;

/** The sections of px.yaml, from its JSON Schema. */
export function sectionsOf(schema: Schema): { name: string; description: string; schema: Schema }[] {
  return Object.entries(record(schema['properties'])).map(([name, value]) => {
    const section = record(value);
    return { name, description: words(section['description']), schema: section };
  });
}

/** What a form for a part of px.yaml is made of: its schema, and the value in force. */
export function placesOf(schema: Schema, value: unknown, path: string[]): Place[] {
  const properties = record(schema['properties']);
  if (Object.keys(properties).length > 0)
    return Object.entries(properties).map(([name, inner]) =>
      placeOf(record(inner), record(value)[name], [...path, name]),
    );
  return [placeOf({ ...schema, description: '' }, value, path)];
}

function placeOf(schema: Schema, value: unknown, path: string[]): Place {
  const base = { key: keyOf(path), name: path.at(-1) ?? '', description: words(schema['description']) };
  const usual = schema['default'];
  const item = record(schema['additionalProperties']);
  if (schema['type'] === 'object' && Object.keys(record(schema['properties'])).length > 0)
    return { ...base, kind: 'section', places: placesOf(schema, value, path) };
  if (item['type'] === 'object' && item['properties'] !== undefined) {
    const entries = Object.entries(record(value)).map(([name, inner]): Place => {
      const at = [...path, name];
      return { key: keyOf(at), name, description: '', kind: 'section', places: placesOf(item, inner, at) };
    });
    return { ...base, kind: 'entries', entries, add: `${base.key}+` };
  }
  const shown = { ...base, value: textOf(value), usual: textOf(usual) };
  if (Array.isArray(schema['enum'])) return { ...shown, kind: 'choice', options: schema['enum'].map(String) };
  if (schema['type'] === 'boolean') return { ...shown, kind: 'flag' };
  if (schema['type'] === 'number' || schema['type'] === 'integer')
    return {
      ...shown,
      kind: 'number',
      whole: schema['type'] === 'integer',
      ...(typeof schema['minimum'] === 'number' ? { least: schema['minimum'] } : {}),
      ...(typeof schema['maximum'] === 'number' ? { most: schema['maximum'] } : {}),
    };
  if (schema['type'] === 'array' && record(schema['items'])['type'] !== 'object')
    return { ...shown, kind: 'lines', value: linesOf(value), usual: linesOf(usual) };
  if (schema['type'] === 'string') return { ...shown, kind: 'text' };
  return { ...shown, kind: 'yaml', value: yamlOf(value), usual: yamlOf(usual) };
}

/** What of a form differs from what is in force, by dotted key; undefined: the default is to count again. Throws PxError `usage`. */
export function changesOf(places: Place[], form: Form): [key: string, value: unknown][] {
  return places.flatMap((place): [string, unknown][] => {
    if (place.kind === 'section') return changesOf(place.places, form);
    if (place.kind === 'entries') {
      const name = form.text(place.add).trim();
      const gone = place.entries.filter((entry) => form.has(`${entry.key}-`));
      const kept = place.entries.filter((entry) => !gone.includes(entry));
      return [
        ...gone.map((entry): [string, unknown] => [entry.key, undefined]),
        ...changesOf(kept, form),
        ...(name === '' ? [] : [[`${place.key}.${quoted(name)}`, {}] as [string, unknown]]),
      ];
    }
    if (!form.has(place.key)) return [];
    const given = form.text(place.key).trim();
    if (given === place.value.trim()) return [];
    return [[place.key, given === '' || given === place.usual ? undefined : givenValue(place, given)]];
  });
}

function givenValue(place: Place, given: string): unknown {
  switch (place.kind) {
    case 'flag':
      return given === 'true';
    case 'number':
      if (!Number.isFinite(Number(given))) throw new PxError('usage', `${place.key}: “${given}” is no number.`);
      return Number(given);
    case 'lines':
      return given
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    case 'yaml':
      try {
        return Bun.YAML.parse(given);
      } catch (cause) {
        throw new PxError('usage', `${place.key}: this is not YAML: ${cause instanceof Error ? cause.message : ''}`);
      }
    default:
      return given;
  }
}

const keyOf = (path: string[]) => path.map(quoted).join('.');
const quoted = (name: string) => (/^[^.[\]"\s\\]+$/.test(name) ? name : JSON.stringify(name));
const words = (value: unknown) => (typeof value === 'string' ? value : '');
const textOf = (value: unknown) => (value === undefined || value === null ? '' : String(value));
const linesOf = (value: unknown) => (Array.isArray(value) ? value.map(String).join('\n') : '');

function yamlOf(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0))
    return '';
  return Bun.YAML.stringify(value, null, 2).trim();
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
