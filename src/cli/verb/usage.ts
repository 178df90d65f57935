import { dollars } from '../../model/model.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { verb } from '../verb.ts';

/** `px usage`. */
export const usage = verb({
  name: 'usage',
  summary: 'Show what model calls cost, and what is left of the spending caps.',
  details:
    'Added up from memory/ledger/, one Markdown table a month. Prices are those of `model.prices` in px.yaml, then of the list px carries; local and offline models are free. Caps are `model.budget` in px.yaml: at a cap no call is made.',
  args: {
    by: {
      type: 'enum',
      options: ['model', 'day', 'month', 'conversation', 'plugin'],
      default: 'model',
      description: 'What to add up.',
    },
    since: { type: 'string', valueHint: 'DAY', description: 'First day or month: 2026-11-22 or 2026-11.' },
    conversation: { type: 'string', valueHint: 'ID', description: 'Only one conversation: telegram/4711.' },
  },
  examples: ['px usage', 'px usage --by day --since 2026-11', 'px usage --by conversation'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const { by, since, conversation } = args;
    const report = await backend.client.usage({
      by,
      ...(since === undefined ? {} : { since }),
      ...(conversation === undefined ? {} : { conversation }),
    });
    const { io } = context;
    if (context.json) {
      io.data(report);
      return 0;
    }
    const row = (line: (typeof report)['total']) => [
      line.key,
      String(line.calls),
      String(line.input),
      String(line.cached),
      String(line.output),
      dollars(line.usd),
      line.notes.join('; '),
    ];
    const head = [by, 'calls', 'input', 'cached', 'output', 'cost', 'price'];
    const { notes: _, ...total } = report.total;
    if (report.total.calls === 0) io.line('No model was asked yet.');
    else io.line(table([head, ...report.lines.map(row), row({ ...total, notes: [] })]));
    for (const { cap, limit, spent, reserved } of report.caps) {
      const running = reserved > 0 ? `, up to ${dollars(reserved)} under way` : '';
      io.line(`${cap}: ${dollars(spent)} of ${dollars(limit)}${running} (model.budget.${cap})`);
    }
    io.line(io.dim(`Prices of ${report.catalogue}; yours come first: model.prices in px.yaml.`));
    return 0;
  },
});
