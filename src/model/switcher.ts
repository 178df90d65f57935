import type { ConfigStore } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Bus, ModelRef } from '../wire/wire.ts';
import { contextWindow, factsOf, offlineRef, pickLocalModel, providerFacts, providerNames } from './catalogue.ts';
import { CoolDown, withFailover } from './failover.ts';
import { metered, meteredEmbed } from './metered.ts';
import type { ModelEvent, ModelInfo, ModelRequest, Models, Provider } from './model.ts';
import { dollars, type Tariff } from './price.ts';
import { addressOf, describeProviders, hasOwnServer, keySource } from './providers.ts';
import { withRetry } from './retry.ts';
import { resolveName } from './route.ts';
import { providerSection, readSettings } from './settings.ts';
import { Spend } from './spend.ts';
import { askOllamaWindow } from './window.ts';

/** What {@link openModels} is made from. */
export interface ModelParts {
  config: ConfigStore;
  secrets: Secrets;
  memory: Pick<Memory, 'search'>;
  log: Log;
  bus: Bus;
}

/** How long Ollama may take to say that it is there, in ms. */
const probeMs = 300;
/** While the offline model stands in, Ollama is looked for again at most this often, in ms. */
const probeAgainMs = 20_000;

type Choice = Models['default'];

/** Opens the switcher. Returns at once: Ollama is looked for in the background, and the offline model answers until it is found. */
export async function openModels(
  parts: ModelParts,
  tuning: { retryMs?: number; coolMs?: number } = {},
): Promise<Models> {
  const { config, bus } = parts;
  const log = parts.log.scope('model');
  const providers = new Map<string, Promise<Provider>>();
  const cool = new CoolDown(tuning.coolMs);
  const spend = new Spend(config, log, (provider) => addressOf(provider, parts));
  const windows = new Map<ModelRef, { window: number | undefined; at: number }>();
  let local: string[] = [];
  let probedAt = 0;
  let closed = false;

  const load = (name: string): Promise<Provider> => {
    const known = providers.get(name);
    if (known) return known;
    const fresh = loadProvider(name, parts);
    providers.set(name, fresh);
    return fresh;
  };

  const servers = () => Object.keys(config.current.providers.compatible);
  const table = () => ({
    aliases: config.current.model.aliases,
    automatic: automatic().ref,
    local,
    servers: servers(),
  });

  /** The first provider with a key, then Ollama, then offline. */
  const automatic = (): Choice => {
    for (const name of providerNames) {
      const facts = providerFacts[name];
      if (facts.keyOptional) continue;
      const why = keySource(name, parts);
      if (why) return { ref: `${name}/${facts.defaultModel}`, why };
    }
    const model = pickLocalModel(local);
    if (model) return { ref: `ollama/${model}`, why: `Ollama answers and has ${model}` };
    return { ref: offlineRef, why: 'no key is set and no Ollama answers: the built-in offline model' };
  };

  const choose = (): Choice => {
    const named = config.current.model.default;
    if (named === 'auto') return automatic();
    try {
      return { ref: resolveName(named, table()), why: `model.default in px.yaml is \`${named}\`` };
    } catch (thrown) {
      const error = toPxError(thrown);
      return {
        ref: offlineRef,
        why: `model.default in px.yaml is not usable: ${error.message} ${error.hint ?? ''}`.trim(),
      };
    }
  };

  let current = choose();

  /** Looks at config and keys again (no network) and tells who watches when the default changed. */
  const refresh = (): Choice => {
    const next = choose();
    const changed = next.ref !== current.ref;
    current = next;
    if (changed && !closed) {
      log.info(`the default model is now ${next.ref}`, { why: next.why });
      bus.emit({ type: 'model.changed', conversation: undefined, model: next.ref, by: 'config' });
    }
    return next;
  };

  const probe = async (): Promise<void> => {
    probedAt = Date.now();
    local = await listLocal(parts);
    if (!closed) refresh();
  };

  /** Only when the answer could matter. */
  const wantsProbe = () => config.current.model.default === 'auto' && current.ref === offlineRef;

  const unsubscribe = config.onChange((_, changed) => {
    if (!changed.some((key) => /^(model|providers)(\.|$)/.test(key))) return;
    cool.clear();
    windows.clear();
    refresh();
    if (wantsProbe()) void probe();
  });

  if (wantsProbe()) void probe();

  /** One model, with retries; each attempt is paid for by itself. No generator of its own: each costs time for every piece of text. */
  const one = (request: ModelRequest, signal: AbortSignal, beside: boolean): AsyncIterable<ModelEvent> => {
    const name = request.model.slice(0, request.model.indexOf('/'));
    const baseMs = tuning.retryMs === undefined ? {} : { baseMs: tuning.retryMs };
    const options = { signal, beside, log: log.scope(`model/${name}`), ...baseMs };
    return withRetry(() => metered(spend, () => load(name), request, signal), options);
  };
  const info = (ref: ModelRef) => infoOf(ref, spend.tariff(ref));

  return {
    get default() {
      return refresh();
    },
    resolve: (name) => resolveName(name, table()),
    spend,
    stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
      const { onFailover } = request;
      const others = onFailover ? config.current.model.fallbacks.map((other) => tryResolve(other, table())) : [];
      const models = [...new Set([request.model, ...others.filter((ref) => ref !== undefined)])];
      if (wantsProbe() && Date.now() - probedAt > probeAgainMs) void probe();
      return withFailover({
        models,
        cool,
        onFailover,
        ask: (model, last) => one({ ...request, model }, signal, !last),
      });
    },
    async embed(request, signal) {
      const name = request.model.slice(0, request.model.indexOf('/'));
      const provider = await load(name);
      if (!provider.embed)
        throw new PxError('model.bad-request', `${name} has no embeddings.`, {
          hint: 'Use a model of openai, gemini or ollama: `openai/text-embedding-3-small`, `ollama/nomic-embed-text`.',
        });
      const made = await meteredEmbed(spend, { ...provider, embed: provider.embed }, request, signal);
      if (made.vectors.length !== request.input.length || !made.vectors.every((one) => one.length > 0))
        throw new PxError('model.bad-request', `${request.model} did not answer with one vector a text.`, {
          hint: `Is it an embedding model? Check its name and providers.${name}.base_url in px.yaml.`,
        });
      return made;
    },
    async window(ref) {
      if (!ref.startsWith('ollama/')) return contextWindow(ref);
      const known = windows.get(ref);
      if (known !== undefined && (known.window || Date.now() - known.at < probeAgainMs)) return known.window;
      const { baseUrl, apiKey } = readSettings('ollama', config, parts.secrets);
      const told = await askOllamaWindow(baseUrl, apiKey, ref.slice(7)).catch(() => undefined);
      // px never asks Ollama for more than this (provider/ollama.ts).
      const window = told === undefined ? undefined : Math.min(told, 131_072);
      windows.set(ref, { window, at: Date.now() });
      return window;
    },
    async list(signal) {
      const found: ModelInfo[] = [info(offlineRef)];
      const listed = await Promise.all(
        [...providerNames, ...servers()].map(async (name) => {
          if (!factsOf(name).keyOptional && !keySource(name, parts) && !hasOwnServer(name, parts)) return [];
          const models = await load(name)
            .then((p) => p.models(signal))
            .catch(() => []);
          return models.map((model) => info(`${name}/${model}`));
        }),
      );
      found.push(...listed.flat());
      for (const [alias, target] of Object.entries(config.current.model.aliases)) {
        const ref = tryResolve(target, table());
        if (!ref) continue;
        const entry = found.find((m) => m.ref === ref) ?? info(ref);
        if (!found.includes(entry)) found.push(entry);
        entry.aliases = [...(entry.aliases ?? []), alias];
      }
      return found;
    },
    providers: () => describeProviders(parts),
    async offered(name, signal) {
      const models = await (await load(name)).models(signal);
      const { defaultModel } = factsOf(name);
      const usual = name === 'ollama' ? pickLocalModel(models) : models.find((model) => model === defaultModel);
      return { models, usual: usual ?? models[0] ?? '' };
    },
    async detect() {
      cool.clear();
      await probe();
    },
    close() {
      closed = true;
      unsubscribe();
      providers.clear();
      return spend.idle();
    },
  };
}

