import type { ErrorShape } from '../../error/error.ts';
import type { Attachment, ImagePart, Message, TextPart } from '../../wire/wire.ts';
import type { ModelRequest } from '../model.ts';

/** Most attachments remembered. */
const most = 1_000;
const blamed = /image|vision|modal|picture|file|document|pdf|media/i;

/**
 * What a server did not take. Which model reads pictures and PDFs nobody can list, least of all for compatible servers, so px asks;
 * after a no it asks once more with a note in place of the attachment, and a conversation that has one goes on with any model.
 */
export class Refused {
  readonly #known = new Set<string>();

  /** The request without what this model refused before. */
  leaveOut(request: ModelRequest): ModelRequest {
    if (this.#known.size === 0) return request;
    return replace(request, (part) =>
      this.#known.has(key(request, part)) ? note(part, `${request.model} did not take it`) : part,
    );
  }

  /** After a failure: the request without attachments, when they can be the reason; undefined when they cannot. */
  without(request: ModelRequest, error: ErrorShape): ModelRequest | undefined {
    if (!canBeTheReason(error)) return undefined;
    let found = false;
    const stripped = replace(request, (part) => {
      found = true;
      return note(part, `${request.model} did not take it: ${error.message}`);
    });
    return found ? stripped : undefined;
  }

  /** The request was answered once its attachments were left out. */
  remember(request: ModelRequest): void {
    if (this.#known.size > most) this.#known.clear();
    replace(request, (part) => {
      this.#known.add(key(request, part));
      return part;
    });
  }
}

function canBeTheReason({ code, message, data }: ErrorShape): boolean {
  const status: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'status') : undefined;
  if (code === 'model.bad-request' || (code === 'model.overflow' && status === 413)) return true;
  return (code === 'model.unknown' || status === 500) && blamed.test(message);
}

const key = ({ model }: ModelRequest, part: Attachment) => `${model} ${Bun.hash(part.data)}`;

function note(part: Attachment, why: string): TextPart {
  const what = part.type === 'image' ? `A picture (${part.mime})` : `The document ${part.name} (${part.mime})`;
  return { type: 'text', text: `(${what} was attached. ${why.slice(0, 300)})` };
}

/** The request with each attachment as `by` says, in messages and in tool results. */
function replace(request: ModelRequest, by: (part: Attachment) => Attachment | TextPart): ModelRequest {
  const picture = (part: TextPart | ImagePart): TextPart | ImagePart => {
    const other = part.type === 'image' ? by(part) : part;
    return other.type === 'file' ? part : other;
  };
  const messages = request.messages.map((message): Message => {
    if (message.role === 'user')
      return { ...message, parts: message.parts.map((part) => (part.type === 'text' ? part : by(part))) };
    if (message.role === 'tool')
      return { ...message, parts: message.parts.map((part) => ({ ...part, content: part.content.map(picture) })) };
    return message;
  });
  return { ...request, messages };
}
