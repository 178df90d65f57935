import { type ErrorShape, PxError, toPxError } from '../error/error.ts';
import { type Failover, type ModelEvent, type ModelRequest, type Models, providerName } from '../model/model.ts';
import { orAborted } from '../tool/tool.ts';
import type { EndReason, ThinkingPart, ToolCallPart, Usage } from '../wire/wire.ts';
import { brokeOff } from './notice.ts';

/** What one model call brought. */
export interface Step {
  text: string;
  thinking: ThinkingPart[];
  calls: ToolCallPart[];
  usage: Usage;
  reason: EndReason;
  error?: ErrorShape;
}

/** One model call: hands every event on as it comes and returns them added up. Never throws; a broken stream is an error step. */
export async function runStep(
  models: Pick<Models, 'stream'>,
  request: ModelRequest,
  signal: AbortSignal,
  watch: (event: ModelEvent) => void,
): Promise<Step> {
  const step: Step = { text: '', thinking: [], calls: [], usage: none(), reason: 'error' };
  let open = false;
  let ended = false;
  let counted = false;
  const take = (event: ModelEvent) => {
    if (event.type === 'text') step.text += event.text;
    else if (event.type === 'thinking') open = think(step, event, open, providerName(request.model));
    else if (event.type === 'tool-call') step.calls.push(event.call);
    else if (event.type === 'usage') {
      counted = true;
      step.usage = event.usage;
    } else {
      ended = true;
      step.reason = event.reason;
      if (event.error) step.error = event.error;
    }
    if (event.type !== 'thinking') open = false;
    watch(event);
  };

  let events: AsyncIterator<ModelEvent> | undefined;
  const { onFailover } = request;
  const given = onFailover && { onFailover: (change: Failover) => begin(step, change, onFailover) };
  try {
    signal.throwIfAborted();
    events = models.stream({ ...request, ...given }, signal)[Symbol.asyncIterator]();
    while (!ended) {
      const next = await orAborted(events.next(), signal);
      if (next.done) break;
      take(next.value);
    }
    if (!ended) step.error = new PxError('model.stream', 'The answer broke off.', { retryable: true }).toJSON();
  } catch (thrown) {
    step.reason = 'error';
    step.error = toPxError(thrown).toJSON();
  }
  if (signal.aborted && !ended) {
    step.reason = 'aborted';
    delete step.error;
    void Promise.resolve(events?.return?.()).catch(() => {});
  }
  // A call that failed before its first word was not answered, and perhaps never made.
  const silent = step.reason === 'error' && step.text === '' && step.calls.length === 0;
  if (!counted && !silent) step.usage = estimate(request, step);
  return step;
}

/** Another model begins: what the one before thought is not its own, what it said was seen. */
function begin(step: Step, change: Failover, tell: (change: Failover) => void): void {
  step.thinking = [];
  if (change.shown) step.text += `\n\n${brokeOff(change)}\n\n`;
  tell(change);
}

/** No tokens. */
export function none(): Usage {
  return { input: 0, output: 0, cachedInput: 0 };
}

/** Tokens of two calls together. */
export function plus(a: Usage, b: Usage): Usage {
  return { input: a.input + b.input, output: a.output + b.output, cachedInput: a.cachedInput + b.cachedInput };
}

/** Adds a piece of thinking; a signature closes its block. Returns whether the block is still open. */
function think(step: Step, event: { text: string; signature?: string }, open: boolean, provider: string): boolean {
  const last = step.thinking.at(-1);
  const block: ThinkingPart = open && last ? last : { type: 'thinking', text: '', provider };
  if (block !== last) step.thinking.push(block);
  block.text += event.text;
  if (event.signature !== undefined) block.signature = event.signature;
  return event.signature === undefined;
}

/** A bound must hold also where a server counts nothing: four characters a token. */
function estimate(request: ModelRequest, step: Step): Usage {
  const input = request.system.length + JSON.stringify(request.messages).length + JSON.stringify(request.tools).length;
  return {
    input: Math.ceil(input / 4),
    output: Math.ceil((step.text.length + JSON.stringify(step.calls).length) / 4),
    cachedInput: 0,
  };
}
