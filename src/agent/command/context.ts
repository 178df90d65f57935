import { contextReport } from '../context.ts';
import type { Command } from './command.ts';

/** `/context`: what the next request is made of, in tokens. */
export const context: Command = {
  name: 'context',
  argument: '',
  summary: 'what I send to the model with your next message, in tokens',
  urgent: true,
  owner: true,
  async run(given) {
    const report = await contextReport(given, given.inbound.conversation);
    return [
      `${report.total} tokens of ${report.window ?? 'an unknown number'} for ${report.model}; px adds at most ${report.added} (${report.profile}).`,
      ...report.parts.map((part) => `${part.name}: ${part.tokens}`),
    ].join('\n');
  },
};
