import type { Command } from './command.ts';

/** `/tools`: what the model may call, and what px.yaml denies. */
export const tools: Command = {
  name: 'tools',
  argument: '',
  summary: 'what I can use',
  urgent: true,
  owner: true,
  run({ tools }) {
    const allowed = new Set(tools.specs().map((spec) => spec.name));
    const line = (name: string, origin: string, description: string) =>
      `${name} (${origin}${allowed.has(name) ? '' : ', denied'}) — ${description.split('\n', 1)[0] ?? ''}`;
    return tools
      .list()
      .map((tool) => line(tool.name, tool.origin, tool.description))
      .join('\n');
  },
};
