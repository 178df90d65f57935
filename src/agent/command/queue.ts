import { queueModes } from '../../session/session.ts';
import type { Command } from './command.ts';

const meaning = {
  steer: 'it is taken into the answer',
  followup: 'it is answered afterwards',
  collect: 'all that come meanwhile are answered together',
  interrupt: 'I stop and answer it instead',
} as const;

/** `/queue`: what a message does that comes while px answers; `/queue MODE` chooses it for this conversation. */
export const queue: Command = {
  name: 'queue',
  argument: '[MODE]',
  summary: 'what your message does while I answer: steer, followup, collect or interrupt (`default`: follow px.yaml)',
  urgent: true,
  async run({ sessions, inbound, argument }) {
    const { conversation } = inbound;
    const wanted = argument.toLowerCase();
    const chosen = queueModes.find((mode) => mode === wanted);
    if (wanted !== '' && wanted !== 'default' && chosen === undefined)
      return `I do not know "${argument}". Choose one of: ${queueModes.join(', ')}, default.`;
    if (wanted === '') await sessions.open(conversation);
    else await sessions.setQueue(conversation, chosen);
    const mode = sessions.queueMode(conversation);
    return `A message while I answer: ${meaning[mode]} (${mode}).`;
  },
};
