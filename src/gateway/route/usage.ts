import * as v from 'valibot';
import { usageBy } from '../../model/model.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

/** What was spent. */
export const usageRoutes = [
  route({
    method: 'GET',
    path: '/api/usage',
    summary: 'What model calls cost, added up from the ledger, and what is left of the spending caps. US dollars.',
    auth: 'token',
    query: v.object({
      by: v.optional(v.picklist(usageBy), 'model'),
      since: v.optional(
        v.pipe(v.string(), v.regex(/^\d{4}-\d{2}(-\d{2})?$/, 'a month or a day: `2026-11`, `2026-11-22`')),
      ),
      conversation: v.optional(s.conversationId),
    }),
    reply: s.usageReport,
    run: ({ app, query }) => app.models.spend.report(query),
  }),
];
