import type { ModelRef } from '../wire/wire.ts';
import { contextWindow, factsOf, offlineRef, providerNames } from './catalogue.ts';
import type { ModelInfo, Provider } from './model.ts';
import { dollars, type Tariff } from './price.ts';
import { hasOwnServer, keySource, type ProviderParts } from './providers.ts';
import { providerName } from './ref.ts';
import { Told } from './told.ts';

/** Longest wait for what a server lists, in ms. The question itself goes on, so that the next list has its answer. */
const patienceMs = 1_500;
/** How long a list counts, and how long that there is none, in ms. */
const terms = { answer: 10_000, failure: 1_000 };

/** What {@link Offers} is made from. */
interface OffersParts extends ProviderParts {
  load(provider: string): Promise<Provider>;
  tariff(ref: ModelRef): Tariff;
  /** A reference of what an alias means; undefined when that is no model. */
  resolve(name: string): ModelRef | undefined;
  /** Why a provider is known to be out of reach, in words; undefined when it may be there. */
  away(provider: string): string | undefined;
  /** Aborted when px ends. */
  signal: AbortSignal;
}

/** The models that can be used now. Servers are asked side by side, and one that is slow or away holds up nobody. */
export class Offers {
  readonly #parts: OffersParts;
  readonly #told: Told<string[]>;

  constructor(parts: OffersParts) {
    this.#parts = parts;
    this.#told = new Told(async (name) => (await parts.load(name)).models(parts.signal), terms);
  }

  async list(signal: AbortSignal): Promise<ModelInfo[]> {
    const { config, resolve } = this.#parts;
    const names = [...providerNames, ...Object.keys(config.current.providers.compatible)];
    const listed = await Promise.all(names.filter((name) => this.#usable(name)).map((name) => this.#of(name, signal)));
    const found = [offlineRef, ...listed.flat()].map((ref) => this.#info(ref));
    for (const [alias, target] of Object.entries(config.current.model.aliases)) {
      const ref = resolve(target);
      if (!ref) continue;
      const entry = found.find((one) => one.ref === ref) ?? this.#info(ref);
      if (!found.includes(entry)) found.push(entry);
      entry.aliases = [...(entry.aliases ?? []), alias];
    }
    return found;
  }

  /** Why a provider that somebody set up is not in the last list, in words; empty when it is, or nobody asked. */
  problem(name: string): string {
    const wanted = keySource(name, this.#parts) || hasOwnServer(name, this.#parts);
    return wanted ? (this.#parts.away(name) ?? this.#told.problem(name)) : '';
  }

  /** Keys or addresses changed. */
  clear(): void {
    this.#told.clear();
  }

  #usable(name: string): boolean {
    return factsOf(name).keyOptional || Boolean(keySource(name, this.#parts)) || hasOwnServer(name, this.#parts);
  }

  async #of(name: string, signal: AbortSignal): Promise<ModelRef[]> {
    // What takes its time here is this machine, and not a server.
    await this.#parts.load(name).catch(() => undefined);
    const models = await this.#told.get(name, this.#parts.away(name) === undefined ? patienceMs : 0, signal);
    return (models ?? []).map((model): ModelRef => `${name}/${model}`);
  }

  #info(ref: ModelRef): ModelInfo {
    const provider = providerName(ref);
    const window = contextWindow(ref);
    const { price, source } = this.#parts.tariff(ref);
    return {
      ref,
      provider,
      offline: provider === 'offline',
      ...(window === undefined ? {} : { contextWindow: window }),
      cost: price ? `${dollars(price.input)} in, ${dollars(price.output)} out (${source})` : source,
    };
  }
}
