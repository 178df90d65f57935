import { PxError } from '../../error/error.ts';
import type { Answers } from '../setup/setup.ts';
import { type Context, verb } from '../verb.ts';

/** `px setup`. */
export const setup = verb({
  name: 'setup',
  summary: 'Set px up: a model that answers, Telegram and who px obeys there, and whether px runs by itself.',
  details:
    'Asks for what is missing, tests it for real, and ends with a message in your Telegram. What is done is not asked again. Without a terminal, or with --yes, it asks nothing and does what the flags say. Keys and tokens are never words of the command line.',
  args: {
    provider: {
      type: 'string',
      description: 'openai, anthropic, gemini, ollama, offline, or a name for --base-url.',
      valueHint: 'NAME',
    },
    model: { type: 'string', description: 'The model. Left out: the one px would take.', valueHint: 'MODEL' },
    'base-url': { type: 'string', description: 'Another server that speaks the same API.', valueHint: 'URL' },
    'key-env': { type: 'string', description: 'The variable that holds the key of the provider.', valueHint: 'NAME' },
    'key-file': { type: 'string', description: 'The file that holds the key; - is stdin.', valueHint: 'FILE' },
    telegram: { type: 'boolean', default: true, description: 'Leave Telegram out.' },
    'telegram-token-env': {
      type: 'string',
      description: 'The variable that holds the token of the bot.',
      valueHint: 'NAME',
    },
    'telegram-token-file': {
      type: 'string',
      description: 'The file that holds the token; - is stdin.',
      valueHint: 'FILE',
    },
    'telegram-server': { type: 'string', description: 'Another Bot API server than Telegram’s own.', valueHint: 'URL' },
    owner: { type: 'string', description: 'Your number on Telegram: px obeys you without pairing.', valueHint: 'ID' },
    service: {
      type: 'enum',
      options: ['yes', 'no'],
      description: 'Whether px runs by itself, as `px service install` does it.',
    },
    yes: { type: 'boolean', description: 'Ask nothing.' },
  },
  examples: [
    'px setup',
    'px setup --provider anthropic --key-env ANTHROPIC_API_KEY --no-telegram',
    'px setup --provider openai --key-file key.txt --telegram-token-file token.txt --owner 4711 --service yes',
    'px setup --provider ollama --model qwen3:4b',
  ],
  async run({ args, words: _, ...context }) {
    const asks = !args.yes && !context.json && process.stdin.isTTY && process.stderr.isTTY;
    if (args['key-file'] === '-' && args['telegram-token-file'] === '-')
      throw new PxError('usage', 'stdin can hold the key or the token, not both.');
    const key = await secretFrom(context, args['key-env'], args['key-file']);
    const telegramToken = await secretFrom(context, args['telegram-token-env'], args['telegram-token-file']);
    if (key !== undefined && args.provider === undefined)
      throw new PxError('usage', 'Whose key is it?', { hint: 'Add --provider openai, anthropic or gemini.' });
    const answers: Answers = {
      telegram: args.telegram,
      ...(args.provider === undefined ? {} : { provider: args.provider }),
      ...(args.model === undefined ? {} : { model: args.model }),
      ...(args['base-url'] === undefined ? {} : { baseUrl: args['base-url'] }),
      ...(key === undefined ? {} : { key }),
      ...(telegramToken === undefined ? {} : { telegramToken }),
      ...(args['telegram-server'] === undefined ? {} : { telegramServer: args['telegram-server'] }),
      ...(args.owner === undefined ? {} : { owner: args.owner }),
      ...(args.service === undefined ? {} : { service: args.service === 'yes' }),
    };
    const { runSetup } = await import('../setup/run.ts');
    const steps = await runSetup(context, answers, asks);
    const failed = steps.some((step) => step.state === 'failed');
    if (context.json) context.io.data({ ok: !failed, steps });
    return failed ? 1 : 0;
  },
});

/** A key from where the flags say it is. Throws PxError `usage` when it is not there. */
async function secretFrom({ env }: Context, variable: string | undefined, file: string | undefined) {
  if (variable === undefined && file === undefined) return undefined;
  if (variable !== undefined && file !== undefined)
    throw new PxError('usage', 'Say the variable or the file, not both.');
  if (file !== undefined && file !== '-' && !(await Bun.file(file).exists()))
    throw new PxError('usage', `There is no file ${file}.`);
  const text =
    variable !== undefined ? env.get(variable) : await (file === '-' ? Bun.stdin : Bun.file(file ?? '')).text();
  if (text?.trim()) return text.trim();
  throw new PxError('usage', variable !== undefined ? `${variable} is not in the environment.` : `${file} is empty.`);
}
