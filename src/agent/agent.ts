import type { Choice } from '../channel/channel.ts';
import type { ErrorShape } from '../error/error.ts';
import type { ToolContext } from '../tool/tool.ts';
import type { ConversationId, EndReason, Inbound, ModelRef, ToolCallPart, Usage } from '../wire/wire.ts';

export { commandMenu } from './command/command.ts';
export { contextReport } from './context.ts';
export { type AgentOptions, createAgent } from './create.ts';
export { STOPPED } from './notice.ts';
export { createSchedule, type Schedule } from './schedule.ts';
export { scheduleTools } from './schedule-tools.ts';

/** Reads the page of the schedule and judges what may stand in it, loaded when it is asked for. */
export const scheduleBook = async () => (await import('./schedule-book.ts')).openBook();

/** What a turn is given. */
export interface TurnInput {
  inbound: Inbound;
  /** A model reference or alias for this message only. */
  model?: string;
  /** True for a message left from before a restart: its journal is read first, and a turn that was cut short goes on. */
  leftOver?: boolean;
  /** What was said meanwhile and is to be taken into this turn; asked before each model call. */
  steer?(): Inbound[];
}

/** How a turn ended. Its course is on the bus. */
export interface TurnResult {
  turn: string;
  conversation: ConversationId;
  model: ModelRef;
  reason: EndReason;
  /** The whole visible answer, notices about limits and failures included: what the `turn.text` events add up to. */
  text: string;
  usage: Usage;
  error?: ErrorShape;
  /** What can be said to it next, for connectors that have buttons. */
  choices?: Choice[];
  /** True when px is stopping and the turn goes on after the next start: nothing may be answered or settled now. */
  postponed?: boolean;
}

/** The agent: answers one message with as many model and tool steps as its bounds allow. */
export interface Agent {
  /** Never throws: a failure is a result with reason `error` and a polite text. */
  turn(input: TurnInput, signal: AbortSignal): Promise<TurnResult>;
  /** What a single call outside a turn is made with: px.yaml and the owner's word hold for it too. */
  callContext(inbound: Inbound, turn: string, call: ToolCallPart, signal: AbortSignal): ToolContext;
  /** True for a command that must not wait behind a running turn (`/stop`, `/status`). */
  urgent(inbound: Inbound): boolean;
  /** True for a command: px answers it, no model does. */
  command(inbound: Inbound): boolean;
}
