import type { ToolSpec } from '../model/model.ts';
import type { Decided, Reach, TurnFrom } from '../policy/policy.ts';
import type { ConversationId, ImagePart, JsonObject, JsonSchema, ToolCallPart, ToolResultPart } from '../wire/wire.ts';

export { orAborted, shutdown } from './aborted.ts';
export { checkArguments } from './arguments.ts';
export { type Mcp, openMcp } from './mcp/mcp.ts';
export { createTools } from './registry.ts';
export { errorText, toolResult } from './result.ts';

/** Where a tool call comes from. */
export interface ToolContext {
  conversation: ConversationId;
  turn: string;
  signal: AbortSignal;
  /** Who the turn answers; the owner when left out. */
  from?: TurnFrom;
  /** Where text from outside comes from that the conversation has read by now. */
  labels?(): string[];
  /** What was said and read, to tell a link that is followed from news that is sent. */
  texts?(): string[];
  /** Asks a person about the call and waits. Without it nobody can be asked, and what needs a word is denied. */
  ask?(tool: Tool, reason: string): Promise<Decided>;
}

/** What a tool answers when text from outside is in it. */
export interface Labelled {
  text: string;
  /** Pictures that come with it. */
  images?: ImagePart[];
  /** Where it comes from: `plugin/web-fetch`. */
  outside: string[];
}

/** One tool: built in, or the bridge to a plugin's. */
export interface Tool {
  name: string;
  description: string;
  parameters: JsonSchema;
  /** `px`, `plugin/<name>` or `mcp/<server>`. */
  origin: string;
  /** How far a call reaches. */
  reach: Reach | ((args: JsonObject) => Reach);
  /** What the tool answers comes from outside, under this label. */
  outside?: string | undefined;
  /** Why every call needs a person's word, for tools that do. */
  wants?: string;
  /** Text for the model. Throws PxError; the registry turns it into an error result. */
  run(args: JsonObject, context: ToolContext): Promise<string | Labelled>;
  /** A call is likely to come: what takes time to begin begins. */
  soon?(): void;
}

/** A call that was made, or refused. */
export interface ToolRun {
  result: ToolResultPart;
  ms: number;
  /** Where text from outside in the result comes from; left out when there is none. */
  outside?: string[];
}

/** Everything the agent can call. */
export interface Tools {
  /** The tools a model is told of, in a stable order: what px.yaml denies this turn is left out. */
  specs(turn?: { conversation: ConversationId; from: TurnFrom }): ToolSpec[];
  /** Every tool there is, denied ones too. */
  list(): Tool[];
  /** The model has asked for a tool, and the rest of its answer still comes: the tool makes itself ready, where px.yaml lets it be called at all. */
  soon(name: string): void;
  /** Checks the arguments against the schema, asks policy, runs, bounds and scrubs the result. Never throws. */
  run(call: ToolCallPart, context: ToolContext): Promise<ToolRun>;
}
