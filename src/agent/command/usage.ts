import { dollars } from '../../model/model.ts';
import type { Command } from './command.ts';

/** `/usage`: what this month's answers cost, and what is left of the caps. */
export const usage: Command = {
  name: 'usage',
  argument: '',
  summary: 'what my answers cost, and what is left of the spending caps',
  urgent: true,
  owner: true,
  run({ models, inbound }) {
    const { conversation } = inbound;
    const month = new Date().toLocaleDateString('sv-SE').slice(0, 7);
    const report = models.spend.report({ by: 'model', since: month });
    const here = models.spend.report({ by: 'model', conversation });
    const caps = models.spend
      .caps(conversation)
      .map(({ cap, limit, spent }) => `${cap}: ${dollars(spent)} of ${dollars(limit)}`);
    return [
      `This month: ${dollars(report.total.usd)} in ${report.total.calls} calls; this conversation: ${dollars(here.total.usd)}.`,
      ...report.lines.map(
        (line) => `${line.key}: ${dollars(line.usd)}, ${line.calls} calls (${line.notes.join('; ')})`,
      ),
      ...(caps.length > 0 ? [`Caps — ${caps.join(', ')}`] : []),
      'Change a cap: px config set model.budget.day 10',
    ].join('\n');
  },
};
