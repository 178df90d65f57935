/**
 * What the contract suite knows of a platform. To have it run on another connector, write `NAME.test.ts` beside this file:
 *
 * 1. a {@link Platform}: how a test is a person there, and what that person sees. Its server runs on loopback: the real one where it can be had
 *    (Matrix: Synapse), else a fake that is as strict (Telegram: `../bot-api.ts`). Put a {@link Between} before it, so that the suite can make it
 *    fail and watch it; a connector that reaches no network needs none.
 * 2. `contract('NAME', lacks, open)`. `lacks` says why it leaves out what it leaves out (`files`, `webhook`, …): those tests are skipped and have
 *    the reason in their names. The suite compares it with the platform, and the platform with the connector's own `abilities`.
 */
import type { Px } from '../px.ts';
import type { Between } from './between.ts';

/** One message of px, as the person sees it now. */
export interface Seen {
  /** The platform's id, as the connector tells px. */
  id: string;
  text: string;
  /** How often it was changed. */
  edits: number;
  file?: { name: string; mime: string; bytes: Uint8Array };
}

/** A file somebody sends. */
export interface Sent {
  name: string;
  mime: string;
  bytes: Uint8Array;
}

/** What not every platform has. */
export type Need =
  | 'between'
  | 'reactions'
  | 'typed'
  | 'files'
  | 'webhook'
  | 'streams'
  /** It is there while px is off, and shows each message of px. */
  | 'apart';

/** Why a platform has none of it. */
export type Lacks = { [need in Need]?: string };

/** A platform, and one person on it who talks to px in a chat of their own. */
export interface Platform extends AsyncDisposable {
  /** Name of the channel and of its plugin. */
  channel: string;
  /** The chat's id, and the person's, as px knows them. */
  chat: string;
  person: string;
  /** px.yaml of a channel whose plugin talks to it. */
  config(channel: object): { channels: object; plugins: object };
  /** The token, as environment of px. */
  env: Record<string, string>;
  /** File of the plugin, where px does not carry it. */
  plugin?: string;
  /** Longest text of one message. */
  maxText: number;
  /** For a platform that is inside its plugin: the px it is in. */
  attach?(px: Px): void;
  /** The person writes. The platform's id of the message. */
  say(text: string): Promise<string>;
  /** Messages of px in the chat, oldest first. */
  seen(): Seen[] | Promise<Seen[]>;
  /** Where px's requests pass by; none where the plugin makes no request. */
  between?: Between;
  /** What the platform answers when it refuses a text for good, asks to wait a second, or does not know the token. */
  refusals?: { never(): Response; later(): Response; token(): Response };
  /** It shows the same text once, however often it is sent. */
  once?: true;
  /** An answer is shown while it is written: in messages that change, or in a way that leaves nothing behind. */
  streams?: true;
  /** Reactions of px to a message. */
  reactions?(message: string): string[] | Promise<string[]>;
  /** How often px has shown that it writes. */
  typed?(): number;
  files?: { send(file: Sent, caption: string): Promise<void> };
  /** It tells what was said in a chat. */
  history?: true;
  /** Messages can be brought by webhook. */
  webhook?: { address(): string | undefined; forged(url: string): Promise<number> };
}
