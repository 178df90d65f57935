import type { ServerWebSocket, WebSocketHandler } from 'bun';
import * as v from 'valibot';
import type { App } from '../app/app.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Access, FailureLimit } from './access.ts';
import { conversationId, modelName } from './schema.ts';
import { ownerMessage } from './turn.ts';

/** The state of one `/api/events` connection. */
export interface SocketState {
  owner: boolean;
  address: string;
  close?(): void;
}

/** What a client may send. */
const Said = v.variant('type', [
  v.object({ type: v.literal('auth'), token: v.pipe(v.string(), v.maxLength(500)) }),
  v.object({ type: v.literal('ping') }),
  v.object({
    type: v.literal('chat'),
    conversation: conversationId,
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(100_000)),
    model: v.optional(modelName),
    id: v.optional(v.pipe(v.string(), v.regex(/^[\w.:-]{1,200}$/))),
  }),
  v.object({ type: v.literal('stop'), conversation: conversationId }),
]);

const authMs = 10_000;
const maxWaitingBytes = 4 * 1024 * 1024;

/** The WebSocket at `/api/events`: every event of the bus out, messages and stops in. */
export function eventSocket(app: App, access: Access, failures: FailureLimit): WebSocketHandler<SocketState> {
  const welcome = (ws: ServerWebSocket<SocketState>) => {
    ws.data.owner = true;
    ws.data.close?.();
    ws.send(JSON.stringify({ type: 'ready', version: app.version }));
    ws.data.close = app.bus.on((event) => {
      // One that does not read is let go, so that it cannot fill the memory of all.
      if (ws.getBufferedAmount() > maxWaitingBytes) ws.close(1013, 'too slow');
      else ws.send(JSON.stringify(event));
    });
  };
  return {
    data: {} as SocketState,
    maxPayloadLength: 1_048_576,
    idleTimeout: 120,
    sendPings: true,
    open(ws) {
      if (ws.data.owner) return welcome(ws);
      const timer = setTimeout(() => ws.close(4401, 'not signed in'), authMs);
      ws.data.close = () => clearTimeout(timer);
    },
    message(ws, raw) {
      try {
        const said = read(raw);
        if (!ws.data.owner) {
          if (said.type !== 'auth' || !access.isToken(said.token)) {
            failures.failed(ws.data.address);
            return ws.close(4401, 'not signed in');
          }
          return welcome(ws);
        }
        if (said.type === 'ping') ws.send('{"type":"pong"}');
        else if (said.type === 'stop') app.sessions.stop(idOf(said.conversation));
        else if (said.type === 'chat') {
          const model = said.model === undefined ? {} : { model: app.models.resolve(said.model) };
          const made = ownerMessage({ conversation: idOf(said.conversation), text: said.text, ...model });
          // A client that does not know whether its words arrived says them again under the same id.
          const inbound = said.id === undefined ? made : { ...made, id: `web-${said.id}` };
          const fresh = app.submit(inbound);
          const { conversation } = said;
          ws.send(JSON.stringify({ type: 'accepted', conversation, messageId: inbound.id, fresh }));
        }
      } catch (thrown) {
        ws.send(JSON.stringify({ type: 'error', error: toPxError(thrown).toJSON() }));
      }
    },
    close(ws) {
      ws.data.close?.();
    },
  };
}

function read(raw: string | Buffer): v.InferOutput<typeof Said> {
  let value: unknown;
  try {
    value = JSON.parse(raw.toString());
  } catch (cause) {
    throw new PxError('gateway.bad-request', 'A message must be one JSON object.', { cause });
  }
  const result = v.safeParse(Said, value);
  if (result.success) return result.output;
  throw new PxError('gateway.bad-request', result.issues[0].message, {
    hint: 'Send {"type":"chat","conversation":"web/me","text":"…"}, or type auth, stop or ping.',
  });
}

// The schema let through `channel/chat` only.
const idOf = (text: string) => text as `${string}/${string}`;
