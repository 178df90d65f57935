import * as v from 'valibot';
import { contextReport } from '../../agent/agent.ts';
import { usageBy } from '../../model/model.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

/** What was spent, and what a request is made of. */
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
  route({
    method: 'GET',
    path: '/api/conversations/{channel}/{chat}/context',
    summary: 'What px would send to the model with the next message: its parts, in tokens (estimated).',
    auth: 'token',
    params: v.object({ channel: s.channelName, chat: s.chatName }),
    reply: s.contextReport,
    run: ({ app, params }) => contextReport(app, `${params.channel}/${params.chat}`),
  }),
];
