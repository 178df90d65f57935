import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { readHidden } from '../hidden.ts';
import { group, verb } from '../verb.ts';

const name = { type: 'positional', required: true, description: 'Letters, digits and underscores.' } as const;

const set = verb({
  name: 'set',
  summary: 'Store a secret, encrypted. The value is asked for, or read from stdin; never a word of the command line.',
  args: { name },
  examples: ['px secret set TELEGRAM_TOKEN', 'px secret set OPENAI_API_KEY < key.txt'],
  async run({ args, ...context }) {
    const value = process.stdin.isTTY
      ? await readHidden(`${args.name}: `)
      : (await Bun.stdin.text()).replace(/\r?\n$/, '');
    if (value === '')
      throw new PxError('usage', 'The value is empty.', { hint: `px secret set ${args.name} < file-with-the-value` });
    await using backend = await openBackend(context);
    const before = (await backend.client.status()).model;
    await backend.client.setSecret(args.name, value);
    const { model } = await backend.client.status();
    const { minScrubLength } = await import('../../secret/secret.ts');
    if (value.length < minScrubLength)
      context.io.note(
        `px: it is shorter than ${minScrubLength} characters: where it comes back, px cannot tell it from other text and does not cover it.`,
      );
    if (context.json) context.io.data({ set: args.name });
    else
      context.io.line(
        model.ref === before.ref
          ? `${args.name} is stored, encrypted. px.yaml refers to it as secret:${args.name}`
          : `${args.name} is stored, encrypted. From now on ${model.ref} answers.`,
      );
    return 0;
  },
});

const list = verb({
  name: 'list',
  summary: 'List the names of stored secrets.',
  args: {},
  examples: ['px secret list'],
  async run(context) {
    await using backend = await openBackend(context);
    const names = await backend.client.secretNames();
    if (context.json) context.io.data(names);
    else if (names.length === 0) context.io.note('No secrets are stored. Store one: px secret set NAME');
    else for (const each of names) context.io.line(each);
    return 0;
  },
});

const remove = verb({
  name: 'remove',
  summary: 'Forget a secret.',
  args: { name },
  examples: ['px secret remove OPENAI_API_KEY'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    if (!(await backend.client.removeSecret(args.name)))
      throw new PxError('not-found', `There is no secret ${args.name}.`, { hint: '`px secret list` shows the names.' });
    if (context.json) context.io.data({ removed: args.name });
    else context.io.line(`${args.name} is forgotten.`);
    return 0;
  },
});

/** `px secret …`. */
export const secret = group({
  name: 'secret',
  summary: 'Store and forget secrets.',
  examples: ['px secret set TELEGRAM_TOKEN', 'px secret list'],
  verbs: { set: async () => set, list: async () => list, remove: async () => remove },
});
