import type { ConfigStore } from '../config/config.ts';
import type { Memory } from '../memory/memory.ts';
import { documentTokens, estimateTokens, remembered, type ToolSpec, toolSchema } from '../model/model.ts';
import type { TurnFrom } from '../policy/policy.ts';
import type { Tools } from '../tool/tool.ts';
import type { ConversationId, Json, JsonSchema, Message } from '../wire/wire.ts';
import { type PromptPart, promptParts } from './prompt.ts';

/** Below these px stays with ten tools, in tokens: system text, notes, tools, and what memory recalls for a message. */
const BUDGET = { full: 1500, minimal: 600 };
/** Tools the budget is for: of more, ten of their size count, for what is installed is the owner's choice. */
const BUDGET_TOOLS = 10;

/** What px adds to what people say: the system text and the tools. */
export interface Preamble {
  parts: PromptPart[];
  system: string;
  tools: ToolSpec[];
  /** About how many tokens `system` and `tools` are. */
  tokens: { system: number; tools: number };
  /** What this leaves of the budget, in tokens: so much may be recalled. */
  left: number;
  /** `stable`: so many characters of `system` are the same in every turn. */
  cache: { key: string; stable: number };
}

/** What a preamble is made from. */
export interface PreambleOptions {
  memory: Pick<Memory, 'get'>;
  tools: Pick<Tools, 'specs'>;
  config: Pick<ConfigStore, 'current'>;
}

/** The preamble of a turn: the same bytes from turn to turn, but for the day at its end. */
export async function preamble(
  { memory, tools, config }: PreambleOptions,
  turn?: { conversation: ConversationId; from: TurnFrom },
  now = new Date(),
): Promise<Preamble> {
  const { profile } = config.current.agent;
  const parts = await promptParts(memory, profile, now, turn?.from === 'guest');
  const system = parts.map((part) => part.text).join('\n\n');
  const stable = parts
    .filter((part) => part.stable)
    .map((part) => part.text)
    .join('\n\n').length;
  const specs = tools.specs(turn).map(profile === 'minimal' ? shortSpec : plainSpec);
  const key = `px-${Bun.hash(system.slice(0, stable)).toString(36)}`;
  const told = parts.reduce((sum, part) => sum + partTokens(part), 0);
  const tokens = { system: estimateTokens(system), tools: toolTokens(specs) };
  const counted = tokens.tools * Math.min(1, BUDGET_TOOLS / specs.length);
  const left = Math.max(0, Math.floor(BUDGET[profile] - 1 - told - counted));
  return { parts, system, tools: specs, tokens, left, cache: { key, stable } };
}

/** About how many tokens a part of the system text is, with what sets it apart from the next. */
export function partTokens({ text }: PromptPart): number {
  return estimateTokens(`${text}\n\n`);
}

/** About how many tokens messages are; an image counts as 1,500. */
export function messageTokens(messages: Message[]): number {
  let tokens = 0;
  for (const message of messages)
    for (const part of message.parts) {
      tokens += 4;
      for (const one of part.type === 'tool-result' ? part.content : [part]) {
        if (one.type === 'image') tokens += 1500;
        else if (one.type === 'file') tokens += documentTokens(one) / 2;
        else tokens += estimateTokens(one.type === 'tool-call' ? JSON.stringify(one.args) + one.name : one.text);
      }
    }
  return tokens;
}

/** About how many tokens the description of tools is. */
function toolTokens(tools: ToolSpec[]): number {
  return tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
}

const plainParameters = remembered((given) => shortSchema(toolSchema(given), 120));
const shortParameters = remembered((given) => neededOnly(shortSchema(toolSchema(given), 0)));

/** A tool without what only px's own check of arguments needs, and without a manual where a sentence was meant. */
function plainSpec({ name, description, parameters }: ToolSpec): ToolSpec {
  return { name, description: clip(description, 400), parameters: plainParameters(parameters) };
}

/** A tool in few words: the first sentence, and of its parameters those that are needed: the others have defaults. */
function shortSpec({ name, description, parameters }: ToolSpec): ToolSpec {
  const sentence = /^[\s\S]*?[.!?](?=\s|$)/.exec(description)?.[0] ?? description;
  return { name, description: clipWords(sentence, 45), parameters: shortParameters(parameters) };
}

function neededOnly(schema: JsonSchema): JsonSchema {
  const { properties, required } = schema;
  if (!isObject(properties ?? null) || !Array.isArray(required) || required.length === 0) return schema;
  const needed = Object.entries(properties ?? {}).filter(([name]) => required.includes(name));
  return { ...schema, properties: Object.fromEntries(needed) };
}

/** Left out of every schema. */
const unsaid = /^(?:\$schema|title|default|examples?|additionalProperties|m(?:in|ax).*|pattern)$/;

/** A schema in the part a model needs; descriptions are cut at `words` characters. */
function shortSchema(schema: JsonSchema, words: number): JsonSchema {
  const shorter = (value: Json): Json => (isObject(value) ? shortSchema(value, words) : value);
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (unsaid.test(key)) continue;
    if (key === 'properties' && isObject(value))
      out[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorter(inner)]));
    else if (key !== 'description') out[key] = Array.isArray(value) ? value.map(shorter) : shorter(value);
    else if (words > 0 && typeof value === 'string') out[key] = clip(value, words);
  }
  return out;
}

const isObject = (value: Json): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text of at most so many characters, cut between words. */
const clipWords = (text: string, most: number) => clip(text, most).replace(/[\s:,;(]+\S*…$/, '…');

/** A text of at most so many characters; the end is left out. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
