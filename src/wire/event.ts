import type { ErrorShape } from '../error/error.ts';
import type { LogEntry } from '../log/log.ts';
import type { Approval, ApprovalDecision } from './approval.ts';
import type {
  ConversationId,
  EndReason,
  Inbound,
  ModelRef,
  ToolCallPart,
  ToolResultPart,
  Usage,
} from './conversation.ts';

/** Everything px says about itself while it runs. The WebSocket sends these as they are. */
export type PxEvent = { at: number } & (
  | { type: 'message.in'; inbound: Inbound }
  | {
      type: 'message.out';
      conversation: ConversationId;
      channel: string;
      text: string;
      state: 'sent' | 'failed';
      platformId?: string;
      error?: ErrorShape;
    }
  | TurnEvent
  | {
      type: 'model.changed';
      conversation: ConversationId | undefined;
      model: ModelRef;
      by: 'config' | 'person' | 'failover';
      /** What the model before failed with. */
      why?: string;
    }
  | { type: 'plugin.started'; plugin: string; pid: number; ms: number }
  | { type: 'plugin.stopped'; plugin: string; reason: 'idle' | 'replaced' | 'removed' | 'closed' | 'fault' }
  | { type: 'plugin.call'; plugin: string; function: string; ms: number; ok: boolean; error?: ErrorShape }
  | { type: 'plugin.denied'; plugin: string; capability: string; detail: string }
  | { type: 'plugin.changed'; plugin: string; change: 'added' | 'removed' | 'updated' }
  /** A plugin is being downloaded, told a few times a second; `total` where the server said it, both in bytes. */
  | { type: 'plugin.download'; host: string; done: number; total?: number }
  | { type: 'memory.indexed'; path: string; chunks: number }
  | { type: 'pairing.requested'; channel: string; sender: string; code: string }
  | { type: 'pairing.approved'; channel: string; sender: string }
  | { type: 'config.changed'; keys: string[] }
  | { type: 'config.rejected'; error: ErrorShape }
  | { type: 'log'; entry: LogEntry }
);

/**
 * What happens inside one turn, in order; `turn.start` first, `turn.end` last. Every accepted message gets exactly one such
 * pair (a command like `/model` too), so that whoever asked can wait for it.
 */
export type TurnEvent =
  | {
      type: 'turn.start';
      conversation: ConversationId;
      turn: string;
      model: ModelRef;
      /** `Inbound.id` of the message this turn answers. */
      messageId: string;
    }
  | { type: 'turn.text'; conversation: ConversationId; turn: string; text: string }
  /** px did something about the conversation itself: older messages were summarised, another model answers and why. */
  | { type: 'turn.note'; conversation: ConversationId; turn: string; text: string }
  | { type: 'turn.thinking'; conversation: ConversationId; turn: string; text: string }
  | { type: 'turn.tool'; conversation: ConversationId; turn: string; call: ToolCallPart }
  | { type: 'turn.tool-result'; conversation: ConversationId; turn: string; result: ToolResultPart; ms: number }
  /** A call of this turn waits for a person's word; `approval.decided` follows, also when nobody answers. */
  | ({ type: 'approval.asked' } & Approval)
  | {
      type: 'approval.decided';
      id: string;
      conversation: ConversationId;
      turn: string;
      tool: string;
      decision: ApprovalDecision;
      /** Who decided, by name; `px` when the time did. */
      by: string;
    }
  | { type: 'turn.usage'; conversation: ConversationId; turn: string; model: ModelRef; usage: Usage }
  | {
      type: 'turn.end';
      conversation: ConversationId;
      turn: string;
      model: ModelRef;
      reason: EndReason;
      /** The whole visible answer. */
      text: string;
      error?: ErrorShape;
    };

/** An event before its time is stamped. */
export type EventBody = PxEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;
