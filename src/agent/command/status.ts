import { whoOf } from '../gate.ts';
import type { Command } from './command.ts';

/** `/status`: which model answers here, and how px is. */
export const status: Command = {
  name: 'status',
  argument: '',
  summary: 'which model answers, and how px is',
  urgent: true,
  async run(context) {
    const { models, sessions, memory, tools, approvals, inbound } = context;
    const session = await sessions.open(inbound.conversation);
    if (whoOf(context, inbound).from === 'guest')
      return `Model: ${session.model ?? models.default.ref}\nConversation: ${session.messages.length} messages`;
    const running = sessions.running();
    const waiting = approvals?.list().length ?? 0;
    const { notes, chunks } = memory.stats();
    return [
      `Model: ${session.model ?? models.default.ref}${session.model ? ' (chosen here)' : ` (${models.default.why})`}`,
      `Conversation: ${inbound.conversation}, ${session.messages.length} messages`,
      `Running: ${running.length === 0 ? 'nothing' : running.join(', ')}`,
      ...(waiting > 0 ? [`Waiting for your word: ${waiting} (/approve)`] : []),
      `Tools: ${tools.specs().length}`,
      `Memory: ${notes} notes, ${chunks} passages`,
      `px: up ${duration(process.uptime())}, ${Math.round(process.memoryUsage.rss() / 1_048_576)} MB`,
    ].join('\n');
  },
};

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}
