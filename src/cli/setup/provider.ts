import { PxError } from '../../error/error.ts';
import { type Provider, type Setup, sentence } from './setup.ts';

/** The provider that was named, or the one the person chooses; undefined when they want to choose again. Throws PxError `usage` for one nobody knows. */
export async function chooseProvider(
  setup: Setup,
  named: string | undefined,
): Promise<Provider | 'offline' | undefined> {
  const { client, answers, ask } = setup;
  if (named !== undefined) {
    if (answers.baseUrl !== undefined) await addServer(setup, named, answers.baseUrl);
    return find(setup, named);
  }
  if (!ask) throw new PxError('usage', 'No provider was named.', { hint: 'px setup --provider openai' });
  const providers = await client.providers();
  const local = await installed(setup);
  setup.say('Which model is to answer you?');
  const lines = providers.map((provider) => [provider.label, note(setup, provider, local)]);
  lines.push(['Another', 'a server that speaks as OpenAI’s: LM Studio, OpenRouter, …']);
  lines.push(['None yet', 'the small built-in model, which needs no network']);
  const width = Math.max(...lines.map(([label = '']) => label.length));
  const ready = providers.findIndex((one) => keyOf(setup, one) !== '');
  const usual = ready >= 0 ? ready : local.length > 0 ? providers.findIndex((one) => one.name === 'ollama') : 0;
  const at = await ask.choose(
    lines.map(([label = '', what = '']) => `${label.padEnd(width)}  ${what}`),
    usual,
  );
  const chosen = providers[at];
  if (chosen) return chosen;
  return at === providers.length ? newServer(setup) : 'offline';
}

async function find({ client }: Setup, name: string): Promise<Provider> {
  const providers = await client.providers();
  const found = providers.find((provider) => provider.name === name);
  if (found) return found;
  throw new PxError('usage', `No provider is named ${name}.`, {
    hint: `It is one of ${providers.map((provider) => provider.name).join(', ')}, offline; another server: --base-url URL.`,
  });
}

/** Where a provider's key comes from, in a few words; this terminal's environment counts, too. */
function keyOf({ context }: Setup, { key, keyNeeded, secret }: Provider): string {
  return keyNeeded && context.env.get(secret) ? `${secret} is in the environment` : key;
}

function note(setup: Setup, provider: Provider, local: string[]): string {
  const key = keyOf(setup, provider);
  if (provider.name !== 'ollama') return key || (provider.keyNeeded ? 'needs a key' : `at ${provider.url}`);
  if (local.length === 0) return `does not answer at ${provider.url}`;
  return `runs here, with ${local.slice(0, 3).join(', ')}${local.length > 3 ? ` and ${local.length - 3} more` : ''}`;
}

/** The models of a running Ollama; none when there is none. */
async function installed({ client, wait }: Setup): Promise<string[]> {
  try {
    return (await wait(client.offered('ollama'))).models;
  } catch (thrown) {
    if (thrown instanceof PxError && thrown.code === 'interrupted') throw thrown;
    return [];
  }
}

/** A server the person names, with its key for what comes next. Undefined: they want to choose again. */
async function newServer(setup: Setup): Promise<Provider | undefined> {
  const { ask, answers } = setup;
  for (;;) {
    const url = await ask?.line('Its address, as http://localhost:1234/v1 (Enter: back)');
    if (!url) return undefined;
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      setup.say('That is no address. It begins with http:// or https://.');
      continue;
    }
    const name = nameOf(url);
    try {
      await addServer(setup, name, url);
      const key = await ask?.hidden('Its key', 'none');
      if (key) answers.key = key;
      return await find(setup, name);
    } catch (thrown) {
      if (thrown instanceof PxError && thrown.code === 'interrupted') throw thrown;
      setup.say(sentence(thrown));
    }
  }
}

/** A server's address in px.yaml: of a provider px knows, or of one more. */
async function addServer({ client }: Setup, name: string, url: string): Promise<void> {
  const own = (await client.providers()).some((one) => one.name === name && one.defaultModel !== '');
  await client.setConfig(own ? `providers.${name}.base_url` : `providers.compatible.${name}.base_url`, url);
}

/** A name for a server: `openrouter` for https://openrouter.ai/api/v1. */
function nameOf(url: string): string {
  const host = URL.parse(url)?.hostname ?? '';
  if (/^[\d.]+$|^\[|^localhost$/.test(host)) return 'local';
  const word = host.split('.').at(-2) ?? host;
  return /^[a-z][a-z0-9-]{0,62}$/.test(word) ? word : 'local';
}
