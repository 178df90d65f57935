import type { ToolSpec } from '../model/model.ts';
import type { ConversationId, JsonObject, JsonSchema, ToolCallPart, ToolResultPart } from '../wire/wire.ts';

export { orAborted } from './aborted.ts';
export { checkArguments } from './arguments.ts';
export { type Mcp, openMcp } from './mcp/mcp.ts';
export { createTools } from './registry.ts';
export { errorText, toolResult } from './result.ts';

/** Where a tool call comes from. */
export interface ToolContext {
  conversation: ConversationId;
  turn: string;
  signal: AbortSignal;
}

/** One tool: built in, or the bridge to a plugin's. */
export interface Tool {
  name: string;
  description: string;
  parameters: JsonSchema;
  /** `px`, `plugin/<name>` or `mcp/<server>`. */
  origin: string;
  /** Text for the model. Throws PxError; the registry turns it into an error result. */
  run(args: JsonObject, context: ToolContext): Promise<string>;
}

/** Everything the agent can call. */
export interface Tools {
  /** The tools a model is told of, in a stable order: what px.yaml denies is left out. */
  specs(): ToolSpec[];
  /** Every tool there is, denied ones too. */
  list(): Tool[];
  /** Checks the arguments against the schema, asks policy, runs, bounds and scrubs the result. Never throws. */
  run(call: ToolCallPart, context: ToolContext): Promise<{ result: ToolResultPart; ms: number }>;
}
