import { PxError } from '../../error/error.ts';
import type { ModelRef } from '../../wire/wire.ts';
import type { Answer, Command, CommandContext } from './command.ts';

/** Most names shown of one list. */
const MOST = 30;
/** Most names that get a button. */
const BUTTONS = 8;

/** `/model`: shows the models; `/model NAME` switches this conversation; `/model default` follows px.yaml again. */
export const model: Command = {
  name: 'model',
  argument: '[NAME [TEXT]]',
  summary: 'show the models, switch to one (`default`: follow px.yaml), or ask one this once',
  urgent: false,
  owner: true,
  run: (context) => (context.argument === '' ? show(context) : change(context)),
};

/** `/model NAME TEXT`: a text for one model, and the conversation keeps its own. Undefined for anything else. */
export function forOneMessage(text: string): { model: string; text: string } | undefined {
  const [, model, said] = /^\/model(?:@\w+)?\s+(\S+)\s+(\S[\s\S]*)$/i.exec(text.trim()) ?? [];
  return model === undefined || said === undefined ? undefined : { model, text: said };
}

async function show({ models, sessions, inbound, signal }: CommandContext): Promise<Answer> {
  const session = await sessions.open(inbound.conversation);
  const current = session.model ? `${session.model} (chosen here)` : `${models.default.ref} (${models.default.why})`;
  const offered = await models.list(signal);
  const names = [...new Set(offered.map((one) => one.ref))];
  const more = names.length > MOST ? [`… and ${names.length - MOST} more`] : [];
  const text = [
    `Model: ${current}`,
    'Switch with /model NAME, ask one this once with /model NAME TEXT:',
    ...names.slice(0, MOST),
    ...more,
  ].join('\n');
  return { text, choices: names.slice(0, BUTTONS).map((name) => ({ label: name, says: `/model ${name}` })) };
}

async function change({ models, sessions, inbound, bus, argument }: CommandContext): Promise<string> {
  const chosen = argument === 'default' || argument === 'auto' ? undefined : resolve(models, argument);
  if (chosen instanceof PxError) return `${chosen.message}${chosen.hint ? `\n${chosen.hint}` : ''}`;
  await sessions.setModel(inbound.conversation, chosen);
  const now = chosen ?? models.default.ref;
  bus.emit({ type: 'model.changed', conversation: inbound.conversation, model: now, by: 'person' });
  return chosen ? `From now on ${now} answers here.` : `This conversation follows px.yaml again: ${now}.`;
}

function resolve(models: CommandContext['models'], name: string): ModelRef | PxError {
  try {
    return models.resolve(name);
  } catch (error) {
    if (error instanceof PxError) return error;
    throw error;
  }
}
