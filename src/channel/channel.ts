import type { ConversationId, Inbound, Json } from '../wire/wire.ts';
import type { Extras, OutFile } from './outgoing.ts';
import type { WebhookAnswer, WebhookRequest } from './webhook.ts';

export { localChannels } from './access.ts';
export { type ChannelOptions, openChannels } from './channels.ts';
export type { Choice } from './outgoing.ts';
export { openPeople } from './people.ts';
export { splitText } from './split.ts';
export type { Timing } from './timing.ts';
export { channelTools } from './tools.ts';

/** One message to be answered, as the inbox holds it. */
export interface InboxItem {
  /** Row id: the order of arrival. */
  seq: number;
  inbound: Inbound;
}

/** How one channel is doing. */
export interface ChannelState {
  id: string;
  plugin: string;
  /** `waiting`: a person must do something (add the plugin, set a token) or it is just starting; `failing`: px tries again by itself. */
  state: 'running' | 'waiting' | 'failing' | 'off';
  detail: string;
}

/** A text that did not reach its chat, or of which that is not known (px or the plugin was ended while it was sent). */
export interface Undelivered {
  id: number;
  channel: string;
  chat: string;
  text: string;
  state: 'failed' | 'unknown';
  attempts: number;
  error: string;
  /** When it was queued, ms since the epoch. */
  at: number;
}

/** A message of the inbox that has no answer. */
export interface OpenMessage {
  seq: number;
  /** The platform's id, or the one px gave. */
  id: string;
  channel: string;
  chat: string;
  sender: string;
  name: string;
  text: string;
  /** When it was written, ms since the epoch. */
  at: number;
  /** `old`: it came later than the channel's `answer_within_hours` and waits for a person's word. */
  state: 'waiting' | 'old';
}

/** A text of the outbox that has not arrived. */
export interface OpenPart extends Omit<Undelivered, 'state'> {
  state: 'queued' | 'sending' | 'failed' | 'unknown';
  /** When it is tried next, ms since the epoch; 0: as soon as possible. */
  nextAt: number;
}

/** Something that was said in a chat. */
export interface PastMessage {
  id: string;
  /** The platform's id of who said it; `px` for px itself where the journal tells it. */
  sender: string;
  name: string;
  text: string;
  /** Milliseconds since the epoch; 0: not known. */
  at: number;
}

/** Messages in and out, durable in `state/px.db`. */
export interface Channels {
  /**
   * Stores a message before it is acknowledged; false when this platform id was seen before. The caller answers for the sender:
   * access rules are for what connectors bring. Throws PxError `channel.unknown`.
   */
  accept(inbound: Inbound): boolean;
  /**
   * A plugin's `emit-message`: as if its `poll-events` had returned it, access rules included. False when it was seen before or its
   * sender is not answered. Throws PxError `channel.unknown` (no channel uses the plugin), `plugin.guest` (not a message).
   */
  emitted(plugin: string, message: Json): boolean;
  /** Calls back for each message to be answered, oldest first, also those left from before a restart. Set once, by session. */
  onPending(listener: (item: InboxItem) => void): void;
  /**
   * Queues the answer for delivery and marks the message answered, in one transaction. Does nothing when it is answered already.
   * An answer that comes late names the message it belongs to. `others` are messages the same answer is for.
   */
  reply(item: InboxItem, text: string, others?: InboxItem[], extras?: Extras): void;
  /** Makes several messages that wait one, durably: the first gets the words of all, the others are done with. The item as it is now. */
  merge(first: InboxItem, others: InboxItem[]): InboxItem;
  /** Marks answered without an answer (stopped, or nothing to say). */
  settle(item: InboxItem): void;
  /** Queues a text nobody asked for (a reminder, an approval), with buttons where it has some. Throws PxError `channel.unknown`. */
  send(channel: string, chat: string, text: string, extras?: Extras): void;
  /** Tells the platform that px is writing. Best effort, at most every 4 s a chat. */
  typing(inbound: Inbound): void;
  /** What was said in a chat, oldest first: as the platform tells it, or where it does not, as the journal does. Throws PxError `channel.unknown`. */
  history(
    channel: string,
    chat: string,
    limit: number,
  ): Promise<{ source: 'platform' | 'journal'; messages: PastMessage[] }>;
  /** Puts a reaction on the latest message of a conversation; an empty one takes it away. Throws PxError where that is not possible. */
  react(conversation: ConversationId, emoji: string): Promise<void>;
  /** Sends a file below `memory/` to the chat of a conversation. Throws PxError `memory.path`, `not-found`, `channel.delivery`. */
  sendFile(conversation: ConversationId, path: string, caption: string): Promise<OutFile>;
  /** Whether a running connector can do something: `files`, `react`, `choices`, … Of one channel, or of any. */
  can(ability: string, channel?: string): boolean;
  /** Hands a request to a channel's webhook; undefined when there is none at this path. */
  webhook(channel: string, path: string, request: WebhookRequest): Promise<WebhookAnswer | undefined>;
  /** Starts connectors of enabled channels; follows config changes. Reports parts whose fate a crash left unknown. */
  start(): void;
  /** Starts a channel's connector again now (all without a name), as after a token was saved. */
  restart(channel?: string): void;
  states(): ChannelState[];
  /** Dead letters, oldest first. */
  undelivered(): Undelivered[];
  /** Sends a dead letter again; false when there is none with this id. */
  redeliver(id: number): boolean;
  /** Forgets a dead letter; false when there is none with this id. */
  discard(id: number): boolean;
  /** What has come in and has no answer, oldest first. */
  inbox(): OpenMessage[];
  /** What has not arrived, oldest first: waiting texts and dead letters. */
  outbox(): OpenPart[];
  /** Answers a message that was set aside as too old; false when there is none of this number. */
  answerOld(seq: number): boolean;
  /** Drops a message without an answer; false when it is not open. */
  dismiss(seq: number): boolean;
  /** Who wrote a message, and what they may do. */
  who(inbound: Inbound): { from: Role | 'schedule'; name: string };
  /** Where the owner is reached: the private chats of paired owners on channels that are on. */
  ownerChats(): { channel: string; chat: string }[];
  /** A code that makes whoever types `/link CODE` elsewhere within ten minutes the same person as the sender. */
  linkCode(inbound: Inbound): string;
  /** Makes the sender the same person as the one the code was given to; the conversation they have now, undefined when the code is not good. */
  link(inbound: Inbound, code: string): ConversationId | undefined;
  pairing: Pairing;
  close(): Promise<void>;
}

/** What a person may do: the owner everything, a guest only talk, with the tools px.yaml gives to guests. */
export type Role = 'owner' | 'guest';

/** Who may talk to px. */
export interface Pairing {
  list(): {
    channel: string;
    sender: string;
    name: string;
    state: 'pending' | 'approved';
    /** Empty once approved. */
    code: string;
    at: number;
    /** 0 once approved. */
    expiresAt: number;
    role: Role;
    /** `channel/id` of the identity this one is the same person as; empty for one on its own. */
    person: string;
  }[];
  /**
   * Approves by code; case, spaces and dashes do not matter. Without a role the very first becomes the owner and all others guests.
   * Throws PxError `pairing.unknown`, `pairing.locked`.
   */
  approve(code: string, role?: Role): { channel: string; sender: string; name: string; role: Role };
  /** False when nobody of this id is paired. */
  setRole(channel: string, sender: string, role: Role): boolean;
  revoke(channel: string, sender: string): boolean;
  /** Lets those in again whom `memory/people.md` names and the book does not; returns how many. Only px's own page counts. */
  restore(): number;
}
