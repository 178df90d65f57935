import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import type { JsonSchema } from '../../wire/wire.ts';

/** A tool as its server describes it, cut to what a prompt may hold. */
export interface ListedTool {
  /** As the server knows it. */
  name: string;
  description: string;
  parameters: JsonSchema;
}

/** The tools of one server, as kept on disk. */
export interface ToolList {
  /** Milliseconds since the epoch. */
  at: number;
  tools: ListedTool[];
}

/** A server must not fill the prompt. */
const MOST_TOOLS = 128;
const DESCRIPTION = 300;
const SCHEMA_BYTES = 8 * 1024;

const schema = v.custom<JsonSchema>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
const List = v.object({
  key: v.string(),
  at: v.number(),
  tools: v.pipe(
    v.array(v.object({ name: v.string(), description: v.string(), parameters: schema })),
    v.maxLength(MOST_TOOLS),
  ),
});

/** The list kept for this very definition of a server; undefined when there is none, or an older one. */
export function readList(file: string, key: string): ToolList | undefined {
  try {
    const list = v.parse(List, JSON.parse(readFileSync(file, 'utf8')));
    return list.key === key ? { at: list.at, tools: list.tools } : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a list (0600). Only a cache: a place that cannot be written costs a start of the server and nothing else. */
export function writeList(file: string, key: string, list: ToolList): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const fresh = `${file}.new`;
    writeFileSync(fresh, JSON.stringify({ key, ...list }), { mode: 0o600 });
    chmodSync(fresh, 0o600);
    renameSync(fresh, file);
  } catch {
    // See above.
  }
}

/** What a server told, bounded: as many tools, as long descriptions and as large schemas as a prompt bears. */
export function boundTools(
  told: { name: string; description?: string | undefined; inputSchema: unknown }[],
): ListedTool[] {
  return told.slice(0, MOST_TOOLS).map(({ name, description = '', inputSchema }) => ({
    name,
    description: description.length > DESCRIPTION ? `${description.slice(0, DESCRIPTION - 1)}…` : description,
    parameters: smallSchema(inputSchema),
  }));
}

function smallSchema(given: unknown): JsonSchema {
  const open = { type: 'object' };
  if (!v.is(schema, given)) return open;
  const { $schema: _, ...rest } = given;
  return JSON.stringify(rest).length > SCHEMA_BYTES ? open : rest;
}

/** `<server>_<tool>` as every model takes it. */
export function toolName(server: string, tool: string): string {
  return `${server}_${tool}`.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
}
