import type { ErrorShape } from '../error/error.ts';
import type { ConversationId, EndReason, JsonSchema, Message, ModelRef, ToolCallPart, Usage } from '../wire/wire.ts';
import type { Spend } from './spend.ts';

/** A tool as a model is told of it. */
export interface ToolSpec {
  /** `[a-zA-Z0-9_-]{1,64}`. */
  name: string;
  description: string;
  parameters: JsonSchema;
}

/** The one request every provider understands. */
export interface ModelRequest {
  model: ModelRef;
  system: string;
  messages: Message[];
  tools: ToolSpec[];
  maxOutputTokens: number;
  /** 0..2. */
  temperature?: number;
  /** `required`: must call a tool; `none`: may not. */
  toolChoice?: 'auto' | 'required' | 'none';
  stop?: string[];
  seed?: number;
  /** The first `stable` characters of `system`, and the tools, are the same in all calls with this key: a provider may keep them. */
  cache?: { key: string; stable: number };
  /** For whom the call is made: what it costs is booked there. `channel`: where it was asked for, when not where the conversation's name says. */
  origin?: { conversation: ConversationId; turn: string; channel?: string };
  /** Given: the models of `model.fallbacks` may answer instead, and each change is told here before their first word. Left out where a person or program chose this very model. */
  onFailover?: (change: Failover) => void;
  /** Told the name of a tool as soon as the model has said it, where its arguments come in pieces after that: what takes time to begin can begin. */
  onTool?: (name: string) => void;
  /** Another model could answer at once: one that cannot be reached is given up sooner, and not tried again. Set by the switcher. */
  beside?: boolean;
  /** `hidden`: thoughts are asked of no provider that can leave them out. What a tool loop needs of them (their proofs) comes all the same. */
  thinking?: 'shown' | 'hidden';
  /** The answer must be JSON; left out, it is free text. */
  format?: AnswerFormat;
}

/** The form of an answer: any JSON object, or JSON that fits a schema. */
export type AnswerFormat = { type: 'json' } | { type: 'schema'; name: string; schema: JsonSchema; strict?: boolean };

/** Texts to be turned into vectors. */
export interface EmbedRequest {
  model: ModelRef;
  /** 1 to 2048 texts. */
  input: string[];
  /** Length of each vector; the model's own when left out. */
  dimensions?: number;
}

/** Vectors in the order of the texts. */
export interface Embeddings {
  vectors: number[][];
  /** Tokens read, 0 where the provider does not say. */
  tokens: number;
}

/**
 * The one stream every provider is translated to. A thought may come in pieces; the piece with a `signature` ends it.
 * `usage` comes at most once, before the end. `end` is always last and comes exactly once; failure is data.
 */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string; signature?: string }
  | { type: 'tool-call'; call: ToolCallPart }
  /** `cacheWrite`: of `usage.input`, what the provider wrote to its cache. */
  | { type: 'usage'; usage: Usage; cacheWrite?: number }
  | { type: 'end'; reason: EndReason; error?: ErrorShape };

/** Another model goes on. */
export interface Failover {
  from: ModelRef;
  to: ModelRef;
  /** Why `from` does not answer. */
  error: ErrorShape;
  /** True when `from` had said something already: what follows begins anew. */
  shown: boolean;
}

/** One provider: a thin face over one SDK, loaded when first used. */
export interface Provider {
  readonly name: string;
  /** Never throws: failures end the stream with `end` and reason `error`. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Model names the server offers. Throws PxError `model.*`. */
  models(signal: AbortSignal): Promise<string[]>;
  /** Left out by a provider that has no embeddings. Throws PxError `model.*`. */
  embed?(request: EmbedRequest, signal: AbortSignal): Promise<Embeddings>;
}

/** What px knows about one model it can use. */
export interface ModelInfo {
  ref: ModelRef;
  provider: string;
  /** True for the built-in model that needs no network. */
  offline: boolean;
  /** Names in `model.aliases` that mean it. */
  aliases?: string[];
  /** In tokens, where known. */
  contextWindow?: number;
  /** What it costs, in words: `free: local`, `$2.00 in, $10.00 out (prices of 2026-11-22)`. */
  cost?: string;
}

/** A networked provider, and how it stands. */
export interface ProviderInfo {
  name: string;
  /** As a person writes it. */
  label: string;
  /** The secret its key is kept under. */
  secret: string;
  /** Where a person gets a key; empty where none is needed or nobody can say. */
  keyUrl: string;
  /** False when it answers without a key. */
  keyNeeded: boolean;
  /** Where its key comes from, in words (`OPENAI_API_KEY is in the secret store`); empty without one. */
  key: string;
  /** Where its requests go; empty when that cannot be said. */
  url: string;
  /** The model px takes when none is named; empty where px knows none. */
  defaultModel: string;
  /** Why it was not in the list when px last asked, in words; empty when it was, or nobody asked. */
  problem: string;
}

/** The switcher. */
export interface Models {
  /** The model a conversation without a choice of its own uses, and why (`OPENAI_API_KEY is set`). */
  readonly default: { ref: ModelRef; why: string };
  /** A reference or alias as a reference. Throws PxError `model.unknown` with the nearest names. */
  resolve(name: string): ModelRef;
  /** Prices, caps and what was spent. */
  readonly spend: Pick<Spend, 'report' | 'caps' | 'tariff'>;
  /** Never throws. No call is made that could pass a spending cap: `end` says `model.budget`. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Turns texts into vectors. Throws PxError `model.*`, `model.bad-request` when the provider has no embeddings. */
  embed(request: EmbedRequest, signal: AbortSignal): Promise<Embeddings>;
  /** The context window of a model in tokens: as Ollama tells, or as px knows; undefined when unknown. Never throws. */
  window(ref: ModelRef): Promise<number | undefined>;
  /** Providers that have what they need, their aliases, and what each server lists: one that does not answer soon is left out, or stands there as it last said. */
  list(signal: AbortSignal): Promise<ModelInfo[]>;
  /** Every networked provider px could use, and how it stands; nothing is asked of any of them. */
  providers(): ProviderInfo[];
  /** The models a provider's server names, and the one px would take. A cheap way to see that address and key are right. Throws PxError `model.*`. */
  offered(provider: string, signal: AbortSignal): Promise<{ models: string[]; usual: string }>;
  /** Looks again which provider `auto` means (keys, Ollama on its port). */
  detect(): Promise<void>;
  /** Resolves when what was spent is on disk. */
  close(): void | Promise<void>;
}

export { documentTokens, spellOut } from './document.ts';
export { dollars } from './price.ts';
export { remembered, toolSchema } from './protocol/schema.ts';
export { providerName } from './ref.ts';
export { openModels } from './switcher.ts';
export { estimateTokens } from './tokens.ts';
export { usageBy } from './usage.ts';
