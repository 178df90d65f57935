import type { ErrorShape } from '../error/error.ts';
import type { Failover } from '../model/model.ts';
import type { EndReason } from '../wire/wire.ts';

/** The notice of a turn a person stopped; the whole text when px had said nothing yet. */
export const STOPPED = '⏹ Stopped.';

/** What a person is told about how a turn ended, beside the model's own words; empty when all went well. */
export function notice(reason: EndReason, answered: boolean, error?: ErrorShape): string {
  switch (reason) {
    case 'limit':
      return `⚠️ ${error?.message ?? 'I reached my limit for one answer.'}${error?.hint ? ` ${error.hint}` : ''}`;
    case 'length':
      return '⚠️ My answer was cut off at its longest length. Say "go on" for the rest (`model.max_output_tokens`).';
    case 'aborted':
      return STOPPED;
    case 'refusal':
      return answered ? '' : 'The model refused to answer this. Put it differently, or choose another with /model.';
    case 'error':
      return failure(error);
    default:
      return answered ? '' : 'The model gave no answer. Ask again, or choose another model with /model.';
  }
}

/** The model's words and the notice, as a person reads them. */
export function visible(text: string, reason: EndReason, error?: ErrorShape): string {
  return [text.trimEnd(), notice(reason, text.trim() !== '', error)].filter((part) => part !== '').join('\n\n');
}

/** The line under an answer that another model gave: which, and why. Empty when the wanted model answered. */
export function instead(changes: Failover[]): string {
  const [first] = changes;
  const last = changes.at(-1);
  if (!first || !last) return '';
  const failed = changes.map(({ from, error }) => `${from}: ${error.message}`).join('; ');
  return `— ${last.to} answered instead of ${first.from} (${failed})`;
}

/** What stands between half an answer and its new beginning by another model. */
export function brokeOff({ from, to, error }: Failover): string {
  return `⚠️ ${from} broke off here (${error.message}); ${to} begins again:`;
}

function failure(error: ErrorShape | undefined): string {
  if (!error) return 'Sorry, that failed.';
  const again = error.retryable ? 'Trying again may help.' : '';
  return [`Sorry, I could not answer: ${sentence(error.message)} [${error.code}]`, error.hint ?? again]
    .filter((part) => part !== '')
    .join('\n');
}

const sentence = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`);
