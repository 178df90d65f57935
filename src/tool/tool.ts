import type { ToolSpec } from '../model/model.ts';
import type { ConversationId, JsonObject, JsonSchema, ToolCallPart, ToolResultPart } from '../wire/wire.ts';

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
  /** `px` or `plugin/<name>`. */
  origin: string;
  /** Text for the model. Throws PxError; the registry turns it into an error result. */
  run(args: JsonObject, context: ToolContext): Promise<string>;
}

/** Everything the agent can call. */
export interface Tools {
  specs(): ToolSpec[];
  list(): Tool[];
  /** Checks the arguments against the schema, asks policy, runs, bounds and scrubs the result. Never throws. */
  run(call: ToolCallPart, context: ToolContext): Promise<{ result: ToolResultPart; ms: number }>;
}
