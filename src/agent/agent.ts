import type { ErrorShape } from '../error/error.ts';
import type { ConversationId, EndReason, Inbound, ModelRef, Usage } from '../wire/wire.ts';

/** What a turn is given. */
export interface TurnInput {
  inbound: Inbound;
  /** For this message only. */
  model?: ModelRef;
}

/** How a turn ended. Its course is on the bus. */
export interface TurnResult {
  turn: string;
  conversation: ConversationId;
  model: ModelRef;
  reason: EndReason;
  text: string;
  usage: Usage;
  error?: ErrorShape;
}

/** The agent: answers one message with as many model and tool steps as its bounds allow. */
export interface Agent {
  turn(input: TurnInput, signal: AbortSignal): Promise<TurnResult>;
}
