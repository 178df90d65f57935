import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';

const list = verb({
  name: 'list',
  summary: 'List the models that can be used now.',
  args: {},
  examples: ['px model list'],
  async run(context) {
    await using backend = await openBackend(context, { prepare: (app) => app.models.detect() });
    const { default: chosen, models } = await backend.client.models();
    // What is left out is told, and why.
    const providers = await backend.client.providers();
    const { io } = context;
    if (context.json) {
      io.data({ default: chosen, models });
      return 0;
    }
    io.line(`${io.bold(chosen.ref)} answers: ${chosen.why}`);
    io.line(table(models.map((m) => [m.ref === chosen.ref ? '*' : ' ', m.ref, m.cost ?? ''])));
    for (const { name, problem } of providers) if (problem !== '') io.note(`${name} is not listed: ${problem}`);
    return 0;
  },
});

const use = verb({
  name: 'use',
  summary: 'Choose the model that answers; written to px.yaml, live at once.',
  args: { model: { type: 'positional', required: true, description: 'provider/model, an alias, or auto.' } },
  examples: ['px model use ollama/qwen3:4b', 'px model use auto'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context, { prepare: (app) => app.models.detect() });
    await backend.client.setConfig('model.default', args.model);
    const { default: chosen } = await backend.client.models();
    if (context.json) context.io.data(chosen);
    else context.io.line(`${chosen.ref} answers: ${chosen.why}`);
    return 0;
  },
});

/** `px model …`. */
export const model = group({
  name: 'model',
  summary: 'List models, and choose which one answers.',
  examples: ['px model list', 'px model use openai/gpt-5'],
  verbs: { list: async () => list, use: async () => use },
});
