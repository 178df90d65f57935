import * as v from 'valibot';
import { aliasTarget, serverUrl } from './text.ts';

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
  max_output_tokens: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(16), v.description('Upper bound of one answer, in tokens.')),
    4096,
  ),
});

/** `providers:` keys and addresses, by provider name. */
export const providers = v.strictObject({
  openai: v.optional(
    v.strictObject({
      ...provider.entries,
      api: v.optional(
        v.pipe(
          v.picklist(['chat', 'responses']),
          v.description('Which OpenAI API to speak. Compatible servers usually know `chat` only.'),
        ),
        'chat',
      ),
    }),
    {},
  ),
  anthropic: v.optional(provider, {}),
  gemini: v.optional(provider, {}),
  ollama: v.optional(provider, {}),
});
