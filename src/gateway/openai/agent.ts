import type { App } from '../../app/app.ts';
import { PxError } from '../../error/error.ts';
import type { ModelEvent } from '../../model/model.ts';
import type { Usage } from '../../wire/wire.ts';
import { followTurn } from '../turn.ts';
import { type ChatRequest, toAgentAttachments, toAgentText } from './request.ts';

/**
 * Model `px`: the agent answers, with its own tools. With `user` the request continues that user's conversation; without,
 * each request is a conversation of its own. A caller that goes away stops the turn.
 */
export async function* agentEvents(app: App, body: ChatRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  if (body.tools?.length)
    throw new PxError('gateway.bad-request', 'Model "px" runs its own tools and cannot take yours.', {
      hint: 'Send tools to a provider/model instead; GET /v1/models lists them.',
    });
  if (body.response_format && body.response_format.type !== 'text')
    throw new PxError('gateway.bad-request', 'Model "px" answers in text; it does not hold to a response format.', {
      hint: 'Ask a provider/model for JSON; GET /v1/models lists them.',
    });
  const chat = (body.user ?? crypto.randomUUID()).replace(/[^\w.@-]/g, '_') || 'user';
  const conversation = `api/${chat}` as const;
  const ask = { conversation, text: toAgentText(body), attachments: toAgentAttachments(body) };
  const usage: Usage = { input: 0, output: 0, cachedInput: 0 };
  const stop = () => app.sessions.stop(conversation);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const event of followTurn(app, ask)) {
      if (event.type === 'turn.text') yield { type: 'text', text: event.text };
      else if (event.type === 'turn.thinking') yield { type: 'thinking', text: event.text };
      else if (event.type === 'turn.usage') {
        usage.input += event.usage.input;
        usage.output += event.usage.output;
        usage.cachedInput += event.usage.cachedInput;
      } else if (event.type === 'turn.end') {
        yield { type: 'usage', usage };
        yield { type: 'end', reason: event.reason, ...(event.error === undefined ? {} : { error: event.error }) };
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
