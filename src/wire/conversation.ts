import type { JsonObject } from './json.ts';

/** Who answers: `provider/model`, as in px.yaml: `openai/gpt-5`, `ollama/qwen3:4b`, `offline/px`. */
export type ModelRef = `${string}/${string}`;

export interface TextPart {
  type: 'text';
  text: string;
}

/** What a model thought. `signature` is the provider's opaque proof and goes back only to the provider that made it. */
export interface ThinkingPart {
  type: 'thinking';
  text: string;
  signature?: string;
  /** The provider that made it (`anthropic`). */
  provider?: string;
}

/** An image, by bytes. */
export interface ImagePart {
  type: 'image';
  /** `image/png`. */
  mime: string;
  /** Base64. */
  data: string;
}

/** A document, by bytes: a PDF, or text of any kind. */
export interface FilePart {
  type: 'file';
  /** `application/pdf`, `text/csv`. */
  mime: string;
  /** As the sender calls it. */
  name: string;
  /** Base64. */
  data: string;
}

/** What comes with a message beside its text. */
export type Attachment = ImagePart | FilePart;

/** A model asks for a tool. */
export interface ToolCallPart {
  type: 'tool-call';
  /** Unique in its conversation; made by px where the provider gives none. */
  id: string;
  name: string;
  args: JsonObject;
  /** A provider's opaque proof that belongs to the call (Gemini thought signatures). */
  signature?: string;
  provider?: string;
}

/** What a tool answered. */
export interface ToolResultPart {
  type: 'tool-result';
  callId: string;
  name: string;
  content: (TextPart | ImagePart)[];
  isError: boolean;
}

/** The neutral message every provider is translated from and to. System text is apart, in the request. */
export type Message =
  | { role: 'user'; parts: (TextPart | Attachment)[] }
  | { role: 'assistant'; parts: (TextPart | ThinkingPart | ToolCallPart)[]; model?: ModelRef }
  | { role: 'tool'; parts: ToolResultPart[] };

/** Tokens of one model call. */
export interface Usage {
  input: number;
  output: number;
  /** Of `input`, those the provider read from its cache. */
  cachedInput: number;
}

/** Why a model call or a turn ended. */
export type EndReason = 'stop' | 'tool-calls' | 'length' | 'refusal' | 'aborted' | 'limit' | 'error';

/** `channel/chat`: `telegram/4711`, `cli/default`, `web/5f3a`. One conversation, one journal folder, one queue. */
export type ConversationId = `${string}/${string}`;

/** A person or program as a channel knows them. */
export interface Sender {
  /** The platform's id. */
  id: string;
  name: string;
}

/** A message that came in from a channel. */
export interface Inbound {
  conversation: ConversationId;
  channel: string;
  /** The platform's chat, room or thread the answer goes to. */
  chat: string;
  /** The platform's message id: one channel and id is answered once. */
  id: string;
  sender: Sender;
  text: string;
  /** Milliseconds since the epoch, as the platform says or when it was received. */
  at: number;
  /** The platform's JSON extras, unread by px but kept. */
  metadata?: JsonObject;
}
