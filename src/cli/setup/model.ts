import type { Client } from '../../client/client.ts';
import { fromErrorShape, PxError, toPxError } from '../../error/error.ts';
import { fitting } from '../../tui/tui.ts';
import type { Prompt } from '../prompt.ts';
import { chooseProvider } from './provider.ts';
import { kept, type Outcome, type Provider, type Setup, sentence } from './setup.ts';

const step = 'model' as const;
const offline = 'offline/px';
/** What an empty key does. */
const again = 'choose again';

/** The model that answers: the one that is chosen already when it does, else one the person chooses, tested with a real call. */
export async function setUpModel(setup: Setup): Promise<Outcome> {
  const { answers, ask, client } = setup;
  if (answers.provider === undefined) {
    const standing = await standingModel(setup);
    if (standing.state === 'done' || !ask) return standing;
    if (standing.state === 'failed') setup.say(standing.text);
  }
  let named = answers.provider;
  for (;;) {
    const provider = named === 'offline' ? named : await chooseProvider(setup, named);
    named = undefined;
    if (provider === undefined) continue;
    const outcome = provider === 'offline' ? await stayOffline(client) : await tryProvider(setup, provider);
    if (outcome) return outcome;
  }
}

/** How what stands in px.yaml does. `left`: nothing was chosen yet. */
async function standingModel(setup: Setup): Promise<Outcome> {
  const { client, ask } = setup;
  const { default: chosen } = Object.assign({ default: 'auto' }, (await client.config())['model']);
  const { model } = await client.status();
  if (chosen === offline) return { step, state: 'done', text: 'The built-in model answers, as you chose.' };
  if (chosen !== 'auto' && model.offline) return { step, state: 'failed', text: `${model.note}` };
  if (chosen === 'auto' && (ask || model.offline)) {
    const hint = 'px setup --provider openai --key-file FILE, or start Ollama.';
    return { step, state: 'left', text: `The built-in model answers: ${model.note}.`, hint };
  }
  return (await tested(setup, model.ref)).outcome;
}

async function stayOffline(client: Client): Promise<Outcome> {
  await client.setConfig('model.default', offline);
  const text =
    'The small built-in model answers. It needs no network, and knows little: `px setup --provider NAME` gives px another.';
  return { step, state: 'done', text, fresh: true };
}

/** Sets a provider up and makes a real call. Undefined: the person wants to choose again. */
async function tryProvider(setup: Setup, provider: Provider): Promise<Outcome | undefined> {
  const { ask, client, answers } = setup;
  let key = answers.key;
  delete answers.key;
  for (;;) {
    const had = await kept(setup, provider.secret);
    if (key === undefined && provider.keyNeeded && !had) {
      if (!ask) throw new PxError('usage', `${provider.label} needs a key.`, { hint: keyHint(provider) });
      key = await ask.hidden(`Its key, from ${provider.keyUrl || provider.label}`, again);
      if (key === '') return undefined;
    }
    // A service does not see this terminal's environment.
    if (key === undefined && had === 'environment') key = setup.context.env.get(provider.secret);
    if (key !== undefined) await client.setSecret(provider.secret, key);
    const { outcome, code } = await tryModel(setup, provider);
    if (outcome.state === 'done') return keep(client, outcome);
    if (code === 'model.auth' && key !== undefined) await client.removeSecret(provider.secret);
    if (!ask) return outcome;
    setup.say(outcome.text);
    if (code === 'model.auth') {
      key = await ask.hidden('Another key', again);
      if (key === '') return undefined;
      continue;
    }
    const next = await ask.choose(['try again', 'keep it all the same', 'choose again'], 0);
    if (next === 1) return keep(client, { ...outcome, state: 'left', hint: 'px setup tries it again.' });
    if (next === 2) return undefined;
    key = undefined;
  }
}

async function keep(client: Client, outcome: Tested['outcome']): Promise<Outcome> {
  await client.setConfig('model.default', outcome.ref);
  return { ...outcome, fresh: true };
}