async function loadProvider(name: string, parts: ModelParts): Promise<Provider> {
  if (name === 'offline') return (await import('./provider/offline.ts')).offlineProvider(parts.memory);
  providerSection(name, parts.config);
  const settings = () => readSettings(name, parts.config, parts.secrets);
  switch (name) {
    case 'anthropic':
      return (await import('./provider/anthropic.ts')).anthropicProvider(settings);
    case 'gemini':
      return (await import('./provider/gemini.ts')).geminiProvider(settings);
    case 'ollama':
      return (await import('./provider/ollama.ts')).ollamaProvider(settings);
    default:
      return (await import('./provider/openai.ts')).openaiProvider(settings, name);
  }
}

/** The models an Ollama server has; none when it does not answer in time. The SDK is not loaded for this. */
async function listLocal({ config, secrets }: ModelParts): Promise<string[]> {
  try {
    const { baseUrl, apiKey } = readSettings('ollama', config, secrets);
    const response = await fetch(`${baseUrl}/api/tags`, {
      signal: AbortSignal.timeout(probeMs),
      redirect: 'manual',
      ...(apiKey ? { headers: { authorization: `Bearer ${apiKey}` } } : {}),
    });
    const body: unknown = await response.json();
    const models: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'models') : undefined;
    if (!Array.isArray(models)) return [];
    return models.flatMap((model: unknown) => {
      const name: unknown = typeof model === 'object' && model !== null ? Reflect.get(model, 'name') : undefined;
      return typeof name === 'string' && name !== '' ? [name] : [];
    });
  } catch {
    return [];
  }
}

function infoOf(ref: ModelRef, { price, source }: Tariff): ModelInfo {
  const provider = ref.slice(0, ref.indexOf('/'));
  const window = contextWindow(ref);
  return {
    ref,
    provider,
    offline: provider === 'offline',
    ...(window === undefined ? {} : { contextWindow: window }),
    cost: price ? `${dollars(price.input)} in, ${dollars(price.output)} out (${source})` : source,
  };
}

function tryResolve(name: string, table: Parameters<typeof resolveName>[1]): ModelRef | undefined {
  try {
    return resolveName(name, table);
  } catch {
    return undefined;
  }
}
