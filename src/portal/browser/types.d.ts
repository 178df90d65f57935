/** What the portal's script knows of px's events (src/wire/event.ts): the fields it reads. */
interface ToolCall {
  id: string;
  name: string;
  args: unknown;
}
interface Failure {
  message: string;
  hint?: string;
}
interface Question {
  id: string;
  conversation: string;
  tool: string;
  origin: string;
  arguments: string;
  reason: string;
  labels: string[];
}
type Event_ =
  | { type: 'ready' }
  | {
      type: 'message.in';
      inbound: { conversation: string; text: string; metadata?: { attachments?: { name?: string; mime: string }[] } };
    }
  | { type: 'turn.start'; conversation: string; turn: string; model: string }
  | { type: 'turn.text'; conversation: string; turn: string; text: string }
  | { type: 'turn.thinking'; conversation: string; turn: string; text: string }
  | { type: 'turn.note'; conversation: string; turn: string; text: string }
  | { type: 'turn.tool'; conversation: string; turn: string; call: ToolCall }
  | {
      type: 'turn.tool-result';
      conversation: string;
      turn: string;
      ms: number;
      result: { callId: string; isError: boolean; content: { text?: string }[] };
    }
  | ({ type: 'approval.asked'; turn: string } & Question)
  | { type: 'approval.decided'; id: string; conversation: string; decision: string; by: string }
  | { type: 'turn.end'; conversation: string; turn: string; reason: string; text: string; error?: Failure; at: number }
  | {
      type:
        | 'plugin.started'
        | 'plugin.stopped'
        | 'plugin.changed'
        | 'config.changed'
        | 'pairing.requested'
        | 'pairing.approved';
    }
  | { type: 'plugin.call'; plugin: string; function: string; ms: number; ok: boolean; error?: Failure; at: number }
  | { type: 'plugin.denied'; plugin: string; capability: string; detail: string; at: number }
  | { type: 'log'; at: number; entry: { level: string; scope: string; message: string } }
  | { type: 'error'; error: Failure }
  | { type: 'accepted' | 'pong' };
type PxEvent = Event_;
/** The fields of `GET /api/status` that are plotted. */
interface Status {
  uptimeMs: number;
  cpuMs: number;
  memory: { rssBytes: number };
  queue: { running: number; waiting: number };
  plugins: { name: string; state: string; pid: number | null; rssBytes: number | null }[];
}