/** A model of the provider: the one that was named, the one px would take, or one the person chooses of what the server has. */
async function tryModel(setup: Setup, provider: Provider): Promise<Tested> {
  const { answers } = setup;
  const prefix = `${provider.name}/`;
  const named = answers.model?.startsWith(prefix) ? answers.model.slice(prefix.length) : answers.model;
  if (named !== undefined) return tested(setup, prefix + named);
  // What runs on the person's own server only the server can tell.
  const usual = provider.keyNeeded ? provider.defaultModel : await offeredModel(setup, provider);
  if (typeof usual !== 'string') return usual;
  const first = await tested(setup, prefix + usual);
  if (first.code !== 'model.unknown' || !setup.ask || !provider.keyNeeded) return first;
  setup.say(first.outcome.text);
  const other = await offeredModel(setup, provider);
  return typeof other === 'string' ? tested(setup, prefix + other) : other;
}

/** Most models that are listed to choose from; with more the person types a part of the name. */
const mostListed = 20;

async function offeredModel(setup: Setup, provider: Provider): Promise<string | Tested> {
  const { ask, client, wait } = setup;
  const failed = (text: string, code = 'model.unreachable'): Tested => ({
    code,
    outcome: { step, state: 'failed', text, ref: `${provider.name}/${provider.defaultModel}` },
  });
  try {
    const { models, usual } = await wait(client.offered(provider.name));
    if (models.length === 0) return failed(`${provider.label} has no model yet. ${noModelHint(provider)}`);
    if (!ask || models.length === 1) return usual;
    if (models.length > mostListed) return await nameModel(ask, setup.say, models, usual);
    return models[await ask.choose(models, Math.max(0, models.indexOf(usual)))] ?? usual;
  } catch (thrown) {
    const error = toPxError(thrown);
    if (error.code === 'interrupted') throw error;
    return failed(refusal(setup, error), error.code);
  }
}

/** What a provider said in a sentence. Where keys go a person who is asked for one knows. */
const refusal = ({ ask }: Setup, thrown: PxError) =>
  sentence(thrown.code === 'model.auth' && ask ? thrown.message : thrown);

/** One of more models than can be listed, by a part of its name. What fits none of them may be one all the same: the server knows. */
async function nameModel(ask: Prompt, say: Setup['say'], models: string[], usual: string): Promise<string> {
  say(`It has ${models.length} models, as ${models.slice(0, 3).join(', ')}.`);
  for (;;) {
    const word = (await ask.line(`Which one? Part of a name is enough. [${usual}]`)) || usual;
    if (models.includes(word)) return word;
    const fit = fitting(models, word);
    if (fit.length < 2) return fit[0] ?? word;
    const shown = fit.slice(0, mostListed);
    if (shown.length < fit.length) say(`${fit.length} fit. The nearest:`);
    const chosen = shown[await ask.choose([...shown, 'another name'], 0)];
    if (chosen !== undefined) return chosen;
  }
}

interface Tested {
  outcome: Outcome & { ref: string };
  /** Of the error, when there is one. */
  code?: string;
}

/** A real call through the switcher. */
async function tested(setup: Setup, name: string): Promise<Tested> {
  const { client, wait, say } = setup;
  say(`Asking ${name} for a word…`);
  try {
    const { ok, model, ms, text, error } = await wait(client.testModel(name));
    if (!ok && error) throw fromErrorShape(error as Parameters<typeof fromErrorShape>[0]);
    const word = text.trim().replace(/\s+/g, ' ').slice(0, 40);
    const seconds = (ms / 1000).toFixed(1);
    return { outcome: { step, state: 'done', ref: model, text: `${model} answers: “${word}” after ${seconds} s.` } };
  } catch (thrown) {
    if (!(thrown instanceof PxError) || thrown.code === 'interrupted') throw thrown;
    return { code: thrown.code, outcome: { step, state: 'failed', ref: name, text: refusal(setup, thrown) } };
  }
}

const keyHint = ({ name, secret }: Provider) =>
  `px setup --provider ${name} --key-file FILE, or --key-env ${secret} where the environment has it.`;

const noModelHint = ({ name }: Provider) => (name === 'ollama' ? 'Get one: ollama pull qwen3:4b' : '');
