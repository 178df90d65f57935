import * as v from 'valibot';
import { Attached } from './attachment.ts';

/** `POST /api/conversations/:channel/:chat/messages`. */
export const SendMessage = v.object({
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(100_000), v.description('What the person says.')),
  model: v.optional(
    v.pipe(v.string(), v.maxLength(200), v.description('A model reference or alias for this message only.')),
  ),
  attachments: v.optional(
    v.pipe(v.array(Attached), v.maxLength(10), v.description('Pictures and documents that come with the text.')),
  ),
});
export type SendMessage = v.InferOutput<typeof SendMessage>;

/** `GET /api/status` and `px status --json`. */
export interface Status {
  version: string;
  home: string;
  pid: number;
  /** Milliseconds since start. */
  uptimeMs: number;
  model: { ref: string; offline: boolean; note: string };
  /** Why px.yaml as it stands is not in force, and the last good one is; empty when it is. */
  config: { problem: string };
  memory: { rssBytes: number; notes: number; chunks: number };
  /** Processor time px has used since its start, in ms; its plugins' processes not counted. */
  cpuMs: number;
  /** Turns that run, and messages that wait for one. */
  queue: { running: number; waiting: number };
  channels: { id: string; plugin: string; state: 'running' | 'waiting' | 'failing' | 'off'; detail: string }[];
  /** `detail` says why one does not run; `rssBytes` is the memory of the plugin's process while one runs. */
  plugins: { name: string; state: string; detail: string; pid: number | null; rssBytes: number | null }[];
  sandbox: { mode: string; layers: Record<string, string> };
}

/** One hit of `GET /api/memory/search` and `px memory search`. */
export interface SearchHit {
  /** Path below `memory/`, with forward slashes. */
  path: string;
  /** First line of the passage, from 1. */
  line: number;
  heading: string;
  /** The passage around the match, plain text. */
  snippet: string;
  /** Larger is better; comparable within one result list only. */
  score: number;
}

/** `GET /api/plugins` and `px plugin list`. */
export interface PluginSummary {
  name: string;
  version: string;
  kind: 'messaging' | 'tool' | 'component' | 'script';
  /** In its author's words; empty when there are none. */
  description: string;
  /** SHA-256 of the installed file, hex. */
  sha256: string;
  bytes: number;
  source: string;
  state: 'idle' | 'working' | 'disabled' | 'quarantined' | 'broken';
  detail: string;
}
