import * as v from 'valibot';
import type { ErrorShape } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

/** Enough for models that think before they say a word. */
const mostTokens = 256;
const mostMs = 60_000;

/** A real call of a model, to see whether key, address and name are right. */
export const modelTestRoutes = [
  route({
    method: 'POST',
    path: '/api/model-test',
    summary:
      'Asks a model for a word, for real: it costs what a word costs. A failure is in `error`, not an HTTP error.',
    auth: 'token',
    body: v.object({ model: s.modelName }),
    reply: s.modelTest,
    async run({ app, body, request, unhurried }) {
      unhurried();
      const model = app.models.resolve(body.model);
      const began = performance.now();
      let text = '';
      let firstMs: number | null = null;
      let error: ErrorShape | undefined;
      const stream = app.models.stream(
        {
          model,
          system: 'You are being tested. Answer with one short word.',
          messages: [{ role: 'user', parts: [{ type: 'text', text: 'Are you there?' }] }],
          tools: [],
          maxOutputTokens: mostTokens,
        },
        AbortSignal.any([request.signal, AbortSignal.timeout(mostMs)]),
      );
      for await (const event of stream) {
        if (event.type === 'text' || event.type === 'thinking') firstMs ??= Math.round(performance.now() - began);
        if (event.type === 'text') text += event.text;
        if (event.type === 'end') error = event.error;
      }
      const ms = Math.round(performance.now() - began);
      return { ok: error === undefined, model, ms, firstMs, text: text.slice(0, 500), ...(error ? { error } : {}) };
    },
  }),
];
