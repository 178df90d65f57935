import type { ConfigStore } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Bus, ModelRef } from '../wire/wire.ts';
import { contextWindow, factsOf, offlineRef, pickLocalModel, providerFacts, providerNames } from './catalogue.ts';
import { CoolDown, withFailover } from './failover.ts';
import { askOllamaWindow, listLocal } from './local.ts';
import { metered, meteredEmbed } from './metered.ts';
import type { ModelEvent, ModelRequest, Models, Provider } from './model.ts';
import { Offers } from './offers.ts';
import type { isReachable } from './protocol/reach.ts';
import { addressOf, describeProviders, keySource } from './providers.ts';
import { modelName, providerName } from './ref.ts';
import { withRetry } from './retry.ts';
import { resolveName } from './route.ts';
import { type ProviderSettings, providerSection, readSettings } from './settings.ts';
import { Spend } from './spend.ts';
import { Told } from './told.ts';

/** What {@link openModels} is made from. */
export interface ModelParts {
  config: ConfigStore;
  secrets: Secrets;
  memory: Pick<Memory, 'search'>;
  log: Log;
  bus: Bus;
}

/** While the offline model stands in, Ollama is looked for again at most this often, in ms. */
const probeAgainMs = 20_000;
/** How long a connection may take when a provider that was away is looked for, in ms. */
const lookMs = 3_000;
/** How long a turn waits for what Ollama says of a window, in ms: `beside`, while another model could answer at once. */
const windowMs = { alone: 2_000, beside: 300 };

type Choice = Models['default'];

/** What tests set: shorter waits, and whether there is a connection. */
interface Tuning {
  retryMs?: number;
  coolMs?: number;
  isReachable?: typeof isReachable;
}

/** Opens the switcher. Returns at once: Ollama is looked for in the background, and the offline model answers until it is found. */
export async function openModels(parts: ModelParts, tuning: Tuning = {}): Promise<Models> {
  const { config, bus } = parts;
  const log = parts.log.scope('model');
  const providers = new Map<string, Promise<Provider>>();
  const closing = new AbortController();
  const spend = new Spend(config, log, (provider) => addressOf(provider, parts));
  let local: string[] = [];
  let probedAt = 0;

  const settingsOf = (name: string): ProviderSettings => {
    const settings = readSettings(name, config, parts.secrets);
    const { isReachable } = tuning;
    return isReachable ? { ...settings, reachable: (ms) => isReachable(settings.baseUrl, ms) } : settings;
  };
  const cool = new CoolDown(async (name) => (await settingsOf(name).reachable?.(lookMs)) ?? true, tuning.coolMs);
  const windows = new Told<number>((ref) => askOllamaWindow(settingsOf('ollama'), modelName(ref)), {
    answer: Number.POSITIVE_INFINITY,
    failure: probeAgainMs,
  });

  const load = (name: string): Promise<Provider> => {
    const known = providers.get(name);
    if (known) return known;
    const fresh = loadProvider(name, parts, settingsOf);
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
    if (changed && !closing.signal.aborted) {
      log.info(`the default model is now ${next.ref}`, { why: next.why });
      bus.emit({ type: 'model.changed', conversation: undefined, model: next.ref, by: 'config' });
    }
    return next;
  };

  const probe = async (): Promise<void> => {
    probedAt = Date.now();
    local = await listLocal(() => settingsOf('ollama'));
    if (!closing.signal.aborted) refresh();
  };

  /** Only when the answer could matter. */
  const wantsProbe = () => config.current.model.default === 'auto' && current.ref === offlineRef;

  const offers = new Offers({
    ...parts,
    load,
    tariff: (ref) => spend.tariff(ref),
    resolve: (name) => tryResolve(name, table()),
    away: (name) => cool.away(name)?.message,
    signal: closing.signal,
  });
  /** What was found out about servers is to be found out again. */
  const forget = () => {
    for (const known of [cool, windows, offers]) known.clear();
  };

  const unsubscribe = config.onChange((_, changed) => {
    if (!changed.some((key) => /^(model|providers)(\.|$)/.test(key))) return;
    forget();
    refresh();
    if (wantsProbe()) void probe();
  });

  if (wantsProbe()) void probe();

  /** One model, with retries; each attempt is paid for by itself. No generator of its own: each costs time for every piece of text. */
  const one = (request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> => {
    const name = providerName(request.model);
    const baseMs = tuning.retryMs === undefined ? {} : { baseMs: tuning.retryMs };
    const options = { signal, beside: request.beside ?? false, log: log.scope(`model/${name}`), ...baseMs };
    return withRetry(() => metered(spend, () => load(name), request, signal), options);
  };

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
        ask: (model, last) => one({ ...request, model, beside: !last }, signal),
      });
    },
    async embed(request, signal) {
      const name = providerName(request.model);
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
      const beside = config.current.model.fallbacks.length > 0;
      return windows.get(ref, cool.away('ollama') ? 0 : beside ? windowMs.beside : windowMs.alone);
    },
    list: (signal) => offers.list(signal),
    providers: () => describeProviders(parts).map((one) => ({ ...one, problem: offers.problem(one.name) })),
    async offered(name, signal) {
      const models = await (await load(name)).models(signal);
      const { defaultModel } = factsOf(name);
      const usual = name === 'ollama' ? pickLocalModel(models) : models.find((model) => model === defaultModel);
      return { models, usual: usual ?? models[0] ?? '' };
    },
    async detect() {
      forget();
      await probe();
    },
    close() {
      closing.abort();
      unsubscribe();
      cool.clear();
      providers.clear();
      return spend.idle();
    },
  };
}

async function loadProvider(
  name: string,
  parts: ModelParts,
  settingsOf: (name: string) => ProviderSettings,
): Promise<Provider> {
  if (name === 'offline') return (await import('./provider/offline.ts')).offlineProvider(parts.memory);
  providerSection(name, parts.config);
  const settings = () => settingsOf(name);
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

function tryResolve(name: string, table: Parameters<typeof resolveName>[1]): ModelRef | undefined {
  try {
    return resolveName(name, table);
  } catch {
    return undefined;
  }
}
