import type { ConversationId } from './conversation.ts';

/** What a person, or the time, says to a question. `session`: until `/new`; `time`: for so many minutes. */
export type ApprovalDecision = 'once' | 'session' | 'time' | 'deny' | 'expired';

/** A tool call that waits for a person's word. */
export interface Approval {
  /** Short enough to be typed: `K7MW`. */
  id: string;
  conversation: ConversationId;
  turn: string;
  /** `ToolCallPart.id`. */
  call: string;
  tool: string;
  /** Whose tool it is: `px`, `plugin/<name>`, `mcp/<server>`. */
  origin: string;
  /** What it is called with: JSON on one line, secrets taken out; of a long one the first and the last 1,000 characters. */
  arguments: string;
  /** Why px asks, a sentence. */
  reason: string;
  /** Where the text came from that this conversation has read from outside: `plugin/web-fetch`, `mcp/github`, `guest/Bob`. */
  labels: string[];
  /** Who said what led to the call, by name. */
  asked: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** When it counts as denied, ms since the epoch. */
  expires: number;
}

/** A yes that goes on: for one tool in one conversation. */
export interface Standing {
  id: string;
  tool: string;
  conversation: ConversationId;
  /** Holds also after text from outside was read: it was given for such a call. */
  outside: boolean;
  by: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** When it ends, ms since the epoch; 0: with the conversation (`/new`). */
  until: number;
}
