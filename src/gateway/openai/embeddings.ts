import * as v from 'valibot';
import type { Embeddings } from '../../model/model.ts';

const text = v.pipe(v.string(), v.minLength(1));

/** OpenAI's embedding request. Texts only: token ids belong to one tokenizer, which the chosen model need not have. */
export const EmbeddingsRequest = v.looseObject({
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.description('`provider/model` or an alias.')),
  input: v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(2048))], 'a text, or 1 to 2048 texts'),
  encoding_format: v.nullish(v.picklist(['float', 'base64'])),
  dimensions: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
});
export type EmbeddingsRequest = v.InferOutput<typeof EmbeddingsRequest>;

/** OpenAI's list of embeddings, as px sends it. */
export const EmbeddingsReply = v.object({
  object: v.literal('list'),
  model: v.string(),
  data: v.array(
    v.object({
      object: v.literal('embedding'),
      index: v.number(),
      embedding: v.union([
        v.array(v.number()),
        v.pipe(v.string(), v.description('Little-endian 32-bit floats in base64.')),
      ]),
    }),
  ),
  usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
});

/** Vectors in OpenAI's words. */
export function embeddingsReply(body: EmbeddingsRequest, made: Embeddings): v.InferOutput<typeof EmbeddingsReply> {
  const encode = (vector: number[]) =>
    body.encoding_format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
  return {
    object: 'list',
    model: body.model,
    data: made.vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
    usage: { prompt_tokens: made.tokens, total_tokens: made.tokens },
  };
}
