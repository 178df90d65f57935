import { PxError } from '../error/error.ts';

/** The `data` of each Server-Sent Event of a response, until it ends. Throws PxError `gateway.unreachable` when the line breaks. */
export async function* readSse(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk, { stream: true });
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = event
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).replace(/^ /, ''));
        if (data.length > 0) yield data.join('\n');
      }
    }
  } catch (cause) {
    throw new PxError('gateway.unreachable', 'The connection to px broke while it answered.', {
      hint: 'The answer is in the journal once it is done: `px memory search`.',
      retryable: true,
      cause,
    });
  }
}
