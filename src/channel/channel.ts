import type { ConversationId, Inbound } from '../wire/wire.ts';

/** One message to be answered, as the inbox holds it. */
export interface InboxItem {
  /** Row id: the order of arrival. */
  seq: number;
  inbound: Inbound;
}

/** Messages in and out, durable in `state/px.db`. */
export interface Channels {
  /** Stores a message before it is acknowledged; false when this platform id was seen before. */
  accept(inbound: Inbound): boolean;
  /** Calls back for each message to be answered, oldest first, also those left from before a restart. Set once, by session. */
  onPending(listener: (item: InboxItem) => void): void;
  /** Queues the answer for delivery and marks the message answered, in one transaction. */
  reply(item: InboxItem, text: string): void;
  /** Marks answered without an answer (stopped, or the journal already has it). */
  settle(item: InboxItem): void;
  /** Tells the platform that px is writing. Best effort. */
  typing(inbound: Inbound): void;
  /** Starts connectors of enabled channels; follows config changes. */
  start(): void;
  states(): { id: string; plugin: string; state: 'running' | 'waiting' | 'failing' | 'off'; detail: string }[];
  pairing: Pairing;
  close(): Promise<void>;
}

/** Who may talk to px. */
export interface Pairing {
  list(): {
    channel: string;
    sender: string;
    name: string;
    state: 'pending' | 'approved';
    code: string;
    at: number;
    expiresAt: number;
  }[];
  /** Approves by code. Throws PxError `pairing.unknown`. */
  approve(code: string): { channel: string; sender: string; name: string };
  revoke(channel: string, sender: string): boolean;
}

/** The conversation of a channel's chat. */
export type ConversationOf = (channel: string, chat: string) => ConversationId;
