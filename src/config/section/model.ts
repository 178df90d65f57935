import * as v from 'valibot';
import { aliasTarget, modelPattern, serverUrl } from './text.ts';

const provider = v.strictObject({
  api_key: v.optional(
    v.pipe(
      v.string(),
      v.description("`secret:NAME` or `${NAME}`. Left out: the provider's usual environment variable."),
    ),
  ),
  base_url: v.optional(v.pipe(serverUrl, v.description('Another server that speaks the same API.'))),
  timeout_seconds: v.optional(
    v.pipe(
      v.number(),
      v.minValue(1),
      v.description('Longest silence of a stream before it counts as broken, in seconds.'),
    ),
    120,
  ),
});

const dollars = (what: string) => v.pipe(v.number(), v.minValue(0), v.description(what));

/** `model.budget:` what may be spent, in US dollars. */
const budget = v.strictObject({
  day: v.optional(dollars('Most dollars spent in a day.'), 5),
  month: v.optional(dollars('Most dollars spent in a calendar month.'), 50),
  conversation: v.optional(dollars('Most dollars one conversation may ever cost. Left out: no such cap.')),
  plugin: v.optional(dollars("Most dollars a day for the messages of one plugin's channels. Left out: no such cap.")),
});

const price = v.strictObject({
  input: dollars('Dollars for a million input tokens.'),
  output: dollars('Dollars for a million output tokens.'),
  cached_input: v.optional(dollars('Dollars for a million tokens read from the cache. Left out: a tenth of `input`.')),
});

/** `model:` who answers. */
export const model = v.strictObject({
  default: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\S+$/, '`provider/model`, an alias, or `auto`'),
      v.description(
        '`provider/model`, an alias, or `auto`: the first provider with a key, then Ollama, then the offline model.',
      ),
    ),
    'auto',
  ),
  aliases: v.optional(
    v.pipe(
      v.record(v.string(), aliasTarget),
      v.description('Short names for model references: `fast: openai/gpt-5-mini`.'),
    ),
    {},
  ),
  fallbacks: v.optional(
    v.pipe(
      v.array(aliasTarget),
      v.description(
        'Models that answer, in this order, when the default one fails. A model a person chose is never replaced.',
      ),
    ),
    [],
  ),
  budget: v.optional(
    v.pipe(
      budget,
      v.description(
        'Caps on spending, checked with the worst case of a call before it is made. 0 allows only free models.',
      ),
    ),
    {},
  ),
  prices: v.optional(
    v.pipe(
      v.record(modelPattern, price),
      v.description("Prices by `provider/model`, `*` at the end for any; they come before px's own catalogue."),
    ),
    {},
  ),
  thinking: v.optional(
    v.pipe(
      v.picklist(['shown', 'hidden']),
      v.description(
        'Whether people see what a model thinks, where it tells. `hidden`: providers are asked to leave it out, and what comes all the same is only journalled.',
      ),
    ),
    'shown',
  ),
  max_output_tokens: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(16), v.description('Upper bound of one answer, in tokens.')),
    4096,
  ),
});

const api = v.optional(
  v.pipe(
    v.picklist(['chat', 'responses']),
    v.description("Which OpenAI API to speak. Left out: `responses` at OpenAI's own address, `chat` at any other."),
  ),
);

/** A name that a model reference can begin with, and none of px's own. */
const serverName = v.pipe(
  v.string(),
  v.regex(
    /^(?!(?:openai|anthropic|gemini|ollama|offline|auto|default)$)[a-z][a-z0-9-]{0,31}$/,
    'a name of your own in small letters, digits and dashes',
  ),
);

/** `providers:` keys and addresses, by provider name. */
export const providers = v.strictObject({
  openai: v.optional(v.strictObject({ ...provider.entries, api }), {}),
  anthropic: v.optional(provider, {}),
  gemini: v.optional(provider, {}),
  ollama: v.optional(provider, {}),
  compatible: v.optional(
    v.pipe(
      v.record(
        serverName,
        v.strictObject({
          ...provider.entries,
          base_url: v.pipe(serverUrl, v.description('Where it speaks the OpenAI API: `https://api.example.com/v1`.')),
          api,
        }),
      ),
      v.description(
        "Further servers that speak OpenAI's API, by a name of yours: their models are `NAME/MODEL`. Left out `api_key`: the secret or variable `NAME_API_KEY`.",
      ),
    ),
    {},
  ),
});
