import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';

const file = resolve(import.meta.dir, '../../../shared/data/openai/openapi.json');

/** OpenAI's own API description, where this checkout has it beside it. */
export const hasOpenAiSchema = existsSync(file);
/** For the name of a test that is skipped. */
export const noSchema = 'OpenAI’s openapi.json is not in ../shared/data/openai';

/** Makes a judge: what is wrong with a value as one of OpenAI's schemas, empty when nothing is. */
export function openAiJudge(): (schema: string, value: unknown) => string[] {
  const document = read();
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false });
  ajv.addSchema(document, 'oa');
  return (schema, value) => {
    const check = ajv.getSchema(`oa#/components/schemas/${schema}`);
    if (!check) throw new Error(`OpenAI has no schema ${schema}`);
    if (check(value)) return [];
    return [...new Set((check.errors ?? []).map((e) => `${e.instancePath} ${e.message}`))].slice(0, 8);
  };
}

/** The names of all fields that may be null somewhere in one of OpenAI's schemas. */
export function nullableNames(schema: string): string[] {
  const { schemas } = read().components;
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    const ref: unknown = Reflect.get(value, '$ref');
    if (typeof ref === 'string') walk(schemas[ref.slice(ref.lastIndexOf('/') + 1)]);
    for (const [name, field] of Object.entries(Reflect.get(value, 'properties') ?? {}))
      if (JSON.stringify(field).includes('null')) names.add(name);
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(schemas[schema]);
  return [...names];
}

function read(): { components: { schemas: Record<string, unknown> } } {
  const document: ReturnType<typeof read> = JSON.parse(readFileSync(file, 'utf8'));
  tidy(document.components.schemas);
  return document;
}

/** `nullable` is OpenAPI 3.0 in a 3.1 document; ajv refuses it without a type. */
function tidy(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Reflect.get(value, 'nullable') === true) {
    const among: unknown = Reflect.get(value, 'enum');
    if (Array.isArray(among) && !among.includes(null)) among.push(null);
    if (!('type' in value) && !('properties' in value)) Reflect.deleteProperty(value, 'nullable');
  }
  for (const inner of Object.values(value)) tidy(inner);
}
